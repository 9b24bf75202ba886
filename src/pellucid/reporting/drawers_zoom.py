"""Large matrices that can be enlarged on the page, cell by cell, with their values read out.

The picture is there without the script; the script (zoom.js) enlarges it with crisp pixels and
tells row, column and value of the cell under the pointer or the keyboard's cursor.
"""

from __future__ import annotations

import base64

import numpy as np

from pellucid.reporting.html import Markup, data_block, element
from pellucid.views import Matrix
from pellucid.views.colours import matrix_limit
from pellucid.views.wording import axis_label

LEVELS = 127
HINT = (
    "Click to enlarge, shift-click to shrink; once chosen, scrolling does so too. Drag to move. "
    "Keys: + and −, 0 for all, arrows for the next cell."
)


def zoomable(view: Matrix, picture: Markup) -> Markup:
    """Wrap the picture of a matrix, one pixel per cell, so that the page's script can enlarge it."""
    said = f"{view.title}. {HINT}"
    buttons = [
        element("button", sign, type="button", data_zoom=what, aria_label=words)
        for what, sign, words in (
            ("in", "+", "Enlarge"),
            ("out", "−", "Shrink"),
            ("all", "All", "Show all"),
        )
    ]
    bar = element(
        "div",
        *buttons,
        element("output", HINT, class_="readout", aria_live="polite"),
        class_="zoom-bar",
        hidden=True,
    )
    return element(
        "div",
        bar,
        element(
            "div",
            picture,
            class_="zoom-view",
            role="group",
            aria_label=said,
            style=f"--shape:{len(view.columns)}/{len(view.rows)}",
        ),
        data_block(_record(view), class_="zoom-data"),
        class_="zoom",
    )


def _record(view: Matrix) -> dict[str, object]:
    """Names and values of the cells; values in 127 levels each way, finer near zero."""
    limit = matrix_limit(view)
    values = np.nan_to_num(view.values).astype(np.float64) / limit
    levels = np.round(LEVELS * np.sign(values) * np.sqrt(np.abs(values))).astype(np.int8)
    return {
        "rows": view.rows,
        "columns": view.columns,
        "value": axis_label(view.value),
        "limit": limit,
        "levels": base64.b64encode(levels.tobytes()).decode(),
    }
