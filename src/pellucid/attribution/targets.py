"""The target: which class's logit is explained, for each sample.

| target | class |
|---|---|
| ``"predicted"`` | the one with the largest logit |
| ``"true"`` | the sample's own label |
| ``"tabby"`` or ``281`` | the same for all samples, by label or index |
| integer tensor (n,) | one index per sample |

The scalar that is explained is the logit, before softmax.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pellucid.attribution.call import Choose
from pellucid.data import UNLABELLED, Data
from pellucid.errors import MethodError
from pellucid.model import Model
from pellucid.model.labels import has_names

Target = str | int | Tensor | Sequence[int]
MOST_LISTED = 5


def choose_class(target: Target, model: Model, size: int) -> Choose:
    """Plan which class to explain for `size` samples: a function of logits and sample indices.

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


def _indices(target: Target, model: Model, size: int) -> Tensor:
    if isinstance(target, str | int) and not isinstance(target, bool):
        return torch.full((size,), model.label_index(target))
    given = torch.as_tensor(target)
    if given.shape != (size,) or given.dtype.is_floating_point or given.dtype == torch.bool:
        raise MethodError(
            f"a target of shape {tuple(given.shape)} and type {given.dtype} was given; expected "
            f"'predicted', 'true', a label, an index, or {size} integers, one per sample."
        )
    return given.long()
