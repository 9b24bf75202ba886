"""How much of the gradient is left at each layer, beside what there is at the last one."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray


def relative_flow(data: xr.Dataset) -> NDArray[np.float64]:
    """Gradient at each layer in multiples of that at the last: (sample, layer_output).

    Each sample is taken by itself: the gradients of samples that a model is sure of are shorter by
    many orders of magnitude. Samples without a gradient at the last layer are left out.
    """
    lengths = data["flow"].values
    if not lengths.shape[1]:
        return np.zeros((0, 0))
    kept = lengths[lengths[:, -1] > 0]
    return np.asarray(kept / kept[:, -1:], dtype=np.float64)


def flow_ratio(data: xr.Dataset) -> float:
    """Median over samples of the gradient at the first layer beside the last; NaN without both."""
    beside = relative_flow(data)
    return float(np.median(beside[:, 0])) if len(beside) and beside.shape[1] > 1 else float("nan")
