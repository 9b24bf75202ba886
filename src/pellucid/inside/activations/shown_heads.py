"""Attention of the shown samples: token to token in texts, over the picture for each head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from pellucid.attribution.layers import Grid, find_grid

MOST_TOKENS = 64
MOST_MEAN = 300
Attention = Sequence[tuple[str, Tensor]]


def attention_arrays(seen: Sequence[Attention], picture: tuple[int, int] | None) -> dict[str, Any]:
    """Attention by shown sample, layer and head, by name; empty without attention.

    For pictures `attention_map` is how the class token looks at the cells, or the mean over all
    cells where there is no class token; `attention_mean` the last layer's mean over heads. For
    texts `attention` is from token to token, of the first 64.
    """
    kept = [[(name, w) for name, w in each if w.shape[-1] == w.shape[-2]] for each in seen]
    number = min(map(len, kept), default=0)
    if not number:
        return {}
    kept = [each[:number] for each in kept]
    if picture is None:
        return _names(kept[0]) | {
            "attention": (
                ("shown", "attention_layer", "head_of_layer", "query", "key"),
                _stacked([[_cut(w) for _, w in each] for each in kept]),
            )
        }
    return _over_pictures(kept, picture)


def _over_pictures(kept: Sequence[Attention], picture: tuple[int, int]) -> dict[str, Any]:
    grids = [find_grid((1, weights.shape[-1], 1), picture) for _, weights in kept[0]]
    used = [place for place, grid in enumerate(grids) if grid is not None and grid == grids[-1]]
    grid = grids[-1]
    if not used or grid is None:
        return {}
    maps = [[_looks(each[place][1], grid) for place in used] for each in kept]
    found = _names([kept[0][place] for place in used]) | {
        "attention_map": (
            ("shown", "attention_layer", "head_of_layer", "cell_y", "cell_x"),
            _stacked(maps),
        ),
        "attention_from": ((), "the class token" if grid.extra else "all cells"),
    }
    means = [each[used[-1]][1].mean(0).numpy() for each in kept]
    if means[0].shape[-1] <= MOST_MEAN:
        found["attention_mean"] = (("shown", "query", "key"), np.stack(means).astype(np.float16))
    return found


def _names(layers: Attention) -> dict[str, Any]:
    return {"attention_layer_name": ("attention_layer", np.array([n for n, _ in layers], np.str_))}


def _looks(weights: Tensor, grid: Grid) -> NDArray[np.float32]:
    """How each head looks at the cells: (heads, height, width)."""
    queries = weights[:, 0] if grid.extra else weights.mean(1)
    cells = queries[:, grid.extra :].reshape(len(weights), grid.height, grid.width)
    found: NDArray[np.float32] = cells.numpy().astype(np.float32)
    return found


def _cut(weights: Tensor) -> NDArray[np.float32]:
    found: NDArray[np.float32] = weights[:, :MOST_TOKENS, :MOST_TOKENS].numpy()
    return found


def _stacked(rows: list[list[NDArray[np.float32]]]) -> NDArray[np.float16]:
    """Put arrays of (heads, a, b) together by sample and layer, NaN where one is smaller."""
    every = [array for row in rows for array in row]
    shape = tuple(max(array.shape[axis] for array in every) for axis in range(3))
    whole = np.full((len(rows), len(rows[0]), *shape), np.nan, dtype=np.float16)
    for sample, row in enumerate(rows):
        for layer, array in enumerate(row):
            a, b, c = array.shape
            whole[sample, layer, :a, :b, :c] = array
    return whole
