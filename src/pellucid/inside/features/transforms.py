"""Random views of pictures: what survives them is not a trick on single pixels.

    view = picture ∘ (turn, zoom, shift),   drawn anew in each step, for each picture by itself

A view is one bilinear look-up over the whole batch, whose side is free: a network can be shown small
views, each a part of the picture at a scale between. Beyond the edge the picture is mirrored.
Source: Olah, Mordvintsev and Schubert, Distill 2017, "Transformation robustness".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from pellucid.errors import SpecError
from pellucid.inside.features.randomness import uniform

Size = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Transforms:
    """How views differ.

    `zoom` is the least and the greatest share of the picture's side that is shown; `jitter` the
    greatest shift beyond the picture's edge, as a share of its side; `rotation` the greatest turn
    either way, in degrees. ``Transforms(zoom=(1, 1), jitter=0, rotation=0)`` shows it as it is.
    Raises SpecError for values that make no view.
    """

    zoom: tuple[float, float] = (0.4, 1.05)
    jitter: float = 0.05
    rotation: float = 15.0

    def __post_init__(self) -> None:
        low, high = self.zoom
        if not 0 < low <= high <= 4:
            raise SpecError(f"zoom={self.zoom} was given; expected 0 < least ≤ greatest ≤ 4.")
        if not 0 <= self.jitter <= 1:
            raise SpecError(f"jitter={self.jitter} was given; expected a share from 0 to 1.")
        if not 0 <= self.rotation <= 180:
            raise SpecError(f"rotation={self.rotation} was given; expected 0 to 180 degrees.")


STILL = Transforms(zoom=(1, 1), jitter=0, rotation=0)
GENTLE = Transforms(zoom=(0.7, 1.05), jitter=0.05, rotation=12)


def draw(
    transforms: Transforms, streams: Sequence[torch.Generator], picture: Size, size: Size
) -> Float[Tensor, "n two three"]:
    """Draw one view per stream: matrices from places in the view to places in the picture.

    Places go from -1 to 1. The whole of a `picture` (height, width) is the largest window in it
    that has the proportions of the view's `size`.
    """
    zoom, turn, right, down = uniform(streams, 4).unbind(1)
    low, high = transforms.zoom
    side = low + (high - low) * zoom
    angle = (2 * turn - 1) * math.radians(transforms.rotation)
    fit = min(picture[0] / size[0], picture[1] / size[1])
    tall, wide = (fit * size[axis] * side for axis in (0, 1))
    x = torch.stack([wide * angle.cos(), -tall * angle.sin()], 1) / picture[1]
    y = torch.stack([wide * angle.sin(), tall * angle.cos()], 1) / picture[0]
    reach = 2 * transforms.jitter * side
    sideways = (2 * right - 1) * ((1 - wide / picture[1]).clamp(min=0) + reach)
    downwards = (2 * down - 1) * ((1 - tall / picture[0]).clamp(min=0) + reach)
    shift = torch.stack([sideways, downwards], 1)
    return torch.cat([torch.stack([x, y], 1), shift[..., None]], 2)


def view(
    pictures: Float[Tensor, "n c h w"], matrices: Float[Tensor, "n two three"], size: Size
) -> Float[Tensor, "n c height width"]:
    """Look at each picture through its matrix, at `size` pixels, differentiably."""
    shape = [len(pictures), pictures.shape[1], *size]
    places = F.affine_grid(matrices.to(pictures), shape, align_corners=False)
    return F.grid_sample(pictures, places, padding_mode="reflection", align_corners=False)
