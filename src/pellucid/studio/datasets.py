"""The data sets that the studio may read: bundled ones, those it was started with, and uploads.

A request names one by its id alone.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pellucid.errors import closest
from pellucid.studio.problems import NotThere
from pellucid.studio.schemas import DataReference, DataSet
from pellucid.studio.state import Studio
from pellucid.studio.uploads.store import Uploads
from pellucid.studio.workers.opening import DataOpening

if TYPE_CHECKING:
    from pellucid.data import Data

Kind = Literal["bundled", "folder", "table", "upload"]
BUNDLED = {"digits": "Handwritten digits", "photos": "Photographs"}
MOST_PROBLEMS = 50


@dataclass(frozen=True, kw_only=True)
class Known:
    """A data set by its id: what `load_data` is called with, and what people know it by."""

    id: str
    spec: str
    title: str
    source: Kind


class DataSets:
    """All data sets, each split of which is opened once and stays open."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._opening = threading.Lock()
        self._open: dict[tuple[str, str | None], Data] = {}
        self._own_splits: dict[str, tuple[str, ...]] = {}

    def known(self) -> dict[str, Known]:
        """All data sets by id: those given at the start, uploads from new to old, bundled ones."""
        return {each.id: each for each in self._all()}

    def find(self, data: str) -> Known:
        """The data set of an id. Raises NotThere with the nearest ids."""
        known = self.known()
        if data not in known:
            raise NotThere(f"there is no data set {data!r} here. {closest(data, known)}")
        return known[data]

    def opening(self, reference: DataReference) -> DataOpening:
        """What a worker opens for a reference. Raises NotThere for an unknown one."""
        known = self.find(reference.data)
        return DataOpening(
            spec=known.spec, split=reference.split, limit=reference.limit, title=known.title
        )

    def open(self, data: str, split: str | None = None) -> Data:
        """Open a split of a data set, or take the one that is open; for use off the event loop."""
        from pellucid.data.source import load_data

        known = self.find(data)
        with self._opening:
            if (data, split) not in self._open:
                self._open[data, split] = load_data(known.spec, split=split)
        return self._open[data, split]

    def splits(self, data: str) -> tuple[str, ...]:
        """The splits that a data set has itself, or those that are drawn from it."""
        from pellucid.data.source import splits
        from pellucid.data.splits import DRAWN

        known = self.find(data)
        if data not in self._own_splits:
            self._own_splits[data] = splits(known.spec)
        return self._own_splits[data] or tuple(DRAWN)

    def has_own_splits(self, data: str) -> bool:
        """Whether a data set comes in splits, so that there is no opening it as a whole."""
        self.splits(data)
        return bool(self._own_splits[data])

    def of_spec(self, spec: str) -> Known | None:
        """The data set that a result's provenance names, if it is one of ours."""
        place = _place(spec)
        return next((each for each in self._all() if _place(each.spec) == place), None)

    def titles(self) -> dict[str, str]:
        """What people call each data set, by the source that records name."""
        return {each.spec: each.title for each in self._all()}

    def outline(self, known: Known) -> DataSet:
        """What is known without opening the data set."""
        found = DataSet(id=known.id, title=known.title, source=known.source)
        upload = self._studio.part(Uploads).record(known.id) if known.source == "upload" else None
        if upload is not None:
            found.kind, found.num_samples = upload.data_kind, upload.num_samples
            found.labels, found.problems = list(upload.labels), list(upload.problems)
        opened = self._open.get((known.id, None))
        if opened is not None:
            _describe(found, opened)
        return found

    def detail(self, data: str, split: str | None = None) -> DataSet:
        """What is known when the data set is open."""
        known = self.find(data)
        found = self.outline(known)
        found.splits = list(self.splits(data))
        opened = self.open(data, split)
        _describe(found, opened)
        told = [f"{each.what}: {each.reason}" for each in opened.report.problems]
        found.problems = list(dict.fromkeys([*found.problems, *told]))[:MOST_PROBLEMS]
        return found

    def _all(self) -> Iterator[Known]:
        for path in self._studio.settings.data:
            yield given(path)
        uploads = self._studio.part(Uploads)
        for upload in uploads.data_sets():
            scheme = "table" if upload.kind == "table" else "folder"
            spec = f"{scheme}:{uploads.place(upload)}"
            yield Known(id=upload.id, spec=spec, title=upload.title, source="upload")
        for name, title in BUNDLED.items():
            if name == "photos" and find_spec("skimage") is None:
                continue
            yield Known(id=f"bundled-{name}", spec=f"bundled:{name}", title=title, source="bundled")


def given(path: Path) -> Known:
    """A folder or table that the studio was started with."""
    real = path.expanduser().resolve()
    kind: Kind = "folder" if real.is_dir() and _holds_no_tables(real) else "table"
    mark = hashlib.sha256(str(real).encode()).hexdigest()[:12]
    return Known(id=f"{kind}-{mark}", spec=f"{kind}:{real}", title=path.name, source=kind)


def _holds_no_tables(folder: Path) -> bool:
    from pellucid.data.source import TABLE_SUFFIXES

    return not any(path.suffix.lower() in TABLE_SUFFIXES for path in folder.iterdir())


def _describe(found: DataSet, opened: Data) -> None:
    found.kind, found.num_samples = opened.kind, len(opened)
    found.labels = list(opened.labels)


def _place(spec: str) -> str:
    """Where data lies, however it is written: ``folder:photos``, ``./photos``."""
    scheme, _, rest = spec.partition(":")
    path = Path(rest if scheme in ("folder", "table") else spec)
    name = path.name.partition("?")[0]
    path = path.with_name(name) if name else path
    return str(path.expanduser().resolve()) if path.exists() else spec
