"""Names that come with uploaded files, as safe paths below a folder of ours."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath

MOST_FOLDERS = 8
LONGEST_NAME, LONGEST_PATH = 200, 800  # bytes; file systems take 255 for a name
FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"|?*\ud800-\udfff]')
DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
# What operating systems leave in folders; nobody means to upload it.
LEFT_BEHIND = frozenset({"thumbs.db", "desktop.ini", "__macosx"})


class UnsafeName(ValueError):
    """A name that is not taken, and why."""


def safe_path(name: str) -> PurePosixPath:
    """The relative path that `name` means on every system. Raises UnsafeName."""
    parts = unicodedata.normalize("NFC", name).replace("\\", "/").split("/")
    if parts[0] == "" or re.match(r"[A-Za-z]:", parts[0]):
        raise UnsafeName("its path is not relative" if name.strip("/\\") else "it has no name")
    if len(parts) - 1 > MOST_FOLDERS:
        raise UnsafeName(f"it lies more than {MOST_FOLDERS} folders deep")
    for part in parts:
        _check(part)
    path = PurePosixPath(*parts)
    if len(str(path).encode()) > LONGEST_PATH:
        raise UnsafeName("its path is too long")
    return path


def is_left_behind(path: PurePosixPath) -> bool:
    """Whether the file is hidden, or one that an operating system left."""
    return any(part.startswith(".") or part.lower() in LEFT_BEHIND for part in path.parts)


def _check(part: str) -> None:
    if part in ("", ".", ".."):
        raise UnsafeName(
            "its path leads out of its folder" if part == ".." else "its path has gaps"
        )
    if FORBIDDEN.search(part):
        raise UnsafeName("its name has characters that not every system takes")
    if part != part.strip(" ") or part.endswith("."):
        raise UnsafeName("its name begins or ends with a space or a dot")
    if DEVICES.fullmatch(part):
        raise UnsafeName("its name is that of a device on some systems")
    if len(part.encode()) > LONGEST_NAME:
        raise UnsafeName("its name is too long")
