"""Figures of one tensor's values: size, spread, sparsity, quantiles and a histogram.

Values that are not finite are counted and left out of everything else.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

LEVELS = np.array([0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1])
EDGES = np.linspace(-4, 4, 65)  # in units of the root mean square; the end bins hold all beyond
MOST_AT_ONCE = 4_000_000
MOST_SORTED = 16_000_000

Figures = dict[str, Any]


def as_array(tensor: Tensor) -> NDArray[Any]:
    """Values on the CPU: float64 as they are, every other type as float32."""
    plain = tensor.detach()
    plain = plain.to_dense() if plain.layout != torch.strided else plain
    wanted = torch.float64 if plain.dtype == torch.float64 else torch.float32
    return plain.to("cpu", wanted).numpy()


def describe(values: NDArray[Any], near_zero: float) -> Figures:
    """Measure values of any shape; entries below `near_zero` × their root mean square are near 0.

    `quantiles` are at LEVELS, `counts` in the bins between EDGES × `rms`. Without a finite value
    the figures are NaN.
    """
    flat = values.ravel()
    missing, infinite = int(np.isnan(flat).sum()), int(np.isinf(flat).sum())
    finite = flat[np.isfinite(flat)] if missing or infinite else flat
    found: Figures = {"num_entries": flat.size, "num_nan": missing, "num_infinite": infinite}
    if not finite.size:
        return found | _unknown()
    size = finite.size
    mean = sum(float(chunk.sum()) for chunk in _chunks(finite)) / size
    spread = sum(float(np.square(chunk - mean).sum()) for chunk in _chunks(finite)) / size
    rms = float(np.sqrt(sum(float(np.square(chunk).sum()) for chunk in _chunks(finite)) / size))
    return found | {
        "mean": mean,
        "std": float(np.sqrt(spread)),
        "rms": rms,
        "mean_abs": sum(float(np.abs(chunk).sum()) for chunk in _chunks(finite)) / size,
        "l2": rms * float(np.sqrt(size)),
        "max_abs": float(np.abs(finite).max()),
        "zero_share": float((finite == 0).mean()),
        "near_zero_share": float((np.abs(finite) <= near_zero * rms).mean()),
        "quantiles": quantiles(finite),
        "counts": histogram(finite, rms),
    }


def quantiles(values: NDArray[Any]) -> NDArray[np.float64]:
    """Quantiles at LEVELS; of very large tensors, those of evenly spaced entries."""
    step = max(1, -(-values.size // MOST_SORTED))
    found: NDArray[np.float64] = np.quantile(values[::step].astype(np.float64), LEVELS)
    found[[0, -1]] = values.min(), values.max()
    return found


def histogram(values: NDArray[Any], scale: float) -> NDArray[np.int64]:
    """Counts of values / `scale` in the bins between EDGES, what is beyond in the end bins."""
    counts = np.zeros(len(EDGES) - 1, dtype=np.int64)
    for chunk in _chunks(values):
        shown = np.clip(chunk / (scale or 1.0), EDGES[0], EDGES[-1])
        counts += np.histogram(shown, EDGES)[0]
    return counts


def _chunks(values: NDArray[Any]) -> Iterator[NDArray[np.float64]]:
    for start in range(0, values.size, MOST_AT_ONCE):
        yield values[start : start + MOST_AT_ONCE].astype(np.float64)


def _unknown() -> Figures:
    names = ("mean", "std", "rms", "mean_abs", "l2", "max_abs", "zero_share", "near_zero_share")
    return dict.fromkeys(names, np.nan) | {
        "quantiles": np.full(len(LEVELS), np.nan),
        "counts": np.zeros(len(EDGES) - 1, dtype=np.int64),
    }
