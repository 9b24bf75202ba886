"""How finished pictures read: to the model after random changes, and as pictures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from pellucid.data import Batches, Data, in_order
from pellucid.inside.features.optimizing import Task, scores_of, show
from pellucid.inside.features.transforms import GENTLE, draw
from pellucid.inside.features.watching import LOGITS
from pellucid.model import Model
from pellucid.progress import progress

TOP = 5
NATURAL_STD = (0.096, 0.388)
NATURAL_SATURATED = 0.17
SATURATED = 0.02
NATURAL_FROM = (
    "least and greatest of red, green and blue over the seven colour photographs of scikit-image "
    "(astronaut, chelsea, coffee, motorcycle, rocket) and scikit-learn (china, flower), the middle "
    "square at 224 × 224 pixels"
)
Variables = dict[str, Any]


def read_back(pictures: Float[Tensor, "n c h w"], task: Task) -> Variables:
    """Show the model random views of the pictures, none of which it saw before.

    Gives for each objective and image the mean score and, for classes, the share of views whose
    first answer is the class (of a contrast: where it is above the other), the share whose first
    five have it, and its mean probability; NaN where that is not defined.
    """
    seen = (pictures.shape[2], pictures.shape[3])
    names = ("read_score", "read_top1", "read_top5", "read_probability")
    found: dict[str, list[Tensor]] = {name: [] for name in names}
    with torch.no_grad():
        for _ in range(task.settings.num_views):
            outputs = show(pictures, task, draw(GENTLE, task.streams, seen, task.size))
            found["read_score"].append(scores_of(outputs, task))
            for name, values in _answers(outputs, task).items():
                found[name].append(values)
    shape = (len(task.aims), task.images)
    return {
        name: (("objective", "image"), torch.stack(rows).mean(0).cpu().numpy().reshape(shape))
        for name, rows in found.items()
    }


def _answers(outputs: dict[str, Tensor], task: Task) -> dict[str, Tensor]:
    """First answer, first five answers and probability: (n,) each, for aims at classes."""
    names = ("read_top1", "read_top5", "read_probability")
    rows = {name: torch.full((len(task.aims) * task.images,), torch.nan) for name in names}
    for number, aim in enumerate(task.aims):
        if not aim.classes:
            continue
        part = slice(number * task.images, (number + 1) * task.images)
        logits = outputs[LOGITS][part].float().cpu()
        own = logits[:, aim.classes[0]]
        rank = (logits > own[:, None]).sum(1)
        first = rank == 0
        if len(aim.classes) > 1:
            first = own > logits[:, aim.classes[1]]
        rows["read_top1"][part] = first.float()
        rows["read_probability"][part] = logits.softmax(1)[:, aim.classes[0]]
        if logits.shape[1] > TOP:
            rows["read_top5"][part] = (rank < TOP).float()
    return rows


def natural_percentile(
    model: Model, data: Data, task: Task, read: NDArray[np.floating], visible: bool | None
) -> Variables:
    """Share of natural samples whose score is below that of the picture, streamed over `data`."""
    below = np.zeros((len(task.aims), task.images))
    highest = np.full(len(task.aims), -np.inf)
    count = 0
    batches = Batches(data, model.prepare, in_order(len(data), 16))
    with torch.no_grad(), progress("Looking at data", len(data), show=visible) as advance:
        for batch in batches:
            pixels = next(iter(batch.inputs.values())).to(model.device)
            outputs = task.run(pixels.contiguous(memory_format=torch.channels_last))
            alone = replace(task, images=len(pixels))
            for row, aim in enumerate(alone.aims):
                scores = aim.score(outputs[aim.layer], task.size).float().cpu().numpy()
                below[row] += (scores[:, None] < read[row][None]).sum(0)
                highest[row] = max(highest[row], scores.max())
            count += len(pixels)
            advance(len(pixels))
    return {
        "natural_percentile": (("objective", "image"), 100 * below / max(count, 1)),
        "natural_highest": ("objective", highest),
        "num_natural": ((), count),
    }


def contrast(images: NDArray[np.uint8]) -> Variables:
    """Measure the contrast of pictures (objective, image, y, x, channel), beside that of photographs."""
    shares = images.astype(np.float32) / 255
    clipped = (shares < SATURATED) | (shares > 1 - SATURATED)
    return {
        "channel_std": (("objective", "image", "channel"), shares.std((2, 3))),
        "saturated": (("objective", "image"), clipped.mean((2, 3, 4))),
        "natural_std": ("bound", np.array(NATURAL_STD), {"description": NATURAL_FROM}),
        "natural_saturated": ((), NATURAL_SATURATED),
    }


def keeps_contrast(std: NDArray[np.floating], saturated: ArrayLike) -> NDArray[np.bool_]:
    """Tell which pictures have the contrast of photographs: (…, channel) and (…) to (…)."""
    low, high = NATURAL_STD
    within = ((std >= low) & (std <= high)).all(-1)
    return np.asarray(within & (np.asarray(saturated) <= NATURAL_SATURATED))
