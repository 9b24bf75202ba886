"""Localisation: does a map lie on the object, where boxes or masks say where that is?

    pointing game:  is the strongest place inside?        (0 or 1)
    mass inside:    Σ_inside max(map, 0) / Σ max(map, 0)

The constant control gives the share of the picture that the object takes, the centre control what
the habit of photographers is worth. A model may well decide by what is not the object: a map that
misses it can still be faithful.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from jaxtyping import Bool
from torch import Tensor
from torch.nn import functional as F

from pellucid.attribution.faithfulness.subject import Measured, Subject, measure_card, plane
from pellucid.attribution.registry import Bounds
from pellucid.errors import MethodError

Box = tuple[float, float, float, float]


@measure_card(
    title="Pointing game",
    paper="Zhang, Bargal, Lin, Brandt, Shen and Sclaroff, 2018, section 4.1",
    about=(
        "Asks whether the strongest place of the map lies on the object. It takes for granted "
        "that the model should look there, and only one place counts."
    ),
    unit="share of hits",
    better="higher",
    passes="none",
)
def pointing_game(subject: Subject, *, tolerance: Annotated[int, Bounds(0, 1024)] = 0) -> Measured:
    """Is the strongest place of a map on the object? 0 or 1; of equally strong places, their share.

    A hit may be up to `tolerance` pixels beside a picture's object. NaN without an object.
    Zhang et al., 2018, section 4.1, with 15 pixels. Raises MethodError without masks.
    """
    masks = _given(subject)
    if tolerance and subject.call.kind == "image":
        pictures = masks.view(-1, 1, *plane(subject.call)).float()
        width = 2 * tolerance + 1
        masks = F.max_pool2d(pictures, width, stride=1, padding=tolerance).flatten(1) > 0
    strongest = subject.maps == subject.maps.amax(-1, keepdim=True)
    hits = (strongest & masks).sum(-1) / strongest.sum(-1)
    return Measured(values=torch.where(masks.any(-1), hits, torch.nan))


@measure_card(
    title="Mass inside",
    paper="share of positive attribution inside, as in Wang, Wang, Du et al., 2020, section 4.3",
    about=(
        "Gives the share of the map's positive part that lies on the object. Compare it with the "
        "constant control, which gives the share of the picture that the object takes."
    ),
    unit="share",
    better="higher",
    passes="none",
)
def mass_inside(subject: Subject) -> Measured:
    """How much of what speaks for the class lies on the object?

    NaN without an object, or where nothing is positive. Raises MethodError without masks.
    """
    masks, strength = _given(subject), subject.maps.clamp(min=0).double()
    total = strength.sum(-1)
    inside = (strength * masks).sum(-1) / total.where(total > 0, 1)
    return Measured(values=torch.where((total > 0) & masks.any(-1), inside, torch.nan).float())


def boxes_to_masks(
    boxes: Sequence[Sequence[Box]], height: int, width: int
) -> Bool[Tensor, "n positions"]:
    """Masks of pictures from their boxes (left, top, right, bottom) in pixels, right and bottom
    excluded.
    """
    down, across = torch.arange(height)[:, None] + 0.5, torch.arange(width) + 0.5
    masks = torch.zeros(len(boxes), height, width, dtype=torch.bool)
    for mask, own in zip(masks, boxes, strict=True):
        for left, top, right, bottom in own:
            mask |= (down > top) & (down < bottom) & (across > left) & (across < right)
    return masks.flatten(1)


def _given(subject: Subject) -> Bool[Tensor, "n positions"]:
    if subject.masks is None:
        raise MethodError(
            "localisation was asked for, but not where the objects are. Give `masks`, one per "
            "sample, or boxes through `boxes_to_masks`; or leave these measures out."
        )
    if subject.masks.shape != subject.maps.shape[1:]:
        raise MethodError(
            f"masks of {tuple(subject.masks.shape)} were given for maps of "
            f"{tuple(subject.maps.shape[1:])}; expected equal shapes, flattened."
        )
    return subject.masks.to(subject.maps.device)
