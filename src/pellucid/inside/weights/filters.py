"""The filters that look at the picture itself, as pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from pellucid.inside.weights.statistics import as_array
from pellucid.model import ImageInput, Model

MOST_FILTERS = 64


@dataclass(frozen=True, kw_only=True)
class FirstFilters:
    """`weights` (filter, y, x, channel) of a layer, the strongest first; `index` tells which.

    `channel` is 1 (grey) or 3 (red, green, blue); `num_filters` counts all that the layer has.
    """

    parameter: str
    num_filters: int
    index: NDArray[np.int64]
    weights: NDArray[np.float32]


def first_filters(model: Model) -> FirstFilters | None:
    """Find the first layer with one or three input channels, a convolution or a patch embedding.

    A linear layer counts where it reads all pixels of the model's pictures at once. None for
    models that see no pictures.
    """
    for name, layer in model.module.named_modules():
        weight = getattr(layer, "weight", None)
        if not isinstance(weight, Tensor) or not weight.dtype.is_floating_point or weight.is_meta:
            continue
        bank = _bank(model, layer, weight)
        if bank is not None:
            return _strongest(f"{name}.weight".lstrip("."), bank)
        if isinstance(layer, nn.Conv2d | nn.Linear | nn.Embedding):
            return None
    return None


def filter_pixels(weights: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Draw filters (n, y, x, channel) as (n, y, x, 3), scaled together: zero is middle grey."""
    limit = float(np.nanmax(np.abs(weights), initial=0)) or 1.0
    scaled = np.round(127.5 + 127.5 * np.nan_to_num(weights) / limit)
    return np.repeat(scaled, 4 - weights.shape[-1], axis=-1)[..., :3].astype(np.uint8)


def _bank(model: Model, layer: nn.Module, weight: Tensor) -> NDArray[np.float32] | None:
    """The filters of a layer as (filter, y, x, channel), if pictures are what it reads."""
    if isinstance(layer, nn.Conv2d) and layer.groups == 1 and weight.shape[1] in (1, 3):
        return as_array(weight).astype(np.float32).transpose(0, 2, 3, 1)
    seen = model.input
    if isinstance(layer, nn.Linear) and isinstance(seen, ImageInput):
        channels = len(seen.mean)
        if weight.shape[1] == channels * seen.size[0] * seen.size[1]:
            planes = as_array(weight).astype(np.float32).reshape(-1, channels, *seen.size)
            return planes.transpose(0, 2, 3, 1)
    return None


def _strongest(parameter: str, bank: NDArray[np.float32]) -> FirstFilters:
    norms = np.sqrt(np.square(np.nan_to_num(bank, posinf=0, neginf=0)).sum((1, 2, 3)))
    order = np.argsort(-norms, kind="stable")[:MOST_FILTERS]
    return FirstFilters(
        parameter=parameter,
        num_filters=len(bank),
        index=order.astype(np.int64),
        weights=np.nan_to_num(bank[order], posinf=0, neginf=0),
    )
