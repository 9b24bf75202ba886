"""Inpainting: what is hidden of a picture is filled with the colours around it.

    pull: each level of a pyramid holds the mean colour of the kept pixels of 2 × 2 finer ones
    push: from the top down, a place without kept pixels takes the enlarged coarser level

Kept pixels stay as they are. A hidden one is a weighted mean of kept ones, near ones first, so
that no value lies outside of what the picture holds. A picture of which nothing is kept has no
colours around it, and becomes zero: after normalization, the data set's mean colour.
Gortler, Grzeszczuk, Szeliski and Cohen, 1996, section 3.4.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate, pad

SMALLEST_WEIGHT = 1e-6


def inpaint(
    pixels: Float[Tensor, "m channels y x"], keep: Bool[Tensor, "m y x"]
) -> Float[Tensor, "m channels y x"]:
    """Fill the pixels that are not kept from those that are."""
    known = keep[:, None]
    weight = known.to(torch.promote_types(pixels.dtype, torch.float32))
    filled = _fill(pixels.to(weight) * weight, weight)
    return torch.where(known, pixels, filled.to(pixels))


def _fill(
    colour: Float[Tensor, "m channels y x"], weight: Float[Tensor, "m 1 y x"]
) -> Float[Tensor, "m channels y x"]:
    """Fill where the weight is zero; `colour` is already multiplied by the weight."""
    own = colour / weight.clamp(min=SMALLEST_WEIGHT)
    height, width = colour.shape[2:]
    if height == width == 1:
        return own
    even = (0, width % 2, 0, height % 2)
    coarse = _fill(avg_pool2d(pad(colour, even), 2), avg_pool2d(pad(weight, even), 2))
    enlarged = interpolate(coarse, scale_factor=2, mode="bilinear", align_corners=False)
    return torch.where(weight > 0, own, enlarged[:, :, :height, :width])
