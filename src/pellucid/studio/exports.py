"""Reports that were written, kept in ``exports/`` and downloaded by an opaque id."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from pellucid.studio.opened import DRAWING
from pellucid.studio.problems import NotThere
from pellucid.studio.running import StudioRun
from pellucid.studio.schemas import File, ReportItem, ReportRequest
from pellucid.studio.state import Studio

if TYPE_CHECKING:
    from pellucid.reporting.sections import Excerpt

TYPES = {".html": "text/html", ".pdf": "application/pdf"}
MOST_KEPT = 50


class Exports:
    """The reports of one studio."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, studio: Studio, request: ReportRequest) -> File:
        """Write a report. Raises NotThere for what is not in the workspace, SpecError for views."""
        from pellucid.reporting.report import report

        parts = [part for item in request.items for part in _parts(studio, item)]
        name = f"{_slug(request.title)}.{request.format}"
        folder = self._folder / uuid.uuid4().hex[:16]
        with DRAWING if request.format == "pdf" else nullcontext():
            path = report(parts, folder / name, title=request.title, note=request.note)
        self._tidy()
        return File(id=folder.name, name=path.name, num_bytes=path.stat().st_size)

    def find(self, file: str) -> Path:
        """The file of an id. Raises NotThere."""
        folder = self._folder / file
        kept = [] if file != folder.name or not folder.is_dir() else sorted(folder.iterdir())
        found = [path for path in kept if path.suffix in TYPES]
        if not found:
            raise NotThere("this file is not kept any more; export the report again.")
        return found[0]

    def _tidy(self) -> None:
        folders = sorted(self._folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
        for old in folders[:-MOST_KEPT]:
            for path in old.iterdir():
                path.unlink()
            old.rmdir()


def _parts(studio: Studio, item: ReportItem) -> Iterator[Excerpt]:
    """One entry of the report; a run comes before a result where both are named."""
    from pellucid.reporting.sections import Excerpt

    if item.run is None and item.result is None:
        raise NotThere("an entry of the report names neither a run nor a result.")
    views = None if item.views is None else tuple(item.views)
    if item.run is not None:
        run = StudioRun(studio.contents.run(item.run).path, studio)
        yield Excerpt(source=run, views=views, comment=item.comment)
    if item.result is not None:
        result = studio.opened.open(studio.contents.result(item.result)).result
        yield Excerpt(source=result, views=views, comment=item.comment)


def _slug(title: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", title).strip("-.")[:80] or "report"
