"""Filters that do nothing, and filters that do the same as another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST_COSINE = 0.98
FEWEST_INPUTS = 5  # rows of fewer entries point the same way by chance
MOST_COMPARED = 8192
MOST_PAIRS = 50
ROWS_AT_ONCE = 1024

Rows = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Duplicates:
    """Pairs of rows with |cosine| over the threshold: how many, and the MOST_PAIRS closest.

    `first` < `second` are rows, `cosine` is negative where one is the other's opposite.
    `num_compared` rows were compared with each other, evenly spaced where there are too many.
    """

    num_pairs: int
    num_compared: int
    first: Rows
    second: Rows
    cosine: NDArray[np.float64]


def row_norms(matrix: NDArray[np.floating]) -> NDArray[np.float64]:
    """Length of each row."""
    squares = np.einsum("ij,ij->i", matrix, matrix, dtype=np.float64)
    return np.asarray(np.sqrt(squares), dtype=np.float64)


def dead_rows(norms: NDArray[np.float64], near_zero: float) -> Rows:
    """Rows that are zero, or no longer than `near_zero` × the median row."""
    return np.flatnonzero(norms <= near_zero * np.median(norms)).astype(np.int64)


def duplicate_rows(
    matrix: NDArray[np.floating],
    norms: NDArray[np.float64],
    *,
    groups: int = 1,
    least: float = LEAST_COSINE,
) -> Duplicates:
    """Compare the rows of a finite (outputs, inputs) matrix that read the same inputs.

    Rows of different `groups` read different channels and are never duplicates, which rules out
    depthwise filters. Rows of length zero do not count.
    """
    alive = np.flatnonzero(norms > 0)
    if matrix.shape[1] < FEWEST_INPUTS or groups >= len(matrix) > 0:
        alive = alive[:0]
    step = max(1, -(-len(alive) // MOST_COMPARED))
    rows = alive[::step]
    directions = (matrix[rows] / norms[rows, None]).astype(np.float32)
    group = rows * groups // max(len(matrix), 1)
    found = [_pairs(directions, group, start, least) for start in range(0, len(rows), ROWS_AT_ONCE)]
    first, second, cosine = (
        np.concatenate([part[place] for part in found]) if found else np.zeros(0)
        for place in range(3)
    )
    order = np.argsort(-np.abs(cosine), kind="stable")[:MOST_PAIRS]
    return Duplicates(
        num_pairs=len(cosine),
        num_compared=len(rows),
        first=rows[first[order].astype(np.int64)],
        second=rows[second[order].astype(np.int64)],
        cosine=np.clip(cosine[order].astype(np.float64), -1, 1),
    )


def _pairs(
    directions: NDArray[np.float32], group: Rows, start: int, least: float
) -> tuple[Rows, Rows, NDArray[np.float32]]:
    """Pairs whose first row is among ROWS_AT_ONCE rows from `start` on."""
    block = directions[start : start + ROWS_AT_ONCE]
    cosines = block @ directions.T
    near = np.abs(cosines) > least
    first, second = np.nonzero(near)
    kept = (second > first + start) & (group[first + start] == group[second])
    first, second = first[kept], second[kept]
    return first + start, second, cosines[first, second]
