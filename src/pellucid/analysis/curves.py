"""How well the probability of each class tells its samples from all others: ROC and PR curves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import auc, roc_curve

from pellucid.analysis.intervals import Counts, Floats
from pellucid.analysis.metrics import Probabilities

NUM_POINTS = 201
GRID: Floats = np.linspace(0, 1, NUM_POINTS)


@dataclass(frozen=True, kw_only=True)
class Curves:
    """One class against the rest, for every class, over the common `GRID` of 201 points.

    `true_positive_rate` (classes, points) at each false positive rate, `precision` (classes,
    points) at each recall; `auc` and `average_precision` (classes,) are exact, from all thresholds.
    NaN for a class without samples, or with nothing but its samples.
    """

    true_positive_rate: Floats
    precision: Floats
    auc: Floats
    average_precision: Floats


class _Curve(NamedTuple):
    true_positive_rate: Floats
    precision: Floats
    auc: float
    average_precision: float


_UNDEFINED = _Curve(np.full(NUM_POINTS, np.nan), np.full(NUM_POINTS, np.nan), np.nan, np.nan)


def one_against_rest(target: Counts, probability: Probabilities) -> Curves:
    """Trace both curves of every class.

    Source: T. Fawcett, An introduction to ROC analysis (2006).
    """
    support = np.bincount(target, minlength=probability.shape[1])
    rows = [
        _trace(target == label, probability[:, label])
        if 0 < support[label] < len(target)
        else _UNDEFINED
        for label in range(len(support))
    ]
    return Curves(
        true_positive_rate=np.stack([row.true_positive_rate for row in rows]),
        precision=np.stack([row.precision for row in rows]),
        auc=np.array([row.auc for row in rows]),
        average_precision=np.array([row.average_precision for row in rows]),
    )


def _trace(belongs: NDArray[np.bool_], score: Probabilities) -> _Curve:
    """Resample ROC linearly between its points, PR as the steps that average precision sums.

    Both come from one pass over the thresholds, since sorting is what takes the time.
    """
    false_rate, true_rate, _ = roc_curve(belongs, score, drop_intermediate=False)
    hits = true_rate[1:] * belongs.sum()
    precision = hits / (hits + false_rate[1:] * (~belongs).sum())
    reached = np.searchsorted(true_rate[1:], GRID - 1e-12)
    return _Curve(
        true_positive_rate=np.interp(GRID, false_rate, true_rate),
        precision=precision[reached],
        auc=float(auc(false_rate, true_rate)),
        average_precision=float(np.diff(true_rate) @ precision),
    )
