"""Response curves over samples: means with confidence bands, and where predictions give way."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import trapezoid

from pellucid.analysis.intervals import CONFIDENCE, NUM_DRAWS

Floats = NDArray[np.float64]


def bootstrap(values: Floats, seed: int) -> tuple[Floats, Floats]:
    """95 % percentile bootstrap of the mean over the last dimension, the samples.

    The same draws of samples are taken for all curves. NaN for a single sample, which has no
    spread. Source: Efron and Tibshirani, An introduction to the bootstrap (1993), chapter 13.
    """
    size = values.shape[-1]
    if size < 2:
        empty = np.full(values.shape[:-1], np.nan)
        return empty, empty
    counts = np.random.default_rng(seed).multinomial(size, np.full(size, 1 / size), NUM_DRAWS)
    means = values.reshape(-1, size) @ (counts / size).T
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(means, (tail, 1 - tail), axis=1)
    return low.reshape(values.shape[:-1]), high.reshape(values.shape[:-1])


def area(strengths: Floats, values: Floats) -> Floats:
    """Mean height (samples,) of curves (steps, samples) over the size of the strength.

    By trapezoids over the range tried; two-sided strengths count both sides.
    """
    span = strengths[-1] - strengths[0]
    return np.asarray(trapezoid(values, strengths, axis=0) / span)


def half_strength(strengths: Floats, unchanged: Floats) -> float:
    """The smallest size of strength at which no more than half of the predictions are unchanged.

    Between two strengths the share is taken to fall evenly. NaN where it stays above half. The
    sign is kept.
    """
    original = int(np.flatnonzero(strengths == 0)[0])
    ways = (
        _crossing(strengths[original:], unchanged[original:]),
        _crossing(strengths[original::-1], unchanged[original::-1]),
    )
    found = [way for way in ways if not np.isnan(way)]
    return min(found, key=abs) if found else float("nan")


def first_changes(strengths: Floats, unchanged: NDArray[np.bool_]) -> Floats:
    """The smallest size of strength at which each sample's prediction is another: (samples,)."""
    sizes = np.where(unchanged, np.inf, np.abs(strengths)[:, None])
    least = sizes.min(0)
    return np.where(np.isfinite(least), least, np.nan)


def _crossing(strengths: Floats, shares: Floats) -> float:
    """Where a curve that begins at 1 first comes to a half, going along the array."""
    below = np.flatnonzero(shares <= 0.5)
    if not len(below):
        return float("nan")
    place = int(below[0])
    if place == 0:
        return float(strengths[0])
    before, after = shares[place - 1], shares[place]
    part = (before - 0.5) / (before - after)
    return float(strengths[place - 1] + part * (strengths[place] - strengths[place - 1]))
