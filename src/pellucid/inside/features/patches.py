"""The part of a picture that a unit looks at where it is excited most."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import Tensor

from pellucid.inside.features.aims import by_channel
from pellucid.inside.features.watching import Run

HELD = 0.9
LEAST = 8
TILE = 96
FRAME = (255, 190, 0)
Box = tuple[int, int, int, int]


def boxes(
    run: Run,
    layer: str,
    pixels: Float[Tensor, "n c h w"],
    unit: int,
    cells: list[int],
) -> list[Box]:
    """Square (left, top, right, bottom) that holds 0.9 of the gradient of a unit at its place.

    It is centred on the gradient's centre of mass: what the unit depends on here, which is mostly
    much less than its receptive field.
    """
    leaf = pixels.clone().requires_grad_()
    size = (pixels.shape[2], pixels.shape[3])
    output = by_channel(run(leaf)[layer], size)[:, unit].reshape(len(pixels), -1)
    chosen = output[torch.arange(len(output)), torch.tensor(cells)]
    (gradient,) = torch.autograd.grad(chosen.sum(), leaf)
    return [_box(each.abs().sum(0).double().cpu().numpy()) for each in gradient]


def patch_of(picture: Image.Image, box: Box) -> NDArray[np.uint8]:
    """Cut out a square and scale it to a tile: (96, 96, 3)."""
    cut = picture.convert("RGB").crop(box)
    return np.asarray(cut.resize((TILE, TILE), Image.Resampling.BICUBIC))


def framed(picture: Image.Image, box: Box) -> NDArray[np.uint8]:
    """Draw a square's frame on a picture and scale it to a tile: (96, 96, 3)."""
    copy = picture.convert("RGB")
    width = max(2, round(min(copy.size) / 56))
    ImageDraw.Draw(copy).rectangle(
        (box[0], box[1], box[2] - 1, box[3] - 1), outline=FRAME, width=width
    )
    return np.asarray(copy.resize((TILE, TILE), Image.Resampling.LANCZOS))


def _box(weight: NDArray[np.float64]) -> Box:
    height, width = weight.shape
    total = float(weight.sum())
    if total <= 0:
        return 0, 0, width, height
    row = round(float(weight.sum(1) @ np.arange(height)) / total)
    column = round(float(weight.sum(0) @ np.arange(width)) / total)
    away = np.maximum(
        np.abs(np.arange(height) - row)[:, None], np.abs(np.arange(width) - column)[None]
    )
    inside = np.cumsum(np.bincount(away.reshape(-1), weight.reshape(-1))) / total
    reach = max(LEAST, int(np.searchsorted(inside, HELD)))
    side = min(2 * reach + 1, height, width)
    left = min(max(column - side // 2, 0), width - side)
    top = min(max(row - side // 2, 0), height - side)
    return left, top, left + side, top + side
