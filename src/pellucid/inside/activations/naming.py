"""How layers, units and samples are called in views and words."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray


def layer_names(data: xr.Dataset) -> list[str]:
    """Names of the layers, in depth order."""
    return [str(name) for name in data["layer"].values]


def units_of(data: xr.Dataset, layer: int) -> NDArray[np.int64]:
    """Positions in `unit` of a layer's units."""
    return np.flatnonzero(data["unit_layer"].values == layer)


def unit_name(data: xr.Dataset, unit: int) -> str:
    """A unit as ``layer:number``."""
    layer = int(data["unit_layer"].values[unit])
    return f"{data['layer'].values[layer]}:{data['unit_index'].values[unit]}"


def class_name(data: xr.Dataset, label: int) -> str:
    """A class by its index; "" for none."""
    return str(data["label"].values[label]) if "label" in data.coords and label >= 0 else ""


def spread_evenly(number: int, most: int) -> list[int]:
    """At most `most` positions of `number`, the first and the last among them."""
    if number <= most:
        return list(range(number))
    places = np.unique(np.linspace(0, number - 1, most).round().astype(int))
    return [int(place) for place in places]
