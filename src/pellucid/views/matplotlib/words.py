"""Tokens, tables and text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from pellucid.views import Column, Table, Text, Tokens
from pellucid.views.colours import ramp_pixels
from pellucid.views.matplotlib.charts import draw_bars
from pellucid.views.matplotlib.drawing import (
    FAINT,
    INK,
    RULE,
    WIDTH,
    Target,
    blank,
    content_height,
    draw_content,
    nothing,
)
from pellucid.views.wording import (
    bar_words,
    column_label,
    entries,
    is_numeric,
    readable_tokens,
    shorten,
)

LETTERS = 92  # of the monospaced type that fit into one line of tokens
LINE = 0.3  # inches
MOST_ROWS = 40
LONGEST_ENTRY = 42
TABLE_LETTERS, GAP = 105, 3  # letters that fit into a table's line at full size; between columns


class Placed(NamedTuple):
    """A token at a line and at the letter where it begins; `strength` from -1 to 1."""

    text: str
    line: int
    start: int
    strength: float
    special: bool


@draw_content.register
def _(view: Tokens, target: Target) -> None:
    if not view.tokens:
        return nothing(target)
    placed = list(_placed(view))
    lines = placed[-1].line + 1
    bars = view.probabilities if view.probabilities and view.probabilities.categories else None
    rows: list[Any] = [["text"], ["bar"], *([["bars"]] if bars else [])]
    heights = [lines * LINE, 0.12, *([0.25 * len(bars.categories) + 0.2] if bars else [])]
    axes = target.subplot_mosaic(rows, height_ratios=heights)
    _draw_tokens(axes["text"], placed, lines)
    _draw_scale(axes["bar"])
    if bars:
        draw_bars(axes["bars"], bars)
    return None


@content_height.register
def _(view: Tokens) -> float:
    lines = max((token.line + 1 for token in _placed(view)), default=1)
    bars = len(view.probabilities.categories) if view.probabilities else 0
    return lines * LINE + 0.7 + (0.25 * bars + 0.5 if bars else 0)


def _placed(view: Tokens) -> Iterator[Placed]:
    line, start = 0, 0
    special = view.special or (False,) * len(view.tokens)
    limit = view.limit if np.isfinite(view.limit) and view.limit > 0 else 1.0
    strengths = np.clip(np.nan_to_num(view.values) / limit, -1, 1)
    readable = readable_tokens(view.tokens)
    for (text, apart), strength, added in zip(readable, strengths, special, strict=True):
        width = len(text) + (1 if apart and start else 0)
        if start and start + width > LETTERS:
            line, start, width = line + 1, 0, len(text)
        yield Placed(shorten(text, LETTERS), line, start + width - len(text), strength, added)
        start += width


def _draw_tokens(axes: Axes, placed: list[Placed], lines: int) -> None:
    axes.set_axis_off()
    axes.set(xlim=(0, LETTERS), ylim=(lines, 0))
    ramp = ramp_pixels(signed=True)[0] / 255
    for token in placed:
        ground = ramp[round((token.strength * 0.8 + 1) / 2 * (len(ramp) - 1))]
        box = FancyBboxPatch(
            (token.start, token.line + 0.14),
            len(token.text),
            0.72,
            boxstyle="round,pad=0,rounding_size=0.15",
            facecolor="white" if token.special else ground,
            edgecolor="none",
        )
        axes.add_patch(box)
        colour = FAINT if token.special else ("white" if abs(token.strength) > 0.8 else INK)
        axes.text(
            token.start + len(token.text) / 2,
            token.line + 0.5,
            token.text,
            ha="center",
            va="center",
            fontfamily="monospace",
            fontsize=9.5,
            color=colour,
        )


def _draw_scale(axes: Axes) -> None:
    low, high, _ = bar_words(signed=True)
    axes.imshow(ramp_pixels(signed=True), aspect="auto", extent=(0.36, 0.64, 0, 1))
    axes.set(xlim=(0, 1))
    axes.set_axis_off()
    looks: dict[str, Any] = {"va": "center", "fontsize": 7.5, "color": FAINT}
    axes.text(0.35, 0.5, low, ha="right", **looks)
    axes.text(0.65, 0.5, high, ha="left", **looks)


@draw_content.register
def _(view: Table, target: Target) -> None:
    rows = _num_rows(view)
    if not rows:
        return nothing(target)
    axes = blank(target)
    shown = min(rows, MOST_ROWS)
    columns = [_set(column, shown) for column in view.columns]
    letters = sum(column.width for column in columns)
    full = max(letters, TABLE_LETTERS)
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
    size = min(8.0, 8.0 * TABLE_LETTERS / full)
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


@draw_content.register
def _(view: Text, target: Target) -> None:
    if not view.paragraphs:
        return nothing(target)
    axes = blank(target)
    axes.text(0.006, 1, "\n\n".join(_wrapped(view)), va="top", fontsize=9, linespacing=1.35)
    return None


@content_height.register
def _(view: Text) -> float:
    lines = sum(paragraph.count("\n") + 2 for paragraph in _wrapped(view))
    return 0.2 + 0.17 * max(lines, 1)


def _wrapped(view: Text) -> list[str]:
    return [textwrap.fill(paragraph, int(WIDTH * 13)) for paragraph in view.paragraphs]
