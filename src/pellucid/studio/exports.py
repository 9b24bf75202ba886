"""Reports that were written, kept in ``exports/`` and downloaded by an opaque id."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pellucid.result import Result
from pellucid.studio.contents import ResultItem
from pellucid.studio.problems import NotThere
from pellucid.studio.running import StudioRun
from pellucid.studio.schemas import File, ReportItem, ReportRequest
from pellucid.studio.state import Studio
from pellucid.studio.summaries import result_summary
from pellucid.views import View

TYPES = {".html": "text/html", ".pdf": "application/pdf"}
MOST_KEPT = 50


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """A run or result as a report takes it: with the views that were chosen, and a comment."""

    title: str
    own: StudioRun | Result
    chosen: tuple[View, ...]
    comment: str = ""
    record: dict[str, Any] = field(default_factory=dict)

    def views(self) -> list[View]:
        """The chosen views."""
        return list(self.chosen)

    def summary(self) -> str:
        """The comment, then what the run or result says of itself."""
        return "\n\n".join(part for part in (self.comment.strip(), self.own.summary()) if part)

    def headline(self) -> list[tuple[str, str, str]]:
        """Key figures, if it has any."""
        told = getattr(self.own, "headline", None)
        return told() if callable(told) else []


class Exports:
    """The reports of one studio."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, studio: Studio, request: ReportRequest) -> File:
        """Write a report. Raises NotThere for what is not in the workspace."""
        from pellucid.reporting.report import report

        parts = [chosen for item in request.items for chosen in _chosen(studio, item)]
        name = f"{_slug(request.title)}.{request.format}"
        folder = self._folder / uuid.uuid4().hex[:16]
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


def _chosen(studio: Studio, item: ReportItem) -> Sequence[Chosen]:
    """One entry of the report; a run is told before a result where both are named."""
    found = []
    if item.run is not None:
        run = StudioRun(studio.contents.run(item.run).path, studio)
        found.append(_part(f"Training: {run.name}", run, run.views(), item, run.record))
    if item.result is not None:
        entry: ResultItem = studio.contents.result(item.result)
        opened = studio.opened.open(entry)
        record = opened.result.meta.to_json()
        title = result_summary(entry).title
        found.append(_part(title, opened.result, opened.views, item, record))
    if not found:
        raise NotThere("an entry of the report names neither a run nor a result.")
    return found


def _part(
    title: str,
    own: StudioRun | Result,
    views: Sequence[View],
    item: ReportItem,
    record: dict[str, Any],
) -> Chosen:
    indices = range(len(views)) if item.views is None else item.views
    missing = [index for index in indices if index >= len(views)]
    if missing:
        raise NotThere(f"{title} has {len(views)} views, counted from 0; {missing[0]} was asked.")
    chosen = tuple(views[index] for index in indices)
    return Chosen(title=title, own=own, chosen=chosen, comment=item.comment, record=record)


def _slug(title: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", title).strip("-.")[:80] or "report"
