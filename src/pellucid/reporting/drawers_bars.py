"""Bars: from left to right as a list, upright as a chart."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pellucid.reporting import svg
from pellucid.reporting.drawers import Sheet, draw, listing, nothing
from pellucid.reporting.drawers_charts import PLOT, UPRIGHT, chart, legend
from pellucid.reporting.html import Markup, element, join
from pellucid.views import Axis, Bars, BarSeries
from pellucid.views.colours import SERIES
from pellucid.views.wording import axis_label, quantity, shorten

MOST_BARS = 200
MANY = 24  # bars; more are set in two columns


@draw.register
def _(view: Bars, sheet: Sheet, anchor: str) -> Markup:  # noqa: ARG001
    if not view.categories or not view.series:
        return nothing()
    keys = [(s.name, f"s{i % len(SERIES)} block") for i, s in enumerate(view.series)]
    drawn = bar_list(view, MOST_BARS) if view.horizontal else _upright_bars(view)
    name = element("p", axis_label(view.value), class_="axis-name") if view.horizontal else None
    return join([name, legend(keys), drawn])


def bar_list(view: Bars, most: int = 8) -> Markup:
    """Bars from left to right as a list, with the values written beside them."""
    shown = min(len(view.categories), most)
    reach = _reach(view, shown)
    rows = [_bar_row(view, index, reach) for index in range(shown)]
    many = " many" if shown > MANY else ""
    drawn = listing("ul", rows, class_=f"bars{many}")
    if shown == len(view.categories):
        return drawn
    note = f"The first {shown} of {len(view.categories):,} are shown."
    return join([drawn, element("p", note, class_="note")])


def _bar_row(view: Bars, index: int, reach: svg.Scale) -> Markup:
    tracks = [
        _track(series, index, reach, view.value, f"s{position % len(SERIES)}")
        for position, series in enumerate(view.series)
    ]
    name = element("span", view.categories[index], class_="bar-name", title=view.categories[index])
    return join([name, element("span", *tracks, class_="tracks")])


def _track(series: BarSeries, index: int, reach: svg.Scale, axis: Axis, look: str) -> Markup:
    value = float(series.values[index])
    known = value if math.isfinite(value) else 0.0
    ends = sorted(float(reach(v)) for v in (known, max(reach.low, min(0.0, reach.high))))
    fill = element("i", class_="fill", style=_span(ends[0], ends[1]))
    whisker, interval = None, ""
    if series.low is not None and series.high is not None:
        low, high = float(series.low[index]), float(series.high[index])
        if math.isfinite(low) and math.isfinite(high):
            whisker = element(
                "i", class_="whisker", style=_span(float(reach(low)), float(reach(high)))
            )
            interval = f", interval {quantity(low, axis)} to {quantity(high, axis)}"
    words = quantity(value, axis)
    return element(
        "span",
        element("span", fill, whisker, class_="track"),
        element("span", words, class_="bar-value"),
        class_=f"bar {look}",
        title=f"{series.name}: {words}{interval}",
    )


def _reach(view: Bars, shown: int) -> svg.Scale:
    values: list[Any] = [np.zeros(1)] if view.value.scale == "linear" else []
    for series in view.series:
        values += [v[:shown] for v in (series.values, series.low, series.high) if v is not None]
    scale = svg.fit(view.value, values, 0.0, 100.0)
    return scale if scale.high > scale.low else svg.Scale(scale.low, scale.low + 1, 0.0, 100.0)


def _span(low: float, high: float) -> str:
    low, high = max(0.0, min(low, 100.0)), max(0.0, min(high, 100.0))
    return f"left:{low:.2f}%;width:{max(high - low, 0):.2f}%"


def _upright_bars(view: Bars) -> Markup:
    shown = min(len(view.categories), MOST_BARS)
    values = [np.nan_to_num(s.values[:shown].astype(np.float64)) for s in view.series]
    bounds = [b[:shown] for s in view.series for b in (s.low, s.high) if b is not None]
    y = svg.fit(view.value, [*values, *bounds, np.zeros(1)], *UPRIGHT, zero=True, margin=0.04)
    step = (PLOT[1] - PLOT[0]) / shown
    wide = 0.8 * step / len(values)
    ground = float(y(max(y.low, min(0.0, y.high))))
    category = Axis(label="")
    parts = [svg.frame(svg.Scale(0, 1, *PLOT), y, category, view.value, x_ticks=False)]
    for position, series in enumerate(view.series):
        for index, top in enumerate(y(values[position])):
            left = PLOT[0] + index * step + 0.1 * step + position * wide
            note = f"{view.categories[index]}, {series.name}: {quantity(float(series.values[index]), view.value)}"
            parts.append(_column(left, wide * 0.94, sorted((ground, float(top))), position, note))
    parts += _category_labels(view, shown, step)
    return chart(join(parts), f"{view.title}: {len(view.categories)} bars.")


def _column(left: float, wide: float, ends: list[float], position: int, note: str) -> Markup:
    return element(
        "rect",
        element("title", note),
        x=f"{left:.1f}",
        y=f"{ends[0]:.1f}",
        width=f"{max(wide, 0.5):.1f}",
        height=f"{ends[1] - ends[0]:.1f}",
        class_=f"column s{position % len(SERIES)}",
    )


def _category_labels(view: Bars, shown: int, step: float) -> list[Markup]:
    every = max(1, math.ceil(shown / 12))
    most = max(3, int(step * every / 6.5))
    return [
        svg.label(
            shorten(view.categories[index], most),
            PLOT[0] + (index + 0.5) * step,
            svg.HEIGHT - svg.BOTTOM + 17,
            "middle",
        )
        for index in range(0, shown, every)
    ]
