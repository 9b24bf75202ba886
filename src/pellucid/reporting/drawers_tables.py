"""Tables that sort when a heading is clicked."""

from __future__ import annotations

import math
from typing import Any

from pellucid.reporting.drawers import Sheet, draw, nothing
from pellucid.reporting.html import Markup, element
from pellucid.views import Column, Table
from pellucid.views.wording import column_label, entries, is_numeric

TALL = 24  # rows; longer tables scroll


@draw.register
def _(view: Table, sheet: Sheet, anchor: str) -> Markup:  # noqa: ARG001
    rows = max((len(column.values) for column in view.columns), default=0)
    if not rows:
        return nothing()
    columns = [_cells(column) for column in view.columns]
    body = [element("tr", *(column[row] for column in columns)) for row in range(rows)]
    table = element(
        "table",
        element("thead", element("tr", *map(_heading, view.columns))),
        element("tbody", *body),
        class_="sortable",
        aria_label=view.title,
    )
    scroll = "scroll tall" if rows > TALL else "scroll"
    return element("div", table, class_=scroll, tabindex=0, role="region", aria_label=view.title)


def _heading(column: Column) -> Markup:
    button = element("button", column_label(column), type="button", title="Sort by this column")
    kind = "number" if is_numeric(column) else None
    return element("th", button, scope="col", aria_sort="none", class_=kind)


def _cells(column: Column) -> list[Markup]:
    if not is_numeric(column):
        return [element("td", words, title=words) for words in entries(column)]
    shares = _shares(column)
    return [
        element(
            "td",
            words,
            class_="number share" if row in shares else "number",
            data_value=_sortable(value),
            style=f"--share:{shares[row]:.3f}" if row in shares else None,
        )
        for row, (value, words) in enumerate(zip(column.values, entries(column), strict=True))
    ]


def _shares(column: Column) -> dict[int, float]:
    """Parts of a whole, by row, for the bars behind percentages."""
    whole = 100.0 if column.unit == "%" else 1.0
    if column.unit != "%" and not column.format.endswith("%"):
        return {}
    parts = {row: float(v) / whole for row, v in enumerate(column.values) if v is not None}
    return {row: part for row, part in parts.items() if 0 <= part <= 1}


def _sortable(value: Any) -> str:
    """A number that the page's script reads; "" for what is missing."""
    number = float(value) if value is not None else math.nan
    return repr(number) if math.isfinite(number) else ""
