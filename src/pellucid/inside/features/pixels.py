"""Pictures as their pixels, in uncorrelated colours: the plain parameterization, to compare with.

    picture = to_pixels(v)

Ascent on pixels favours high frequencies; total variation holds it back.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.inside.features.colours import to_colours, to_pixels
from pellucid.inside.features.randomness import normal

FIRST = 0.1


class Pixels:
    """Pictures (n, c, h, w) between 0 and 1 from leaves `values` of the same shape."""

    learning_rate = 0.05

    def __init__(self, values: Tensor) -> None:
        self.values, self.size = values.requires_grad_(), (values.shape[2], values.shape[3])

    @classmethod
    def noise(
        cls,
        streams: Sequence[torch.Generator],
        channels: int,
        size: tuple[int, int],
        *,
        device: torch.device,
    ) -> Pixels:
        """Begin with faint noise on grey, one picture per stream."""
        return cls(FIRST * normal(streams, channels, *size).to(device))

    @classmethod
    def of(cls, pixels: Float[Tensor, "n c h w"]) -> Pixels:
        """Begin with given pictures between 0 and 1."""
        return cls(to_colours(pixels))

    def pictures(self) -> Float[Tensor, "n c h w"]:
        """Make the pictures of the values as they are, differentiably."""
        return to_pixels(self.values)
