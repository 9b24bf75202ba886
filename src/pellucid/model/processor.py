"""What a Hugging Face image processor does to a picture, found out by trying it.

Processors differ in names and defaults, and some normalize twice or swap channels. So black, white
and red pictures tell the normalization, and a gradient that is not square tells the resizing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pellucid.errors import ModelError
from pellucid.model.inputs import RESAMPLING, ImageInput

ARGUMENT = "pixel_values"
TRIAL = (400, 300)
TOLERANCE = 0.002


def image_input(processor: Any, config: Any) -> tuple[ImageInput, tuple[str, ...]]:
    """Describe a processor as an input, with notes about what differs.

    Without a processor the picture's size is the config's, and ImageNet's normalization is assumed.
    Raises ModelError for a processor that gives no pictures or swaps red and blue.
    """
    if processor is None:
        size = getattr(config, "image_size", None) or 224
        pair = (size, size) if isinstance(size, int) else (size[0], size[1])
        note = "there is no image processor: ImageNet's normalization is assumed"
        return ImageInput(size=pair, resize=None, argument=ARGUMENT), (note,)
    mean, std = _normalization(processor)
    gradient = _gradient()
    wanted = _process(processor, gradient)
    known = {method.value: name for name, method in RESAMPLING.items()}
    base = ImageInput(
        size=(wanted.shape[1], wanted.shape[2]),
        interpolation=known.get(int(getattr(processor, "resample", None) or 2), "bilinear"),
        mean=mean,
        std=std,
        argument=ARGUMENT,
    )
    tried = [replace(base, resize=resize) for resize in _resizes(processor, base.size)]
    errors = [_difference(described, gradient, wanted) for described in tried]
    best = int(np.argmin(errors))
    upright = _process(processor, gradient.transpose(Image.Transpose.ROTATE_90))
    if errors[best] <= TOLERANCE and upright.shape == wanted.shape:
        return tried[best], ()
    name = type(processor).__name__
    return tried[best], (f"{name} resizes in a way of its own, which is followed roughly",)


def _normalization(processor: Any) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Read mean and std per channel from what black and white become."""
    black, white, red = (
        _center(_process(processor, Image.new("RGB", TRIAL, colour)))
        for colour in ("black", "white", "red")
    )
    if not np.allclose(red, [white[0], black[1], black[2]], atol=1e-4):
        raise ModelError(
            f"{type(processor).__name__} swaps or mixes colour channels, which Pellucid's picture "
            "input does not. Wrap the model in a module that does it, with pellucid.wrap."
        )
    std = 1 / (white - black)
    return _rounded(-black * std), _rounded(std)


def _rounded(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(round(float(value), 6) for value in values)


def _center(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(pixels[:, pixels.shape[1] // 2, pixels.shape[2] // 2])


def _process(processor: Any, picture: Image.Image) -> NDArray[np.float64]:
    """Process a picture to (channels, height, width)."""
    pixels = processor(picture, return_tensors="np").get(ARGUMENT)
    if pixels is None or np.ndim(pixels) != 4 or pixels.shape[1] != 3:
        raise ModelError(
            f"{type(processor).__name__} gives no pictures of 3 channels. Wrap the model in a "
            "module that takes them, with pellucid.wrap."
        )
    return np.asarray(pixels[0], dtype=np.float64)


def _gradient() -> Image.Image:
    """A smooth picture in which every place has its own colour."""
    width, height = TRIAL
    across, down = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return Image.fromarray(np.stack([across, down, (across + down) / 2], axis=-1).astype(np.uint8))


def _resizes(processor: Any, size: tuple[int, int]) -> list[int | None]:
    """Ways to resize that processors use: squash, to a short side, or to one that crops a part."""
    declared = dict(getattr(processor, "size", None) or {})
    edges = [edge for edge in declared.values() if isinstance(edge, int)]
    edges += [min(size)]
    shares = {1.0, getattr(processor, "crop_pct", None) or 0.875, 0.875}
    sides = sorted({int(edge / share) for edge in edges for share in shares})
    return [None, *(side for side in sides if side >= min(size))]


def _difference(described: ImageInput, picture: Image.Image, wanted: NDArray[np.float64]) -> float:
    """Mean difference in units of the picture's own 0–1 scale."""
    given = described.prepare([picture])[ARGUMENT][0].numpy()
    std = np.asarray(described.std)[:, None, None]
    return float(np.mean(np.abs(given - wanted) * std))
