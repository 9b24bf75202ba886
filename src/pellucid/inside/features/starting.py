"""Where the search begins: noise, or a photograph that is dreamt into at growing sizes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from pellucid.data.pictures import as_rgb, read_picture
from pellucid.errors import SpecError, closest
from pellucid.inside.features.fourier import Fourier
from pellucid.inside.features.maco import Phases
from pellucid.inside.features.optimizing import Parameterization
from pellucid.inside.features.pixels import Pixels
from pellucid.inside.features.settings import Settings
from pellucid.model.inputs import as_picture

PARAMETERIZATIONS = ("fourier", "pixels", "maco")
OCTAVE = 1.4
DREAM_DECAY = 1.0  # a photograph has its coarse waves already
Size = tuple[int, int]


def from_noise(
    parameterization: str,
    streams: Sequence[torch.Generator],
    channels: int,
    size: Size,
    settings: Settings,
    device: torch.device,
) -> Parameterization:
    """Begin with noise. Raises SpecError for an unknown parameterization."""
    check_parameterization(parameterization)
    if parameterization == "pixels":
        return Pixels.noise(streams, channels, size, device=device)
    if parameterization == "maco":
        return Phases.noise(streams, channels, size, device=device, spread=settings.contrast)
    return Fourier.noise(
        streams,
        channels,
        size,
        device=device,
        decay=settings.decay,
        spread=settings.contrast,
    )


def from_pictures(parameterization: str, pictures: Float[Tensor, "n c h w"]) -> Parameterization:
    """Begin with pictures. Raises SpecError for "maco", which can make but few pictures."""
    check_parameterization(parameterization)
    if parameterization == "maco":
        raise SpecError(
            "parameterization='maco' fixes how strong each wave is, so it cannot begin with a "
            "photograph. Use 'fourier' or 'pixels' with start."
        )
    if parameterization == "pixels":
        return Pixels.of(pictures)
    return Fourier.of(pictures, decay=DREAM_DECAY)


def check_parameterization(name: str) -> None:
    """Raise SpecError for an unknown parameterization."""
    if name not in PARAMETERIZATIONS:
        raise SpecError(f"parameterization {name!r} is unknown. {closest(name, PARAMETERIZATIONS)}")


def photograph(start: Any) -> Image.Image:
    """Read a photograph: a PIL picture, an array (height, width, 3), or the path of a file.

    Raises UnreadableSample for a file that holds no picture, DataError for other arrays.
    """
    if isinstance(start, str | Path):
        return read_picture(Path(start), str(start))
    return as_rgb(start) if isinstance(start, Image.Image) else as_picture(start)


def photograph_tensor(
    picture: Image.Image, size: Size, channels: int
) -> Float[Tensor, "one c h w"]:
    """Scale a photograph to cover `size` (height, width), centred, as pixels between 0 and 1."""
    height, width = size
    scale = max(height / picture.height, width / picture.width)
    fitted = (max(width, round(picture.width * scale)), max(height, round(picture.height * scale)))
    large = picture.resize(fitted, Image.Resampling.LANCZOS)
    left, top = (fitted[0] - width) // 2, (fitted[1] - height) // 2
    middle = large.crop((left, top, left + width, top + height))
    pixels = np.asarray(middle.convert("L" if channels == 1 else "RGB"), dtype=np.float32) / 255
    return torch.from_numpy(pixels.reshape(1, height, width, channels)).permute(0, 3, 1, 2)


def dream_size(picture: Image.Image, size: Size) -> Size:
    """Give a size of the photograph's proportions whose short side is that of `size`."""
    scale = min(size) / min(picture.size)
    return round(picture.height * scale), round(picture.width * scale)


def octaves(size: Size, number: int, least: int) -> list[Size]:
    """Sizes from small to `size`, each 1.4 times the one before, the short side at least `least`."""
    sizes = [
        (round(size[0] / OCTAVE**step), round(size[1] / OCTAVE**step)) for step in range(number)
    ]
    return [each for each in reversed(sizes) if min(each) >= least or each == size]


def next_octave(
    dreamt: Float[Tensor, "n c h w"], picture: Image.Image, size: Size
) -> Float[Tensor, "n c height width"]:
    """Enlarge what was dreamt, and give back the photograph's detail that smaller sizes lack."""
    before = (dreamt.shape[2], dreamt.shape[3])
    channels = dreamt.shape[1]
    full = photograph_tensor(picture, size, channels)
    small = photograph_tensor(picture, before, channels)
    added = F.interpolate(dreamt - small.to(dreamt), size=size, mode="bicubic", align_corners=False)
    return (full.to(dreamt) + added).clamp(0, 1)
