"""Pictures whose waves have the strength of natural ones; only their phases are sought.

    picture = to_pixels(irfft2(a · exp(i v))),   a: mean amplitude over natural pictures

No picture that this can make is noise, since its spectrum is that of photographs. Where the model
looked while the picture was made (the sum of the gradient's size over all steps) is its opacity.
Source: Fel et al., "Unlocking Feature Visualization for Deeper Networks with MAgnitude Constrained
Optimization", NeurIPS 2023.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.inside.features.colours import to_pixels
from pellucid.inside.features.fourier import held
from pellucid.inside.features.randomness import uniform
from pellucid.inside.features.spectrum import natural_spectrum


class Phases:
    """Pictures (n, c, h, w) between 0 and 1 from leaves `values` (n, c, h, w//2 + 1), in radians."""

    learning_rate = 0.3

    def __init__(self, values: Tensor, size: tuple[int, int], spread: float) -> None:
        self.values, self.size, self.spread = values.requires_grad_(), size, spread
        self.amplitude, self.origin = natural_spectrum(values.shape[1], size)
        self.amplitude = self.amplitude.to(values)

    @classmethod
    def noise(
        cls,
        streams: Sequence[torch.Generator],
        channels: int,
        size: tuple[int, int],
        *,
        device: torch.device,
        spread: float,
    ) -> Phases:
        """Begin with phases drawn evenly, one picture per stream."""
        turns = uniform(streams, channels, size[0], size[1] // 2 + 1)
        return cls((2 * turns - 1).to(device) * math.pi, size, spread)

    def pictures(self) -> Float[Tensor, "n c h w"]:
        """Make the pictures of the phases as they are, differentiably."""
        waves = torch.polar(self.amplitude.expand_as(self.values).contiguous(), self.values)
        return to_pixels(held(torch.fft.irfft2(waves, s=self.size, norm="ortho"), self.spread))


def opacity(looked: Float[Tensor, "n h w"]) -> Float[Tensor, "n h w"]:
    """Turn summed sizes of gradients into an opacity from 0 to 1, smooth over a few pixels."""
    side = max(1, min(looked.shape[1:]) // 16) | 1
    smooth = torch.nn.functional.avg_pool2d(
        looked[:, None], side, stride=1, padding=side // 2, count_include_pad=False
    )[:, 0]
    rows = smooth.flatten(1)
    low, high = rows.quantile(0.2, 1), rows.quantile(0.9, 1)
    shown = (rows - low[:, None]) / (high - low).clamp(min=1e-12)[:, None]
    return shown.clamp(0, 1).reshape(smooth.shape)
