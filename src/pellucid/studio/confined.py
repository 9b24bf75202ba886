"""Files are read below a few folders only, and never through a link: what lies there is foreign."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pellucid.errors import ResultError
from pellucid.studio.problems import NotThere, OutOfBounds

MOST_RECORD_BYTES = 16 * 2**20
MOST_FILES = 200_000


class Bounds:
    """The folders below which files may be read."""

    def __init__(self, roots: Iterable[Path]) -> None:
        self.roots = tuple(Path(root).expanduser().resolve() for root in roots)

    def holds(self, path: Path) -> bool:
        """Whether `path` lies below one of the folders, as it stands and with links followed."""
        if not path.is_absolute() or ".." in path.parts:
            return False
        inside = any(path.is_relative_to(root) for root in self.roots)
        return inside and path.resolve() == path

    def check(self, path: Path) -> Path:
        """Give `path` back, or raise OutOfBounds."""
        if not self.holds(path):
            raise OutOfBounds(
                f"{path.name!r} lies outside the workspace, or behind a link, so the studio does "
                "not open it. Start it with --also FOLDER to show runs and results below FOLDER."
            )
        return path

    def read(self, path: Path, most: int = MOST_RECORD_BYTES) -> bytes:
        """Read a regular file of at most `most` bytes. Raises NotThere, OutOfBounds, ResultError."""
        with os.fdopen(self._opened(path), "rb") as file:
            content = file.read(most + 1)
        if len(content) > most:
            raise ResultError(f"{path.name!r} is larger than {most / 2**20:,.0f} MB; not read.")
        return content

    def read_json(self, path: Path) -> dict[str, Any]:
        """Read a JSON object. Raises ResultError for anything else, as `read` does."""
        try:
            record = json.loads(self.read(path))
        except (ValueError, RecursionError) as error:
            raise ResultError(f"{path.name!r} cannot be read as JSON: {error}") from error
        if not isinstance(record, dict):
            raise ResultError(f"{path.name!r} holds {type(record).__name__}; expected an object.")
        return record

    def size(self, path: Path) -> os.stat_result | None:
        """What is known of a regular file without opening it; None where there is none."""
        try:
            found = path.lstat()
        except (OSError, ValueError):
            return None
        return found if stat.S_ISREG(found.st_mode) else None

    def tree(self, folder: Path) -> list[tuple[str, os.stat_result]]:
        """All files below a folder, by name from there. Raises OutOfBounds for links among them."""
        self.check(folder)
        found = []
        for entry in _walked(folder):
            facts = entry.stat(follow_symlinks=False)
            name = Path(entry.path).relative_to(folder).as_posix()
            if not stat.S_ISREG(facts.st_mode):
                raise OutOfBounds(f"{folder.name!r} holds {name!r}, which is a link or a device.")
            found.append((name, facts))
            if len(found) > MOST_FILES:
                raise ResultError(f"{folder.name!r} holds more than {MOST_FILES:,} files.")
        return sorted(found)

    def _opened(self, path: Path) -> int:
        self.check(path)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError as error:
            raise NotThere(f"{path.name!r} is not there any more.") from error
        except OSError as error:
            raise OutOfBounds(f"{path.name!r} cannot be opened: {error.strerror}.") from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OutOfBounds(f"{path.name!r} is no regular file.")
        return descriptor

    def open_log(self, path: Path) -> Any:
        """Open a file for reading bytes, by the same rules."""
        return os.fdopen(self._opened(path), "rb")


def folders(path: Path) -> list[Path]:
    """Folders in a folder, links left out; none where it is not there."""
    try:
        with os.scandir(path) as entries:
            return sorted(Path(e.path) for e in entries if e.is_dir(follow_symlinks=False))
    except OSError:
        return []


def opaque(kind: str, path: Path, root: Path) -> str:
    """The id of what lies at `path`: it tells nothing, and stays when the workspace moves."""
    place = path.relative_to(root) if path.is_relative_to(root) else path
    digest = hashlib.sha256(
        f"pellucid:{kind}:{place.as_posix()}".encode("utf-8", "surrogateescape")
    )
    return base64.urlsafe_b64encode(digest.digest()[:16]).decode().rstrip("=")


def _walked(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            listed = list(entries)
    except FileNotFoundError as error:
        raise NotThere(f"{folder.name!r} is not there any more.") from error
    for entry in listed:
        if entry.is_dir(follow_symlinks=False):
            yield from _walked(Path(entry.path))
        else:
            yield entry
