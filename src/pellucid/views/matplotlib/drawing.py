"""What all drawers share: style, title and caption, size, and the choice by kind."""

from __future__ import annotations

import functools
import textwrap
from typing import Any

import matplotlib as mpl
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.font_manager import get_font_names

from pellucid.views import Axis, View
from pellucid.views.colours import SERIES
from pellucid.views.wording import NOTHING, axis_label

Target = Figure | SubFigure

WIDTH = 8.0  # inches
INK, FAINT, RULE = "#1d2530", "#5b6675", "#e3e7ec"
# Fonts that have what the usual one has not, such as Chinese; those of them that are installed help out.
OTHER_SCRIPTS = (
    "Noto Sans CJK SC",
    "WenQuanYi Zen Hei",
    "PingFang SC",
    "Microsoft YaHei",
    "SimHei",
)
STYLE: Any = {
    "font.size": 9,
    "font.family": ["sans-serif", *(name for name in OTHER_SCRIPTS if name in get_font_names())],
    "text.color": INK,
    "text.parse_math": False,
    "axes.labelcolor": FAINT,
    "axes.edgecolor": "#aab3bf",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": False,
    "axes.prop_cycle": cycler(color=SERIES),
    "axes.titlesize": 9,
    "axes.titleweight": "normal",
    "grid.color": RULE,
    "grid.linewidth": 0.8,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "figure.facecolor": "white",
    "figure.constrained_layout.h_pad": 0.06,
    "axes.facecolor": "white",
    "image.interpolation": "nearest",
}


def draw(view: View, target: Target) -> None:
    """Draw a view with its title and caption into an empty figure or subfigure."""
    with mpl.rc_context(STYLE):
        if isinstance(target, Figure) and target.get_layout_engine() is None:
            target.set_layout_engine("constrained")
        target.suptitle(view.title, x=0.01, ha="left", fontsize=11, fontweight="bold")
        if view.caption:
            caption = "\n".join(caption_lines(view.caption, target.bbox.width / target.dpi))
            target.supxlabel(caption, x=0.01, ha="left", fontsize=8, color=FAINT)
        draw_content(view, target)
        _free_the_words(target)


@functools.singledispatch
def draw_content(view: View, target: Target) -> None:
    """Draw what is between title and caption; each kind registers its own."""
    raise NotImplementedError(f"{type(view).__name__} has no drawer in matplotlib.")


@functools.singledispatch
def content_height(view: View) -> float:
    """Inches that the content of a view wants at the usual width; each kind registers its own."""
    raise NotImplementedError(f"{type(view).__name__} has no height.")


def view_height(view: View) -> float:
    """Inches that a view wants at the usual width, title and caption included."""
    return 0.45 + content_height(view) + 0.15 * len(caption_lines(view.caption, WIDTH))


def caption_lines(text: str, width: float) -> list[str]:
    """Break a caption into lines for a width in inches."""
    return textwrap.wrap(text, max(20, int(width * 15)))


def _free_the_words(target: Target) -> None:
    """Keep words that are placed by hand, in axes without ticks, from pushing the axes aside."""
    for axes in target.axes:
        if not axes.axison:
            for words in axes.texts:
                words.set_in_layout(False)


def broken_label(axis: Axis, width: int) -> str:
    """An axis' name with its unit, in at most two lines of `width` characters."""
    return textwrap.fill(axis_label(axis), width, max_lines=2, placeholder="…")


def nothing(target: Target) -> None:
    """Draw the words for an empty view."""
    axes = blank(target)
    axes.text(0.5, 0.5, NOTHING, ha="center", va="center", color=FAINT, style="italic")


def blank(target: Target) -> Axes:
    """Add axes from 0 to 1 without frame or ticks."""
    axes = target.subplots()
    axes.set_axis_off()
    axes.set(xlim=(0, 1), ylim=(0, 1))
    return axes
