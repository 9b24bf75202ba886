"""Pictures as the coefficients of their waves, each weighted as in nature.

    picture = to_pixels(irfft2(v / f^decay)),   f ≥ 1/side

Gradient ascent in v changes all scales of a picture at once, coarse ones more than fine ones, where
ascent on pixels makes high-frequency noise. The picture's contrast is held at that of photographs:
its colours, before they are made into pixels, have the root mean square `spread`.
Source: Olah, Mordvintsev and Schubert, Distill 2017, "Preconditioning and parameterization".
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.inside.features.colours import to_colours, to_pixels
from pellucid.inside.features.randomness import normal

FIRST = 0.1  # so that the first steps, whose length is the learning rate, already shape the picture


def frequencies(height: int, width: int) -> Float[Tensor, "h half"]:
    """Length of each wave vector of a real picture, in waves per pixel."""
    rows, columns = torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)[None]
    return torch.hypot(rows, columns)


class Fourier:
    """Pictures (n, c, h, w) between 0 and 1 from leaves `values` (n, c, h, w//2 + 1, 2).

    `spread` is one number, or one for each picture (n, 1, 1, 1).
    """

    learning_rate = 0.05

    def __init__(
        self, values: Tensor, size: tuple[int, int], decay: float, spread: float | Tensor
    ) -> None:
        self.values, self.size, self.spread = values.requires_grad_(), size, spread
        self.weights = _weights(size, decay).to(values)

    @classmethod
    def noise(
        cls,
        streams: Sequence[torch.Generator],
        channels: int,
        size: tuple[int, int],
        *,
        device: torch.device,
        decay: float,
        spread: float,
    ) -> Fourier:
        """Begin with noise, one picture per stream."""
        values = FIRST * normal(streams, channels, size[0], size[1] // 2 + 1, 2).to(device)
        return cls(values, size, decay, spread)

    @classmethod
    def of(cls, pixels: Float[Tensor, "n c h w"], *, decay: float) -> Fourier:
        """Begin with given pictures between 0 and 1, and keep the contrast of each."""
        size, colours = (pixels.shape[2], pixels.shape[3]), to_colours(pixels)
        waves = torch.view_as_real(torch.fft.rfft2(colours, norm="ortho"))
        values = (waves / _weights(size, decay).to(pixels)).contiguous()
        return cls(values, size, decay, _spread(colours))

    def pictures(self) -> Float[Tensor, "n c h w"]:
        """Make the pictures of the coefficients as they are, differentiably."""
        waves = torch.view_as_complex((self.values * self.weights).contiguous())
        return to_pixels(held(torch.fft.irfft2(waves, s=self.size, norm="ortho"), self.spread))


def held(colours: Float[Tensor, "n c h w"], spread: float | Tensor) -> Float[Tensor, "n c h w"]:
    """Scale each picture's colours to the root mean square `spread`."""
    return colours * (spread / _spread(colours))


def _spread(colours: Float[Tensor, "n c h w"]) -> Float[Tensor, "n 1 1 1"]:
    return (colours.square().mean((1, 2, 3), keepdim=True) + 1e-8).sqrt()


def _weights(size: tuple[int, int], decay: float) -> Float[Tensor, "h half 1"]:
    """Weight of each wave, of mean square 1."""
    weights = frequencies(*size).clamp(min=1 / max(size)) ** -decay
    return (weights / weights.square().mean().sqrt())[..., None]
