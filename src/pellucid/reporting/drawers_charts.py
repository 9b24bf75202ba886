"""Lines and histograms. Colours come from the style sheet, by the class of the series."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from pellucid.reporting import svg
from pellucid.reporting.drawers import Sheet, draw, listing, nothing
from pellucid.reporting.html import Markup, element, join
from pellucid.views import Histogram, Lines, Series
from pellucid.views.colours import SERIES
from pellucid.views.wording import axis_label, formatted

PLOT = (svg.LEFT, svg.WIDTH - svg.RIGHT)
UPRIGHT = (svg.HEIGHT - svg.BOTTOM, svg.TOP)
MOST_HOVERED = 200
MOST_DOTS = 30


@draw.register
def _(view: Lines, sheet: Sheet, anchor: str) -> Markup:  # noqa: ARG001
    series = [s for s in view.series if np.isfinite(s.y).any()]
    if not series:
        return nothing()
    bounds = [s.y for s in series] + [b for s in series for b in (s.low, s.high) if b is not None]
    x = svg.fit(view.x, [s.x for s in series], *PLOT)
    y = svg.fit(view.y, bounds, *UPRIGHT, zero=_is_near_zero(bounds), margin=0.04)
    looks = _looks(series)
    drawn = [_draw_series(s, x, y, look) for s, look in zip(series, looks, strict=True)]
    hovered = [_hovered(s, x, y, look) for s, look in zip(series, looks, strict=True)]
    keys = [(s.name, look) for s, look in zip(series, looks, strict=True)]
    points = {"x": view.x.label, "reach": UPRIGHT, "series": hovered}
    content = join([svg.frame(x, y, view.x, view.y), *drawn])
    said = _describe_lines(view, series)
    return join([legend(keys), chart(content, said, json.dumps(points, separators=(",", ":")))])


@draw.register
def _(view: Histogram, sheet: Sheet, anchor: str) -> Markup:  # noqa: ARG001
    if not view.counts or len(view.edges) < 2:
        return nothing()
    counts = {name: np.asarray(c, dtype=np.float64) for name, c in view.counts.items()}
    x = svg.fit(view.x, [view.edges], *PLOT)
    y = svg.fit(view.y, [*counts.values(), np.zeros(1)], *UPRIGHT, zero=True, margin=0.04)
    parts = [svg.frame(x, y, view.x, view.y)]
    for position, values in enumerate(counts.values()):
        parts.append(_steps(x(view.edges), y(values), float(y(0.0)), f"s{position % len(SERIES)}"))
    parts.append(_bin_notes(view, counts, x))
    keys = [(name, f"s{position % len(SERIES)} block") for position, name in enumerate(counts)]
    return join([legend(keys), chart(join(parts), _describe_histogram(view))])


def _is_near_zero(bounds: list[Any]) -> bool:
    """Say whether the values reach so far down that their axis may as well begin at zero."""
    lowest = min(float(np.nanmin(b)) for b in bounds if np.isfinite(b).any())
    highest = max(float(np.nanmax(b)) for b in bounds if np.isfinite(b).any())
    return 0 <= lowest < 0.4 * highest


def _looks(series: list[Series]) -> list[str]:
    """Classes of each series: colour, and after every second one another dash."""
    looks, position = [], 0
    for one in series:
        if one.style == "reference":
            looks.append("reference")
            continue
        looks.append(
            f"s{position % len(SERIES)} d{position // 2 % 4 if one.style != 'points' else 0}"
        )
        looks[-1] += " points" if one.style == "points" else ""
        position += 1
    return looks


def _draw_series(series: Series, x: svg.Scale, y: svg.Scale, look: str) -> Markup:
    xs, ys = np.asarray(series.x, np.float64), np.asarray(series.y, np.float64)
    kept = svg.thin_out(xs, ys)
    across, down = x(xs[kept]), y(ys[kept])
    parts: list[Markup] = []
    if series.low is not None and series.high is not None:
        low, high = y(series.low[kept]), y(series.high[kept])
        parts.append(_spread(across, low, high, points=series.style == "points"))
    if series.style != "points":
        parts.append(
            element("path", class_="line", d=svg.path(across, down, stepped=series.style == "step"))
        )
    if series.style == "points" or (len(kept) <= MOST_DOTS and series.style == "line"):
        radius = 3.4 if series.style == "points" else 2.4
        known = np.isfinite(across) & np.isfinite(down)
        parts += [
            element("circle", cx=f"{a:.1f}", cy=f"{b:.1f}", r=radius, class_="dot")
            for a, b in zip(across[known], down[known], strict=True)
        ]
    return element("g", *parts, class_=look)


def _spread(x: svg.Values, low: svg.Values, high: svg.Values, *, points: bool) -> Markup:
    known = np.isfinite(x) & np.isfinite(low) & np.isfinite(high)
    x, low, high = x[known], low[known], high[known]
    if points:
        lines = "".join(f"M{a:.1f} {b:.1f}V{c:.1f}" for a, b, c in zip(x, low, high, strict=True))
        return element("path", class_="error", d=lines)
    outline = svg.path(np.concatenate([x, x[::-1]]), np.concatenate([high, low[::-1]]))
    return element("path", class_="band", d=f"{outline}Z" if outline else "")


def _hovered(series: Series, x: svg.Scale, y: svg.Scale, look: str) -> list[Any]:
    """What the pointer can ask for: name, look, and points with the words for x and y."""
    xs, ys = np.asarray(series.x, np.float64), np.asarray(series.y, np.float64)
    kept = svg.thin_out(xs, ys, MOST_HOVERED)
    kept = kept[np.isfinite(ys[kept]) & np.isfinite(xs[kept])] if look != "reference" else kept[:0]
    points = [
        [
            round(float(a), 1),
            round(float(b), 1),
            formatted(float(u), ".4g"),
            formatted(float(v), ".4g"),
        ]
        for a, b, u, v in zip(x(xs[kept]), y(ys[kept]), xs[kept], ys[kept], strict=True)
    ]
    return [series.name, look, points]


def _steps(edges: svg.Values, tops: svg.Values, ground: float, look: str) -> Markup:
    """The outline of a histogram over its filled body; empty bins have no outline."""
    start = f"M{edges[0]:.1f} {ground:.1f}"
    body, line, before = start, start, ground
    for top, right in zip(np.nan_to_num(tops, nan=ground), edges[1:], strict=True):
        step = f"V{top:.1f}H{right:.1f}"
        body += step
        fall = f"V{ground:.1f}" if before != ground else ""
        line += step if top != ground else f"{fall}M{right:.1f} {ground:.1f}"
        before = top
    filled = element("path", class_="band", d=f"{body}V{ground:.1f}Z")
    return element("g", filled, element("path", class_="line", d=line), class_=look)


def _bin_notes(view: Histogram, counts: dict[str, svg.Values], x: svg.Scale) -> Markup:
    """Invisible columns over the bins that say their counts."""
    edges, places = view.edges, x(view.edges)
    notes = []
    for index in range(len(edges) - 1):
        spelled = "; ".join(f"{name}: {formatted(float(c[index]))}" for name, c in counts.items())
        ends = f"{formatted(float(edges[index]))} to {formatted(float(edges[index + 1]))}"
        notes.append(
            element(
                "rect",
                element("title", f"{axis_label(view.x)} {ends}. {spelled}"),
                x=f"{places[index]:.1f}",
                y=svg.TOP,
                width=f"{max(places[index + 1] - places[index], 0):.1f}",
                height=svg.HEIGHT - svg.BOTTOM - svg.TOP,
                class_="ask",
            )
        )
    return join(notes)


def legend(keys: list[tuple[str, str]]) -> Markup | None:
    """Names and looks of the series; None for a single one."""
    if len(keys) < 2:
        return None
    items = [join([_swatch(look), name]) for name, look in keys]
    return listing("ul", items, class_="legend many" if len(items) > 4 else "legend")


def _swatch(look: str) -> Markup:
    if "block" in look:
        inside = element("rect", x=6, y=1, width=12, height=10, rx=2, class_="column")
    elif "points" in look:
        inside = element("circle", cx=12, cy=6, r=4, class_="dot")
    else:
        inside = element("path", d="M0 6H24", class_="line")
    return element(
        "svg", element("g", inside, class_=look), viewBox="0 0 24 12", aria_hidden="true"
    )


def chart(content: Markup, description: str, points: str = "") -> Markup:
    """A drawing; `points` is what the pointer can ask for, as JSON."""
    options: dict[str, Any] = {"data_points": points, "tabindex": 0} if points else {}
    return element(
        "svg",
        content,
        viewBox=f"0 0 {svg.WIDTH} {svg.HEIGHT}",
        class_="chart",
        role="img",
        aria_label=description,
        **options,
    )


def _describe_lines(view: Lines, series: list[Series]) -> str:
    said = []
    for one in series:
        known = np.flatnonzero(np.isfinite(one.y))
        first, last = float(one.y[known[0]]), float(one.y[known[-1]])
        said.append(f"{one.name}: from {formatted(first, '.3g')} to {formatted(last, '.3g')}")
    return f"{view.title}. {axis_label(view.y)} over {axis_label(view.x)}. {'; '.join(said)}."


def _describe_histogram(view: Histogram) -> str:
    peaks = []
    for name, counts in view.counts.items():
        top = int(np.nanargmax(counts)) if np.isfinite(counts).any() else 0
        middle = (view.edges[top] + view.edges[top + 1]) / 2
        peaks.append(f"{name}: most near {formatted(float(middle), '.3g')}")
    return f"{view.title}. {axis_label(view.y)} by {axis_label(view.x)}. {'; '.join(peaks)}."
