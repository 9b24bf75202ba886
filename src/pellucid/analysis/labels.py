"""Which output of a model stands for which class of the data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import DataError, ModelError
from pellucid.model.labels import has_names

MOST_LISTED = 6


def match_labels(
    model_labels: Sequence[str], data_labels: Sequence[str], num_logits: int
) -> NDArray[np.int64]:
    """Give the model's output for each class of the data: (data classes,) int64.

    Classes are matched by name, first as written, then without regard to upper and lower case.
    The model may know more classes than the data. Where one side has no names, class i is output i.
    Raises DataError when the classes differ, ModelError when the model contradicts itself.
    """
    if model_labels and len(model_labels) != num_logits:
        raise ModelError(
            f"the model names {len(model_labels)} classes, but gives {num_logits} outputs. "
            "Give it one label per output, in their order."
        )
    if not data_labels or tuple(model_labels) == tuple(data_labels):
        return np.arange(num_logits, dtype=np.int64)
    if not has_names(model_labels):
        return _by_position(len(data_labels), num_logits)
    for spelling in (str, str.casefold):
        found = _by_name(model_labels, data_labels, spelling)
        if found is not None:
            return found
    raise DataError(_difference(model_labels, data_labels))


def _by_position(num_classes: int, num_logits: int) -> NDArray[np.int64]:
    if num_classes != num_logits:
        raise DataError(
            f"the data has {num_classes} classes, but the model gives {num_logits} outputs and "
            "does not name them. Use data with the classes that the model was trained on, or give "
            "the model its labels so that they can be matched by name."
        )
    return np.arange(num_classes, dtype=np.int64)


def _by_name(
    model_labels: Sequence[str], data_labels: Sequence[str], spelling: Callable[[str], str]
) -> NDArray[np.int64] | None:
    outputs = defaultdict(list)
    for index, label in enumerate(model_labels):
        outputs[spelling(label)].append(index)
    wanted = [spelling(label) for label in data_labels]
    if len(set(wanted)) < len(wanted) or any(label not in outputs for label in wanted):
        return None
    for label, key in zip(data_labels, wanted, strict=True):
        if len(outputs[key]) > 1:
            shown = " and ".join(str(index) for index in outputs[key])
            raise DataError(
                f"class {label!r} of the data fits more than one output of the model ({shown}). "
                "Give the model labels that differ from each other."
            )
    return np.array([outputs[key][0] for key in wanted], dtype=np.int64)


def _difference(model_labels: Sequence[str], data_labels: Sequence[str]) -> str:
    only_data = [label for label in data_labels if label not in set(model_labels)]
    only_model = [label for label in model_labels if label not in set(data_labels)]
    return (
        "the data has classes that the model does not know. "
        f"Only in the data: {_some(only_data)}. Only in the model: {_some(only_model)}. "
        "Rename the classes of one side so that they agree, leave the unknown classes out of the "
        "data, or fine-tune the model on these classes first."
    )


def _some(labels: Sequence[str]) -> str:
    if not labels:
        return "none (some names occur twice)"
    more = f" and {len(labels) - MOST_LISTED:,} more" if len(labels) > MOST_LISTED else ""
    return ", ".join(repr(label) for label in labels[:MOST_LISTED]) + more
