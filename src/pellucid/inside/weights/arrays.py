"""The labelled arrays of a model's weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray

from pellucid.inside.weights.filters import FirstFilters
from pellucid.inside.weights.pooling import Cells, padded, pool
from pellucid.inside.weights.rows import Duplicates, dead_rows, duplicate_rows, row_norms
from pellucid.inside.weights.spectrum import Spectrum, decompose
from pellucid.inside.weights.statistics import EDGES, LEVELS, Figures, as_array, describe
from pellucid.inside.weights.tensors import Part, Skipped

FEWEST_ROWS = 8  # each way, of a matrix worth a heat map
MOST_DEAD_LISTED = 50
SCALARS = (
    "mean",
    "std",
    "rms",
    "mean_abs",
    "l2",
    "max_abs",
    "zero_share",
    "near_zero_share",
)
COUNTS = ("num_entries", "num_nan", "num_infinite")
RANKS = ("spectral_norm", "rank", "stable_rank", "effective_rank")


@dataclass
class Measured:
    """What was found about one part: figures of its values, and of its rows if it is a matrix."""

    part: Part
    figures: Figures
    spectrum: Spectrum | None = None
    full_rank: int = 0
    norms: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    dead: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    duplicates: Duplicates | None = None


def measure_part(
    part: Part, whole: torch.Tensor, near_zero: float, least_cosine: float
) -> Measured:
    """Measure one part of a parameter; ranks and rows only where all values are finite."""
    values = part.of(whole.detach())
    found = Measured(part=part, figures=describe(as_array(values), near_zero))
    matrix = None if part.role == "buffer" else part.matrix(values)
    if matrix is None or found.figures["num_nan"] or found.figures["num_infinite"]:
        return found
    rows = as_array(matrix)
    found.spectrum, found.full_rank = decompose(torch.from_numpy(rows)), min(rows.shape)
    found.norms = row_norms(rows)
    found.dead = dead_rows(found.norms, near_zero)
    found.duplicates = duplicate_rows(rows, found.norms, groups=part.groups, least=least_cosine)
    return found


def weight_arrays(
    found: Sequence[Measured],
    skipped: Sequence[Skipped],
    maps: Sequence[tuple[int, Cells]],
    filters: FirstFilters | None,
) -> xr.Dataset:
    """Arrange what was measured by tensor; `maps` are pooled matrices of chosen tensors."""
    variables: dict[str, Any] = {
        **part_variables([one.part for one in found]),
        **_figure_variables(found),
        **_rank_variables(found),
        **_row_variables(found),
        **_map_variables(found, maps),
        **_filter_variables(filters),
        "skipped": ("skip", _words([one.name for one in skipped])),
        "skipped_reason": ("skip", _words([one.reason for one in skipped])),
    }
    names = _words([one.part.name for one in found])
    return xr.Dataset(variables, coords={"tensor": names, "quantile": LEVELS, "edge": EDGES})


def part_variables(parts: Sequence[Part]) -> dict[str, Any]:
    """What each tensor is: its layer, the layer's class, its role and shape."""
    return {
        "parameter": ("tensor", _words([part.parameter for part in parts])),
        "layer": ("tensor", _words([part.layer for part in parts])),
        "layer_kind": ("tensor", _words([part.kind for part in parts])),
        "role": ("tensor", _words([part.role for part in parts])),
        "shape": ("tensor", _words([" × ".join(map(str, part.shape)) for part in parts])),
    }


def choose_maps(
    parts: Sequence[Part],
    matrix_of: Callable[[Part], torch.Tensor | None],
    most: int,
) -> list[tuple[int, Cells]]:
    """Pool `most` matrices, spread evenly over the depth, the first and the last among them."""
    shapes = [_map_shape(part) for part in parts]
    fit = [place for place, shape in enumerate(shapes) if shape and min(shape) >= FEWEST_ROWS]
    fit = fit or [place for place, shape in enumerate(shapes) if shape]
    steps = np.linspace(0, len(fit) - 1, min(most, len(fit)))
    chosen = [fit[round(step)] for step in steps] if fit else []
    maps = []
    for place in chosen:
        matrix = matrix_of(parts[place])
        if matrix is not None:
            maps.append((place, pool(as_array(matrix))))
    return maps


def map_sizes(parts: Sequence[Part], maps: Sequence[tuple[int, Cells]]) -> list[tuple[int, int]]:
    """Rows and columns of the matrices behind the maps."""
    return [_map_shape(parts[place]) or (0, 0) for place, _ in maps]


