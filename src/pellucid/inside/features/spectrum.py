"""How strong each wave is in natural pictures: measured on photographs, or the law 1/f.

Photographs are those of scikit-image, where it is installed. The amplitude of the waves of natural
scenes falls as 1/f (Field, "Relations between the statistics of natural images", JOSA A 1987).
"""

from __future__ import annotations

import functools

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image, ImageOps
from torch import Tensor
from torch.nn import functional as F

from pellucid.data.bundled import load
from pellucid.errors import MissingDependency
from pellucid.inside.features.colours import to_colours
from pellucid.inside.features.fourier import frequencies

SIDE = 256
MEASURED = "the mean over {} photographs of scikit-image"
LAW = "the law 1/f (scikit-image, whose photographs would be measured, is not installed)"


def natural_spectrum(channels: int, size: tuple[int, int]) -> tuple[Float[Tensor, "c h half"], str]:
    """Amplitude of each wave in uncorrelated colours, of mean square 1, and where it is from.

    The constant part is left out, so that a picture is grey on average.
    """
    measured, origin = _measured(channels)
    law = 1 / frequencies(*size).clamp(min=1 / max(size))
    if measured is None:
        amplitude = law.expand(channels, *law.shape).clone()
    else:
        amplitude = _resampled(measured, size)
    amplitude[:, 0, 0] = 0
    return amplitude / amplitude.square().mean().sqrt(), origin


@functools.cache
def _measured(channels: int) -> tuple[Tensor | None, str]:
    """Mean amplitude (channels, SIDE, SIDE) over photographs, wave zero in the middle."""
    try:
        data = load("photos").read("")
    except MissingDependency:
        return None, LAW
    mode = "L" if channels == 1 else "RGB"
    planes = []
    for sample in data:
        square = ImageOps.fit(sample.input, (SIDE, SIDE), Image.Resampling.LANCZOS)
        pixels = np.asarray(square.convert(mode), dtype=np.float32).reshape(SIDE, SIDE, -1) / 255
        planes.append(torch.from_numpy(pixels).permute(2, 0, 1))
    colours = to_colours(torch.stack(planes))
    edge = torch.hann_window(SIDE, periodic=True)
    colours = (colours - colours.mean((2, 3), keepdim=True)) * edge[:, None] * edge
    waves = torch.fft.fft2(colours, norm="ortho").abs().mean(0)
    return torch.fft.fftshift(waves, dim=(1, 2)), MEASURED.format(len(planes))


def _resampled(middle: Float[Tensor, "c side side"], size: tuple[int, int]) -> Tensor:
    """Look up a measured spectrum at the waves of a picture of another size."""
    height, width = size
    rows = torch.fft.fftfreq(height)[:, None].expand(height, width // 2 + 1)
    columns = torch.fft.rfftfreq(width)[None].expand(height, width // 2 + 1)
    least = 1 / max(size)
    zero = (rows == 0) & (columns == 0)
    columns = torch.where(zero, least, columns)
    places = torch.stack([columns, rows], -1) * 2 + 1 / SIDE
    # Amplitude falls steeply; between measured waves its logarithm is nearly straight.
    found = F.grid_sample(
        middle.clamp(min=1e-6).log()[None], places[None], padding_mode="border", align_corners=False
    )
    return found[0].exp()
