"""How far a figure may be off because only so many samples were looked at."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
CONFIDENCE = 0.95
NUM_DRAWS = 2_000
MOST_CELLS_AT_ONCE = 4_000_000


def share(part: ArrayLike, whole: ArrayLike) -> Floats:
    """Divide elementwise; NaN where `whole` is 0, since a share of nothing is not defined."""
    above, below = np.broadcast_arrays(
        np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64)
    )
    quotient: Floats = np.full(above.shape, np.nan)
    np.divide(above, below, out=quotient, where=below != 0)
    return quotient


def wilson(
    successes: ArrayLike, trials: ArrayLike, confidence: float = CONFIDENCE
) -> tuple[Floats, Floats]:
    """Score interval of a proportion: its ends, elementwise; NaN where there were no trials.

    Never empty, never outside 0–1, and always holds successes/trials. Source: E. B. Wilson,
    Probable inference, the law of succession, and statistical inference, JASA 22 (1927).
    """
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    right, tried = np.asarray(successes, dtype=np.float64), np.asarray(trials, dtype=np.float64)
    rate = share(right, tried)
    centre = right + z**2 / 2
    half = z * np.sqrt(rate * (tried - right) + z**2 / 4)
    low, high = (centre - half) / (tried + z**2), (centre + half) / (tried + z**2)
    return np.clip(low, 0, rate), np.clip(high, rate, 1)


def f1_interval(
    true_positives: ArrayLike, mistakes: ArrayLike, confidence: float = CONFIDENCE
) -> tuple[Floats, Floats]:
    """Interval of F1 = 2 TP / (2 TP + mistakes), where mistakes = FP + FN; elementwise.

    J = TP / (TP + mistakes) is a proportion and F1 = 2 J / (1 + J) grows with it, so Wilson's
    interval of J carries over; other than a bootstrap, it stays open for a class without mistakes.
    Source: Lam, Gopal and Qian, Confidence intervals for the F1 score: a comparison of four
    methods (2023), Wilson indirect.
    """
    hits = np.asarray(true_positives)
    low, high = wilson(hits, hits + np.asarray(mistakes), confidence)
    return 2 * low / (1 + low), 2 * high / (1 + high)


def macro_f1_interval(
    confusion: Counts,
    seed: int,
    *,
    num_draws: int = NUM_DRAWS,
    confidence: float = CONFIDENCE,
) -> tuple[float, float]:
    """Percentile bootstrap of macro F1: the samples drawn again `num_draws` times.

    To draw n samples with replacement is to draw the cells of `confusion` (true, predicted) from
    a multinomial distribution. The ends are widened to hold the estimate; NaN where no sample is
    off the diagonal, since there is nothing to resample. Source: Efron and Tibshirani, An
    introduction to the bootstrap (1993), chapter 13.
    """
    rows, columns = np.nonzero(confusion)
    if (rows == columns).all():
        return float("nan"), float("nan")
    counts = confusion[rows, columns]
    generator = np.random.default_rng(seed)
    step = max(1, MOST_CELLS_AT_ONCE // len(counts))
    drawn = []
    for start in range(0, num_draws, step):
        size = min(step, num_draws - start)
        cells = generator.multinomial(counts.sum(), counts / counts.sum(), size)
        drawn.append(_macro_f1(cells, rows, columns, len(confusion)))
    tail = (1 - confidence) / 2
    ends = np.quantile(np.concatenate(drawn), (tail, 1 - tail))
    estimate = _macro_f1(counts[None], rows, columns, len(confusion))[0]
    return float(min(ends[0], estimate)), float(max(ends[1], estimate))


def _macro_f1(cells: Counts, rows: Counts, columns: Counts, num_classes: int) -> Floats:
    """Macro F1 (draws,) of drawn cells (draws, cells); over the classes with samples in a draw."""
    true = _sums(cells, rows, num_classes)
    predicted = _sums(cells, columns, num_classes)
    hits = np.zeros_like(true)
    diagonal = rows == columns
    hits[:, rows[diagonal]] = cells[:, diagonal]
    f1 = np.where(true > 0, share(2 * hits, true + predicted), np.nan)
    return np.asarray(np.nanmean(f1, axis=1))


def _sums(cells: Counts, groups: Counts, num_groups: int) -> Counts:
    order = np.argsort(groups, kind="stable")
    present, starts = np.unique(groups[order], return_index=True)
    sums: NDArray[Any] = np.zeros((len(cells), num_groups), dtype=np.int64)
    sums[:, present] = np.add.reduceat(cells[:, order], starts, axis=1)
    return sums