def map_arrays(parts: Sequence[Part], maps: Sequence[tuple[int, Cells]]) -> dict[str, Any]:
    """Pooled maps, the tensors they belong to, and the sizes of the whole matrices."""
    sizes = np.array(map_sizes(parts, maps), dtype=np.int64).reshape(-1, 2)
    return {
        "map": (("map_index", "map_row", "map_column"), padded([cells for _, cells in maps])),
        "map_tensor": ("map_index", np.array([place for place, _ in maps], dtype=np.int64)),
        "map_num_rows": ("map_index", sizes[:, 0]),
        "map_num_columns": ("map_index", sizes[:, 1]),
    }


def _map_shape(part: Part) -> tuple[int, int] | None:
    if part.role == "buffer":
        return None
    matrix = part.matrix(torch.empty(part.shape, device="meta"))
    return None if matrix is None or max(matrix.shape) < 2 else (matrix.shape[0], matrix.shape[1])


def _figure_variables(found: Sequence[Measured]) -> dict[str, Any]:
    each = [one.figures for one in found]
    return {
        **{name: ("tensor", np.array([f[name] for f in each], dtype=np.int64)) for name in COUNTS},
        **{name: ("tensor", np.array([f[name] for f in each])) for name in SCALARS},
        "quantiles": (("tensor", "quantile"), np.stack([f["quantiles"] for f in each])),
        "counts": (
            ("tensor", "bin"),
            np.stack([f["counts"] for f in each]),
            {"units": "entries", "long_name": "entries between edge[bin] and edge[bin + 1] × rms"},
        ),
    }


def _rank_variables(found: Sequence[Measured]) -> dict[str, Any]:
    spectra = [one.spectrum for one in found]
    longest = max((len(s.singular_values) for s in spectra if s), default=0)
    singular = np.full((len(found), longest), np.nan, dtype=np.float32)
    for row, spectrum in enumerate(spectra):
        if spectrum:
            singular[row, : len(spectrum.singular_values)] = spectrum.singular_values
    ranks = {
        name: ("tensor", np.array([getattr(s, name) if s else np.nan for s in spectra]))
        for name in RANKS
    }
    full = np.array([one.full_rank for one in found], dtype=np.int64)
    return ranks | {
        "full_rank": ("tensor", full, {"long_name": "the largest rank possible; 0 for vectors"}),
        "singular_values": (("tensor", "place"), singular),
    }


def _row_variables(found: Sequence[Measured]) -> dict[str, Any]:
    """Rows, dead ones, and pairs of duplicates; lists name the tensor by its position."""
    dead = [(t, row) for t, one in enumerate(found) for row in one.dead[:MOST_DEAD_LISTED]]
    dead_places = np.array(dead, dtype=np.int64).reshape(-1, 2)
    kept = [(t, one.duplicates) for t, one in enumerate(found) if one.duplicates]
    pairs = [np.repeat(t, len(twins.first)) for t, twins in kept]
    return {
        "num_rows": ("tensor", np.array([len(one.norms) for one in found], dtype=np.int64)),
        "num_dead": ("tensor", np.array([len(one.dead) for one in found], dtype=np.int64)),
        "num_duplicates": (
            "tensor",
            np.array([d.num_pairs if (d := o.duplicates) else 0 for o in found], dtype=np.int64),
            {"units": "pairs of rows"},
        ),
        "dead_tensor": ("dead", dead_places[:, 0]),
        "dead_row": ("dead", dead_places[:, 1]),
        "duplicate_tensor": ("duplicate", _joined(pairs).astype(np.int64)),
        "duplicate_first": ("duplicate", _joined([d.first for _, d in kept]).astype(np.int64)),
        "duplicate_second": ("duplicate", _joined([d.second for _, d in kept]).astype(np.int64)),
        "duplicate_cosine": ("duplicate", _joined([d.cosine for _, d in kept])),
    }


def _map_variables(found: Sequence[Measured], maps: Sequence[tuple[int, Cells]]) -> dict[str, Any]:
    return map_arrays([one.part for one in found], maps)


def _filter_variables(filters: FirstFilters | None) -> dict[str, Any]:
    if filters is None:
        return {}
    return {
        "filters": (("filter", "y", "x", "channel"), filters.weights),
        "filter_index": ("filter", filters.index),
        "filter_parameter": ((), filters.parameter),
        "num_filters": ((), filters.num_filters),
    }


def _joined(parts: list[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.zeros(0)


def _words(words: Sequence[str]) -> NDArray[np.str_]:
    return np.array(words, dtype=np.str_)
