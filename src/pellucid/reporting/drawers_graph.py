"""Graphs: a canvas with its data, which the page's script draws, and the same as a list."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from pellucid.reporting.drawers import Sheet, draw, nothing
from pellucid.reporting.html import Markup, data_block, element
from pellucid.views import Graph
from pellucid.views.wording import entries

MOST_LISTED = 600
HINT = "Choose a box to read its figures. Choose a group to open it, and its heading to close it again."
KEYS = (
    "Drag to move; click into the graph to zoom with the wheel. Keys: arrows choose a box, Enter "
    "opens or closes it, Escape goes to its group, + and − zoom, 0 shows all."
)


@draw.register
def _(view: Graph, sheet: Sheet, anchor: str) -> Markup:  # noqa: ARG001
    if not view.labels:
        return nothing()
    canvas = element(
        "canvas",
        tabindex=0,
        role="application",
        aria_label=f"{view.title}. {KEYS}",
    )
    panel = element("div", class_="graph-panel", aria_live="polite", data_hint=HINT)
    return element(
        "div",
        element("div", *_bar(), class_="graph-bar", hidden=True),
        element("div", canvas, panel, class_="graph-stage", hidden=True),
        element("p", KEYS, class_="graph-keys", hidden=True),
        _list(view),
        data_block(record(view), class_="graph-data"),
        class_="graph",
    )


def _bar() -> list[Markup]:
    search = element("input", type="search", placeholder="Find by name", aria_label="Find by name")
    acts = (
        ("all", "Open all"),
        ("close", "Close all"),
        ("fit", "Fit"),
        ("in", "+"),
        ("out", "−"),
    )
    names = {"in": "Zoom in", "out": "Zoom out", "fit": "Show all"}
    buttons = [
        element("button", words, type="button", data_do=act, aria_label=names.get(act))
        for act, words in acts
    ]
    return [search, element("ul", class_="graph-found", role="status"), element("div", *buttons)]


def record(view: Graph) -> dict[str, Any]:
    """A graph as JSON values for the script; words that repeat are written once."""
    shares = None if view.shares is None else [_share(value) for value in view.shares.tolist()]
    return {
        "labels": packed(view.labels),
        "types": packed(view.types),
        "kinds": packed(view.kinds),
        "parents": view.parents.tolist(),
        "times": view.times.tolist(),
        "sources": view.sources.tolist(),
        "targets": view.targets.tolist(),
        "edge_kinds": packed(view.edge_kinds),
        "details": [[column.name, packed(entries(column))] for column in view.details],
        "shares": shares,
        "marks": packed(view.marks),
        "opened": list(view.opened),
    }


def packed(words: Sequence[str]) -> dict[str, Any]:
    """Each word once, and where each stands."""
    known = {word: place for place, word in enumerate(dict.fromkeys(words))}
    return {"words": list(known), "at": [known[word] for word in words]}


def _share(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 5)


def _list(view: Graph) -> Markup:
    """Groups and operators as nested lists, for those who do not see the canvas."""
    children: dict[int, list[int]] = {}
    for item, parent in enumerate(view.parents.tolist()):
        children.setdefault(parent, []).append(item)
    left = [MOST_LISTED]
    inner = _branch(view, children, -1, left)
    rest = len(view.labels) - (MOST_LISTED - max(left[0], 0))
    note = element("p", f"and {rest:,} more inside", class_="note") if left[0] <= 0 else None
    summary = element("summary", "The same as a list")
    return element("details", summary, inner, note, class_="graph-list", open=True)


def _branch(
    view: Graph, children: dict[int, list[int]], parent: int, left: list[int]
) -> Markup | None:
    items = children.get(parent, [])
    if parent >= 0 and view.kinds[parent] == "repeat":
        items = items[:1]
    listed = []
    for item in items:
        if left[0] <= 0:
            break
        left[0] -= 1
        listed.append(element("li", *_words(view, item), _branch(view, children, item, left)))
    return element("ul", *listed) if listed else None


def _words(view: Graph, item: int) -> list[Markup | str]:
    times = f" ×{int(view.times[item])}" if view.times[item] > 1 else ""
    mark = view.marks[item] if view.marks else ""
    about = [view.types[item], *(str(column.values[item]) for column in view.details[2:5])]
    told = ", ".join(part for part in (mark, *about) if part)
    return [f"{view.labels[item]}{times} ", element("span", told)]
