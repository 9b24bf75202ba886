"""Matrices: colours, and numbers where they fit."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap

from pellucid.views import Matrix
from pellucid.views.colours import (
    MATRIX_RIGHT,
    MATRIX_WRONG,
    SPEAKS_AGAINST,
    SPEAKS_FOR,
    is_confusion,
    matrix_limit,
    matrix_shades,
)
from pellucid.views.matplotlib.drawing import (
    FAINT,
    INK,
    WIDTH,
    Target,
    broken_label,
    content_height,
    draw_content,
    nothing,
)
from pellucid.views.wording import axis_label, formatted, shorten

MOST_NUMBERS = 20
MOST_LABELS = 40
LABEL, LABEL_LINE = 18, 32  # characters of a class, and of a line of an axis' name


@draw_content.register
def _(view: Matrix, target: Target) -> None:
    if not view.values.size:
        return nothing(target)
    axes = target.subplots()
    shades = matrix_shades(view)
    lowest = -1 if view.signed or is_confusion(view) else 0
    image = axes.imshow(shades, cmap=_colour_map(view), vmin=lowest, vmax=1, aspect="equal")
    _label(axes, view)
    if max(view.values.shape) <= MOST_NUMBERS:
        _write_numbers(axes, view, shades)
    bar = target.colorbar(image, ax=axes, shrink=0.8, aspect=28, pad=0.02)
    bar.outline.set_visible(False)
    ticks = bar_ticks(view)
    bar.set_ticks([place for place, _ in ticks], labels=[name for _, name in ticks])
    bar.set_label(bar_label(view))
    return None


@content_height.register
def _(view: Matrix) -> float:
    rows, columns = (max(size, 1) for size in view.values.shape)
    cell = min(0.42, (WIDTH - 2.6) / columns)
    return float(min(11.0, 1.5 + rows * cell))


def bar_label(view: Matrix) -> str:
    """What the colours of a matrix mean."""
    if is_confusion(view):
        return "share of the row (orange: wrong, blue: right)"
    return axis_label(view.value)


def bar_ticks(view: Matrix) -> list[tuple[float, str]]:
    """Shades and the values they stand for, for the colour bar."""
    if is_confusion(view):
        shares = (-1, -0.5, -0.1, 0, 0.1, 0.5, 1)
        return [
            (math.copysign(math.sqrt(abs(share)), share), f"{abs(share):.0%}") for share in shares
        ]
    limit = matrix_limit(view)
    if view.signed:
        return [(part, formatted(part * limit, ".2g")) for part in (-1, -0.5, 0, 0.5, 1)]
    return [
        (math.sqrt(part), formatted(part * limit, view.format)) for part in (0, 0.1, 0.25, 0.5, 1)
    ]


def _colour_map(view: Matrix) -> Colormap:
    if is_confusion(view):
        stops = [MATRIX_WRONG, "white", MATRIX_RIGHT]
    elif view.signed:
        stops = [SPEAKS_AGAINST, "white", SPEAKS_FOR]
    else:
        stops = ["white", MATRIX_RIGHT]
    return LinearSegmentedColormap.from_list("matrix", stops)


def _label(axes: Axes, view: Matrix) -> None:
    size = 8 if max(view.values.shape) <= 24 else 6
    for names, axis in ((view.columns, axes.xaxis), (view.rows, axes.yaxis)):
        step = math.ceil(len(names) / MOST_LABELS)
        shown = [shorten(name, LABEL) for name in names[::step]]
        axis.set_ticks(np.arange(0, len(names), step), shown, fontsize=size)
        axis.set_tick_params(length=0)
    longest = max((len(name) for name in view.columns), default=0)
    if longest * len(view.columns) > 40:
        axes.xaxis.set_tick_params(rotation=90 if len(view.columns) > 24 else 45)
        for label in axes.get_xticklabels():
            label.set(ha="center" if len(view.columns) > 24 else "right", rotation_mode="anchor")
            if len(view.columns) > 24:
                label.set(ha="right", va="center")
    axes.set(xlabel=broken_label(view.x, LABEL_LINE), ylabel=broken_label(view.y, LABEL_LINE))
    for spine in axes.spines.values():
        spine.set_visible(False)


def _write_numbers(axes: Axes, view: Matrix, shades: np.ndarray[tuple[int, ...], np.dtype]) -> None:
    size = 8 if max(view.values.shape) <= 12 else 6
    for (row, column), value in np.ndenumerate(view.values):
        dark = abs(shades[row, column]) > 0.62
        colour = "white" if dark else (INK if value else FAINT)
        text = formatted(value, view.format)
        axes.text(column, row, text, ha="center", va="center", fontsize=size, color=colour)
