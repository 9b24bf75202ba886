"""Feature maps of the shown samples, ranked three ways."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

MOST_LAYERS = 6
PER_RANKING = 5
LARGEST = 56
RANKINGS = ("most active", "most varied", "most selective")


def map_arrays(
    seen: Sequence[dict[str, Tensor]], arrays: xr.Dataset, targets: NDArray[np.int64]
) -> dict[str, Any]:
    """The maps to show in one dimension `map`, each enlarged to the largest, by name.

    Per sample and layer, those with the largest mean, those that vary most over the picture, and
    those of units that prefer the sample's class (or some class, where it has none).
    """
    layers = [str(name) for name in arrays["layer"].values]
    spatial = [layer for layer in layers if all(layer in maps for maps in seen)]
    if not spatial:
        return {}
    places = np.unique(np.linspace(0, len(spatial) - 1, MOST_LAYERS).round().astype(int))
    rows: list[tuple[int, int, int, str]] = []
    planes: list[NDArray[np.float32]] = []
    for sample, maps in enumerate(seen):
        for name in (spatial[place] for place in places):
            values = maps[name].numpy()
            scores = _scores(values, arrays, layers.index(name), int(targets[sample]))
            for unit, ranking in _ranked(scores):
                rows.append((sample, layers.index(name), unit, ranking))
                planes.append(values[unit])
    height = min(LARGEST, max(plane.shape[0] for plane in planes))
    width = min(LARGEST, max(plane.shape[1] for plane in planes))
    return {
        "feature_map": (
            ("map", "map_y", "map_x"),
            np.stack([_fitted(plane, height, width) for plane in planes]).astype(np.float16),
        ),
        "map_sample": ("map", np.array([row[0] for row in rows])),
        "map_layer": ("map", np.array([row[1] for row in rows])),
        "map_unit": ("map", np.array([row[2] for row in rows])),
        "map_ranking": ("map", np.array([row[3] for row in rows], dtype=np.str_)),
        "map_size": (("map", "side"), np.array([plane.shape for plane in planes])),
    }


def _scores(
    values: NDArray[np.float32], arrays: xr.Dataset, layer: int, target: int
) -> dict[str, NDArray[np.float64]]:
    inside = arrays["unit_layer"].values == layer
    selectivity = arrays["selectivity"].values[inside]
    scores = {
        RANKINGS[0]: values.mean((1, 2), dtype=np.float64),
        RANKINGS[1]: values.var((1, 2), dtype=np.float64),
    }
    if np.isfinite(selectivity).any():
        own = arrays["selective_class"].values[inside] == target
        rate = np.clip(values, 0, None).mean((1, 2), dtype=np.float64)
        selective = np.nan_to_num(selectivity) * (rate > 0)
        scores[RANKINGS[2]] = np.where(own, selective + 1, selective) if target >= 0 else selective
    return scores


def _ranked(scores: dict[str, NDArray[np.float64]]) -> list[tuple[int, str]]:
    """The first units of each ranking, none of them twice."""
    found: list[tuple[int, str]] = []
    taken: set[int] = set()
    for ranking, score in scores.items():
        order = [int(u) for u in np.argsort(-score, kind="stable") if int(u) not in taken]
        chosen = order[:PER_RANKING]
        taken |= {*chosen}
        found += [(unit, ranking) for unit in chosen]
    return found


def _fitted(plane: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """Enlarge by whole cells, so that the cells stay visible; reduce smoothly."""
    larger = plane.shape[0] > height or plane.shape[1] > width
    how = Image.Resampling.BOX if larger else Image.Resampling.NEAREST
    return np.asarray(Image.fromarray(plane.astype(np.float32)).resize((width, height), how))
