"""A histogram of a stream, whose range need not be known beforehand."""

from __future__ import annotations

import math
from typing import final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

FINE, SHOWN = 4096, 48
BIAS, POWERS = 127, 256  # of the exponent in single precision
PIECE = 2**18  # values at a time, so that what is made on the way stays in the processor's cache


@final
class StreamingHistogram:
    """Counts values in equal bins from −limit to limit, a power of two.

    When a value falls outside, the limit doubles and bins are merged in pairs, which loses no
    count; so the result does not depend on the order of the stream. Beside it, counts by power of
    two tell how many values are near zero, at any scale.
    """

    def __init__(self) -> None:
        self.limit = 2.0**-20
        self.counts = torch.zeros(FINE, dtype=torch.int64)
        self.powers = torch.zeros(POWERS, dtype=torch.int64)
        self.zeros = 0

    def update(self, values: Tensor) -> None:
        """Count finite float32 values of any shape."""
        flat = values.reshape(-1)
        self._widen(float(flat.abs().max()))
        for piece in torch.split(flat, PIECE):
            self._count(piece)

    def near_zero(self, limit: float) -> tuple[float, float]:
        """Share of values smaller than the largest power of two that is at most `limit`, and it."""
        total = int(self.powers.sum())
        if limit <= 0 or not total:
            return self.zeros / total if total else 0.0, 0.0
        power = max(math.floor(math.log2(limit)), 1 - BIAS)
        return int(self.powers[: power + BIAS].sum()) / total, 2.0**power

    def shown(self, low: float, high: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Edges (49,) and counts (48,) of the bins that cover `low` to `high`."""
        fine = self.counts.numpy().astype(np.float64)
        width = 2 * self.limit / FINE
        first = max(0, math.floor(low / width) + FINE // 2)
        last = min(FINE, math.floor(high / width) + FINE // 2 + 1)
        each = math.ceil((last - first) / SHOWN)
        padded = np.zeros(each * SHOWN)
        padded[: min(FINE - first, each * SHOWN)] = fine[first : first + each * SHOWN]
        edges: NDArray[np.float64] = -self.limit + width * (first + each * np.arange(SHOWN + 1.0))
        return edges, padded.reshape(SHOWN, each).sum(1)

    def _count(self, flat: Tensor) -> None:
        # Rounded down before the shift, so that a value just below zero stays below it.
        places = (flat * (FINE / 2 / self.limit)).floor().to(torch.int32) + FINE // 2
        places = places.clamp(max=FINE - 1)
        self.counts += torch.bincount(places, minlength=FINE).cpu()
        self.zeros += int(torch.count_nonzero(flat == 0))
        exponents = (flat.view(torch.int32) >> 23).to(torch.uint8)  # the sign is cut off
        self.powers += torch.bincount(exponents, minlength=POWERS).cpu()

    def _widen(self, largest: float) -> None:
        while self.limit <= largest:
            half = FINE // 4
            merged = self.counts.reshape(-1, 2).sum(1)
            self.counts = torch.zeros_like(self.counts)
            self.counts[half : half + FINE // 2] = merged
            self.limit *= 2
