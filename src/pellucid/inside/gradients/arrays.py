"""The labelled arrays of a model's gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from scipy.stats import t as student
from torch import Tensor

from pellucid.inside.gradients.tally import Tally
from pellucid.inside.weights.arrays import choose_maps, map_arrays, part_variables
from pellucid.inside.weights.grouping import group_names
from pellucid.inside.weights.statistics import EDGES, LEVELS, as_array, describe
from pellucid.inside.weights.tensors import Part

MOST_TOP = 50
TOP_OF_ONE = 10
NEAR_ZERO = 0.01
FIGURES = ("num_entries", "num_nan", "num_infinite", "rms", "l2", "max_abs", "zero_share")
MEASURES = ("relative", "snr", "snr_overall", "taylor", "fisher")


def gradient_arrays(
    parts: Sequence[Part],
    parameters: dict[str, Tensor],
    tally: Tally,
    *,
    norms: NDArray[np.float64],
    flow: Sequence[dict[str, float]],
    samples: dict[str, Any],
    num_maps: int,
) -> xr.Dataset:
    """Arrange gradients by tensor, flow by layer and what is known of each sample.

    `norms` (sample, tensor) are lengths of the samples' own gradients, `flow` the gradient's
    length at each layer's output, one record per sample.
    """
    measured = [_measure(part, parameters[part.parameter], tally) for part in parts]
    figures = [one["figures"] for one in measured]
    layers = list(dict.fromkeys(name for record in flow for name in record))
    maps = choose_maps(parts, lambda part: _map(part, tally), num_maps)
    variables: dict[str, Any] = {
        **part_variables(parts),
        **{name: ("tensor", np.array([f[name] for f in figures])) for name in FIGURES},
        **{name: ("tensor", np.array([one[name] for one in measured])) for name in MEASURES},
        "num_rows": ("tensor", np.array([one["num_rows"] for one in measured])),
        "quantiles": (("tensor", "quantile"), np.stack([f["quantiles"] for f in figures])),
        "counts": (("tensor", "bin"), np.stack([f["counts"] for f in figures])),
        "sample_norm": (("sample", "tensor"), norms),
        "flow": (
            ("sample", "layer_output"),
            np.array([[record.get(name, 0.0) for name in layers] for record in flow]),
            {"long_name": "length of the loss's gradient at the layer's output"},
        ),
        **_groups(parts, measured),
        **_top_rows(measured),
        **map_arrays(parts, maps),
        **samples,
        "snr_by_chance": ((), ratio_by_chance(tally.num_batches)),
        "num_batches": ((), tally.num_batches),
    }
    coordinates = {
        "tensor": np.array([part.name for part in parts], dtype=np.str_),
        "layer_output": np.array(layers, dtype=np.str_),
        "quantile": LEVELS,
        "edge": EDGES,
    }
    return xr.Dataset(variables, coords=coordinates)


def ratio_by_chance(num_batches: int) -> float:
    """Median of |mean| / standard deviation over so many batches of pure noise.

    √n · mean / standard deviation follows Student's t with n − 1 degrees of freedom. NaN below two.
    """
    if num_batches < 2:
        return float("nan")
    return float(student.ppf(0.75, num_batches - 1) / np.sqrt(num_batches))


def _measure(part: Part, parameter: Tensor, tally: Tally) -> dict[str, Any]:
    weight = part.of(parameter.detach()).to("cpu", torch.float64)
    mean = part.of(tally.mean(part.parameter)).double()
    fisher = part.of(tally.fisher(part.parameter)).double()
    first_order = (weight * mean).abs()
    length = float(weight.norm())
    return {
        "figures": describe(as_array(mean), NEAR_ZERO),
        "relative": float(mean.norm()) / length if length > 0 else np.nan,
        "taylor": float(first_order.sum()),
        "fisher": float(fisher.sum()),
        **_signal_to_noise(part, tally),
        **_rows(part, first_order, fisher),
    }


def _signal_to_noise(part: Part, tally: Tally) -> dict[str, float]:
    """|mean| / standard deviation between batches: the median over entries, and all together.

    Entries that do not differ between batches, as those never used, have no noise and do not count.
    """
    whole = tally.signal(part.parameter)
    if whole is None:
        return {"snr": np.nan, "snr_overall": np.nan}
    signal, noise = part.of(whole).double(), part.of(tally.noise(part.parameter)).double()
    varied = noise > 0
    if not bool(varied.any()):
        return {"snr": np.nan, "snr_overall": np.nan}
    each = signal[varied].abs() / noise[varied]
    return {
        "snr": float(np.median(each.numpy())),
        "snr_overall": float(signal.norm() / noise.norm()),
    }


def _rows(part: Part, first_order: Tensor, fisher: Tensor) -> dict[str, Any]:
    """Importance of each row of a matrix, and the most important ones; biases have no rows."""
    matrix, squares = part.matrix(first_order), part.matrix(fisher)
    if matrix is None or squares is None:
        return {"num_rows": 0, "rows": np.zeros(0, dtype=np.int64), "row_taylor": np.zeros(0),
                "row_fisher": np.zeros(0)}  # fmt: skip
    taylor = np.nan_to_num(matrix.sum(1).numpy())
    order = np.argsort(-taylor, kind="stable")[:TOP_OF_ONE]
    return {
        "num_rows": len(taylor),
        "rows": order.astype(np.int64),
        "row_taylor": taylor[order],
        "row_fisher": np.nan_to_num(squares.sum(1).numpy())[order],
    }


def _groups(parts: Sequence[Part], measured: Sequence[dict[str, Any]]) -> dict[str, Any]:
    groups = group_names([part.layer or part.name for part in parts])
    names = list(dict.fromkeys(groups))

    def total(measure: str) -> NDArray[np.float64]:
        sums = dict.fromkeys(names, 0.0)
        for group, one in zip(groups, measured, strict=True):
            sums[group] += one[measure]
        return np.array(list(sums.values()))

    return {
        "group": ("group", np.array(names, dtype=np.str_)),
        "group_taylor": ("group", total("taylor")),
        "group_fisher": ("group", total("fisher")),
    }


def _top_rows(measured: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The most important rows of all tensors together."""
    every = [
        (place, int(row), float(taylor), float(fisher))
        for place, one in enumerate(measured)
        for row, taylor, fisher in zip(
            one["rows"], one["row_taylor"], one["row_fisher"], strict=True
        )
    ]
    every.sort(key=lambda entry: -entry[2])
    columns = list(zip(*every[:MOST_TOP], strict=True)) or [(), (), (), ()]
    return {
        "top_tensor": ("top", np.array(columns[0], dtype=np.int64)),
        "top_row": ("top", np.array(columns[1], dtype=np.int64)),
        "top_taylor": ("top", np.array(columns[2], dtype=np.float64)),
        "top_fisher": ("top", np.array(columns[3], dtype=np.float64)),
    }


def _map(part: Part, tally: Tally) -> Tensor | None:
    return part.matrix(part.of(tally.mean(part.parameter)).abs())
