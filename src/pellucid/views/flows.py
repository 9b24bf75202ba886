"""Where the nodes and bands of a flow lie, so that few bands cross. The page does the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.views.kinds import Flow

GAP = 0.28  # part of the height that stays empty between nodes, at most
NODE = 0.012  # width of a node, of the figure's
SWEEPS = 6

Values = NDArray[np.float64]
Order = NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class Placed:
    """Positions from 0 to 1, downwards: of nodes (`top`, `height`), and of the upper edge of each
    band where it leaves and enters. `columns` are the stages' left edges; `order` are the links
    that carry something, widest first.
    """

    amounts: Values
    top: Values
    height: Values
    stages: Order
    columns: Values
    leaves: Values
    enters: Values
    thickness: Values
    order: Order
    colours: tuple[int, ...]

    def x(self, node: int) -> float:
        """Left edge of a node."""
        return float(self.columns[self.stages[node]])

    def is_last(self, node: int) -> bool:
        """Whether nothing can lie to the right of a node."""
        return bool(self.stages[node] == len(self.columns) - 1)


def place(view: Flow) -> Placed | None:
    """Place a flow; None if nothing flows. Links of no finite positive value are left out."""
    values = np.nan_to_num(view.values.astype(np.float64), posinf=0.0, neginf=0.0)
    values = np.where(values > 0, values, 0.0)
    if not values.any():
        return None
    stages = view.stages.astype(np.intp)
    sources, targets = view.sources.astype(np.intp), view.targets.astype(np.intp)
    count = len(view.nodes)
    amounts = np.maximum(
        np.bincount(sources, values, count),
        np.bincount(targets, values, count),
    )
    ranks = _ranks(stages, sources, targets, values, amounts)
    top, height, scale = _stacked(stages, ranks, amounts)
    thickness = values * scale
    last = int(stages.max())
    return Placed(
        amounts=amounts,
        top=top,
        height=height,
        stages=stages,
        columns=np.linspace(0, 1 - NODE, last + 1) if last else np.zeros(1),
        leaves=_edges(sources, targets, top, thickness),
        enters=_edges(targets, sources, top, thickness),
        thickness=thickness,
        order=np.argsort(-values, kind="stable")[: np.count_nonzero(values)],
        colours=_colours(view.nodes, amounts),
    )


def _ranks(
    stages: Order, sources: Order, targets: Order, values: Values, amounts: Values
) -> Values:
    """Order within a stage: each node near the mean of what it is linked to (barycentre)."""
    ranks = np.zeros(len(stages))
    for stage in np.unique(stages):
        inside = np.flatnonzero(stages == stage)
        ranks[inside] = np.arange(len(inside)) / max(len(inside) - 1, 1)
    for sweep in range(SWEEPS):
        own, other = (targets, sources) if sweep % 2 == 0 else (sources, targets)
        weights = np.bincount(own, values, len(stages))
        pulls = np.bincount(own, values * ranks[other], len(stages))
        wanted = np.where(weights > 0, pulls / np.where(weights > 0, weights, 1), ranks)
        for stage in np.unique(stages):
            inside = np.flatnonzero((stages == stage) & (amounts > 0))
            ordered = inside[np.argsort(wanted[inside], kind="stable")]
            ranks[ordered] = np.arange(len(ordered)) / max(len(ordered) - 1, 1)
    return ranks


def _stacked(stages: Order, ranks: Values, amounts: Values) -> tuple[Values, Values, float]:
    """Tops and heights of nodes, and how high one unit of value is: equal in all stages."""
    shown = amounts > 0
    fullest = max(float(amounts[stages == stage].sum()) for stage in np.unique(stages))
    most = max(int((shown & (stages == stage)).sum()) for stage in np.unique(stages))
    gap = min(0.04, GAP / max(most - 1, 1))
    scale = (1 - gap * (most - 1)) / fullest
    top = np.zeros(len(stages))
    for stage in np.unique(stages):
        inside = np.flatnonzero(shown & (stages == stage))
        ordered = inside[np.argsort(ranks[inside], kind="stable")]
        sizes = amounts[ordered] * scale + gap
        start = (1 - (sizes.sum() - gap)) / 2
        top[ordered] = start + np.cumsum(sizes) - sizes
    return top, amounts * scale, scale


def _edges(own: Order, other: Order, top: Values, thickness: Values) -> Values:
    """Upper edge of each band at its `own` node, stacked in the order of the `other` ends."""
    edges = np.zeros(len(own))
    for node in np.unique(own):
        links = np.flatnonzero(own == node)
        links = links[np.argsort(top[other[links]], kind="stable")]
        sizes = thickness[links]
        edges[links] = top[node] + np.cumsum(sizes) - sizes
    return edges


def _colours(nodes: tuple[str, ...], amounts: Any) -> tuple[int, ...]:
    """Nodes of one name in different stages have one colour."""
    known: dict[str, int] = {}
    for name, amount in zip(nodes, amounts, strict=True):
        if amount > 0:
            known.setdefault(name, len(known))
    return tuple(known.get(name, 0) for name in nodes)
