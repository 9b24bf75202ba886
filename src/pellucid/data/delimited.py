"""CSV and TSV files, row by row: whatever is wrong is named by its line."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pellucid.data.report import DataReport
from pellucid.errors import DataError

DELIMITERS = ",;\t|"
LONGEST_VALUE = 2**24
ROWS_PER_CHUNK = 2**16


def read_header(path: Path) -> list[str]:
    """Names of the columns. Raises DataError for a file that is empty or not UTF-8."""
    with _opened(path) as reader:
        header = next(reader, None)
    if not header:
        raise DataError(f"{path} has an empty first line; expected the names of its columns there.")
    return [name.strip() for name in header]


def read_delimited(
    path: Path, columns: Sequence[str], report: DataReport
) -> tuple[dict[str, Any], NDArray[np.int64]]:
    """Read `columns` as Arrow arrays of strings (rows,), with the position of each row.

    A row that does not have as many values as the header is left out and reported by its line.
    Blank lines do not count. Raises DataError for a file that is not UTF-8.
    """
    header = read_header(path)
    chosen = [header.index(column) for column in columns]
    positions: list[int] = []
    pending: list[list[str]] = []
    chunks: list[list[Any]] = []
    with _opened(path) as reader:
        next(reader)
        for position, row in _whole_rows(reader, len(header), report):
            positions.append(position)
            pending.append(row)
            if len(pending) == ROWS_PER_CHUNK:
                chunks.append(_arrays(pending, chosen))
                pending = []
    chunks.append(_arrays(pending, chosen))
    found = map(pa.chunked_array, zip(*chunks, strict=True))
    return dict(zip(columns, found, strict=True)), np.asarray(positions, dtype=np.int64)


def _arrays(rows: list[list[str]], chosen: list[int]) -> list[Any]:
    return [pa.array([row[index] for row in rows], pa.string()) for index in chosen]


def _whole_rows(reader: Any, width: int, report: DataReport) -> Iterator[tuple[int, list[str]]]:
    """Rows of `width` values with their positions; the others go into the report."""
    position = 0
    while True:
        first = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error:
            reason = f"a value of over {LONGEST_VALUE:,} characters; is a quote not closed?"
            report.add(_lines(first, reader.line_num), reason)
            position += 1
            continue
        if row is None:
            return
        if len(row) == width:
            yield position, row
        elif not "".join(row).strip():
            continue
        else:
            found = f"{len(row)} value{'s' if len(row) > 1 else ''}"
            report.add(_lines(first, reader.line_num), f"{found}, where the header has {width}")
        position += 1


def _lines(first: int, last: int) -> str:
    return f"line {first}" if first >= last else f"lines {first} to {last}"


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open a CSV reader that takes long values; puts the old limit back."""
    before = csv.field_size_limit(LONGEST_VALUE)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            delimiter = _delimiter(path, file.readline())
            file.seek(0)
            yield csv.reader(file, delimiter=delimiter)
    except UnicodeDecodeError as error:
        raise DataError(_not_utf8(path)) from error
    except csv.Error as error:
        raise DataError(f"{path}: its first line cannot be read as CSV ({error}).") from error
    finally:
        csv.field_size_limit(before)


def _delimiter(path: Path, header: str) -> str:
    if path.suffix.lower() == ".tsv":
        return "\t"
    return max(DELIMITERS, key=header.count)


def _not_utf8(path: Path) -> str:
    wide = path.read_bytes()[:2] in (b"\xff\xfe", b"\xfe\xff")
    where = "" if wide else f" (line {_first_bad_line(path)})"
    encoding = "UTF-16" if wide else "WINDOWS-1252"
    return (
        f"{path} is not UTF-8{where}. Convert it, for example with: "
        f"iconv -f {encoding} -t UTF-8 {path.name} > converted{path.suffix}"
    )


def _first_bad_line(path: Path) -> int:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return number
    return number
