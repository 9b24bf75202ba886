"""Workspace: a folder of runs and results, with a catalogue that finds them."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pellucid.workspace.catalogue import Catalogue, MarkRow, ResultRow, RunRow

if TYPE_CHECKING:
    from pellucid.result import Provenance, Result

DEFAULT_FOLDER = "pellucid-workspace"


@dataclass(frozen=True, kw_only=True)
class RunEntry:
    """One run in the catalogue; `record` is the run's own record when it was last registered.

    `missing` says that nothing lies at `path` any more.
    """

    id: str
    path: Path
    created: str
    record: dict[str, Any] = field(default_factory=dict)
    missing: bool = False

    @property
    def name(self) -> str:
        return str(self.record.get("name") or self.path.name)

    @property
    def status(self) -> str:
        """The run's own status, or "missing"."""
        return "missing" if self.missing else str(self.record.get("status", ""))


@dataclass(frozen=True, kw_only=True)
class ResultEntry:
    """One saved result in the catalogue; `run_id` is empty for one that belongs to no run.

    `meta` is its provenance as JSON; `missing` says that nothing lies at `path` any more.
    """

    path: Path
    kind: str
    run_id: str
    created: str
    meta: dict[str, Any] = field(default_factory=dict)
    missing: bool = False


@dataclass(frozen=True, kw_only=True)
class Marks:
    """What a person wrote on a run or a result."""

    tags: tuple[str, ...] = ()
    note: str = ""


Marked = Literal["run", "result"]


class Workspace:
    """A folder with `runs/`, `results/` and `catalogue.db`; made when it is first written to.

    `path` defaults to $PELLUCID_WORKSPACE, then to ./pellucid-workspace. `catalogue` may be the
    URL of a database that a team shares; it defaults to $PELLUCID_CATALOGUE, then to the file in
    the folder.
    """

    def __init__(self, path: str | Path | None = None, *, catalogue: str | None = None) -> None:
        chosen = path or os.environ.get("PELLUCID_WORKSPACE") or DEFAULT_FOLDER
        self.path = Path(chosen).expanduser().resolve()
        address = catalogue or os.environ.get("PELLUCID_CATALOGUE")
        self._catalogue = Catalogue(address or self.path / "catalogue.db")

    @property
    def catalogue_file(self) -> Path | None:
        """The file that the catalogue is; None for a database that a server keeps."""
        location = self._catalogue.location
        return location if isinstance(location, Path) else None

    def new_run_path(self, name: str) -> Path:
        """Make an empty folder for a new run, called `name` if that is still free."""
        slug = re.sub(r"[^\w.]+", "-", name).strip("-.") or "run"
        return _reserve(self.path / "runs" / slug)

    def register_run(self, record: dict[str, Any], path: str | Path) -> None:
        """Enter a run, or bring its entry up to date; `record` is its run.json."""
        self.path.mkdir(parents=True, exist_ok=True)
        self._catalogue.put(
            RunRow(
                id=record["id"],
                path=str(Path(path).resolve()),
                created=record["created"],
                record=record,
            )
        )

    def register_result(self, meta: Provenance, path: str | Path, run_id: str = "") -> None:
        """Enter a saved result, or replace the entry of what lay at `path` before."""
        self.path.mkdir(parents=True, exist_ok=True)
        self._catalogue.put(
            ResultRow(
                path=str(Path(path).resolve()),
                run_id=run_id,
                created=meta.created,
                meta=meta.to_json(),
            )
        )

    def add(self, result: Result) -> Path:
        """Save a result among the workspace's own, enter it, and return where it lies."""
        stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
        name = f"{result.meta.kind}-{stamp}-{uuid.uuid4().hex[:4]}.zarr"
        path = result.save(self.path / "results" / name)
        self.register_result(result.meta, path)
        return path

    def runs(self) -> list[RunEntry]:
        """All runs, oldest first."""
        return [_run_entry(row) for row in self._catalogue.runs()]

    def results(self, run_id: str | None = None) -> list[ResultEntry]:
        """All results, or those of one run, oldest first."""
        return [_result_entry(row) for row in self._catalogue.results(run_id)]

    def marks(self) -> dict[tuple[Marked, str], Marks]:
        """Tags and notes of runs, by ("run", id), and of results, by ("result", path)."""
        return {
            ("run" if row.kind == "run" else "result", row.key): Marks(
                tags=tuple(row.tags), note=row.note
            )
            for row in self._catalogue.marks()
        }

    def mark(
        self,
        kind: Marked,
        key: str | Path,
        *,
        tags: Sequence[str] | None = None,
        note: str | None = None,
    ) -> None:
        """Write tags and a note on a run (`key` is its id) or a result (its path); None keeps them."""
        self.path.mkdir(parents=True, exist_ok=True)
        row = MarkRow(
            kind=kind,
            key=str(Path(key).resolve()) if kind == "result" else str(key),
            tags=list(dict.fromkeys(tags or ())),
            note=note or "",
        )
        keep = [name for name, given in (("tags", tags), ("note", note)) if given is None]
        self._catalogue.put(row, keep=keep)


def _run_entry(row: RunRow) -> RunEntry:
    path = Path(row.path)
    missing = not (path / "run.json").exists()
    return RunEntry(
        id=row.id, path=path, created=row.created, record=dict(row.record), missing=missing
    )


def _result_entry(row: ResultRow) -> ResultEntry:
    path = Path(row.path)
    return ResultEntry(
        path=path,
        kind=row.meta["kind"],
        run_id=row.run_id,
        created=row.created,
        meta=dict(row.meta),
        missing=not path.exists(),
    )


def _reserve(path: Path) -> Path:
    """Make the folder at `path`, or beside it where another process was quicker."""
    try:
        path.mkdir(parents=True)
    except FileExistsError:
        return _reserve(path.with_name(f"{path.name}-{uuid.uuid4().hex[:4]}"))
    return path
