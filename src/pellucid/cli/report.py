"""`pellucid report`: put runs and results into one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pellucid.cli import output
from pellucid.cli.options import AsJson


def report(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE",
            help="Folders of runs, and saved results (.zarr).",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The file to write.")] = Path(
        "report.html"
    ),
    title: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Title of the page.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write one HTML file that shows runs and results, and opens anywhere without a network."""
    from pellucid.reporting.report import report as write

    path = write([source.removeprefix("run:") for source in sources], out=out, title=title)
    if as_json:
        output.answer_json({"report": path, "bytes": path.stat().st_size})
    else:
        output.answer(str(path))
