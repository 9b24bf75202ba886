"""Running sums over samples and batches, so that memory does not grow with the data."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass
class Sums:
    """Of one parameter: `total` gradient and `squares` over samples, `mean` and `spread` over
    batches (Welford's recurrence), and the `batch` under way.
    """

    total: Tensor
    squares: Tensor
    mean: Tensor
    spread: Tensor
    batch: Tensor


class Tally:
    """Collects per-sample gradients in batches, for parameters of the given names.

    Sums are kept on the CPU in float32, or in float64 for parameters that are so. Source of the
    recurrence: Welford, Note on a method for calculating corrected sums of squares and products,
    Technometrics 4 (1962).
    """

    def __init__(self, parameters: dict[str, Tensor]) -> None:
        self.num_samples = 0
        self.num_batches = 0
        self._in_batch = 0
        self._sums = {name: _zeros(tensor) for name, tensor in parameters.items()}

    def add(self, gradients: dict[str, Tensor]) -> None:
        """Add one sample's gradients."""
        self.num_samples += 1
        self._in_batch += 1
        for name, sums in self._sums.items():
            gradient = gradients[name].to(sums.total)
            sums.total += gradient
            sums.batch += gradient
            sums.squares.addcmul_(gradient, gradient)

    def end_batch(self) -> None:
        """Count the samples since the last call as one batch."""
        if not self._in_batch:
            return
        self.num_batches += 1
        for sums in self._sums.values():
            gradient = sums.batch / self._in_batch
            difference = gradient - sums.mean
            sums.mean += difference / self.num_batches
            sums.spread.addcmul_(difference, gradient - sums.mean)
            sums.batch.zero_()
        self._in_batch = 0

    def mean(self, name: str) -> Tensor:
        """The mean gradient over all samples."""
        return self._sums[name].total / self.num_samples

    def fisher(self, name: str) -> Tensor:
        """The diagonal of the empirical Fisher information: the mean of squared gradients."""
        return self._sums[name].squares / self.num_samples

    def signal(self, name: str) -> Tensor | None:
        """Mean of the batches' gradients; None for fewer than two batches."""
        return self._sums[name].mean if self.num_batches > 1 else None

    def noise(self, name: str) -> Tensor:
        """Standard deviation between batches."""
        return (self._sums[name].spread / max(self.num_batches - 1, 1)).clamp(min=0).sqrt()


def _zeros(parameter: Tensor) -> Sums:
    dtype = torch.float64 if parameter.dtype == torch.float64 else torch.float32
    return Sums(*(torch.zeros(parameter.shape, dtype=dtype) for _ in range(5)))
