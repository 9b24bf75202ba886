"""Lines and histograms, and the axes they share with bars."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from pellucid.views import Axis, Histogram, Lines, Series
from pellucid.views.colours import SERIES
from pellucid.views.matplotlib.drawing import (
    FAINT,
    Target,
    broken_label,
    content_height,
    draw_content,
    nothing,
)
from pellucid.views.wording import shorten

DASHES = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)))
TICK_SIZE = 8
WIDE_LABEL, HIGH_LABEL = 88, 32  # characters of a line of an axis' name
LEGEND, LEGEND_ROW = 48, 108  # characters of a name, and of a row of the legend


@draw_content.register
def _(view: Lines, target: Target) -> None:
    series = [s for s in view.series if np.isfinite(s.y).any()]
    if not series:
        return nothing(target)
    axes = target.subplots()
    coloured = 0
    for one in series:
        _draw_series(axes, one, coloured)
        coloured += one.style != "reference"
    set_scale(axes, "x", view.x, [s.x for s in series])
    set_scale(axes, "y", view.y, [s.y for s in series])
    axes.grid(axis="y")
    add_legend(axes, len(series))
    return None


@content_height.register
def _(view: Lines) -> float:  # noqa: ARG001
    return 2.9


def _draw_series(axes: Axes, series: Series, position: int) -> None:
    looks: dict[str, Any]
    if series.style == "reference":
        looks = {"color": FAINT, "linestyle": ":", "linewidth": 1.2}
        axes.plot(series.x, series.y, label=_legend_name(series.name), **looks)
        return
    colour = SERIES[position % len(SERIES)]
    looks = {"color": colour, "label": _legend_name(series.name)}
    points = series.style == "points"
    if series.low is not None and series.high is not None:
        if points:
            axes.vlines(series.x, series.low, series.high, color=colour, linewidth=1, alpha=0.6)
        else:
            axes.fill_between(
                series.x, series.low, series.high, color=colour, alpha=0.15, linewidth=0
            )
    if points:
        axes.plot(series.x, series.y, linestyle="none", marker="o", markersize=4, **looks)
        return
    looks |= {"linestyle": DASHES[position // 2 % len(DASHES)], "linewidth": 1.6}
    if len(series.x) <= 30 and series.style == "line":
        looks |= {"marker": "o", "markersize": 3}
    axes.plot(
        series.x,
        series.y,
        drawstyle="steps-post" if series.style == "step" else "default",
        **looks,
    )


@draw_content.register
def _(view: Histogram, target: Target) -> None:
    if not view.counts or len(view.edges) < 2:
        return nothing(target)
    axes = target.subplots()
    several = len(view.counts) > 1
    for position, (name, counts) in enumerate(view.counts.items()):
        colour = SERIES[position % len(SERIES)]
        axes.stairs(counts, view.edges, fill=True, color=colour, alpha=0.3 if several else 0.8)
        axes.stairs(counts, view.edges, color=colour, linewidth=1.3, label=_legend_name(name))
    set_scale(axes, "x", view.x, [view.edges])
    set_scale(axes, "y", view.y, list(view.counts.values()))
    axes.grid(axis="y")
    if several:
        add_legend(axes, len(view.counts))
    return None


@content_height.register
def _(view: Histogram) -> float:  # noqa: ARG001
    return 2.6


def set_scale(
    axes: Axes, name: str, axis: Axis, values: list[Any], *, labelled: bool = True
) -> None:
    """Set label, scale and limits; a log scale needs a positive value somewhere."""
    axes.tick_params(labelsize=TICK_SIZE, colors=FAINT, length=3)  # also of ticks made later
    known = np.concatenate([np.ravel(v).astype(float) for v in values])
    known = known[np.isfinite(known)]
    log = axis.scale == "log" and bool((known > 0).any())
    settings: dict[str, Any] = {f"{name}scale": "log"} if log else {}
    if labelled:
        settings[f"{name}label"] = broken_label(axis, WIDE_LABEL if name == "x" else HIGH_LABEL)
    if axis.limits and axis.limits[0] < axis.limits[1] and (not log or axis.limits[0] > 0):
        low, high = axis.limits
        room = 0 if log else 0.015 * (high - low)
        settings[f"{name}lim"] = (low - room if low else low, high + room)
    axes.set(**settings)
    if not log and known.size and (known == np.round(known)).all():
        getattr(axes, f"{name}axis").set_major_locator(MaxNLocator(nbins=8, integer=True))


def _legend_name(name: str) -> str:
    """A name that matplotlib shows: it leaves those with a leading underscore out of legends."""
    return name.lstrip("_") or "–"


def add_legend(axes: Axes, count: int) -> None:
    """Put the names of several series above the axes."""
    if count < 2:
        return
    handles, names = axes.get_legend_handles_labels()
    shown = [shorten(name, LEGEND) for name in names]
    columns = min(count, max(1, LEGEND_ROW // (max(map(len, shown)) + 6)))
    place: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (0, 1), "borderaxespad": 0.2}
    axes.legend(handles, shown, ncols=columns, **place)
