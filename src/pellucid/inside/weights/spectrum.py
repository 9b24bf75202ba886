"""How many directions a weight matrix really uses: its singular values and ranks.

Small matrices are decomposed as they are; of larger ones the eigenvalues of the Gram matrix on the
smaller side are taken, in float64, which resolves singular values down to about 1e-8 of the
largest, far below float32's own precision. Above MOST_SIDE only the largest one is found, by
power iteration.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

DIRECT_SIDE = 128
MOST_SIDE = 2048
MOST_KEPT = 1024
POWER_STEPS = 60


@dataclass(frozen=True, kw_only=True)
class Spectrum:
    """Singular values (k,) from the largest on, the MOST_KEPT largest at most, and what they say.

    `rank` counts singular values above float32's precision, σ₁ · max(outputs, inputs) · 1.2e-7, as
    NumPy's `matrix_rank` does. `stable_rank` is ‖W‖² / σ₁² (Rudelson and Vershynin 2007),
    `effective_rank` the exponential of the entropy of σ / Σσ (Roy and Vetterli 2007). What was
    too large to be computed is NaN.
    """

    singular_values: NDArray[np.float64]
    spectral_norm: float
    rank: float
    stable_rank: float
    effective_rank: float


def decompose(matrix: Tensor) -> Spectrum:
    """Find the spectrum of a finite (outputs, inputs) matrix of any floating-point type."""
    side = min(matrix.shape)
    if side > MOST_SIDE:
        return _largest_only(matrix)
    exact = matrix.detach().double().cpu()
    if side <= DIRECT_SIDE:
        values = torch.linalg.svdvals(exact).numpy()
    else:
        tall = exact if exact.shape[0] >= exact.shape[1] else exact.T
        values = torch.linalg.eigvalsh(tall.T @ tall).clamp(min=0).sqrt().flip(0).numpy()
    return Spectrum(
        singular_values=values[:MOST_KEPT].copy(),
        spectral_norm=float(values[0]),
        rank=float(_rank(values, max(matrix.shape))),
        stable_rank=_stable_rank(float(np.square(values).sum()), float(values[0])),
        effective_rank=_effective_rank(values),
    )


def _rank(values: NDArray[np.float64], longest: int) -> int:
    tolerance = values[0] * longest * float(np.finfo(np.float32).eps)
    return int((values > tolerance).sum())


def _stable_rank(sum_of_squares: float, largest: float) -> float:
    return sum_of_squares / largest**2 if largest > 0 else 0.0


def _effective_rank(values: NDArray[np.float64]) -> float:
    if values[0] <= 0:
        return 0.0
    shares = values[values > 0] / values.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))


def _largest_only(matrix: Tensor) -> Spectrum:
    plain = matrix.detach().float().cpu()
    vector = torch.randn(plain.shape[1], generator=torch.Generator().manual_seed(0))
    for _ in range(POWER_STEPS):
        vector = plain.T @ (plain @ (vector / vector.norm().clamp(min=1e-30)))
    largest = float(vector.norm().double().sqrt())
    return Spectrum(
        singular_values=np.array([largest]),
        spectral_norm=largest,
        rank=float("nan"),
        stable_rank=_stable_rank(float(plain.norm().double()) ** 2, largest),
        effective_rank=float("nan"),
    )
