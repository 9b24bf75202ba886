"""``table:FILE``: texts and labels from a CSV, TSV or Parquet file, or a folder of them.

Columns are found by name (`TEXT_COLUMNS` and `LABEL_COLUMNS` of `pellucid.data.columns`, in that
order, in any case), or given as ``table:FILE?text=COLUMN&label=COLUMN``; without a label column
the data is unlabelled, as it is if that column is empty. In ``table:DIR``, files named like splits
(``train.csv``, ``test.parquet``) are splits and share one list of classes. Classes are ordered by number if all are numbers, else
alphabetically. Values of a CSV are separated by a comma, semicolon, tab or bar, whichever its first
line has most of.

An id is the position of the row in its file, counted from 0 without header and blank lines, as in
``row-000017``, or ``train/row-000017`` where files are splits. Left out and reported are rows without text, rows without label, and rows of a CSV
with more or fewer values than its header. A file that is not UTF-8 is refused with a command that
converts it, since a wrong guess would change texts without a word.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pellucid.data.columns import (
    LABEL_COLUMNS,
    as_strings,
    class_indices,
    class_order,
    find_column,
    find_text_and_label,
    label_names,
    text_data,
)
from pellucid.data.delimited import read_delimited, read_header
from pellucid.data.protocol import Data
from pellucid.data.report import DataReport
from pellucid.data.source import TABLE_SUFFIXES, Source, read_options
from pellucid.data.splits import ALIASES, by_split
from pellucid.errors import DataError, SpecError


def load(rest: str) -> Source:
    """Open the table or folder of tables `rest`; see the module for options and rules."""
    name, options = read_options(rest, ("text", "label"))
    source, path = f"table:{rest}", Path(name).expanduser()
    files = _files(source, path)
    return Source(
        splits=tuple(split for split in files if split),
        read=functools.partial(_read, source, files, options),
    )


def _files(source: str, path: Path) -> dict[str, Path]:
    """Files by split, or the only file under ""."""
    if not path.exists():
        raise DataError(f"{source}: there is no such file or folder. Check the path.")
    if path.is_file():
        if path.suffix.lower() not in TABLE_SUFFIXES:
            raise SpecError(
                f"{source} ends in {path.suffix!r}; expected {', '.join(TABLE_SUFFIXES)}."
            )
        return {"": path}
    tables = [
        file
        for file in sorted(path.iterdir())
        if file.suffix.lower() in TABLE_SUFFIXES and not file.name.startswith(".")
    ]
    named = {file.stem: file for file in tables if file.stem.lower() in ALIASES}
    if len(named) < sum(file.stem in named for file in tables):
        raise DataError(f"{source}: two files of one name for a split. Remove one, or name a file.")
    if named:
        return {split: named[stem] for split, stem in by_split(named).items()}
    if len(tables) != 1:
        found = ", ".join(file.name for file in tables[:8]) or f"no {', '.join(TABLE_SUFFIXES)}"
        raise DataError(
            f"{source}: the folder holds {found}. Expected one table, or train.csv, val.csv and "
            "test.csv (or .tsv, .parquet). Name the file instead."
        )
    return {"": tables[0]}


def _read(source: str, files: Mapping[str, Path], options: Mapping[str, str], split: str) -> Data:
    report = DataReport()
    path = files[split]
    text, label = find_text_and_label(source, _column_names(path), options)
    columns, positions = _columns(path, [text, label] if label else [text], report)
    nothing = pa.nulls(len(positions), pa.string())
    names = label_names(source, label, columns[label]) if label else nothing
    elsewhere = _labels_of_others(source, files, options, path)
    classes = class_order([*_unique(names), *elsewhere])
    return text_data(
        source=source,
        split=split,
        texts=as_strings(source, text, columns[text]),
        labels=classes,
        targets=class_indices(names, classes),
        positions=positions,
        report=report,
    )


def _labels_of_others(
    source: str, files: Mapping[str, Path], options: Mapping[str, str], path: Path
) -> Iterator[str]:
    """Labels in the files of the other splits."""
    for other in files.values():
        if other == path:
            continue
        names = _column_names(other)
        asked = options.get("label")
        label = find_column(source, names, LABEL_COLUMNS, asked if asked in names else None)
        if label:
            columns, _ = _columns(other, [label], DataReport())
            yield from _unique(label_names(source, label, columns[label]))


def _unique(names: Any) -> list[str]:
    return [name for name in pc.unique(names).to_pylist() if name is not None]


def _column_names(path: Path) -> list[str]:
    if path.suffix.lower() != ".parquet":
        return read_header(path)
    with _parquet(path) as file:
        return list(file.schema_arrow.names)


def _columns(
    path: Path, names: Sequence[str], report: DataReport
) -> tuple[dict[str, Any], NDArray[np.int64]]:
    """Arrow columns by name, and the position of each row."""
    if path.suffix.lower() != ".parquet":
        return read_delimited(path, names, report)
    with _parquet(path) as file:
        table = file.read(columns=list(names))
    columns = {name: table.column(name) for name in names}
    return columns, np.arange(table.num_rows, dtype=np.int64)


@contextmanager
def _parquet(path: Path) -> Iterator[Any]:
    try:
        with pq.ParquetFile(path) as file:
            yield file
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"{path} is damaged or no Parquet file ({error}). Write it again, or save it as .csv."
        ) from error
