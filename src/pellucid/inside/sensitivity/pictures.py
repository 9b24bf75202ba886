"""Changes of pictures, made to what the model sees: resized and cropped, before normalization."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from pellucid.inside.sensitivity.changes import Change, both_ways, growing
from pellucid.model import ImageInput, Inputs

Pixels = NDArray[np.uint8]
Random = np.random.Generator
MOST_NOISE = 128.0  # grey levels of 255
MOST_BRIGHTNESS = 160.0
MOST_TURN = 90.0  # degrees
MOST_CROP, MOST_COVER = 80.0, 90.0  # % of the side
SIDE_OF_BLUR = 28  # sides to a pixel of the strongest blur
LEAST_BLUR = 2.0
SHOWN = 112  # pixels


class Pictures:
    """Pictures (y, x, 3) uint8 of the model's size; grey models get the same level thrice."""

    def __init__(self, form: ImageInput, num_steps: int) -> None:
        self.form = form
        self.num_channels = len(form.mean)
        self.changes = picture_changes(form, num_steps)

    def prepare(self, raws: Sequence[Any]) -> Inputs:
        """Pictures as the model sees them: (n, y, x, 3) uint8."""
        mode = "L" if self.num_channels == 1 else "RGB"
        seen = [self.form.picture(raw).convert(mode).convert("RGB") for raw in raws]
        return {"": torch.from_numpy(np.stack([np.array(picture) for picture in seen]))}

    def states(self, prepared: Inputs) -> list[Pixels]:
        return list(prepared[""].numpy())

    def inputs(self, states: Sequence[Pixels]) -> Inputs:
        """Normalize as the model's own input does."""
        tensors = [self.form.tensor(Image.fromarray(pixels)) for pixels in states]
        return {self.form.argument: torch.stack(tensors)}

    def shape(self, state: Pixels) -> tuple[int, ...]:
        return state.shape

    def shown(self, state: Pixels) -> Pixels:
        picture = Image.fromarray(state)
        picture.thumbnail((SHOWN, SHOWN), Image.Resampling.LANCZOS)
        return np.array(picture)


def picture_changes(form: ImageInput, num_steps: int) -> tuple[Change, ...]:
    """All changes of pictures, with strengths for the model's size."""
    grey = len(form.mean) == 1

    def noise(pixels: Pixels, strength: float, random: Random) -> Pixels:
        shape = (*pixels.shape[:2], 1 if grey else 3)
        return _levels(pixels + strength * random.standard_normal(shape))

    return (
        Change(
            name="noise",
            about="normal noise added to every value, by its standard deviation",
            unit="grey levels of 255",
            short="noise",
            strengths=growing(MOST_NOISE, num_steps, power=2),
            apply=noise,
        ),
        Change(
            name="brightness",
            about="every value made darker (below 0) or brighter (above 0)",
            unit="grey levels of 255",
            short="light",
            strengths=both_ways(MOST_BRIGHTNESS, num_steps),
            apply=brighten,
        ),
        Change(
            name="blur",
            about="Gaussian blur, by its standard deviation",
            unit="pixels",
            short="blur",
            strengths=growing(max(LEAST_BLUR, min(form.size) / SIDE_OF_BLUR), num_steps, power=1.5),
            apply=blur,
        ),
        Change(
            name="rotation",
            about="turned to the left around the middle, what comes in from outside mirrored",
            unit="degrees",
            short="turn",
            strengths=growing(MOST_TURN, num_steps),
            apply=rotate,
        ),
        Change(
            name="crop",
            about="the edges cut away, by the part of the side, and the middle enlarged again",
            unit="% of the side",
            short="crop",
            strengths=growing(MOST_CROP, num_steps),
            apply=crop,
        ),
        Change(
            name="occlusion",
            about=(
                "a square of the mean colour, by its side, growing from a place drawn for each "
                "picture"
            ),
            unit="% of the side",
            short="cover",
            strengths=growing(MOST_COVER, num_steps),
            apply=occlude,
        ),
    )


def brighten(pixels: Pixels, strength: float, random: Random) -> Pixels:  # noqa: ARG001
    """Add `strength` grey levels to every value; what leaves 0–255 is cut off."""
    return _levels(pixels + float(strength))


def blur(pixels: Pixels, strength: float, random: Random) -> Pixels:  # noqa: ARG001
    """Blur with a Gaussian of `strength` pixels, edges mirrored."""
    sigma = (strength, strength, 0)
    return _levels(gaussian_filter(pixels.astype(np.float32), sigma, mode="mirror"))


def rotate(pixels: Pixels, strength: float, random: Random) -> Pixels:  # noqa: ARG001
    """Turn by `strength` degrees to the left; the corners show the picture mirrored."""
    height, width = pixels.shape[:2]
    reach = int(np.ceil(np.hypot(height, width) / 2)) + 2
    down, across = (min(reach - side // 2, side - 1) for side in (height, width))
    wide = np.pad(pixels, ((down, down), (across, across), (0, 0)), mode="reflect")
    turned = Image.fromarray(wide).rotate(strength, Image.Resampling.BICUBIC)
    return np.array(turned.crop((across, down, across + width, down + height)))


def crop(pixels: Pixels, strength: float, random: Random) -> Pixels:  # noqa: ARG001
    """Cut away `strength` % of each side, half at each end, and enlarge what is left."""
    height, width = pixels.shape[:2]
    left, top = (width * strength / 200, height * strength / 200)
    box = (left, top, width - left, height - top)
    return np.array(
        Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC, box=box)
    )


def occlude(pixels: Pixels, strength: float, random: Random) -> Pixels:
    """Cover a rectangle of `strength` % of each side with the mean colour.

    Its middle is drawn for each picture; the rectangle is kept inside, and holds every smaller one.
    """
    covered = pixels.copy()
    mean = np.round(pixels.mean((0, 1)))
    spans = []
    for side, middle in zip(pixels.shape[:2], random.random(2), strict=True):
        length = round(side * strength / 100)
        start = round(np.clip(middle * side - length / 2, 0, side - length))
        spans.append(slice(start, start + length))
    covered[spans[0], spans[1]] = mean
    return covered


def _levels(values: NDArray[np.floating]) -> Pixels:
    return np.clip(np.round(values), 0, 255).astype(np.uint8)
