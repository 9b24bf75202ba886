"""The page: header, contents, sections, and the rules that keep it closed to the network."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.resources import files

from pellucid.reporting import (
    drawers_bars,
    drawers_charts,
    drawers_graph,
    drawers_matrix,
    drawers_pictures,
    drawers_scatter,
    drawers_tables,
    drawers_words,
)
from pellucid.reporting.drawers import Sheet, card, explains, is_narrow
from pellucid.reporting.html import Markup, data_block, element, prose
from pellucid.reporting.origin import draw_origin, moment, paragraphs
from pellucid.reporting.sections import Section
from pellucid.views import Overlay, View
from pellucid.views.colours import SERIES, SERIES_DARK, base, ramp_pixels

DRAWERS = (
    drawers_bars,
    drawers_charts,
    drawers_graph,
    drawers_matrix,
    drawers_pictures,
    drawers_scatter,
    drawers_tables,
    drawers_words,
)
SCRIPTS = ("page.js", "zoom.js", "graph.js", "graph_painter.js", "graph_view.js")
MOST_FIGURES = 8
ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Ccircle cx='8' cy='8' r='6' fill='none' stroke='%230a5c96' stroke-width='2'/%3E"
    "%3Ccircle cx='8' cy='8' r='2.5' fill='%23d55e00'/%3E%3C/svg%3E"
)


def write_page(sections: list[Section], *, title: str, note: str) -> str:
    """The whole document, which asks the network for nothing."""
    sheet = Sheet()
    drawn = [
        _section(section, f"section-{n}", sheet, alone=len(sections) == 1)
        for n, section in enumerate(sections, 1)
    ]
    samples = {name: asdict(sample) for name, sample in sheet.samples.items()}
    body = element(
        "body",
        element("a", "Skip to the contents", class_="skip", href="#main"),
        element(
            "div",
            _header(sections, title, note),
            _contents(sections),
            element("main", *drawn, id="main"),
            _footer(),
            class_="page",
        ),
        data_block(samples, id="samples"),
    )
    head = _head(title, _styles(sheet))
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


def _head(title: str, styles: str) -> Markup:
    script = "\n".join(map(_asset, SCRIPTS))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", title),
        element("link", rel="icon", href=ICON),
        element("style", Markup(styles)),
        element("script", Markup(script)),
    )


def _styles(sheet: Sheet) -> str:
    dark = f"{{ {_asset('dark.css')}{_series(SERIES_DARK)} }}"
    graph = f"{{ {_asset('graph_dark.css')} }}"
    return "\n".join(
        [
            f":root {{ {_series(SERIES)} }}",
            _asset("page.css"),
            _asset("graph.css"),
            f"@media screen and (prefers-color-scheme: dark) {{ :root:not([data-theme]) {dark} }}",
            f'@media screen {{ :root[data-theme="dark"] {dark} }}',
            f"@media screen and (prefers-color-scheme: dark) {{ :root:not([data-theme]) .graph {graph} }}",
            f'@media screen {{ :root[data-theme="dark"] .graph {graph} }}',
            *(f".s{place} {{ --c: var(--series-{place}); }}" for place in range(len(SERIES))),
            *(_ramp(signed) for signed in (False, True)),
            sheet.pictures.styles(),
        ]
    )


def _series(colours: tuple[str, ...]) -> str:
    return "".join(f"--series-{place}:{colour};" for place, colour in enumerate(colours))


def _ramp(signed: bool) -> str:
    """Colour bar and ground of the heat maps, as they are drawn."""
    suffix = ".signed" if signed else ""
    stops = ",".join(f"rgb{tuple(colour)}" for colour in ramp_pixels(signed, 17)[0].tolist())
    return (
        f".ramp{suffix}{{background:linear-gradient(90deg,{stops})}}"
        f".ground{suffix}{{background-color:rgb{base(signed)}}}"
    )


def _header(sections: list[Section], title: str, note: str) -> Markup:
    today = moment(datetime.now(UTC).isoformat()).partition(",")[0]
    figures = [figure for section in sections for figure in section.figures][:MOST_FIGURES]
    lead = sections[0].summary if len(sections) == 1 else " ".join(map(_opening, sections))
    return element(
        "header",
        element("p", element("b", "Pellucid"), f" report · {today}", class_="eyebrow"),
        element("h1", title),
        element("button", type="button", class_="theme", hidden=True),
        element("div", paragraphs(note, first="remark"), paragraphs(lead), class_="lead"),
        element("dl", *map(_figure, figures), class_="tiles") if figures else None,
        class_="top",
    )


def _opening(section: Section) -> str:
    """The first sentence of a section's summary."""
    lines = section.summary.strip().splitlines()
    return re.split(r"(?<=[.!?])\s+(?=[A-Z0-9])", lines[0])[0] if lines else ""


