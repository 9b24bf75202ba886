"""Is one model right more often than another on the same samples, or is that chance?"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from pellucid.analysis.intervals import CONFIDENCE, Counts, wilson
from pellucid.analysis.metrics import Estimate


def agreement_matrix(right_a: NDArray[np.bool_], right_b: NDArray[np.bool_]) -> Counts:
    """Count both right, only A; only B, neither: (2, 2) int64, rows A and columns B, right first."""
    return np.array(
        [
            [int((right_a & right_b).sum()), int((right_a & ~right_b).sum())],
            [int((~right_a & right_b).sum()), int((~right_a & ~right_b).sum())],
        ],
        dtype=np.int64,
    )


def mcnemar(only_a: int, only_b: int) -> float:
    """Exact two-sided p value of McNemar's test, from the samples that only one model got right.

    The chance of a split at least as uneven between two models that are right equally often; 1
    where no sample tells them apart. Source: Q. McNemar, Note on the sampling error of the
    difference between correlated proportions or percentages, Psychometrika 12 (1947).
    """
    differing = only_a + only_b
    return float(binomtest(only_b, differing).pvalue) if differing else 1.0


def accuracy_gain(agreement: Counts, confidence: float = CONFIDENCE) -> Estimate:
    """Accuracy of B less that of A on the same samples, with its interval; NaN without samples.

    Source: R. G. Newcombe, Improved confidence intervals for the difference between binomial
    proportions based on paired data, Statistics in Medicine 17 (1998), method 10.
    """
    (both, only_a), (only_b, neither) = agreement.tolist()
    total = both + only_a + only_b + neither
    if not total:
        nothing = np.array(np.nan)
        return Estimate(value=nothing, low=nothing, high=nothing)
    right = np.array([both + only_b, both + only_a], dtype=np.float64)  # of B, of A
    low, high = wilson(right, total, confidence)
    below, above = right / total - low, high - right / total
    alike = _correlation(both, only_a, only_b, neither)
    gain = (only_b - only_a) / total
    return Estimate(
        value=np.array(gain),
        low=np.array(gain - _distance(below[0], above[1], alike)),
        high=np.array(gain + _distance(above[0], below[1], alike)),
    )


def _distance(first: float, second: float, alike: float) -> float:
    return math.sqrt(max(first**2 - 2 * alike * first * second + second**2, 0.0))


def _correlation(both: int, only_a: int, only_b: int, neither: int) -> float:
    """Correlation of being right, with Newcombe's correction for continuity where it is positive."""
    margins = (both + only_a) * (only_b + neither) * (both + only_b) * (only_a + neither)
    if not margins:
        return 0.0
    surplus = float(both * neither - only_a * only_b)
    if surplus > 0:
        surplus = max(surplus - (both + only_a + only_b + neither) / 2, 0.0)
    return surplus / math.sqrt(margins)
