"""Tokens and text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from pellucid.views import Text, Tokens
from pellucid.views.colours import ramp_pixels
from pellucid.views.matplotlib.bars import draw_bars
from pellucid.views.matplotlib.drawing import (
    FAINT,
    INK,
    WIDTH,
    Target,
    blank,
    content_height,
    draw_content,
    nothing,
)
from pellucid.views.wording import bar_words, readable_tokens, shorten

LETTERS = 92  # of the monospaced type that fit into one line of tokens
LINE = 0.3  # inches


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
    _draw_scale(axes["bar"], signed=view.signed)
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


def _draw_scale(axes: Axes, *, signed: bool) -> None:
    low, high, _ = bar_words(signed)
    ramp = ramp_pixels(signed=True)
    shown = ramp if signed else ramp[:, ramp.shape[1] // 2 :]
    axes.imshow(shown, aspect="auto", extent=(0.36, 0.64, 0, 1))
    axes.set(xlim=(0, 1))
    axes.set_axis_off()
    looks: dict[str, Any] = {"va": "center", "fontsize": 7.5, "color": FAINT}
    axes.text(0.35, 0.5, low, ha="right", **looks)
    axes.text(0.65, 0.5, high, ha="left", **looks)


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
