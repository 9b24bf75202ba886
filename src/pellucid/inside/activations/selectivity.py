"""How much a unit prefers one class: from means by class, gathered over a stream.

    index = (r_max − r_rest) / (r_max + r_rest)        (Morcos et al., 2018)
    d′    = (m_c − m_rest) / √((v_c + v_rest) / 2)

r are rates, the means of what is above zero; r_rest is the mean of the other classes' means. m and
v are mean and variance of the pooled activation over the samples of the preferred class, and over
all others. The index is 0 for a unit that answers all classes alike, 1 for one that answers one
class only; d′ tells how well the class can be told from the others by this unit alone.
"""

from __future__ import annotations

from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pellucid.inside.activations.layout import Layer

MOST_CELLS = 2**22
FEWEST = 2


@final
class ClassMeans:
    """Sums by class: rates, pooled activations and their squares, each (classes, units)."""

    def __init__(self, layer: Layer, num_classes: int) -> None:
        self.fits = 2 <= num_classes <= MOST_CELLS // layer.units
        shape = (num_classes if self.fits else 0, layer.units)
        self.counts = torch.zeros(shape[0], dtype=torch.float64)
        self.rates, self.sums, self.squares = (
            torch.zeros(shape, dtype=torch.float64) for _ in "123"
        )
        self.shift: Tensor | None = None

    def update(self, pooled: Tensor, rates: Tensor, targets: Tensor) -> None:
        """Add a batch (n, units) with its class indices (n,); samples with −1 do not count."""
        known = targets >= 0
        if not self.fits or not bool(known.any()):
            return
        classes = targets[known]
        pooled = pooled.double().cpu()[known]
        if self.shift is None:
            self.shift = pooled.mean(0)
        pooled = pooled - self.shift
        self.counts += torch.bincount(classes, minlength=len(self.counts)).double()
        self.rates.index_add_(0, classes, rates.double().cpu()[known])
        self.sums.index_add_(0, classes, pooled)
        self.squares.index_add_(0, classes, pooled**2)

    def means(self) -> NDArray[np.float32]:
        """Mean pooled activation of each class: (classes, units), NaN without samples."""
        if self.shift is None:
            return np.full(tuple(self.sums.shape), np.nan, dtype=np.float32)
        counts = self.counts[:, None]
        found = torch.where(counts > 0, self.sums / counts + self.shift, torch.nan)
        return found.numpy().astype(np.float32)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Index, preferred class (−1 if there is none) and d′ of each unit."""
        seen = np.flatnonzero(self.counts.numpy() > 0)
        units = self.rates.shape[1]
        if len(seen) < 2:
            nothing = np.full(units, np.nan)
            none = np.full(units, -1, dtype=np.int64)
            return {"selectivity": nothing, "selective_class": none, "d_prime": nothing}
        rates = (self.rates / self.counts.clamp(min=1)[:, None]).numpy()[seen]
        best = rates.argmax(0)
        top = rates.max(0)
        rest = (rates.sum(0) - top) / (len(seen) - 1)
        total = top + rest
        index = np.divide(top - rest, total, out=np.zeros(units), where=total > 0)
        return {
            "selectivity": index,
            "selective_class": np.where(total > 0, seen[best], -1),
            "d_prime": self._d_prime(seen[best]),
        }

    def _d_prime(self, classes: NDArray[np.int64]) -> NDArray[np.float64]:
        columns = np.arange(len(classes))
        counts = self.counts.numpy()
        number, others = counts[classes], counts.sum() - counts[classes]
        sums, squares = self.sums.numpy(), self.squares.numpy()
        inside, inside_squares = sums[classes, columns], squares[classes, columns]
        mean, variance = _moments(number, inside, inside_squares)
        rest, rest_variance = _moments(
            others, sums.sum(0) - inside, squares.sum(0) - inside_squares
        )
        spread = np.sqrt((variance + rest_variance) / 2)
        enough = (number >= FEWEST) & (others >= FEWEST) & (spread > 0)
        found: NDArray[np.float64] = np.divide(
            mean - rest, spread, out=np.full(len(classes), np.nan), where=enough
        )
        return found


def _moments(
    number: NDArray[np.float64], sums: NDArray[np.float64], squares: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    mean = sums / np.maximum(number, 1)
    variance = np.maximum(squares / np.maximum(number, 1) - mean**2, 0)
    return mean, variance
