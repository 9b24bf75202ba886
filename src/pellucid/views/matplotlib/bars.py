"""Bars, lying or upright, with their intervals."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from pellucid.views import Bars, BarSeries
from pellucid.views.colours import SERIES
from pellucid.views.matplotlib.charts import add_legend, set_scale
from pellucid.views.matplotlib.drawing import (
    FAINT,
    INK,
    Target,
    content_height,
    draw_content,
    nothing,
)
from pellucid.views.wording import quantity, shorten

MOST_BARS = 60
LABEL = 24


@draw_content.register
def _(view: Bars, target: Target) -> None:
    if not view.categories or not view.series:
        return nothing(target)
    draw_bars(target.subplots(), view)
    return None


@content_height.register
def _(view: Bars) -> float:
    if not view.horizontal:
        return 2.8
    rows = min(len(view.categories), MOST_BARS) * (1 + 0.5 * (len(view.series) - 1))
    return 0.7 + 0.24 * max(rows, 2)


def draw_bars(axes: Axes, view: Bars, most: int = MOST_BARS, *, labelled: bool = True) -> None:
    """Draw the first `most` categories; `labelled` adds the axis' label and a legend."""
    shown = min(len(view.categories), most)
    names = [shorten(name, LABEL) for name in view.categories[:shown]]
    thick = 0.75 / len(view.series)
    places = np.arange(shown)
    for position, series in enumerate(view.series):
        offset = (position - (len(view.series) - 1) / 2) * thick
        _draw_bar_series(axes, view, series, places + offset, thick, SERIES[position % len(SERIES)])
    along, across = (axes.xaxis, axes.yaxis) if view.horizontal else (axes.yaxis, axes.xaxis)
    across.set_ticks(places, names, **_tilt(names, view.horizontal))
    along.grid(visible=True)
    if view.horizontal:
        axes.set_ylim(shown - 0.4, -0.6)
    set_scale(
        axes,
        "x" if view.horizontal else "y",
        view.value,
        [s.values for s in view.series],
        labelled=labelled,
    )
    across.set_tick_params(length=0)
    if labelled and len(view.series) > 1:
        add_legend(axes, len(view.series))
    if shown < len(view.categories):
        note = f"The first {shown} of {len(view.categories)} are shown."
        axes.text(1, 1.01, note, transform=axes.transAxes, ha="right", fontsize=7, color=FAINT)


def _draw_bar_series(
    axes: Axes, view: Bars, series: BarSeries, places: Any, thick: float, colour: str
) -> None:
    values = np.nan_to_num(series.values[: len(places)].astype(float))
    draw = axes.barh if view.horizontal else axes.bar
    draw(places, values, thick * 0.92, color=colour, label=series.name)
    ends = _draw_intervals(axes, view, series, places, values)
    if view.horizontal and len(places) * len(view.series) <= MOST_BARS:
        for place, value, end in zip(places, series.values, ends, strict=False):
            axes.annotate(
                quantity(float(value), view.value),
                (end if value >= 0 else 0, place),
                xytext=(3, 0),
                textcoords="offset points",
                va="center",
                fontsize=7.5,
                color=FAINT,
            )


def _draw_intervals(axes: Axes, view: Bars, series: BarSeries, places: Any, values: Any) -> Any:
    """Whiskers, where intervals are known; gives how far bars and whiskers reach."""
    if series.low is None or series.high is None:
        return values
    low, high = series.low[: len(places)], series.high[: len(places)]
    error = np.nan_to_num(np.maximum([values - low, high - values], 0))
    looks: dict[str, Any] = {"fmt": "none", "ecolor": INK, "elinewidth": 0.9, "capsize": 2}
    if view.horizontal:
        axes.errorbar(values, places, xerr=error, **looks)
    else:
        axes.errorbar(places, values, yerr=error, **looks)
    return values + error[1]


def _tilt(names: list[str], horizontal: bool) -> dict[str, Any]:
    """Turn category names that would run into each other under upright bars."""
    if horizontal or sum(map(len, names)) < 80:
        return {}
    return {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
