"""Does a model that is 80 % sure turn out right in 80 % of the cases?

Samples are sorted into M bins of equal width by their confidence, the probability of the answer;
ECE = Σ_m |B_m|/n · |accuracy(B_m) - mean confidence(B_m)|.
Source: Guo, Pleiss, Sun and Weinberger, On calibration of modern neural networks (2017), section 2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.analysis.intervals import Counts, Floats, share, wilson
from pellucid.analysis.metrics import Estimate

NUM_DRAWS = 200


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Bins (edges[m], edges[m+1]]: count, mean confidence, accuracy; and the ECE over them.

    `ece_by_chance` is the ECE that only one in twenty perfectly calibrated models would exceed on
    this many samples; a smaller ECE is no sign of bad calibration.
    """

    edges: Floats
    count: Counts
    confidence: Floats
    accuracy: Estimate
    ece: float
    ece_by_chance: float


def calibrate(
    confidence: NDArray[np.floating], correct: NDArray[np.bool_], *, num_bins: int, seed: int
) -> Calibration:
    """Compare confidence (n,) with correctness (n,) in `num_bins` bins."""
    edges = np.linspace(0, 1, num_bins + 1)
    bins = np.clip(np.searchsorted(edges, confidence) - 1, 0, num_bins - 1)
    count = np.bincount(bins, minlength=num_bins)
    promised, right = _totals(bins, confidence, num_bins), _totals(bins, correct, num_bins)
    low, high = wilson(right, count)
    return Calibration(
        edges=edges,
        count=count,
        confidence=share(promised, count),
        accuracy=Estimate(value=share(right, count), low=low, high=high),
        ece=float(np.abs(right - promised).sum() / len(confidence)),
        ece_by_chance=_by_chance(confidence, bins, promised, seed),
    )


def _totals(bins: Counts, weights: NDArray[np.generic], num_bins: int) -> Floats:
    return np.bincount(bins, weights=weights, minlength=num_bins).astype(np.float64)


def _by_chance(
    confidence: NDArray[np.floating], bins: Counts, promised: Floats, seed: int
) -> float:
    """95th percentile of the ECE when each answer is right with the probability it states.

    Source: Bröcker and Smith, Increasing the reliability of reliability diagrams (2007).
    """
    generator = np.random.default_rng(seed)
    drawn = [
        np.abs(_totals(bins, generator.random(len(bins)) < confidence, len(promised)) - promised)
        for _ in range(NUM_DRAWS)
    ]
    return float(np.quantile(np.sum(drawn, axis=1), 0.95) / len(bins))
