"""How clearly units prefer a class, in one number by which they are ranked."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray


def preference(data: xr.Dataset, units: NDArray[np.int64]) -> NDArray[np.float64]:
    """Rank units (positions in `unit`) by d′, else by their index: (n,), NaN where there is none.

    Units whose strongest response is weaker than that of half of the others come last, with 0:
    an index says nothing about size, and a faint unit is seldom what one looks for.
    """
    prime = data["d_prime"].values[units]
    score = prime if np.isfinite(prime).any() else data["selectivity"].values[units]
    if not np.isfinite(score).any():
        return np.full(len(units), np.nan)
    peak = data["unit_max"].values[units]
    moving = peak[data["unit_std"].values[units] > 0]
    strong = peak >= (np.median(moving) if len(moving) else 0)
    ranked: NDArray[np.float64] = np.where(strong, np.nan_to_num(score), 0.0)
    return ranked
