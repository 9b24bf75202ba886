"""The target: which scalar is explained, for each sample.

| target | scalar |
|---|---|
| ``"predicted"`` | the logit of the class with the largest one |
| ``"true"`` | the logit of the sample's own label |
| ``"tabby"`` or ``281`` | the logit of that class for all samples, by label or index |
| integer tensor (n,) | one index per sample |
| a callable | what it returns, (m,), for the model's output, (m, …) |

With `against`, another class in one of these forms, the difference of the two logits is
explained. Logits are those before softmax.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor

from pellucid.data import UNLABELLED, Data
from pellucid.errors import MethodError
from pellucid.model import Model
from pellucid.model.labels import has_names

ScoreOf = Callable[[Tensor], Tensor]
ClassTarget = str | int | Tensor | Sequence[int]
Target = ClassTarget | ScoreOf
Choose = Callable[[Tensor, Tensor], Tensor]
MOST_LISTED = 5


@dataclass(frozen=True)
class Goal:
    """What is explained: `choose(logits, rows)` gives classes (m, 1), or (m, 2) with a contrast;
    `score(logits, classes)` the scalars (m,). `any_shape` allows outputs that are no rows of logits.
    """

    choose: Choose
    score: Callable[[Float[Tensor, " m *classes"], Int[Tensor, "m k"]], Float[Tensor, " m"]]
    any_shape: bool = False


def plan_goal(target: Target, model: Model, size: int, against: ClassTarget | None = None) -> Goal:
    """Plan what to explain for `size` samples.

    Raises MethodError for a target that does not fit, ModelError for an unknown label.
    """
    if callable(target):
        if against is not None:
            raise MethodError(
                "a callable target was given together with `against`; let the callable return the "
                "difference."
            )
        return Goal(_most_likely, _called(target), any_shape=True)
    first = choose_class(target, model, size)
    if against is None:
        return Goal(lambda logits, rows: first(logits, rows)[:, None], _logit)
    second = choose_class(against, model, size)

    def both(logits: Tensor, rows: Tensor) -> Tensor:
        chosen = torch.stack([first(logits, rows), second(logits, rows)], 1)
        same = rows[chosen[:, 0] == chosen[:, 1]].tolist()
        if same:
            raise MethodError(
                f"target {target!r} and against {against!r} are the same class for samples {same}; "
                "their difference is zero. Name two classes."
            )
        return chosen

    return Goal(both, lambda logits, chosen: _difference(logits.gather(1, chosen)))


def choose_class(target: ClassTarget, model: Model, size: int) -> Choose:
    """Plan which class is meant for `size` samples: a function of logits and sample indices.

    Raises MethodError for a target that does not fit, ModelError for an unknown label.
    """
    if isinstance(target, str) and target == "predicted":
        return lambda logits, _rows: logits.argmax(1)
    if isinstance(target, str) and target == "true":
        raise MethodError(
            "target 'true' needs the samples' labels, and prepared tensors have none. "
            "Give the class indices as a tensor, one per sample."
        )
    indices = _indices(target, model, size)

    def chosen(logits: Tensor, rows: Tensor) -> Tensor:
        classes = logits.shape[1]
        wrong = indices[(indices < 0) | (indices >= classes)].tolist()
        if wrong:
            raise MethodError(
                f"class {wrong[0]} was given as the target, but the model gives {classes} "
                f"logits. Expected an index from 0 to {classes - 1}."
            )
        return indices.to(logits.device)[rows]

    return chosen


def true_classes(data: Data, model: Model) -> NDArray[np.int64]:
    """Index of each sample's label among the model's logits (n,); -1 where the model has none.

    Labels are matched by name, first as written, then without regard to upper and lower case; by
    position where one side has no names.
    """
    if not data.labels or not has_names(model.labels):
        return data.targets
    known = {label.casefold(): index for index, label in reversed(list(enumerate(model.labels)))}
    known |= {label: index for index, label in enumerate(model.labels)}
    outputs = [known.get(label, known.get(label.casefold(), UNLABELLED)) for label in data.labels]
    return np.array([*outputs, UNLABELLED], dtype=np.int64)[data.targets]


def refuse_unlabelled(classes: NDArray[np.int64], ids: Sequence[str]) -> None:
    """Raise MethodError when the true class of some sample is unknown, naming the samples."""
    missing = [name for name, index in zip(ids, classes, strict=True) if index == UNLABELLED]
    if not missing:
        return
    more = f" and {len(missing) - MOST_LISTED} more" if len(missing) > MOST_LISTED else ""
    raise MethodError(
        "target 'true' needs a label that the model knows for every sample; there is none for "
        f"{', '.join(missing[:MOST_LISTED])}{more}. Use 'predicted' or a class, or leave them out.",
        samples=missing,
    )


def _logit(logits: Tensor, chosen: Tensor) -> Tensor:
    return logits.gather(1, chosen)[:, 0]


def _difference(pair: Tensor) -> Tensor:
    return pair[:, 0] - pair[:, 1]


def _most_likely(output: Tensor, _rows: Tensor) -> Tensor:
    return (
        output.argmax(1, keepdim=True)
        if output.ndim == 2
        else output.new_zeros(len(output), 1).long()
    )


def _called(function: ScoreOf) -> Callable[[Tensor, Tensor], Tensor]:
    def score(output: Tensor, _chosen: Tensor) -> Tensor:
        scores = function(output)
        if not isinstance(scores, Tensor) or scores.shape != output.shape[:1]:
            got = tuple(scores.shape) if isinstance(scores, Tensor) else type(scores).__name__
            raise MethodError(
                f"the callable target returned {got} for an output of {tuple(output.shape)}; "
                f"expected a tensor of shape ({len(output)},), one score per sample."
            )
        return scores

    return score


def _indices(target: ClassTarget, model: Model, size: int) -> Tensor:
    if isinstance(target, int) and not isinstance(target, bool):
        return torch.full((size,), target)
    if isinstance(target, str):
        return torch.full((size,), model.label_index(target))
    given = torch.as_tensor(target)
    if given.shape != (size,) or given.dtype.is_floating_point or given.dtype == torch.bool:
        raise MethodError(
            f"a target of shape {tuple(given.shape)} and type {given.dtype} was given; expected "
            f"'predicted', 'true', a label, an index, or {size} integers, one per sample."
        )
    return given.long()
