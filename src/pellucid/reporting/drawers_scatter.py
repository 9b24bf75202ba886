"""Scatter plots: each point names its sample, and links to its picture where the page has one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pellucid.reporting import svg
from pellucid.reporting.drawers import Sheet, draw, nothing
from pellucid.reporting.drawers_charts import PLOT, UPRIGHT, chart, legend
from pellucid.reporting.html import Markup, element, join
from pellucid.views import Scatter
from pellucid.views.colours import SERIES
from pellucid.views.grouping import Group, groups_of, thinned
from pellucid.views.wording import axis_label, formatted

MOST_POINTS = 3000
CELLS = 56
DOT = 3.2


@draw.register
def _(view: Scatter, sheet: Sheet, anchor: str) -> Markup:  # noqa: ARG001
    groups = groups_of(view)
    if not groups:
        return nothing()
    x = svg.fit(view.x, [view.x_values], *PLOT, margin=0.04)
    y = svg.fit(view.y, [view.y_values], *UPRIGHT, margin=0.04)
    total = sum(len(group.rows) for group in groups)
    parts = [svg.frame(x, y, view.x, view.y)]
    if total > MOST_POINTS:
        parts.append(_density(view, groups, x, y))
    parts += [_points(view, group, x, y, total) for group in groups]
    keys = [(group.name, _look(group)) for group in groups]
    drawn = join([legend(keys), chart(join(parts), _described(view, groups))])
    if total <= MOST_POINTS:
        return drawn
    note = f"{MOST_POINTS:,} of {total:,} points are drawn; the ground shows where all of them lie."
    return join([drawn, element("p", note, class_="note")])


def _look(group: Group) -> str:
    return "reference points" if group.place < 0 else f"s{group.place % len(SERIES)} points"


def _points(view: Scatter, group: Group, x: svg.Scale, y: svg.Scale, total: int) -> Markup:
    rows = thinned(group.rows, MOST_POINTS, total)
    across, down = x(view.x_values[rows]), y(view.y_values[rows])
    radius = DOT if total <= 400 else 2.2
    dots = [
        element(
            "circle",
            element("title", _said(view, int(row), group.name)),
            cx=f"{a:.1f}",
            cy=f"{b:.1f}",
            r=radius,
            class_="dot spot",
            opacity="0.7" if group.place >= 0 else "0.4",
        )
        for row, a, b in zip(rows, across, down, strict=True)
    ]
    return element("g", *dots, class_=_look(group))


def _said(view: Scatter, row: int, group: str) -> str:
    name = view.samples[row] if row < len(view.samples) else ""
    own = view.groups[row] if row < len(view.groups) else group
    place = (
        f"{view.x.label} {formatted(float(view.x_values[row]), '.3g')}, "
        f"{view.y.label} {formatted(float(view.y_values[row]), '.3g')}"
    )
    return " · ".join(filter(None, [name, own, place]))


def _density(view: Scatter, groups: list[Group], x: svg.Scale, y: svg.Scale) -> Markup:
    """Grey cells, the darker the more points lie in them."""
    rows = np.concatenate([group.rows for group in groups])
    counts, across, down = np.histogram2d(
        x(view.x_values[rows]), y(view.y_values[rows]), bins=CELLS
    )
    shades: NDArray[np.float64] = np.sqrt(counts / counts.max())
    width, height = across[1] - across[0], down[1] - down[0]
    cells = [
        element(
            "rect",
            x=f"{across[i]:.1f}",
            y=f"{down[j]:.1f}",
            width=f"{width:.2f}",
            height=f"{height:.2f}",
            opacity=f"{0.45 * shades[i, j]:.2f}",
        )
        for i, j in np.argwhere(counts > 0)
    ]
    return element("g", *cells, fill="currentColor")


def _described(view: Scatter, groups: list[Group]) -> str:
    named = [f"{group.name}: {len(group.rows)}" for group in groups if group.name]
    number = sum(len(group.rows) for group in groups)
    tail = f" {'; '.join(named)}." if named else ""
    return f"{view.title}. {number} points, {axis_label(view.y)} over {axis_label(view.x)}.{tail}"
