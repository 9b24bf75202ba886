"""Statistics of a layer's units over a stream of batches, in memory that does not grow."""

from __future__ import annotations

from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pellucid.inside.activations.histogram import StreamingHistogram
from pellucid.inside.activations.layout import Layer, Response
from pellucid.inside.activations.survey import GATED

NEAR = 0.01  # of the layer's root mean square: below it, a value is near zero
END = 0.01  # of the range of a bounded activation: closer to an end, a value is saturated
STILL = 1e-6  # of the layer's spread: a unit that moves less is dead

Values = NDArray[np.float64]


@final
class LayerStatistics:
    """Mean, variance, extremes and activity of each unit, and the distribution of all values.

    Means and squares of batches are merged in double precision (Chan, Golub and LeVeque, 1979).
    """

    def __init__(self, layer: Layer) -> None:
        self.layer = layer
        self.histogram = StreamingHistogram()
        self.count = 0
        self.mean = torch.zeros(layer.units, dtype=torch.float64)
        self.squares = torch.zeros(layer.units, dtype=torch.float64)
        self.low = torch.full((layer.units,), torch.inf)
        self.high = torch.full((layer.units,), -torch.inf)
        self.active = torch.zeros(layer.units, dtype=torch.int64)
        self.ends = [0, 0]
        self.positions = 0
        self.grid = (0, 0)

    def update(self, response: Response) -> None:
        """Add a batch."""
        flat = response.flat
        number = flat.shape[0] * flat.shape[2]
        variance, mean = torch.var_mean(flat, (0, 2), correction=0)
        step = mean.double().cpu() - self.mean
        total = self.count + number
        self.squares += variance.double().cpu() * number
        self.squares += step**2 * (self.count * number / total)
        self.mean += step * (number / total)
        self.count = total
        self.low = torch.minimum(self.low, flat.amin((0, 2)).cpu())
        self.high = torch.maximum(self.high, flat.amax((0, 2)).cpu())
        self.active += (flat > 0).to(flat.dtype).sum(2).long().sum(0).cpu()
        self.positions = max(self.positions, response.values.shape[2])
        self.grid = (response.height, response.width)
        self.histogram.update(flat)
        if self.layer.bounds:
            low, high = count_ends(flat, self.layer.bounds)
            self.ends = [self.ends[0] + low, self.ends[1] + high]

    def units(self) -> dict[str, NDArray[Any]]:
        """Figures of each unit: (units,) arrays."""
        low, high = self.low.numpy(), self.high.numpy()
        std = np.sqrt(self.squares.numpy() / self.count)
        return {
            "unit_mean": self.mean.numpy().copy(),
            "unit_std": std,
            "unit_min": low,
            "unit_max": high,
            "unit_active": self.active.numpy() / self.count,
            "unit_dead": self._dead(low, high),
        }

    def whole(self) -> dict[str, float]:
        """Figures of the layer, over all units and positions."""
        mean = float(self.mean.mean())
        variance = float((self.squares / self.count + (self.mean - mean) ** 2).mean())
        near, limit = self.histogram.near_zero(NEAR * float(np.sqrt(variance + mean**2)))
        total = self.count * self.layer.units
        bounded = self.layer.bounds is not None
        return {
            "mean": mean,
            "variance": variance,
            "minimum": float(self.low.min()),
            "maximum": float(self.high.max()),
            "share_zero": self.histogram.zeros / total,
            "share_near_zero": near,
            "near_zero_limit": limit,
            "share_active": float(self.active.sum()) / total,
            "share_low_end": self.ends[0] / total if bounded else np.nan,
            "share_high_end": self.ends[1] / total if bounded else np.nan,
        }

    def _dead(self, low: NDArray[np.float32], high: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Units that never rise above zero where the layer is rectified, or never move at all."""
        spread = float((self.squares.mean() / self.count).sqrt()) or 1.0
        dead: NDArray[np.bool_] = high - low <= STILL * spread
        if self.layer.activation in GATED or low.min() >= 0:
            dead = dead | (high <= 0)
        return dead


def count_ends(values: Tensor, bounds: tuple[float, float]) -> tuple[int, int]:
    """Count the values within a hundredth of the range from the lower and from the upper end."""
    low, high = bounds
    near = END * (high - low)
    at_low, at_high = (
        torch.count_nonzero(values <= low + near),
        torch.count_nonzero(values >= high - near),
    )
    return int(at_low), int(at_high)
