"""Random changes to pictures that do not change what is on them, each from a given seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageEnhance

from pellucid.errors import SpecError, closest

LEAST_AREA = 0.6
COLOUR_RANGE = 0.3


@dataclass(frozen=True)
class Augment:
    """Apply the named changes in turn: `augment(picture, seed)`; equal seeds give equal pictures."""

    names: tuple[str, ...]

    def __post_init__(self) -> None:
        for name in self.names:
            if name not in CHANGES:
                raise SpecError(f"augment={name!r} is not known. {closest(name, CHANGES)}")

    def __call__(self, raw: Any, seed: int) -> Any:
        draw = np.random.default_rng(seed)
        for name in self.names:
            raw = CHANGES[name](raw, draw)
        return raw


def flip(picture: Image.Image, draw: np.random.Generator) -> Image.Image:
    """Mirror left and right, half of the time."""
    return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if draw.random() < 0.5 else picture


def crop(picture: Image.Image, draw: np.random.Generator) -> Image.Image:
    """Cut out 60 to 100 % of the area at the same aspect ratio, and scale it back."""
    side = np.sqrt(draw.uniform(LEAST_AREA, 1.0))
    width, height = picture.width * side, picture.height * side
    left, top = draw.uniform(0, picture.width - width), draw.uniform(0, picture.height - height)
    box = (left, top, left + width, top + height)
    return picture.resize(picture.size, Image.Resampling.BILINEAR, box=box)


def colour(picture: Image.Image, draw: np.random.Generator) -> Image.Image:
    """Change brightness, contrast and saturation by up to 30 % each."""
    for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        picture = enhance(picture).enhance(draw.uniform(1 - COLOUR_RANGE, 1 + COLOUR_RANGE))
    return picture


CHANGES: dict[str, Callable[[Image.Image, np.random.Generator], Image.Image]] = {
    "flip": flip,
    "crop": crop,
    "colour": colour,
}
