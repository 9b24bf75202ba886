"""What commands print: the answer on standard output, everything else on standard error."""

from __future__ import annotations

import json
import math
import re
import sys
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import RenderableType

    from pellucid.errors import PellucidError

FIELD = re.compile(r"^  (?P<name>\S+(?: \S+)*)  +(?P<value>\S.*)$")
TONES = {
    "error": "bold red",
    "warning": "yellow",
    "note": "cyan",
    "finished": "green",
    "running": "cyan",
    "stopped": "yellow",
    "failed": "red",
    "missing": "red",
}


def answer(text: str) -> None:
    """Print text for people: as it is, or set for reading on a terminal."""
    if sys.stdout.isatty():
        from rich.console import Console

        Console(highlight=False).print(_set(text))
    else:
        print(text)  # noqa: T201


def answer_json(value: Any) -> None:
    """Print one JSON document for machines; numbers that JSON does not have become null."""
    print(json.dumps(_finite(value), indent=2, ensure_ascii=False))  # noqa: T201


def answer_table(columns: Sequence[str], rows: Sequence[Sequence[str]], right: str = "") -> None:
    """Print rows under their column names; columns in `right` (spaces between) hold numbers."""
    numeric = [name in right.split() for name in columns]
    if sys.stdout.isatty():
        _print_rich_table(columns, rows, numeric)
        return
    widths = [max(map(len, cells)) for cells in zip(columns, *rows, strict=True)]
    for row in (columns, *rows):
        cells = [
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(row, widths, numeric, strict=True)
        ]
        print("  ".join(cells).rstrip())  # noqa: T201


def answer_figures(figures: Sequence[tuple[str, str, str]]) -> None:
    """Print key figures, one per line: label, value, and what it means."""
    if sys.stdout.isatty():
        _print_rich_figures(figures)
        return
    widths = [max(len(figure[place]) for figure in figures) for place in (0, 1)]
    for label, value, detail in figures:
        print(f"{label:{widths[0]}}  {value:>{widths[1]}}  {detail}".rstrip())  # noqa: T201
    print()  # noqa: T201


def note(text: str, kind: str = "note") -> None:
    """Print one line on standard error: `note: …`, `warning: …`, `error: …`, or a step `1/5: …`."""
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True, soft_wrap=True)
    console.print(Text.assemble((f"{kind}: ", TONES.get(kind, "cyan")), " ".join(text.split())))


def error(problem: PellucidError, *, as_json: bool) -> None:
    """Print an error: one line on standard error, or its JSON on standard output."""
    if as_json:
        answer_json(problem.to_json())
    else:
        note(str(problem), "error")


def quiet_libraries() -> None:
    """Keep what libraries say to developers off the terminal; show their warnings in one line.

    Nothing changes where Python was told what to do with warnings.
    """
    if sys.warnoptions:
        return
    for category in (DeprecationWarning, PendingDeprecationWarning, FutureWarning):
        warnings.simplefilter("ignore", category)
    warnings.showwarning = _show_warning


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    note(str(message), "warning")


def _set(text: str) -> RenderableType:
    """The first of several lines bold; lines `  name  value` in columns, so that values wrap well."""
    from rich.console import Group
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    parts: list[RenderableType] = []
    grid: Table | None = None
    lines = text.splitlines()
    for index, line in enumerate(lines):
        field = FIELD.match(line)
        if field is None:
            grid = None
            parts.append(Text(line, style="bold" if index == 0 < len(lines) - 1 else ""))
            continue
        if grid is None:
            grid = Table.grid(padding=(0, 2, 0, 0))
            parts.append(Padding(grid, (0, 0, 0, 2)))
        tone = "yellow" if field["name"] in {"note", "warning"} else "dim"
        grid.add_row(Text(field["name"], style=tone, no_wrap=True), Text(field["value"]))
    return Group(*parts)


def _print_rich_figures(figures: Sequence[tuple[str, str, str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True, justify="right", style="bold")
    for label, value, detail in figures:
        grid.add_row(Text(label), Text(value), Text(detail, style="dim"))
    Console(highlight=False).print(grid, "")


def _print_rich_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[bool]
) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
    for name, number in zip(columns, numeric, strict=True):
        table.add_column(name, justify="right" if number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell, style=TONES.get(cell, "")) for cell in row))
    Console().print(table)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, str | int | float | bool | None) else str(value)
