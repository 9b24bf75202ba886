"""Surfaces: filled contours with a labelled colour bar, and a path from start to end."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

from pellucid.views import Surface
from pellucid.views.matplotlib.charts import HIGH_LABEL, set_scale
from pellucid.views.matplotlib.drawing import (
    INK,
    Target,
    broken_label,
    content_height,
    draw_content,
    nothing,
)
from pellucid.views.wording import formatted

LEVELS = 14
COLOURS = "viridis"  # even steps of lightness, for all eyes


@draw_content.register
def _(view: Surface, target: Target) -> None:
    values = view.values.astype(np.float64)
    if min(values.shape, default=0) < 2 or not np.isfinite(values).any():
        return nothing(target)
    axes = target.subplots()
    levels, settings = _levels(view, values)
    shown = np.ma.masked_invalid(values)
    filled = axes.contourf(
        view.x_values, view.y_values, shown, levels=levels, cmap=COLOURS, **settings
    )
    if len(levels) > 2:
        axes.contour(
            view.x_values, view.y_values, shown, levels=levels, colors="white", linewidths=0.5,
            alpha=0.55,
        )  # fmt: skip
    _draw_path(axes, view)
    set_scale(axes, "x", view.x, [view.x_values])
    set_scale(axes, "y", view.y, [view.y_values])
    bar = target.colorbar(filled, ax=axes, shrink=0.9, aspect=28, pad=0.02)
    bar.set_ticks(levels[::2], labels=[formatted(level, ".3g") for level in levels[::2]])
    bar.minorticks_off()
    bar.set_label(broken_label(view.value, HIGH_LABEL))
    bar.outline.set_visible(False)
    return None


@content_height.register
def _(view: Surface) -> float:  # noqa: ARG001
    return 4.2


def _levels(view: Surface, values: Any) -> tuple[Any, dict[str, Any]]:
    """Heights of the contours: round numbers, or even steps of a logarithm."""
    known = values[np.isfinite(values)]
    positive = known[known > 0]
    if view.value.scale == "log" and positive.size and positive.min() < positive.max():
        low, high = float(positive.min()), float(positive.max())
        return np.geomspace(low, high, LEVELS), {"norm": LogNorm(low, high), "extend": "min"}
    low, high = float(known.min()), float(known.max())
    if low == high:
        return np.array([low - 0.5, low + 0.5]), {}
    return MaxNLocator(nbins=LEVELS).tick_values(low, high), {}


def _draw_path(axes: Axes, view: Surface) -> None:
    if view.path_x is None or view.path_y is None or not len(view.path_x):
        return
    outline = [withStroke(linewidth=3.2, foreground="white")]
    axes.plot(view.path_x, view.path_y, color=INK, linewidth=1.4, path_effects=outline)
    ends: tuple[tuple[str, int, dict[str, Any]], ...] = (
        ("start", 0, {"s": 34, "color": "white", "edgecolors": INK, "linewidths": 1.2}),
        (
            "end",
            -1,
            {"s": 110, "color": INK, "marker": "*", "edgecolors": "white", "linewidths": 0.9},
        ),
    )
    for name, at, looks in ends:
        axes.scatter(view.path_x[at], view.path_y[at], label=name, zorder=3, **looks)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2)
