"""Scatter plots: points, and beyond some thousands their density."""

from __future__ import annotations

import numpy as np

from pellucid.views import Scatter
from pellucid.views.colours import SERIES
from pellucid.views.grouping import groups_of, thinned
from pellucid.views.matplotlib.charts import add_legend, set_scale
from pellucid.views.matplotlib.drawing import (
    FAINT,
    Target,
    content_height,
    draw_content,
    nothing,
)

MOST_POINTS = 5000
MARKS = "osD^vPX"


@draw_content.register
def _(view: Scatter, target: Target) -> None:
    groups = groups_of(view)
    if not groups:
        return nothing(target)
    axes = target.subplots()
    total = sum(len(group.rows) for group in groups)
    size = float(np.clip(30 * (150 / total) ** 0.5, 5, 30))
    if total > MOST_POINTS:
        rows = np.concatenate([group.rows for group in groups])
        cells = axes.hexbin(
            view.x_values[rows], view.y_values[rows], gridsize=50, cmap="Greys", bins="log",
            linewidths=0, alpha=0.55,
        )  # fmt: skip
        bar = target.colorbar(cells, ax=axes, shrink=0.8, aspect=28, pad=0.02)
        bar.set_label("samples in a cell")
    for group in groups:
        rows = thinned(group.rows, MOST_POINTS // 2, total) if total > MOST_POINTS else group.rows
        other = group.place < 0
        axes.scatter(
            view.x_values[rows],
            view.y_values[rows],
            s=size * (0.6 if other else 1),
            marker="o" if other else MARKS[group.place % len(MARKS)],
            color=FAINT if other else SERIES[group.place % len(SERIES)],
            alpha=0.35 if other else 0.75,
            linewidths=0,
            label=group.name,
        )
    set_scale(axes, "x", view.x, [view.x_values])
    set_scale(axes, "y", view.y, [view.y_values])
    axes.grid()
    add_legend(axes, len(groups))
    return None


@content_height.register
def _(view: Scatter) -> float:  # noqa: ARG001
    return 4.2