def _figure(figure: tuple[str, str, str]) -> Markup:
    label, value, detail = figure
    return element(
        "div",
        element("dt", label),
        element("dd", prose(value), class_="value"),
        element("dd", prose(detail), class_="detail") if detail else None,
    )


def _contents(sections: list[Section]) -> Markup:
    items = []
    for number, section in enumerate(sections, 1):
        links = [_link(anchor, words) for anchor, words in _stops(section, f"section-{number}")]
        inner = element("ul", *links) if links else None
        items.append(
            element("li", _anchor(f"section-{number}", section.title), inner, class_="of-section")
        )
    nav = element("nav", element("ul", *items), aria_label="Contents")
    details = element("details", element("summary", "Contents"), nav, open=True)
    return element("div", details, class_="contents")


def _stops(section: Section, anchor: str) -> list[tuple[str, str]]:
    """Anchors and names of a section's views; explained samples count as one."""
    stops: list[tuple[str, str]] = []
    for part in _parts(section.views):
        number, view = part[0]
        if explains(view):
            stops.append((f"{anchor}-gallery-{number}", _gallery_title(len(part))))
        else:
            stops.append((f"{anchor}-view-{number}", view.title or "Untitled"))
    return stops


def _link(anchor: str, words: str) -> Markup:
    return element("li", _anchor(anchor, words))


def _anchor(anchor: str, words: str) -> Markup:
    return element("a", words, href=f"#{anchor}")


def _section(section: Section, anchor: str, sheet: Sheet, *, alone: bool) -> Markup:
    drawn: list[Markup] = []
    for part, width in _widths(_parts(section.views)):
        number, view = part[0]
        if explains(view):
            drawn.append(_gallery(part, anchor, sheet))
        else:
            drawn.append(card(view, sheet, f"{anchor}-view-{number}", width))
    header = element(
        "header", element("h2", section.title), None if alone else paragraphs(section.summary)
    )
    views = element("div", *drawn, class_="views")
    return element("section", header, views, draw_origin(section), class_="section", id=anchor)


Part = list[tuple[int, View]]


def _parts(views: tuple[View, ...]) -> list[Part]:
    """Views with their numbers; those that explain samples one after another are one part."""
    parts: list[Part] = []
    for number, view in enumerate(views, 1):
        if explains(view) and parts and explains(parts[-1][0][1]):
            parts[-1].append((number, view))
        else:
            parts.append([(number, view)])
    return parts


def _widths(parts: list[Part]) -> list[tuple[Part, str]]:
    """Narrow views go in pairs; one that is left over has its text at its side."""
    widths: list[str] = []
    for part in parts:
        narrow = is_narrow(part[0][1])
        if narrow and widths and widths[-1] == "alone":
            widths[-1:] = ["half", "half"]
        else:
            widths.append("alone" if narrow else "wide")
    return list(zip(parts, widths, strict=True))


def _gallery(part: Part, anchor: str, sheet: Sheet) -> Markup:
    slider = element(
        "label",
        "Strength of the overlay",
        element("input", type="range", min=0, max=100, value=80),
        class_="strength",
    )
    pictures = any(isinstance(view, Overlay) for _, view in part)
    header = element(
        "header", element("h3", _gallery_title(len(part))), slider if pictures else None
    )
    cards = [card(view, sheet, f"{anchor}-view-{number}", "wide") for number, view in part]
    return element("div", header, *cards, class_="gallery", id=f"{anchor}-gallery-{part[0][0]}")


def _gallery_title(count: int) -> str:
    return f"{count} explained samples" if count > 1 else "One explained sample"


def _footer() -> Markup:
    words = (
        f"Made with Pellucid {version('pellucid')}. "
        "This page holds all it shows and asks the network for nothing."
    )
    return element("footer", words, class_="foot")


def _asset(name: str) -> str:
    return (files("pellucid.reporting") / name).read_text(encoding="utf-8")
