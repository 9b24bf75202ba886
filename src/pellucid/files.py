"""Write files and folders whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary sibling of `path`, a file or folder to be written; then take its place.

    What was at `path` stays until the new one is complete. After an exception or a kill the old
    one is still there, and at most a `.NAME.*.tmp` sibling is left.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    recovered(path)
    temporary = path.parent / f".{path.name}.{uuid.uuid4().hex[:8]}.tmp"
    try:
        yield temporary
        if temporary.is_dir():
            _swap_folders(temporary, path)
        else:
            temporary.replace(path)
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary)
        else:
            temporary.unlink(missing_ok=True)


def recovered(path: Path) -> Path:
    """Put back what stepped aside for a replacement that a kill prevented; returns `path`."""
    if not path.exists():
        aside = max(path.parent.glob(f".{path.name}.*.old"), default=None)
        if aside is not None:
            aside.rename(path)
    return path


def _swap_folders(new: Path, path: Path) -> None:
    """Put `new` at `path`; a folder cannot be renamed over a full one, so the old steps aside."""
    if not path.exists():
        new.rename(path)
        return
    aside = path.parent / f".{path.name}.{uuid.uuid4().hex[:8]}.old"
    path.rename(aside)
    new.rename(path)
    shutil.rmtree(aside)


def write_json(path: Path, record: Any) -> None:
    """Write `record` as JSON, whole or not at all."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        json.dump(record, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
