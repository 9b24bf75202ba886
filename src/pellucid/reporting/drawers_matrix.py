"""Matrices: a table of coloured cells, and the samples behind the cell that is chosen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pellucid.reporting.drawers import Sheet, draw, nothing
from pellucid.reporting.drawers_zoom import zoomable
from pellucid.reporting.html import Markup, data_block, element, join
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
from pellucid.views.kinds import Pixels
from pellucid.views.wording import axis_label, formatted

MOST_NUMBERS = 20
WIDEST = 64  # rows or columns of a table; larger ones are pictures that can be enlarged
MOST_MEMBERS = 100  # ids of a cell that the page keeps
MOST_LISTED = 30
WIDE = 24  # columns; wider matrices have the samples of a cell below them
MIDDLE, HIGH = 0.585, 0.81  # shades from which the style sheet has another colour of the numbers


@draw.register
def _(view: Matrix, sheet: Sheet, anchor: str) -> Markup:
    if not view.values.size:
        return nothing()
    few = max(view.values.shape) <= WIDEST
    drawn = element("div", _grid(view) if few else _raster(view, sheet), _legend(view))
    if not view.members:
        return drawn
    parts = (drawn, _panel(anchor), data_block(_members(view), class_="cells"))
    wide = len(view.columns) > WIDE
    return element("div", *parts, class_="chooser stacked" if wide else "chooser")


def _panel(anchor: str) -> Markup:
    hint = "Choose a cell to see the samples behind it. Arrow keys move between the cells."
    return element(
        "section",
        element("p", hint, class_="hint"),
        class_="members",
        id=f"{anchor}-members",
        aria_live="polite",
        aria_label="Samples of the chosen cell",
    )


def _members(view: Matrix) -> dict[str, object]:
    """What the page's script needs to show a cell's samples."""
    cells = {
        f"{row},{column}": ids[:MOST_MEMBERS] for (row, column), ids in view.members.items() if ids
    }
    names = {"rows": view.rows, "columns": view.columns}
    return {"cells": cells, **names, "row": view.y.label, "column": view.x.label}


def _grid(view: Matrix) -> Markup:
    numbers = max(view.values.shape) <= MOST_NUMBERS
    heads = [element("th", element("span", name), scope="col", title=name) for name in view.columns]
    shades, names = matrix_shades(view), told_apart(view.rows)
    rows = [_row(view, row, short, shades[row], numbers=numbers) for row, short in enumerate(names)]
    upright = sum(map(len, view.columns)) > 3 * len(view.columns)
    looks = {"dense": not numbers, "upright": upright, "signed": view.signed}
    table = element(
        "table",
        element("thead", element("tr", element("td", class_="corner"), *heads)),
        element("tbody", *rows),
        class_=" ".join(["matrix", *(look for look, holds in looks.items() if holds)]),
        aria_label=f"{view.title}. Rows: {view.y.label}. Columns: {view.x.label}.",
        style=f"--n:{len(view.columns)}",
    )
    across = element("p", f"{axis_label(view.x)} →")
    down = element("p", f"{axis_label(view.y)} ↓")
    return element("div", element("div", down, across, class_="axis-names"), table, class_="scroll")


def _row(
    view: Matrix, row: int, short: str, shades: NDArray[np.float64], *, numbers: bool
) -> Markup:
    name = view.rows[row]
    cells = (
        _cell(view, (row, column), float(shade), numbers=numbers)
        for column, shade in enumerate(shades)
    )
    return element("tr", element("th", short, scope="row", title=name), *cells)


def told_apart(names: tuple[str, ...]) -> list[str]:
    """Dotted names without the parts that all of them begin with, or end with."""
    parts = [name.split(".") for name in names]
    for end in (0, -1):
        while len(parts) > 1 and min(map(len, parts)) > 1 and len({p[end] for p in parts}) == 1:
            parts = [p[1:] if end == 0 else p[:-1] for p in parts]
    return [".".join(p) for p in parts]


def _cell(view: Matrix, cell: tuple[int, int], shade: float, *, numbers: bool) -> Markup:
    words = formatted(float(view.values[cell]), view.format)
    said = (
        f"{view.y.label} {view.rows[cell[0]]}, {view.x.label} {view.columns[cell[1]]}: "
        f"{words} {axis_label(view.value)}"
    )
    shown = words if numbers else ""
    inside = _button(view, cell, shown, said) if view.members.get(cell) else shown
    style = f"--s:{abs(shade):.2f}"
    return element("td", inside, class_=_look(shade), style=style, title=said)


def _look(shade: float) -> str:
    if not shade:
        return "zero"
    depth = " high" if abs(shade) >= HIGH else " mid" if abs(shade) >= MIDDLE else ""
    return ("minus" if shade < 0 else "plus") + depth


def _button(view: Matrix, cell: tuple[int, int], words: str, said: str) -> Markup:
    count = len(view.members[cell])
    if is_confusion(view):
        count = max(count, round(float(view.values[cell])))
    return element(
        "button",
        words,
        type="button",
        data_cell=f"{cell[0]},{cell[1]}",
        data_count=count,
        aria_label=said,
        aria_pressed="false",
    )


def _raster(view: Matrix, sheet: Sheet) -> Markup:
    """Too many cells for a table: a picture, and the largest cells as a list."""
    size = f"{view.title}, {len(view.rows)} by {len(view.columns)} cells"
    picture = sheet.pictures.add_exactly(_shade_pixels(view)).draw(size, extra="raster")
    drawn = zoomable(view, picture)
    values = np.abs(np.nan_to_num(view.values))
    if is_confusion(view):
        np.fill_diagonal(values, 0)
    order = np.argsort(-values, axis=None, kind="stable")[:MOST_LISTED]
    places = [divmod(int(place), values.shape[1]) for place in order]
    listed = [element("li", _named_cell(view, cell)) for cell in places if values[cell]]
    which = "largest cells off the diagonal" if is_confusion(view) else "largest cells"
    note = (
        f"{axis_label(view.y)} from top to bottom, {axis_label(view.x)} from left to right. "
        f"The {len(listed)} {which}:"
    )
    listing = element("ul", *listed, class_="largest")
    return join([drawn, element("p", note, class_="note"), listing])


def _named_cell(view: Matrix, cell: tuple[int, int]) -> Markup | str:
    value = formatted(float(view.values[cell]), view.format)
    words = f"{view.rows[cell[0]]} → {view.columns[cell[1]]}: {value}"
    return _button(view, cell, words, words) if view.members.get(cell) else words


def _shade_pixels(view: Matrix) -> Pixels:
    """The cells of a matrix as pixels on white: (rows, columns, 3) uint8."""
    shades = matrix_shades(view)[..., None]
    names = (SPEAKS_AGAINST, SPEAKS_FOR) if view.signed else (MATRIX_WRONG, MATRIX_RIGHT)
    minus, plus = (np.array(tuple(bytes.fromhex(name[1:])), dtype=np.float64) for name in names)
    strong = np.where(shades < 0, minus, plus)
    return np.round(255 + (strong - 255) * np.abs(shades)).astype(np.uint8)


def _legend(view: Matrix) -> Markup:
    """The colour bar: marks at its ends, in the middle and half-way, where the shade is 0.5."""
    confusion = is_confusion(view)
    limit = matrix_limit(view)
    top, half = (formatted(limit * part, ".3g") for part in (1, 0.5 if view.signed else 0.25))
    marks: tuple[str, ...] = ("0", half, top)
    if view.signed:
        marks = (f"−{top}", f"−{half}", *marks)
    if confusion:
        marks = ("100 %", "25 %", "0", "25 %", "100 %")
    words = "Share of the row: orange is wrong, blue is right"
    both = " both signed" if view.signed else " both" if confusion else ""
    return element(
        "div",
        element("i", class_=f"steps{both}", aria_hidden="true"),
        element("span", *(element("span", mark) for mark in marks), class_="ends"),
        element("p", words if confusion else axis_label(view.value)),
        class_="matrix-legend",
    )
