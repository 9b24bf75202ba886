"""A view as one block of bytes, which the studio, the report and the notebook all read.

::

    magic "PLCDVIEW" · version, header length (uint32 each) · header (JSON) · buffers

Numbers are little-endian. Header and buffers start at multiples of 8 bytes, so that a reader takes
typed arrays from them without a copy. The header holds the view's document (`encoding.encode`) and
its columns: name, dtype, shape, offset (from the end of the header), bytes and coding.

- ``raw``: numbers in row-major order; integers of 64 bits as 32 or, if they do not fit, float64.
- ``picture``: a PNG or WebP file, as `type` says.
- ``levels``: one byte per number, each row as differences (modulo 256): 0–254 go from `low` to
  `high`, 255 is NaN. Only when `compact`.
"""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pellucid.views.encoding import Columns, encode
from pellucid.views.kinds import View

MAGIC, VERSION = b"PLCDVIEW", 1
START = struct.Struct("<8sII")
ALIGNMENT = 8
MEDIA_TYPE = "application/vnd.pellucid.view"
DTYPES = ("float64", "float32", "int32", "uint32", "int16", "uint16", "int8", "uint8")
NARROWER = {"float16": "float32", "bool": "uint8"}
HIGHEST, NOT_A_NUMBER = 254, 255  # an even number of steps: zero of a signed map is exact
QUALITY, LOSSLESS_BELOW = 86, 64  # of photographs; pixels, below which every one counts

Described = tuple[dict[str, Any], bytes]


def pack(view: View, *, compact: bool = False) -> bytes:
    """Write a view for the page. `compact` pictures and heat maps are smaller, and not exact."""
    document, columns = encode(view)
    coded = [
        _coded(name, columns.pop(name), record, compact=compact)
        for name, record in _of_pictures(document, columns)
    ]
    coded += [(_described(name, values), _bytes(values)) for name, values in columns.items()]
    offset = 0
    for described, content in coded:
        described |= {"offset": offset, "bytes": len(content)}
        offset += len(content) + -len(content) % ALIGNMENT
    header = {"view": document, "columns": [described for described, _ in coded]}
    written = json.dumps(header, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    head = _padded(written.encode(), b" ")
    start = START.pack(MAGIC, VERSION, len(head))
    return b"".join([start, head, *(_padded(content, b"\0") for _, content in coded)])


def _of_pictures(document: Any, columns: Columns) -> Iterator[tuple[str, dict[str, Any]]]:
    """Names of the columns that hold pixels or heat maps, each with its record."""
    if isinstance(document, list):
        for part in document:
            yield from _of_pictures(part, columns)
    elif isinstance(document, dict):
        part = {"Picture": "pixels", "Heatmap": "values"}.get(document.get("$kind", ""))
        if part and columns[document[part]["$column"]].size:
            yield document[part]["$column"], document
        for value in document.values():
            yield from _of_pictures(value, columns)


def _coded(name: str, values: NDArray[Any], record: dict[str, Any], *, compact: bool) -> Described:
    if record["$kind"] == "Picture":
        return _picture(name, values, compact=compact)
    limit = record["limit"]
    if compact and isinstance(limit, int | float) and limit > 0:
        return _levels(name, values, -limit if record["signed"] else 0.0, limit)
    return _described(name, values), _bytes(values)


def _picture(name: str, pixels: NDArray[Any], *, compact: bool) -> Described:
    picture = Image.fromarray(np.ascontiguousarray(pixels)).convert("RGB")
    content = io.BytesIO()
    photograph = compact and max(picture.size) >= LOSSLESS_BELOW
    if photograph:
        picture.save(content, "WEBP", quality=QUALITY)
    else:
        picture.save(content, "PNG", compress_level=6)
    described = {
        "name": name,
        "dtype": "uint8",
        "shape": pixels.shape,
        "coding": "picture",
        "type": "image/webp" if photograph else "image/png",
    }
    return described, content.getvalue()


def _levels(name: str, values: NDArray[Any], low: float, high: float) -> Described:
    """Numbers beyond `low` and `high` are drawn as these, and so written as these."""
    part = (values.astype(np.float64) - low) / (high - low)
    gaps = np.isnan(part)
    steps = np.round(np.clip(np.where(gaps, 0, part), 0, 1) * HIGHEST).astype(np.uint8)
    steps[gaps] = NOT_A_NUMBER
    differences = np.diff(steps, axis=-1, prepend=np.zeros_like(steps[..., :1]))
    described = {
        "name": name,
        "dtype": "uint8",
        "shape": values.shape,
        "coding": "levels",
        "low": float(low),
        "high": float(high),
    }
    return described, differences.tobytes()


def _described(name: str, values: NDArray[Any]) -> dict[str, Any]:
    return {"name": name, "dtype": _dtype(values), "shape": values.shape, "coding": "raw"}


def _dtype(values: NDArray[Any]) -> str:
    """The type that a page's typed arrays have, in which the values fit."""
    name = values.dtype.name
    if name in DTYPES:
        return name
    if values.dtype.kind in "iu" and values.size:
        limits = np.iinfo(np.int32)
        fits = limits.min <= values.min() and values.max() <= limits.max
        return "int32" if fits else "float64"
    return "int32" if values.dtype.kind in "iu" else NARROWER.get(name, "float64")


def _bytes(values: NDArray[Any]) -> bytes:
    return values.astype(np.dtype(_dtype(values)).newbyteorder("<"), order="C").tobytes()


def _padded(content: bytes, filling: bytes) -> bytes:
    return content + filling * (-len(content) % ALIGNMENT)
