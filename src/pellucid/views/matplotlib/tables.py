"""Tables as in print: lines above and below, numbers to the right."""

from __future__ import annotations

import textwrap
from typing import Any, NamedTuple

from matplotlib.axes import Axes

from pellucid.views import Column, Table
from pellucid.views.matplotlib.drawing import (
    FAINT,
    INK,
    RULE,
    Target,
    blank,
    content_height,
    draw_content,
    nothing,
)
from pellucid.views.wording import column_label, entries, is_numeric, shorten

MOST_ROWS = 40
LONGEST_ENTRY = 42
LETTERS, GAP = 105, 3  # that fit into a line at full size; between columns


@draw_content.register
def _(view: Table, target: Target) -> None:
    rows = _num_rows(view)
    if not rows:
        return nothing(target)
    axes = blank(target)
    shown = min(rows, MOST_ROWS)
    columns = [_set(column, shown) for column in view.columns]
    letters = sum(column.width for column in columns)
    full = max(letters, LETTERS)
    head = max(column.entries[0].count("\n") + 1 for column in columns)
    start = 0
    for column in columns:
        _write_column(axes, column, start, full, head)
        start += column.width
    _rule(axes, letters / full, head, shown)
    if shown < rows:
        note = f"The first {shown} of {rows} rows are shown."
        axes.text(0, head + shown + 0.5, note, fontsize=7.5, color=FAINT, va="center")
    axes.set(ylim=(head + shown + (0.8 if shown < rows else 0), 0))
    return None


@content_height.register
def _(view: Table) -> float:
    rows = min(_num_rows(view), MOST_ROWS)
    heads = [_set(column, rows).entries[0].count("\n") for column in view.columns]
    return 0.4 + 0.22 * (rows + max(heads, default=0) + 1.5)


class SetColumn(NamedTuple):
    """A column set in type: its heading, in lines, then its entries; `width` in letters."""

    entries: list[str]
    width: int
    right: bool


def _set(column: Column, rows: int) -> SetColumn:
    texts = [shorten(text, LONGEST_ENTRY) for text in entries(column)[:rows]]
    longest = max(map(len, texts), default=0)
    heading = _lines(column_label(column), max(longest, 9)) or [""]
    width = max(longest, *map(len, heading)) + GAP
    return SetColumn(["\n".join(heading), *texts], width, is_numeric(column))


def _lines(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, max_lines=3, placeholder="…")


def _num_rows(view: Table) -> int:
    return max((len(column.values) for column in view.columns), default=0)


def _write_column(axes: Axes, column: SetColumn, start: int, full: int, head: int) -> None:
    """Write entries from letter `start` on, in a size that fits `full` letters into the line."""
    place = (start + column.width - GAP + 1 if column.right else start + 1) / full
    size = min(8.0, 8.0 * LETTERS / full)
    looks: dict[str, Any] = {"ha": "right" if column.right else "left", "fontsize": size}
    axes.text(place, head - 0.2, column.entries[0], va="bottom", fontweight="bold", **looks)
    for row, text in enumerate(column.entries[1:], head):
        axes.text(place, row + 0.52, text, va="center", **looks)


def _rule(axes: Axes, width: float, head: int, rows: int) -> None:
    """Lines above and below the heading and the table, and faint ones between its rows."""
    for y in (0, head, head + rows):
        axes.plot([0, width], [y, y], color=INK, linewidth=0.8, clip_on=False)
    for y in range(head + 1, head + rows):
        axes.plot([0, width], [y, y], color=RULE, linewidth=0.6)
