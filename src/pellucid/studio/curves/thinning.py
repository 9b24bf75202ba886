"""Fewer points that draw the same curve: the lowest and the highest of each stretch.

A curve of n points on w pixels looks as it would with all of them if every pixel's extremes are
kept. Gaps, where a value is not finite, are kept too.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pellucid.studio.curves.columns import Floats


def thinned(values: Floats, points: int) -> NDArray[np.intp]:
    """Positions of at most `points` of `values` (n,), in order; all of them if there are no more.

    Minimum and maximum of every stretch, first and last point, and a point in every stretch that
    has a gap are among them.
    """
    count = len(values)
    if count <= points:
        return np.arange(count)
    finite = np.isfinite(values)
    per_stretch = 2 if finite.all() else 3
    stretches = max(1, (points - 2) // per_stretch)
    size = -(-count // stretches)
    stretches = -(-count // size)
    chosen = [
        _places(values, finite, size, stretches, np.inf, np.argmin),
        _places(values, finite, size, stretches, -np.inf, np.argmax),
        np.array([0, count - 1]),
    ]
    if per_stretch == 3:
        gaps = np.flatnonzero(~finite)
        chosen.append(gaps[np.unique(gaps // size, return_index=True)[1]])
    return np.unique(np.concatenate(chosen))


def _places(
    values: Floats,
    finite: NDArray[np.bool_],
    size: int,
    stretches: int,
    filler: float,
    extreme: Callable[..., NDArray[np.intp]],
) -> NDArray[np.intp]:
    padded = np.full(size * stretches, filler)
    padded[: len(values)] = np.where(finite, values, filler)
    found: NDArray[np.intp] = extreme(padded.reshape(stretches, size), axis=1)
    places = found + np.arange(stretches) * size
    return places[places < len(values)]
