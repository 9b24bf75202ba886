"""The page: one HTML file that holds the front end, the words, and every view as a packed block.

The script draws with the same components as the studio. Blocks are base64 of deflated packs
(`pellucid.views.pack`), and are taken apart when their view comes into sight. Without a script the
words remain: title, summaries, and what each view is about.
"""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from pellucid.front import asset
from pellucid.reporting.html import Markup, data_block, element, join, prose
from pellucid.reporting.origin import commands, moment, paragraphs, rows_of
from pellucid.reporting.sections import Section
from pellucid.views import Bars, Histogram, Lines, Overlay, Scatter, Tokens, View
from pellucid.views.pack import pack

MOST_FIGURES = 8
FEW_BARS = 12
ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Ccircle cx='8' cy='8' r='6' fill='none' stroke='%230a5c96' stroke-width='2'/%3E"
    "%3Ccircle cx='8' cy='8' r='2.5' fill='%23d55e00'/%3E%3C/svg%3E"
)


def write_page(sections: list[Section], *, title: str, note: str) -> Iterator[str]:
    """The whole document piece by piece, which asks the network for nothing.

    Raises MissingDependency where the front end has not been built.
    """
    script = asset("report/report.js")
    yield f'<!doctype html>\n<html lang="en">{_head(title, script)}<body>'
    yield element("div", element("noscript", _words(sections, title, note)), id="report")
    yield data_block(_record(sections, title, note), id="record")
    for number, section in enumerate(sections, 1):
        for place, view in enumerate(section.views, 1):
            yield _block(view, f"data-{number}-{place}")
    yield f"<script>{script}</script></body></html>\n"


def _head(title: str, script: str) -> Markup:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; worker-src blob:; base-uri 'none'; form-action 'none'"
    )
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", title),
        element("link", rel="icon", href=ICON),
        element("style", Markup(asset("report/report.css"))),
    )


def _record(sections: list[Section], title: str, note: str) -> dict[str, Any]:
    """All words of the page, and where its blocks are."""
    figures = [figure for section in sections for figure in section.figures][:MOST_FIGURES]
    return {
        "title": title,
        "note": prose(note),
        "lead": prose(_lead(sections)),
        "date": moment(datetime.now(UTC).isoformat()).partition(",")[0],
        "version": version("pellucid"),
        "figures": [[prose(part) for part in figure] for figure in figures],
        "sections": [_section(section, number) for number, section in enumerate(sections, 1)],
    }


def _section(section: Section, number: int) -> dict[str, Any]:
    return {
        "id": f"section-{number}",
        "title": section.title,
        "summary": prose(section.summary),
        "comment": prose(section.comment),
        "origin": [list(row) for row in rows_of(section.record)],
        "commands": commands(section) if section.record else [],
        "views": [_view(view, number, place) for place, view in enumerate(section.views, 1)],
    }


def _view(view: View, number: int, place: int) -> dict[str, Any]:
    return {
        "id": f"section-{number}-view-{place}",
        "block": f"data-{number}-{place}",
        "kind": type(view).__name__,
        "title": view.title,
        "narrow": _is_narrow(view),
        "sample": _explained(view),
    }


def _lead(sections: list[Section]) -> str:
    return sections[0].summary if len(sections) == 1 else " ".join(map(_opening, sections))


def _opening(section: Section) -> str:
    """The first sentence of a section's summary."""
    lines = section.summary.strip().splitlines()
    return re.split(r"(?<=[.!?])\s+(?=[A-Z0-9])", lines[0])[0] if lines else ""


def _is_narrow(view: View) -> bool:
    """Say whether two such views fit side by side."""
    if isinstance(view, Bars) and view.horizontal:
        return len(view.categories) * max(len(view.series), 1) <= FEW_BARS
    return isinstance(view, Bars | Lines | Histogram | Scatter)


def _explained(view: View) -> str:
    """The id of the sample that a view explains; "" for other views."""
    if isinstance(view, Overlay):
        return view.picture.sample or view.title
    return (view.sample or view.title) if isinstance(view, Tokens) else ""


def _block(view: View, name: str) -> Markup:
    packed = base64.b64encode(zlib.compress(pack(view, compact=True), 6)).decode()
    return element("script", Markup(packed), type="application/octet-stream", id=name)


def _words(sections: list[Section], title: str, note: str) -> Markup:
    """What there is to read where no script may run."""
    parts = [
        element("h1", title),
        paragraphs(note),
        element("p", "The figures of this page are drawn by a script, which does not run here."),
    ]
    for section in sections:
        parts += [element("h2", section.title), paragraphs(section.comment)]
        parts.append(paragraphs(section.summary))
        for view in section.views:
            parts += [element("h3", view.title), paragraphs(view.caption)]
    return join(parts)
