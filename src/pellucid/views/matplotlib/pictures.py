"""Pictures, and maps over them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from pellucid.views import Heatmap, ImageGrid, Overlay, Picture
from pellucid.views.colours import BAD, GOOD, heatmap_pixels, overlay_pixels, ramp_pixels, resize
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
from pellucid.views.wording import bar_words, shorten

PER_ROW = 8
MOST_PICTURES = 64
MOST_PROBABILITIES = 5
TONES = {"neutral": INK, "good": GOOD, "bad": BAD}
BAR = 0.18  # height of a colour bar and its words, in pictures
LABEL_SPACE = 0.32  # of a tile's height, under the picture


@draw_content.register
def _(view: ImageGrid, target: Target) -> None:
    if not view.pictures:
        return nothing(target)
    shown = view.pictures[:MOST_PICTURES]
    columns = min(PER_ROW, max(len(shown), 4))
    rows = math.ceil(len(shown) / columns)
    axes = blank(target)
    for position, picture in enumerate(shown):
        row, column = divmod(position, columns)
        _place(axes, picture, column, row * (1 + LABEL_SPACE))
    axes.set(xlim=(0, columns), ylim=(rows * (1 + LABEL_SPACE), 0), aspect="equal")
    if len(shown) < len(view.pictures):
        note = f"The first {len(shown)} of {len(view.pictures)} are shown."
        axes.set_title(note, loc="right", fontsize=7, color=FAINT)
    return None


@content_height.register
def _(view: ImageGrid) -> float:
    shown = min(len(view.pictures), MOST_PICTURES)
    columns = min(PER_ROW, max(shown, 4))
    return max(1.0, math.ceil(shown / columns) * (1 + LABEL_SPACE) * (WIDTH - 0.3) / columns)


def _place(axes: Axes, picture: Picture, left: float, top: float) -> None:
    """Put a picture into the tile whose corner is at (left, top), in its own proportions."""
    height, width = picture.pixels.shape[:2]
    scale = 0.92 / max(height, width, 1)
    wide, high = width * scale, height * scale
    x, y = left + (1 - wide) / 2, top + (0.94 - high)
    axes.imshow(picture.pixels, extent=(x, x + wide, y + high, y), interpolation=_smoothing(width))
    axes.text(
        left + 0.5,
        top + 1.0,
        shorten(picture.label, 18),
        ha="center",
        va="top",
        fontsize=7,
        color=TONES[picture.tone],
    )


@draw_content.register
def _(view: Overlay, target: Target) -> None:
    if not view.picture.pixels.size:
        return nothing(target)
    wide = len(view.maps) == 1
    layout, heights = _one_row() if wide else _two_rows(len(view.maps))
    axes = target.subplot_mosaic(layout, height_ratios=heights, empty_sentinel=".")
    tile = _tile(len(view.maps))
    most = int(tile * 15)
    _show(axes["picture"], view.picture.pixels, shorten(view.picture.label or "Picture", most))
    axes["picture"].title.set_color(TONES[view.picture.tone])
    for position, heatmap in enumerate(view.maps):
        height, width = view.picture.pixels.shape[:2]
        fitted = _fitted(heatmap, height, width)
        _show(axes[f"map {position}"], heatmap_pixels(fitted), shorten(heatmap.name, most))
        mixed = overlay_pixels(view.picture, heatmap)
        _show(axes[f"over {position}"], mixed, "over the picture" if wide else "")
        _draw_bar(axes[f"bar {position}"], heatmap.signed, tile)
    if view.probabilities is None or not view.probabilities.categories:
        axes["probabilities"].set_axis_off()
    else:
        draw_bars(axes["probabilities"], view.probabilities, MOST_PROBABILITIES, labelled=False)
        axes["probabilities"].set_title(view.probabilities.title, loc="left", fontsize=8)
        axes["probabilities"].set_box_aspect(0.8)
    return None


@content_height.register
def _(view: Overlay) -> float:
    if len(view.maps) == 1:
        return 2.3
    if not view.maps:
        return 2.0 if view.probabilities is None else 4.0
    height, width = view.picture.pixels.shape[:2]
    return float(2 * _tile(len(view.maps)) * min(height / max(width, 1), 1.4) + 0.85)


def _one_row() -> tuple[list[Any], list[float]]:
    return [
        ["picture", "map 0", "over 0", "probabilities"],
        [".", "bar 0", ".", "."],
    ], [1, BAR]


def _two_rows(count: int) -> tuple[list[Any], list[float]]:
    columns = range(count)
    return [
        ["picture", *(f"map {i}" for i in columns)],
        ["probabilities", *(f"over {i}" for i in columns)],
        [".", *(f"bar {i}" for i in columns)],
    ], [1, 1, BAR]


def _fitted(heatmap: Heatmap, height: int, width: int) -> Heatmap:
    return Heatmap(
        name=heatmap.name,
        values=resize(heatmap.values, height, width),
        limit=heatmap.limit,
        signed=heatmap.signed,
    )


def _show(axes: Axes, pixels: np.ndarray[tuple[int, ...], np.dtype], title: str) -> None:
    axes.imshow(pixels, interpolation=_smoothing(pixels.shape[1]))
    axes.set_axis_off()
    axes.set_title(title, loc="left", fontsize=8)


def _tile(maps: int) -> float:
    """Inches that a picture is wide, beside so many maps."""
    return 1.9 if maps <= 1 else float(min(2.4, (WIDTH - 1.1) / (maps + 1)))


def _draw_bar(axes: Axes, signed: bool, width: float) -> None:
    low, high, arrow = bar_words(signed)
    break_ = " " if width > 1.5 else "\n"
    axes.imshow(ramp_pixels(signed), aspect="auto", extent=(0, 1, 0, 1))
    axes.set(ylim=(-3, 1))
    axes.set_axis_off()
    words = axes.text(0.5, -0.4, f"{low} {arrow}{break_}{high}", ha="center", va="top")
    words.set(fontsize=6.5 if width > 1.5 else 5.5, color=FAINT)


def _smoothing(width: int) -> str:
    return "nearest" if width < 64 else "antialiased"
