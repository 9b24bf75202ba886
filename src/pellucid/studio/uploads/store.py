"""Uploads on disk: ``uploads/ID/upload.json`` says what it is, ``uploads/ID/files/`` holds it."""

from __future__ import annotations

import json
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pellucid.errors import DataError
from pellucid.files import write_json
from pellucid.studio.problems import NotThere

FORGOTTEN_SECONDS = 24 * 3600.0
RECORD, CONTENT = "upload.json", "files"


@dataclass(frozen=True, kw_only=True)
class Record:
    """What was uploaded. `content` is the folder or the one file to open, below the upload's own."""

    id: str
    title: str
    kind: Literal["pictures", "table", "weights"]
    created: str
    content: str
    num_files: int
    num_bytes: int
    data_kind: str = ""
    num_samples: int | None = None
    labels: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


class Uploads:
    """The uploads of one workspace."""

    def __init__(self, workspace: Path) -> None:
        self._home = workspace / "uploads"
        self._records: dict[str, Record] = {}

    @contextmanager
    def receiving(self) -> Iterator[tuple[str, Path]]:
        """Give a new id and a folder to fill; unless it was `kept`, it goes at the block's end."""
        upload = uuid.uuid4().hex[:12]
        folder = self._home / f".{upload}.tmp"
        folder.mkdir(parents=True)
        try:
            yield upload, folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def keep(self, record: Record, folder: Path) -> None:
        """Put a filled folder in its place, with its record: whole, by one rename."""
        write_json(folder / RECORD, asdict(record))
        folder.rename(self._home / record.id)

    def place(self, record: Record) -> Path:
        """Where the content of an upload lies."""
        return self._home / record.id / record.content

    def record(self, upload: str) -> Record | None:
        """What an id stands for; None if it was not uploaded here."""
        if upload not in self._records:
            path = self._home / upload / RECORD
            if upload != Path(upload).name or not path.is_file():
                return None
            self._records[upload] = self._read(path, upload)
        return self._records[upload]

    def weights(self, upload: str) -> Path:
        """The file of uploaded weights. Raises NotThere."""
        record = self.record(upload)
        if record is None or record.kind != "weights":
            raise NotThere(f"there are no uploaded weights {upload!r}. Upload them (.safetensors).")
        return self.place(record)

    def data_sets(self) -> list[Record]:
        """Uploads that can be opened as data, newest first."""
        if not self._home.is_dir():
            return []
        names = [path.name for path in self._home.iterdir() if not path.name.startswith(".")]
        records = [record for name in names if (record := self.record(name)) is not None]
        chosen = [record for record in records if record.kind != "weights"]
        return sorted(chosen, key=lambda record: record.created, reverse=True)

    def tidy(self) -> None:
        """Remove what a server that was killed had received in part."""
        for folder in self._home.glob(".*.tmp"):
            if time.time() - folder.stat().st_mtime > FORGOTTEN_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)

    def _read(self, path: Path, upload: str) -> Record:
        try:
            fields = json.loads(path.read_text("utf-8"))
            lists = {name: tuple(fields[name]) for name in ("labels", "problems")}
            record = Record(**fields | lists | {"id": upload})
            inside = (self._home / upload).resolve()
            if not self.place(record).resolve().is_relative_to(inside):
                raise ValueError(f"it names {record.content!r}")  # noqa: TRY301
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(f"the record of upload {upload} is damaged ({error}).") from error
        return record


def now() -> str:
    """The present time, as records keep it."""
    return datetime.now(UTC).isoformat(timespec="seconds")
