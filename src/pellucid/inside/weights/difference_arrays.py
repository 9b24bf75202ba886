"""The labelled arrays of the difference between two sets of weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from torch import Tensor

from pellucid.inside.weights.grouping import group_names
from pellucid.inside.weights.statistics import as_array

COUNTER = "num_batches_tracked"
MOST_TOP = 10
SCALARS = ("norm_before", "norm_after", "norm_change", "relative", "cosine", "max_change")


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One tensor before and after. `top_row` are the rows that changed most, most first.

    `top_relative` is their change in parts of their length before, or of the median row's where
    that is longer.
    `relative` is NaN where the tensor was all zero before and is not so now, `cosine` where one
    side is zero; all are NaN where values are not finite. Biases have no rows.
    """

    name: str
    is_buffer: bool
    shape: tuple[int, ...]
    num_changed: int
    norm_before: float
    norm_after: float
    norm_change: float
    cosine: float
    max_change: float
    top_row: NDArray[np.int64]
    top_change: NDArray[np.float64]
    top_relative: NDArray[np.float64]

    @property
    def relative(self) -> float:
        return ratio(self.norm_change, self.norm_before)


def measure_pair(name: str, before: Tensor, after: Tensor, *, is_buffer: bool = False) -> Pair:
    """Compare two tensors of one shape, in float64."""
    old, new = as_array(before).astype(np.float64), as_array(after).astype(np.float64)
    change = new - old
    norm_before, norm_after = float(np.linalg.norm(old)), float(np.linalg.norm(new))
    lengths = norm_before * norm_after
    cosine = float((old * new).sum() / lengths) if lengths > 0 else np.nan
    rows = change.reshape(len(change), -1) if change.ndim > 1 else np.zeros((0, 1))
    row_change = np.sqrt(np.square(rows).sum(1))
    base = np.sqrt(np.square(old.reshape(len(old), -1)).sum(1)) if len(rows) else row_change
    base = np.maximum(base, np.median(base)) if len(base) else base  # else dead rows lead
    order = np.argsort(-row_change, kind="stable")[:MOST_TOP]
    order = order[row_change[order] > 0]
    return Pair(
        name=name,
        is_buffer=is_buffer,
        shape=tuple(before.shape),
        num_changed=int((change != 0).sum()),
        norm_before=norm_before,
        norm_after=norm_after,
        norm_change=float(np.linalg.norm(change)),
        cosine=float(np.clip(cosine, -1, 1)),
        max_change=float(np.abs(change).max()),
        top_row=order.astype(np.int64),
        top_change=row_change[order],
        top_relative=np.array([ratio(row_change[r], base[r]) for r in order]),
    )


def difference_arrays(
    pairs: Sequence[Pair],
    *,
    only_before: Sequence[str],
    only_after: Sequence[str],
    reshaped: Mapping[str, tuple[torch.Size, torch.Size]],
) -> xr.Dataset:
    """Arrange the pairs by tensor, and together by group of layers."""
    layers = [pair.name.rpartition(".")[0] or pair.name for pair in pairs]
    groups = group_names(layers)
    names = list(dict.fromkeys(groups))
    sizes = [f"{_size(old)} → {_size(new)}" for old, new in reshaped.values()]
    variables: dict[str, Any] = {
        "is_buffer": ("tensor", np.array([pair.is_buffer for pair in pairs])),
        "shape": ("tensor", _words([_size(pair.shape) for pair in pairs])),
        "num_entries": ("tensor", np.array([int(np.prod(pair.shape)) for pair in pairs])),
        "num_changed": ("tensor", np.array([pair.num_changed for pair in pairs])),
        **{name: ("tensor", np.array([getattr(p, name) for p in pairs])) for name in SCALARS},
        "group_of": ("tensor", np.array([names.index(group) for group in groups])),
        "group_relative": ("group", np.array([_together(pairs, groups, name) for name in names])),
        **_top(pairs),
        "only_before": ("missing", _words(only_before)),
        "only_after": ("extra", _words(only_after)),
        "reshaped": ("other_shape", _words(list(reshaped))),
        "reshaped_size": ("other_shape", _words(sizes)),
    }
    coordinates = {"tensor": _words([pair.name for pair in pairs]), "group": _words(names)}
    return xr.Dataset(variables, coords=coordinates)


def ratio(part: float, whole: float) -> float:
    """Part of a whole; 0 of 0 is 0, anything else of 0 is not defined."""
    if part == 0:
        return 0.0
    return float(part / whole) if whole > 0 else float("nan")


def _together(pairs: Sequence[Pair], groups: Sequence[str], name: str) -> float:
    """Relative change of a group's parameters taken as one vector; of its buffers if it has none."""
    own = [pair for pair, group in zip(pairs, groups, strict=True) if group == name]
    own = [pair for pair in own if not pair.is_buffer] or own
    change = np.sqrt(sum(pair.norm_change**2 for pair in own))
    return ratio(float(change), float(np.sqrt(sum(pair.norm_before**2 for pair in own))))


def _top(pairs: Sequence[Pair]) -> dict[str, Any]:
    width = max((len(pair.top_row) for pair in pairs), default=0)
    rows = np.full((len(pairs), width), -1, dtype=np.int64)
    change, relative = (np.full((len(pairs), width), np.nan) for _ in range(2))
    for place, pair in enumerate(pairs):
        count = len(pair.top_row)
        rows[place, :count] = pair.top_row
        change[place, :count] = pair.top_change
        relative[place, :count] = pair.top_relative
    dims = ("tensor", "top")
    return {
        "top_row": (dims, rows, {"long_name": "most changed rows, -1 for none"}),
        "top_change": (dims, change),
        "top_relative": (dims, relative),
    }


def _size(shape: Sequence[int]) -> str:
    return " × ".join(map(str, shape)) or "scalar"


def _words(words: Sequence[str]) -> NDArray[np.str_]:
    return np.array(words, dtype=np.str_)
