"""What a saved result says it holds, looked at before anything is unpacked."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pellucid.errors import ResultError
from pellucid.studio.confined import Bounds

MOST_BYTES = 4 * 2**30
ITEM_BYTES = {"bool": 1, "int8": 1, "uint8": 1, "int16": 2, "uint16": 2, "float16": 2,
              "int32": 4, "uint32": 4, "float32": 4}  # fmt: skip
WIDEST = 64  # of a string, as far as one can tell


def check_declared(folder: Path, files: Iterable[str], bounds: Bounds) -> int:
    """How many bytes the arrays of a Zarr folder take when unpacked.

    A few bytes on disk can declare arrays without end. Raises ResultError for more than
    `MOST_BYTES`, and for names that lead elsewhere.
    """
    total = 0
    for name in files:
        if name.rpartition("/")[2] != "zarr.json":
            continue
        record = bounds.read_json(folder / name)
        total += _bytes(record)
        for inner, described in _consolidated(record).items():
            if inner.startswith("/") or ".." in inner.split("/"):
                raise ResultError(f"{folder.name!r} names an array {inner!r}, outside of itself.")
            total = max(total, _bytes(described))
    if total > MOST_BYTES:
        raise ResultError(
            f"{folder.name!r} declares arrays of {total / 2**30:,.1f} GB; the studio shows results "
            f"of at most {MOST_BYTES / 2**30:.0f} GB. Open it with pellucid.open in Python."
        )
    return total


def _consolidated(record: Mapping[str, Any]) -> dict[str, Any]:
    consolidated = record.get("consolidated_metadata")
    found = consolidated.get("metadata") if isinstance(consolidated, dict) else None
    return found if isinstance(found, dict) else {}


def _bytes(record: Any) -> int:
    if not isinstance(record, dict) or record.get("node_type") != "array":
        return 0
    grid = record.get("chunk_grid")
    settings = grid.get("configuration") if isinstance(grid, dict) else None
    chunk = settings.get("chunk_shape") if isinstance(settings, dict) else None
    kind = record.get("data_type")
    item = ITEM_BYTES.get(kind, 8) if isinstance(kind, str) and kind != "string" else WIDEST
    return item * max(_product(record.get("shape")), _product(chunk))


def _product(shape: Any) -> int:
    if not isinstance(shape, list) or not all(
        isinstance(size, int) and size >= 0 for size in shape
    ):
        return 0
    return math.prod(shape)
