"""Flows: nodes in columns, one per stage, and curved bands between them as wide as their values."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from pellucid.views import Flow
from pellucid.views.colours import SERIES
from pellucid.views.flows import NODE, Placed, place
from pellucid.views.matplotlib.drawing import (
    FAINT,
    INK,
    Target,
    blank,
    content_height,
    draw_content,
    nothing,
)
from pellucid.views.wording import axis_label, quantity, shorten

LABEL, STAGE = 22, 24


@draw_content.register
def _(view: Flow, target: Target) -> None:
    placed = place(view)
    if placed is None:
        return nothing(target)
    axes = blank(target)
    axes.set(xlim=(-0.02, 1.02), ylim=(1.08, -0.1))
    for link in placed.order:
        _draw_band(axes, view, placed, int(link))
    for node in np.flatnonzero(placed.height > 0):
        _draw_node(axes, view, placed, int(node))
    last = len(placed.columns) - 1
    for stage, x in enumerate(placed.columns):
        name = view.stage_names[stage] if stage < len(view.stage_names) else ""
        axes.text(
            x + NODE / 2, -0.05, shorten(name, STAGE), fontsize=8, color=FAINT, va="center",
            ha="left" if stage == 0 else "right" if stage == last else "center",
        )  # fmt: skip
    axes.text(0.5, 1.06, f"Width: {axis_label(view.value)}", fontsize=7.5, color=FAINT, ha="center")
    return None


@content_height.register
def _(view: Flow) -> float:
    tallest = int(np.bincount(view.stages).max()) if len(view.stages) else 1
    return float(np.clip(0.3 * tallest + 1.0, 2.6, 8.0))


def _draw_band(axes: Axes, view: Flow, placed: Placed, link: int) -> None:
    source, target = int(view.sources[link]), int(view.targets[link])
    left, right = placed.x(source) + NODE, placed.x(target)
    middle = (left + right) / 2
    top, bottom = placed.leaves[link], placed.enters[link]
    thick = placed.thickness[link]
    corners = [
        (left, top), (middle, top), (middle, bottom), (right, bottom),
        (right, bottom + thick), (middle, bottom + thick), (middle, top + thick),
        (left, top + thick), (left, top),
    ]  # fmt: skip
    curve = [Path.CURVE4] * 3
    codes = [Path.MOVETO, *curve, Path.LINETO, *curve, Path.CLOSEPOLY]
    colour = SERIES[placed.colours[source] % len(SERIES)]
    band = PathPatch(Path(corners, codes), facecolor=colour, alpha=0.35, linewidth=0)
    axes.add_patch(band)


def _draw_node(axes: Axes, view: Flow, placed: Placed, node: int) -> None:
    x, top, height = placed.x(node), placed.top[node], placed.height[node]
    colour = SERIES[placed.colours[node] % len(SERIES)]
    axes.add_patch(Rectangle((x, top), NODE, height, facecolor=colour, linewidth=0))
    last = placed.is_last(node)
    name = shorten(view.nodes[node], LABEL)
    axes.text(
        x - 0.008 if last else x + NODE + 0.008, top + height / 2,
        f"{name}  {quantity(float(placed.amounts[node]), view.value)}",
        fontsize=8, color=INK, va="center", ha="right" if last else "left",
    )  # fmt: skip
