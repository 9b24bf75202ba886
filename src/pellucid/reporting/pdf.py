"""The report for print: words and figures on A4 pages, drawn by matplotlib as vectors."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from pellucid.reporting.origin import moment, rows_of
from pellucid.reporting.sections import Section
from pellucid.views import View
from pellucid.views.matplotlib import draw
from pellucid.views.matplotlib.drawing import FAINT, INK, RULE, STYLE, view_height

WIDTH, HEIGHT = 8.27, 11.69  # inches of an A4 page
SIDE, TOP, BOTTOM, GAP = 0.65, 0.75, 0.75, 0.3
LINE = 1.45  # height of a line of words, in font sizes
POINT = 1 / 72


@dataclass(frozen=True)
class Words:
    """A paragraph, `size` in points."""

    text: str
    size: float = 9.5
    bold: bool = False
    faint: bool = False
    above: float = 0.08  # inches

    def lines(self) -> list[str]:
        width = (WIDTH - 2 * SIDE) / (self.size * POINT)
        return textwrap.wrap(self.text, max(20, int(width * (1.75 if self.bold else 1.95))))

    @property
    def height(self) -> float:
        return self.above + len(self.lines()) * self.size * POINT * LINE


@dataclass(frozen=True)
class Drawn:
    """A view, as high as it wants to be, or as a page allows."""

    view: View

    @property
    def height(self) -> float:
        return min(view_height(self.view) + GAP, HEIGHT - TOP - BOTTOM)


Piece = Words | Drawn


def write_pdf(sections: list[Section], path: Path, *, title: str, note: str) -> None:
    """Write the report to `path`; text stays text, so that it can be searched."""
    with mpl.rc_context({"pdf.fonttype": 42}), PdfPages(path) as file:
        file.infodict().update({"Title": title, "Creator": f"Pellucid {version('pellucid')}"})
        for number, page in enumerate(_pages(_pieces(sections, title, note)), 1):
            file.savefig(_page(page, number))


def _pieces(sections: list[Section], title: str, note: str) -> Iterator[Piece]:
    today = moment(datetime.now(UTC).isoformat()).partition(",")[0]
    yield Words(f"Pellucid report · {today}", size=8.5, faint=True)
    yield Words(title, size=20, bold=True, above=0.1)
    yield from _paragraphs(note)
    for section in sections:
        yield Words(section.title, size=14, bold=True, above=0.4)
        yield from _paragraphs(section.comment)
        yield from _paragraphs(section.summary)
        for label, value, detail in section.figures:
            yield Words(f"{label}: {value}{f' ({detail})' if detail else ''}", bold=True)
        yield from (Drawn(view) for view in section.views)
        rows = list(rows_of(section.record)) if section.record else []
        if rows:
            yield Words("Where this comes from", size=10, bold=True, above=0.3)
            yield from (
                Words(f"{name}: {value}", size=8, faint=True, above=0.03) for name, value in rows
            )


def _paragraphs(text: str) -> Iterator[Words]:
    return (Words(line) for line in text.splitlines() if line.strip())


def _pages(pieces: Iterator[Piece]) -> Iterator[list[Piece]]:
    """Fill pages from the top; a heading does not stay alone at the foot of one."""
    page: list[Piece] = []
    room = HEIGHT - TOP - BOTTOM
    for piece in pieces:
        if page and piece.height > room:
            moved = _headings_at_the_end(page)
            yield page[: len(page) - len(moved)]
            page = moved
            room = HEIGHT - TOP - BOTTOM - sum(part.height for part in page)
        page.append(piece)
        room -= piece.height
    if page:
        yield page


def _headings_at_the_end(page: list[Piece]) -> list[Piece]:
    count = 0
    while count < len(page) - 1 and isinstance(last := page[-1 - count], Words) and last.bold:
        count += 1
    return page[len(page) - count :]


@mpl.rc_context(STYLE)
def _page(pieces: list[Piece], number: int) -> Figure:
    figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    FigureCanvasAgg(figure)
    heights = [piece.height for piece in pieces]
    rest = max(HEIGHT - TOP - BOTTOM - sum(heights), 1e-3)
    edges = [TOP, *heights, rest, BOTTOM]
    rows = figure.subfigures(len(edges), 1, height_ratios=edges, squeeze=False)
    down = TOP
    for row, piece in enumerate(pieces, 1):
        if isinstance(piece, Drawn):
            sides = [SIDE, WIDTH - 2 * SIDE, SIDE]
            columns = rows[row, 0].subfigures(1, 3, width_ratios=sides, squeeze=False)
            draw(piece.view, columns[0, 1])
        else:
            _write(figure, piece, down)
        down += piece.height
    figure.text(SIDE / WIDTH, 0.4 / HEIGHT, "Pellucid", size=8, color=FAINT)
    figure.text(1 - SIDE / WIDTH, 0.4 / HEIGHT, str(number), size=8, color=FAINT, ha="right")
    figure.add_artist(
        mpl.lines.Line2D([SIDE / WIDTH, 1 - SIDE / WIDTH], [0.58 / HEIGHT] * 2, color=RULE, lw=0.8)
    )
    return figure


def _write(figure: Figure, words: Words, down: float) -> None:
    figure.text(
        SIDE / WIDTH,
        1 - (down + words.above) / HEIGHT,
        "\n".join(words.lines()),
        size=words.size,
        weight="bold" if words.bold else "normal",
        color=FAINT if words.faint else INK,
        va="top",
        linespacing=LINE * 0.83,
    )
