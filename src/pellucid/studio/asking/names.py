"""Names of models that sources know, kept on disk: to ask the sources takes seconds."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pellucid.files import write_json

SOURCES = ("torchvision", "timm")
Names = dict[str, list[str]]


def kept_names(path: Path) -> Names | None:
    """The names that were kept for the packages as they are installed now, if they were."""
    try:
        record = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(record, dict) or record.get("versions") != _versions():
        return None
    names = record.get("names")
    return names if isinstance(names, dict) else None


def keep_names(path: Path, names: Names) -> None:
    """Keep the names beside the versions that they belong to."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, {"versions": _versions(), "names": names})


def _versions() -> dict[str, str]:
    found = {}
    for package in SOURCES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
