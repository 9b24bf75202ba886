"""What the workspace holds: its runs and results, by opaque ids.

The catalogue tells of most of them without a file being opened. Runs that go on are looked at
again, and what lies in the workspace's folders without being catalogued is found there.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from pellucid.errors import PellucidError, ResultError
from pellucid.studio.confined import Bounds, folders, opaque
from pellucid.studio.problems import NotThere
from pellucid.workspace.run import status_of
from pellucid.workspace.workspace import Marked, Marks, ResultEntry, RunEntry, Workspace

Item = TypeVar("Item", "RunItem", "ResultItem")
FRESH_SECONDS = 0.5
# As pellucid.result has them, which takes long to load and is not needed for a list.
INSPECTION, PROVENANCE = "inspection.json", "pellucid"
GONE = "Nothing lies at its place any more."
OUTSIDE = "It lies outside the workspace; start the studio with --also FOLDER to open it."


@dataclass(frozen=True, kw_only=True)
class RunItem:
    """A run: `key` is the id in its record, `why` says why it cannot be opened or how it ended."""

    id: str
    key: str
    path: Path
    record: Mapping[str, Any]
    status: str
    why: str = ""
    marks: Marks = field(default_factory=Marks)
    results: tuple[str, ...] = ()

    @property
    def created(self) -> str:
        return str(self.record.get("created", ""))


@dataclass(frozen=True, kw_only=True)
class ResultItem:
    """A saved result: `run` is the id of the run it belongs to, or None; `meta` its provenance."""

    id: str
    path: Path
    meta: Mapping[str, Any]
    run: str | None = None
    missing: bool = False
    why: str = ""
    marks: Marks = field(default_factory=Marks)

    @property
    def created(self) -> str:
        return str(self.meta.get("created", ""))


@dataclass(frozen=True, kw_only=True)
class Listing:
    """All runs and results at one time, newest first."""

    runs: dict[str, RunItem]
    results: dict[str, ResultItem]


class Contents:
    """Finds runs and results. Nothing is opened that is not found here first."""

    def __init__(self, workspace: Workspace, bounds: Bounds) -> None:
        self.workspace, self.bounds = workspace, bounds
        self._records: dict[Path, tuple[tuple[int, int], dict[str, Any]]] = {}
        self._listed: Listing | None = None
        self._at = 0.0
        self._lock = threading.Lock()

    def listing(self, *, fresh: bool = False) -> Listing:
        """All there is, as of now or of half a second ago."""
        with self._lock:
            if fresh or self._listed is None or time.monotonic() - self._at > FRESH_SECONDS:
                self._listed = self._look()
                self._at = time.monotonic()
            return self._listed

    def run(self, id: str) -> RunItem:  # noqa: A002
        """The run of an id, to be opened. Raises NotThere, or OutOfBounds."""
        found = self.listing().runs.get(id) or self.listing(fresh=True).runs.get(id)
        if found is None:
            raise NotThere(f"there is no run {id!r} in this workspace; /api/workspace lists them.")
        self.bounds.check(found.path)
        if found.status == "missing":
            raise NotThere(f"the run {found.path.name!r} is not there any more.")
        return found

    def result(self, id: str) -> ResultItem:  # noqa: A002
        """The result of an id, to be opened. Raises NotThere, or OutOfBounds."""
        found = self.listing().results.get(id) or self.listing(fresh=True).results.get(id)
        if found is None:
            raise NotThere(
                f"there is no result {id!r} in this workspace; /api/workspace lists them."
            )
        self.bounds.check(found.path)
        if found.missing:
            raise NotThere(f"the result {found.path.name!r} is not there any more.")
        return found

    def again(self, item: RunItem) -> RunItem:
        """A run as it stands now, without a look at the rest."""
        record = self._record(item.path)
        if record is None:
            return replace(item, status="missing", why=GONE)
        return replace(
            item, record=record, status=_status(record), why=str(record.get("why") or "")
        )

    def stamp(self) -> str | None:
        """What changes whenever a listing may; None where only a listing can tell.

        It costs a look at a few files' times, where a listing reads the catalogue.
        """
        catalogue = self.workspace.catalogue_file
        if catalogue is None:
            return None
        places = [catalogue, self.workspace.path / "runs", self.workspace.path / "results"]
        places.append(catalogue.with_name(f"{catalogue.name}-wal"))
        runs = self._listed.runs.values() if self._listed else ()
        places += [item.path / "results" for item in runs]
        live = [item for item in runs if item.status == "running"]
        places += [item.path / "run.json" for item in live]
        states = [_status(item.record) for item in live]
        return repr(([_times(place) for place in places], states))

    def run_id(self, path: Path) -> str:
        """The id of the run at `path`."""
        return opaque("run", path, self.workspace.path)

    def result_id(self, path: Path) -> str:
        """The id of the result at `path`."""
        return opaque("result", path, self.workspace.path)

    def mark(self, item: RunItem | ResultItem, tags: list[str] | None, note: str | None) -> None:
        """Write tags and a note; None keeps what was there."""
        kind: Marked = "run" if isinstance(item, RunItem) else "result"
        key = item.key if isinstance(item, RunItem) else item.path
        self.workspace.mark(kind, key, tags=tags, note=note)
        self.listing(fresh=True)

    def _look(self) -> Listing:
        marks = self.workspace.marks()
        runs = {item.id: item for item in self._runs(marks)}
        by_key = {item.key: item.id for item in reversed(runs.values())}
        results = {item.id: item for item in self._results(runs, by_key, marks)}
        owned: dict[str, list[str]] = {}
        for result in results.values():
            owned.setdefault(result.run or "", []).append(result.id)
        counted = {
            item.id: replace(item, results=tuple(owned.get(item.id, ()))) for item in runs.values()
        }
        return Listing(runs=_newest_first(counted), results=_newest_first(results))

    def _runs(self, marks: Mapping[tuple[Marked, str], Marks]) -> Iterator[RunItem]:
        catalogued = self.workspace.runs()
        known = {entry.path for entry in catalogued}
        for path in folders(self.workspace.path / "runs"):
            record = None if path in known else self._record(path)
            if record is not None:
                catalogued.append(
                    RunEntry(id=str(record.get("id", "")), path=path, created="", record=record)
                )
        for entry in catalogued:
            yield self._run_item(entry, marks.get(("run", entry.id), Marks()))

    def _run_item(self, entry: RunEntry, marks: Marks) -> RunItem:
        record, inside = entry.record, self.bounds.holds(entry.path)
        if inside and not entry.missing and record.get("status") == "running":
            record = self._record(entry.path) or record
        status, why = "missing", GONE
        if not inside:
            why = OUTSIDE
        elif not entry.missing:
            status, why = _status(record), str(record.get("why") or "")
        return RunItem(
            id=self.run_id(entry.path), key=entry.id, path=entry.path, record=record,
            status=status, why=why, marks=marks,
        )  # fmt: skip

    def _results(
        self,
        runs: Mapping[str, RunItem],
        by_key: Mapping[str, str],
        marks: Mapping[tuple[Marked, str], Marks],
    ) -> Iterator[ResultItem]:
        for entry in self._entries(runs):
            inside = self.bounds.holds(entry.path)
            yield ResultItem(
                id=self.result_id(entry.path),
                path=entry.path,
                meta=entry.meta,
                run=by_key.get(entry.run_id) if entry.run_id else None,
                missing=entry.missing or not inside,
                why="" if inside else OUTSIDE,
                marks=marks.get(("result", str(entry.path)), Marks()),
            )

    def _entries(self, runs: Mapping[str, RunItem]) -> Iterator[ResultEntry]:
        """Catalogued results, then those that only lie there; an inspection as its parts."""
        known: set[Path] = set()
        for entry in self.workspace.results():
            parts = [] if not self.bounds.holds(entry.path) else self._parts(entry.path)
            for path in parts or [entry.path]:
                known.add(path)
                if found := entry if not parts else self._entry(path, entry.run_id):
                    yield found
        places = [(self.workspace.path / "results", "")]
        places += [(r.path / "results", r.key) for r in runs.values() if r.status != "missing"]
        for place, run_id in places:
            for folder in folders(place):
                for path in self._parts(folder) or [folder]:
                    if path not in known and (found := self._entry(path, run_id)):
                        yield found

    def _parts(self, folder: Path) -> list[Path]:
        """The results in an inspection's folder; none where it is no inspection."""
        if folder.suffix == ".zarr" or self.bounds.size(folder / INSPECTION) is None:
            return []
        return [path for path in folders(folder) if path.suffix == ".zarr"]

    def _entry(self, path: Path, run_id: str) -> ResultEntry | None:
        """A result that the catalogue does not know, by its own provenance."""
        try:
            attributes = self._cached(path / "zarr.json").get("attributes") or {}
            meta = _provenance(attributes.get(PROVENANCE))
        except (PellucidError, AttributeError, ValueError):
            return None
        kind, created = str(meta.get("kind", "result")), str(meta.get("created", ""))
        return ResultEntry(path=path, kind=kind, run_id=run_id, created=created, meta=meta)

    def _record(self, path: Path) -> dict[str, Any] | None:
        try:
            return self._cached(path / "run.json")
        except PellucidError:
            return None

    def _cached(self, path: Path) -> dict[str, Any]:
        """A JSON file, read again only when it has changed."""
        facts = self.bounds.size(path)
        if facts is None:
            raise NotThere(f"{path.name!r} is not there.")
        stamp = (facts.st_mtime_ns, facts.st_size)
        if (found := self._records.get(path)) and found[0] == stamp:
            return found[1]
        record = self.bounds.read_json(path)
        self._records[path] = (stamp, record)
        return record


def _times(path: Path) -> tuple[int, int] | None:
    """When a file or folder changed, and its size; None for one that is not there, or empty."""
    try:
        facts = path.lstat()
    except (OSError, ValueError):
        return None
    return (facts.st_mtime_ns, facts.st_size) if facts.st_size else None


def _status(record: Mapping[str, Any]) -> str:
    try:
        status = status_of(dict(record))
    except (KeyError, TypeError, ValueError):
        return "stopped"
    return status if status in ("running", "finished", "failed", "stopped") else "stopped"


def _provenance(written: Any) -> dict[str, Any]:
    meta = json.loads(written) if isinstance(written, str) else None
    if not isinstance(meta, dict):
        raise ResultError("a Zarr folder without provenance.")
    return meta


def _newest_first(items: Mapping[str, Item]) -> dict[str, Item]:
    ordered = sorted(items.values(), key=lambda item: (item.created, item.id), reverse=True)
    return {item.id: item for item in ordered}
