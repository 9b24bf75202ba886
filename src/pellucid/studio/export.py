"""The data behind results, for other programs: a variable as a table, a row per value, in pieces."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pellucid.studio.plain import plain

if TYPE_CHECKING:
    import xarray as xr

PIECE = 200_000  # values
RUNS_IN_SHEETS = ("=", "+", "-", "@", "\t", "\r")


def as_csv(variable: xr.DataArray) -> Iterator[bytes]:
    """The variable as CSV: its coordinates, then its value. Missing numbers are empty."""
    names = _names(variable)
    yield _written([names])
    for piece in _pieces(variable):
        columns = [[_cell(value) for value in column.tolist()] for column in piece]
        yield _written(zip(*columns, strict=True))


def as_arrow(variable: xr.DataArray) -> Iterator[bytes]:
    """The variable as a stream of Arrow record batches, with the same columns."""
    sink = _Sink()
    names, writer = _names(variable), None
    for piece in _pieces(variable):
        batch = pa.record_batch([pa.array(_arrow(column)) for column in piece], names=names)
        writer = writer or pa.ipc.new_stream(sink, batch.schema)
        writer.write_batch(batch)
        yield sink.taken()
    if writer is not None:
        writer.close()
        yield sink.taken()


def as_json(variable: xr.DataArray) -> Iterator[bytes]:
    """The variable as nested lists, with its dimensions and coordinates."""
    head = {
        "name": str(variable.name),
        "dims": [str(dim) for dim in variable.dims],
        "shape": list(variable.shape),
        "attrs": plain(dict(variable.attrs)),
        "coords": {str(d): _plain_list(_labels(variable, d)) for d in variable.dims},
    }
    yield json.dumps(head, ensure_ascii=False, allow_nan=False).encode()[:-1] + b', "values": '
    values = variable.values
    if not variable.ndim:
        yield json.dumps(_plain_list(values)).encode() + b"}\n"
        return
    rows = max(1, PIECE // max(1, math.prod(variable.shape[1:])))
    yield b"["
    for start in range(0, variable.shape[0], rows):
        written = json.dumps(_plain_list(values[start : start + rows]), ensure_ascii=False)
        yield (b",\n" if start else b"") + written[1:-1].encode("utf-8", "replace")
    yield b"]}\n"


def _names(variable: xr.DataArray) -> list[str]:
    """Column names; the value's own, unless a dimension has taken it."""
    dims, own = [str(dim) for dim in variable.dims], str(variable.name)
    return [*dims, own if own not in dims else "value"]


def _pieces(variable: xr.DataArray) -> Iterator[list[NDArray[Any]]]:
    """Columns of at most about `PIECE` rows at a time; one piece, if an empty one, at least."""
    flat = variable.values.reshape(-1)
    labels = [_labels(variable, dim) for dim in variable.dims]
    for start in range(0, max(flat.size, 1), PIECE):
        places = np.arange(start, min(start + PIECE, flat.size))
        where = np.unravel_index(places, variable.shape) if variable.ndim else ()
        yield [*(label[place] for label, place in zip(labels, where, strict=True)), flat[places]]


def _labels(variable: xr.DataArray, dim: Any) -> NDArray[Any]:
    """The coordinate of a dimension, or a count from 0."""
    size = variable.sizes[dim]
    return variable.coords[dim].values if dim in variable.coords else np.arange(size)


def _arrow(values: NDArray[Any]) -> Any:
    return values if values.dtype.kind in "biuf" else [str(value) for value in values.tolist()]


def _cell(value: Any) -> Any:
    """Text that a spreadsheet would run is told to be text; what is not finite is left empty."""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(RUNS_IN_SHEETS) else value
    if isinstance(value, float) and not math.isfinite(value):
        return ""
    return value


def _plain_list(values: Any) -> Any:
    array = np.asarray(values)
    if array.dtype.kind in "iub" or (array.dtype.kind == "f" and np.isfinite(array).all()):
        return array.tolist()
    return plain(array.tolist())


def _written(rows: Any) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode("utf-8", "replace")


class _Sink(io.RawIOBase):
    """A file that keeps what was written until it is taken."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        self._parts.append(bytes(content))
        return len(self._parts[-1])

    def taken(self) -> bytes:
        content = b"".join(self._parts)
        self._parts.clear()
        return content
