"""Graphs in groups, as vector drawings: boxes, frames and lines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, PathPatch
from matplotlib.path import Path as Curve

from pellucid.views import Graph
from pellucid.views.layered import Drawing, Hierarchy, Route, Spot, hierarchy_of, lay_out
from pellucid.views.matplotlib.drawing import (
    FAINT,
    INK,
    STYLE,
    WIDTH,
    Target,
    content_height,
    draw_content,
    nothing,
)
from pellucid.views.wording import shorten

SCALE = 1 / 92  # inches per unit of the layout
HEIGHTS = (560.0, 760.0, 1000.0)  # units, after which a graph goes on in a further column
LARGE = 0.8  # part of the usual size, at which a drawing is not made higher to be larger
MOST_BOXES = 120
DPI = 200
SMALLEST = 0.62  # part of the usual size, below which names cannot be read in print
LINES = {
    "data": ("#8a95a3", "-", 0.8),
    "residual": ("#d55e00", "-", 1.3),
    "skip": ("#0b7a5c", "-", 1.2),
    "gate": ("#7a4e9c", (0, (3, 2)), 1.1),
}
FILLS = {
    "group": "#eef2f6",
    "repeat": "#eef2f6",
    "layer": "#ffffff",
    "attention": "#fdf0dc",
    "residual": "#fbe4d6",
    "join": "#dcf1ea",
    "gate": "#ece4f2",
    "input": "#e3eefa",
    "output": "#e3eefa",
    "operator": "#f7f8f9",
}
MARKS = {
    "added": ("#0a5c96", "+"),
    "removed": ("#a84400", "−"),
    "changed": ("#6a3d8f", "≠"),
}
BAR = "#0072b2"
LETTER = 5.4  # width of a letter of the label, in units


@draw_content.register
def _(view: Graph, target: Target) -> None:
    if not view.labels:
        return nothing(target)
    _draw(target.subplots(), view, drawn(view, view.opened))
    return None


def write_graph(view: Graph, opened: Sequence[int], path: Path, form: str) -> None:
    """Write a graph alone, on paper of its own size, at most a page wide; text stays text."""
    date = {"svg": "Date", "pdf": "CreationDate"}
    metadata = {date[form]: None} if form in date else None
    with mpl.rc_context(STYLE | {"svg.fonttype": "none", "pdf.fonttype": 42, "savefig.dpi": DPI}):
        drawing = drawn(view, opened)
        scale = SCALE * _scale(drawing)
        size = max(drawing.width * scale, 0.5), max(drawing.height * scale, 0.3)
        figure = Figure(figsize=size)
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        if view.labels:
            _draw(axes, view, drawing)
        figure.savefig(path, format=form, metadata=metadata)


def _draw(axes: Axes, view: Graph, drawing: Drawing) -> None:
    axes.set_axis_off()
    axes.set(
        xlim=(-4, drawing.width + 4), ylim=(drawing.height + 4, -4), aspect="equal", anchor="W"
    )
    scale = _scale(drawing)
    for spot in drawing.spots:
        if spot.is_open:
            _frame(axes, view, spot, scale)
    for route in drawing.routes:
        _line(axes, route, scale)
    for spot in drawing.spots:
        if spot.is_open:
            _heading(axes, view, spot, scale)
        else:
            _box(axes, view, spot, scale)


@content_height.register
def _(view: Graph) -> float:
    if not view.labels:
        return 0.6
    drawing = drawn(view, view.opened)
    return drawing.height * SCALE * _scale(drawing) + 0.1


def drawn(view: Graph, opened: Sequence[int]) -> Drawing:
    """Lay out what is open, or less of it where that is too much to be read."""
    hierarchy = hierarchy_of(view)
    chosen = list(opened)
    while True:
        drawing = _on_a_page(hierarchy, chosen)
        if not chosen or (len(drawing.spots) <= MOST_BOXES and _scale(drawing) >= SMALLEST):
            return drawing
        chosen = chosen[: len(chosen) * 2 // 3]


def _on_a_page(hierarchy: Hierarchy, opened: Sequence[int]) -> Drawing:
    """The first of several heights at which all is large enough, or the one where it is largest."""
    drawings: list[Drawing] = []
    for height in HEIGHTS:
        drawings.append(lay_out(hierarchy, opened, height=height))
        if _scale(drawings[-1]) >= LARGE:
            return drawings[-1]
    return max(drawings, key=_scale)


def _scale(drawing: Drawing) -> float:
    """How much a drawing is made smaller to fit the width."""
    return min(1.0, (WIDTH - 0.2) / (drawing.width * SCALE))


def _box(axes: Axes, view: Graph, spot: Spot, scale: float) -> None:
    kind = view.kinds[spot.item]
    colour, sign = MARKS.get(view.marks[spot.item], ("", "")) if view.marks else ("", "")
    if kind == "repeat":
        for step in (6, 3):
            _patch(
                axes, spot.x + step, spot.y + step, spot, FILLS[kind], colour or "#97a3b1", scale
            )
    _patch(axes, spot.x, spot.y, spot, FILLS.get(kind, "#fff"), colour or "#97a3b1", scale)
    _share(axes, view, spot)
    name, below = texts(view, spot)
    looks: dict[str, Any] = {"ha": "center", "va": "center", "clip_on": True}
    middle = spot.x + spot.width / 2
    size = 7.4 * scale
    if below:
        axes.text(middle, spot.y + 13, name, fontsize=size, color=INK, fontweight="bold", **looks)
        axes.text(middle, spot.y + 26.5, below, fontsize=size * 0.84, color=FAINT, **looks)
    else:
        axes.text(middle, spot.y + spot.height / 2 - 0.5, name, fontsize=size, color=INK, **looks)
    if sign:
        axes.text(
            spot.x + 8,
            spot.y + 11,
            sign,
            fontsize=size * 1.3,
            color=colour,
            fontweight="bold",
            **looks,
        )


def texts(view: Graph, spot: Spot) -> tuple[str, str]:
    """The two lines on a closed box: its name, and its class with the shape of its output."""
    item = spot.item
    most = int(spot.width / LETTER)
    times = f" ×{int(view.times[item])}" if view.times[item] > 1 else ""
    if spot.height < 30:
        shape = _shape(view, item)
        label = view.labels[item]
        return shorten(
            f"{label}  {shape}" if shape and len(label) + len(shape) < most else label, most
        ), ""
    name = view.labels[item]
    kind = view.types[item]
    if times:
        return shorten(f"{kind or name}{times}", most), shorten(
            name if kind else _shape(view, item), most + 3
        )
    below = shorten("  ".join(filter(None, (kind, _shape(view, item)))), most + 1)
    return shorten(name, most), below


def _shape(view: Graph, item: int) -> str:
    for column in view.details:
        if column.name == "output shape":
            return str(column.values[item]).replace(" × ", "×")
    return ""


def _patch(axes: Axes, x: float, y: float, spot: Spot, fill: str, edge: str, scale: float) -> None:
    corner = spot.height / 2 if spot.height < 30 else 5
    axes.add_patch(
        FancyBboxPatch(
            (x, y),
            spot.width,
            spot.height,
            boxstyle=f"round,pad=0,rounding_size={corner}",
            facecolor=fill,
            edgecolor=edge,
            linewidth=(0.8 if edge == "#97a3b1" else 1.6) * scale,
        )
    )


def _share(axes: Axes, view: Graph, spot: Spot) -> None:
    """The bar at the foot of a box."""
    share = float(view.shares[spot.item]) if view.shares is not None else math.nan
    if math.isnan(share) or spot.height < 30:
        return
    length = (spot.width - 12) * min(max(share, 0.0), 1.0)
    y = spot.y + spot.height - 4.5
    axes.plot(
        [spot.x + 6, spot.x + spot.width - 6],
        [y, y],
        color="#dfe4ea",
        linewidth=1.6,
        solid_capstyle="butt",
    )
    if length > 0.3:
        axes.plot(
            [spot.x + 6, spot.x + 6 + length],
            [y, y],
            color=BAR,
            linewidth=1.6,
            solid_capstyle="butt",
        )


def _frame(axes: Axes, view: Graph, spot: Spot, scale: float) -> None:
    item = spot.item
    colour = MARKS.get(view.marks[item], ("#aab5c2", ""))[0] if view.marks else "#aab5c2"
    axes.add_patch(
        FancyBboxPatch(
            (spot.x, spot.y),
            spot.width,
            spot.height,
            boxstyle="round,pad=0,rounding_size=7",
            facecolor=(0.3, 0.42, 0.55, 0.055),
            edgecolor=colour,
            linestyle=(0, (4, 2)) if view.kinds[item] == "repeat" else "-",
            linewidth=(0.8 if colour == "#aab5c2" else 1.5) * scale,
        )
    )


def _heading(axes: Axes, view: Graph, spot: Spot, scale: float) -> None:
    item = spot.item
    sign = MARKS.get(view.marks[item], ("", ""))[1] if view.marks else ""
    name, kind = view.labels[item], view.types[item]
    times = f" ×{int(view.times[item])}" if view.times[item] > 1 else ""
    words = f"{kind or name}{times}: {name}" if times else f"{name}  {kind}"
    axes.text(
        spot.x + 8,
        spot.y + 13,
        shorten(f"{sign} {words}".strip(), int(spot.width / LETTER)),
        fontsize=7.2 * scale,
        color=FAINT,
        fontweight="bold",
        va="center",
        clip_on=True,
        bbox={"facecolor": "#f1f3f6", "alpha": 0.85, "edgecolor": "none", "pad": 1.0},
    )


def _line(axes: Axes, route: Route, scale: float) -> None:
    colour, style, width = LINES.get(route.kind, LINES["data"])
    path = Curve(*curve(route))
    axes.add_patch(
        PathPatch(
            path,
            facecolor="none",
            edgecolor=colour,
            linestyle=style,
            linewidth=width * scale,
            capstyle="round",
        )
    )
    x, y = route.points[-1]
    if not route.has_head:
        return
    axes.plot([x], [y - 1.4], marker="v", markersize=3.4 * scale, color=colour, markeredgewidth=0)


def curve(route: Route) -> tuple[list[tuple[float, float]], list[int]]:
    """Vertices and codes of a path: smooth, and upright at each of its points."""
    points, codes = [route.points[0]], [int(Curve.MOVETO)]
    for (x0, y0), (x1, y1) in zip(route.points, route.points[1:], strict=False):
        if x0 == x1 or route.square:
            points.append((x1, y1))
            codes.append(int(Curve.LINETO))
            continue
        middle = (y0 + y1) / 2
        points += [(x0, middle), (x1, middle), (x1, y1)]
        codes += [int(Curve.CURVE4)] * 3
    return points, codes
