"""Activations as JSON values, for machines."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import xarray as xr

from pellucid.inside.activations.naming import class_name, layer_names, units_of

MOST_UNITS = 50
OF_LAYER = (
    "layer_kind", "activation", "form", "num_units", "num_positions", "mean", "variance", "minimum",
    "maximum", "share_zero", "share_near_zero", "near_zero_limit", "share_active", "share_low_end",
    "share_high_end", "num_dead", "participation_ratio", "dimensions_90", "dimensions_99",
    "num_alike", "num_superfluous", "num_measured",
)  # fmt: skip
OF_UNIT = (
    "unit_mean", "unit_std", "unit_min", "unit_max", "unit_active", "selectivity", "d_prime",
    "partner", "partner_correlation", "r_squared",
)  # fmt: skip
GROUPS = {
    "heads": ("head", ("head_layer", "head_index", "head_entropy", "head_distance")),
    "gates": ("gate", ("gate_layer", "gate_name", "share_closed", "share_open")),
    "bounded": (
        "bounded",
        ("bounded_layer", "bounded_kind", "share_at_low_end", "share_at_high_end"),
    ),
}


def activations_json(data: xr.Dataset) -> dict[str, Any]:
    """One record per layer with its dead, superfluous and most selective units; heads and gates.

    At most 50 units of a layer are listed in each place; the saved result has all of them.
    """
    found: dict[str, Any] = {
        "kind": "activations",
        "layers": [_layer(data, place) for place in range(data.sizes["layer"])],
    }
    for name, (dimension, variables) in GROUPS.items():
        if dimension in data.sizes:
            rows = range(data.sizes[dimension])
            found[name] = [
                {each: _plain(data[each].values[row]) for each in variables} for row in rows
            ]
    return found


def _layer(data: xr.Dataset, place: int) -> dict[str, Any]:
    units = units_of(data, place)
    index = data["unit_index"].values
    dead = units[data["unit_dead"].values[units]]
    few = units[data["superfluous"].values[units]]
    score = np.nan_to_num(data["selectivity"].values[units])
    best = units[np.argsort(-score, kind="stable")][:MOST_UNITS] if score.any() else units[:0]
    return {
        "layer": layer_names(data)[place],
        **{name: _plain(data[name].values[place]) for name in OF_LAYER},
        "dead_units": index[dead][:MOST_UNITS].tolist(),
        "superfluous_units": index[few][:MOST_UNITS].tolist(),
        "most_selective": [_unit(data, int(unit)) for unit in best],
    }


def _unit(data: xr.Dataset, unit: int) -> dict[str, Any]:
    ids, rows = data["met_id"].values, data["top_sample"].values[unit]
    values = data["top_value"].values[unit]
    return {
        "unit": int(data["unit_index"].values[unit]),
        "preferred_class": class_name(data, int(data["selective_class"].values[unit])) or None,
        **{name: _plain(data[name].values[unit]) for name in OF_UNIT},
        "strongest": [
            {"sample": str(ids[row]), "value": float(value)}
            for row, value in zip(rows, values, strict=True)
            if math.isfinite(value)
        ],
    }


def _plain(value: Any) -> Any:
    plain = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(plain, float) and not math.isfinite(plain) else plain
