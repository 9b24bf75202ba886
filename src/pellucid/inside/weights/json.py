"""Arrays by tensor as JSON values, for machines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from pellucid.inside.weights.arrays import COUNTS, RANKS, SCALARS


def weights_json(data: xr.Dataset) -> dict[str, Any]:
    """Give a record for each tensor, the dead rows and the pairs of duplicates."""
    names = [
        *("parameter", "layer", "layer_kind", "role", "shape"),
        *COUNTS,
        *SCALARS,
        *RANKS,
        *("full_rank", "num_rows", "num_dead", "num_duplicates"),
    ]
    tensors = data["tensor"].values
    return {
        "kind": "weights",
        "near_zero": data.attrs["near_zero"],
        "least_cosine": data.attrs["least_cosine"],
        "tensors": [
            record
            | {
                "quantiles": {
                    f"{level:g}": plain(value)
                    for level, value in zip(data["quantile"].values, row, strict=True)
                }
            }
            for record, row in zip(
                records(data, "tensor", names), data["quantiles"].values, strict=True
            )
        ],
        "dead": [
            {"tensor": str(tensors[place]), "row": int(row)}
            for place, row in zip(data["dead_tensor"].values, data["dead_row"].values, strict=True)
        ],
        "duplicates": [
            {"tensor": str(tensors[place]), "rows": [int(a), int(b)], "cosine": float(cosine)}
            for place, a, b, cosine in zip(
                data["duplicate_tensor"].values,
                data["duplicate_first"].values,
                data["duplicate_second"].values,
                data["duplicate_cosine"].values,
                strict=True,
            )
        ],
        "skipped": records(data, "skip", ["skipped", "skipped_reason"]),
    }


def records(data: xr.Dataset, dimension: str, names: Sequence[str]) -> list[dict[str, Any]]:
    """One record per entry of a dimension, with the values of one-dimensional variables."""
    labels = data[dimension].values if dimension in data.coords else None
    return [
        ({"name": plain(labels[row])} if labels is not None else {})
        | {name: plain(data[name].values[row]) for name in names}
        for row in range(data.sizes[dimension])
    ]


def plain(value: Any) -> Any:
    """A NumPy value as a JSON one; what is not finite is None."""
    value = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(value, float) and not np.isfinite(value) else value
