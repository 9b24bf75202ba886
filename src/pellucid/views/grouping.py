"""Groups of points: the ones with most points have a colour of their own."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.views.kinds import Scatter

MOST_GROUPS = 7
OTHERS = "others"


@dataclass(frozen=True, kw_only=True)
class Group:
    """The finite points of one group, and its place among the colours; −1 for all others."""

    name: str
    place: int
    rows: NDArray[np.int64]


def groups_of(view: Scatter) -> list[Group]:
    """The groups of a scatter plot, the seven largest first, and what is in none of them."""
    known = np.flatnonzero(np.isfinite(view.x_values) & np.isfinite(view.y_values))
    if not any(view.groups):
        return [Group(name="", place=0, rows=known)] if len(known) else []
    names = np.array(view.groups)
    counts = Counter(names[known].tolist())
    ranked = sorted((name for name in counts if name), key=lambda name: (-counts[name], name))
    found = [
        Group(name=name, place=place, rows=known[names[known] == name])
        for place, name in enumerate(ranked[:MOST_GROUPS])
    ]
    rest = known[~np.isin(names[known], ranked[:MOST_GROUPS])]
    return [*([Group(name=OTHERS, place=-1, rows=rest)] if len(rest) else []), *found]


def thinned(rows: NDArray[np.int64], most: int, total: int) -> NDArray[np.int64]:
    """Every so-manieth of the points, so that of `total` ones about `most` are left."""
    if total <= most:
        return rows
    kept = np.linspace(0, len(rows) - 1, max(1, round(len(rows) * most / total)))
    found: NDArray[np.int64] = rows[kept.astype(np.int64)]
    return found
