"""Matrices of any size as heat maps of a bounded one: each cell shows its strongest entry."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.views import Axis, Matrix

MOST_CELLS = 192  # each way

Cells = NDArray[np.float32]


def pool(matrix: NDArray[Any], most: int = MOST_CELLS) -> Cells:
    """Reduce (rows, columns) to at most `most` each way, keeping the entry furthest from zero.

    The strongest entry, not the mean, so that a single large weight stays visible.
    """
    highest, lowest = matrix, matrix
    for axis in (0, 1):
        starts = block_edges(matrix.shape[axis], most)[:-1]
        highest = np.maximum.reduceat(highest, starts, axis=axis)
        lowest = np.minimum.reduceat(lowest, starts, axis=axis)
    return np.where(highest >= -lowest, highest, lowest).astype(np.float32)


def block_edges(size: int, most: int = MOST_CELLS) -> NDArray[np.int64]:
    """Where the blocks of a side begin, and its end: (blocks + 1,)."""
    blocks = min(size, most)
    return np.round(np.linspace(0, size, blocks + 1)).astype(np.int64)


def block_names(noun: str, size: int, most: int = MOST_CELLS) -> tuple[str, ...]:
    """Name the blocks of a side by the rows or columns that they hold: ``output 4–7``."""
    edges = block_edges(size, most)
    return tuple(
        f"{noun} {low}" if high - low == 1 else f"{noun} {low}–{high - 1}"
        for low, high in pairwise(edges)
    )


def padded(maps: Sequence[Cells]) -> Cells:
    """Stack maps of different sizes, NaN where one has no cell: (maps, rows, columns)."""
    height = max((len(cells) for cells in maps), default=0)
    width = max((cells.shape[1] for cells in maps), default=0)
    stacked = np.full((len(maps), height, width), np.nan, dtype=np.float32)
    for place, cells in enumerate(maps):
        stacked[place, : cells.shape[0], : cells.shape[1]] = cells
    return stacked


def heat_map(
    title: str, cells: Cells, size: tuple[int, int], *, value: str, caption: str, signed: bool
) -> Matrix:
    """View one map of a (rows, columns) matrix of `size`, as `padded` keeps it."""
    rows, columns = (min(side, MOST_CELLS) for side in size)
    pooled = max(size) > MOST_CELLS
    note = (
        f" The matrix has {size[0]:,} × {size[1]:,} entries; each cell shows the one furthest from "
        "zero among those it stands for."
        if pooled
        else ""
    )
    return Matrix(
        title=title,
        caption=caption + note,
        values=np.nan_to_num(cells[:rows, :columns].astype(np.float64)),
        rows=block_names("output", size[0]),
        columns=block_names("input", size[1]),
        x=Axis(label="input, and place in the kernel"),
        y=Axis(label="output"),
        value=Axis(label=value),
        format=".3g",
        signed=signed,
    )
