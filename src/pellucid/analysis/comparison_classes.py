"""Which outputs of two models stand for the same class, and which classes the data has."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pellucid.analysis.intervals import Counts
from pellucid.model.labels import class_names, has_names

UNKNOWN = -1


@dataclass(frozen=True, kw_only=True)
class Classes:
    """The classes of two models and of the data, each once: `labels`.

    `outputs_a` and `outputs_b` (outputs,) int64 are the places in `labels` of each model's
    outputs, `true` (data classes,) those of the data's classes. `by_position` says that outputs
    were matched by their order, for want of names.
    """

    labels: tuple[str, ...]
    outputs_a: Counts
    outputs_b: Counts
    true: Counts
    by_position: bool

    @property
    def shared(self) -> Counts:
        """Places in `labels` of the classes that both models know."""
        return np.intersect1d(self.outputs_a, self.outputs_b)


def match_classes(
    labels_a: Sequence[str],
    labels_b: Sequence[str],
    data_labels: Sequence[str],
    num_outputs: tuple[int, int],
) -> Classes:
    """Match the outputs of two models and the classes of the data.

    Classes are matched by name, first as written, then without regard to upper and lower case.
    What has no names is matched by position with what has as many classes, and otherwise not; data
    that names no classes counts those of A.
    """
    named = [list(labels) if has_names(labels) else [] for labels in (labels_a, labels_b)]
    if not all(named) and num_outputs[0] == num_outputs[1]:
        common = next(filter(None, named), None) or list(
            class_names((), data_labels, num_outputs[0])
        )
        names_a = names_b = common
    else:
        names_a, names_b = (
            own or _own_names(side, count, data_labels)
            for own, side, count in zip(named, "AB", num_outputs, strict=True)
        )
    labels = list(names_a)
    outputs_b = _places(labels, names_b)
    true = _places(labels, list(data_labels) or names_a)
    return Classes(
        labels=tuple(labels),
        outputs_a=np.arange(len(names_a), dtype=np.int64),
        outputs_b=outputs_b,
        true=true,
        by_position=not all(named),
    )


def _own_names(side: str, count: int, data_labels: Sequence[str]) -> list[str]:
    """The data's names for a model without names if they are as many, else names of its own."""
    if len(data_labels) == count:
        return list(data_labels)
    return [f"class {index} of {side}" for index in range(count)]


def _places(labels: list[str], names: Sequence[str]) -> Counts:
    """Places of `names` in `labels`; those that are not there are added at the end.

    Of equal names, the first goes with the first, the second with the second.
    """
    found = np.full(len(names), UNKNOWN, dtype=np.int64)
    free = set(range(len(labels)))
    for spelling in (str, str.casefold):
        places = defaultdict(list)
        for place in sorted(free):
            places[spelling(labels[place])].append(place)
        for index in np.flatnonzero(found == UNKNOWN).tolist():
            if places[spelling(names[index])]:
                found[index] = places[spelling(names[index])].pop(0)
        free -= set(found.tolist())
    for index in np.flatnonzero(found == UNKNOWN).tolist():
        found[index] = len(labels)
        labels.append(names[index])
    return found
