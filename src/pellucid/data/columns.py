"""Columns of a table as data: which holds the texts, which the labels, and what they mean."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pellucid.data.protocol import UNLABELLED, Data
from pellucid.data.report import DataReport
from pellucid.errors import DataError, closest

TEXT_COLUMNS = (
    "text",
    "sentence",
    "review",
    "content",
    "input",
    "comment",
    "message",
    "document",
    "tweet",
    "body",
    "question",
)
LABEL_COLUMNS = ("label", "labels", "target", "class", "category", "sentiment", "y")


@dataclass(frozen=True, eq=False)
class Texts:
    """Reads texts by position from an Arrow column of strings (samples,)."""

    column: Any

    def __call__(self, index: int) -> str:
        return str(self.column[index].as_py())


def row_id(position: int | np.int64, split: str) -> str:
    """Id of the row at `position`, counted from 0: ``row-000017``, or ``train/row-000017``."""
    return f"{split}/row-{position:06d}" if split else f"row-{position:06d}"


def find_column(
    source: str, columns: Sequence[str], known: Sequence[str], asked: str | None
) -> str | None:
    """Find the column `asked` for, or the first of `known` names in any case, or None.

    Raises DataError if `asked` is no column, or the name is there twice.
    """
    lower = {column.lower(): column for column in columns}
    found = asked or next((lower[name] for name in known if name in lower), None)
    if found is None:
        return None
    if found not in columns:
        raise DataError(f"{source}: there is no column {found!r}. {closest(found, columns)}")
    if columns.count(found) > 1:
        raise DataError(
            f"{source}: {columns.count(found)} columns are named {found!r}; rename one."
        )
    return found


def find_text_and_label(
    source: str, columns: Sequence[str], options: Mapping[str, str]
) -> tuple[str, str | None]:
    """Find the text column and, if there is one, the label column; `options` may name them.

    A column of any name holds the texts if it is the only one besides the labels. Raises DataError
    if there is no telling which one does.
    """
    text = find_column(source, columns, TEXT_COLUMNS, options.get("text"))
    rest = [column for column in columns if column != text]
    label = find_column(source, rest, LABEL_COLUMNS, options.get("label"))
    others = [column for column in rest if column != label]
    if text is None and len(others) == 1:
        return others[0], label
    if text is None:
        raise DataError(
            f"{source}: none of its columns {', '.join(map(repr, columns))} is named like a text "
            f"({', '.join(TEXT_COLUMNS)}). Rename it, or name it: ?text=COLUMN&label=COLUMN after "
            "the file. The first line of a CSV or TSV is read as the names of its columns."
        )
    return text, label


def as_strings(source: str, name: str, column: Any) -> Any:
    """Turn an Arrow column of strings or numbers into one of strings. Raises DataError if not one.

    Whole floating-point numbers are written without a point; NaN becomes null.
    """
    try:
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        if pa.types.is_floating(column.type):
            column = pc.if_else(pc.is_nan(column), None, column)
            whole = pc.all(pc.equal(pc.floor(column), column)).as_py()
            column = column.cast(pa.int64()) if whole else column
        if column.type in (pa.string(), pa.large_string()):
            return column
        return column.cast(pa.string())
    except pa.ArrowException as error:
        raise DataError(
            f"{source}: column {name!r} holds values of type {column.type}, which cannot be read "
            "as strings; expected strings or numbers. Choose another with ?text= or ?label=."
        ) from error


def label_names(source: str, name: str, column: Any) -> Any:
    """Labels as an Arrow column of strings without surrounding blanks; null where there is none."""
    trimmed = pc.utf8_trim_whitespace(as_strings(source, name, column))
    return pc.if_else(pc.equal(trimmed, ""), None, trimmed)


def class_order(names: Iterable[str]) -> tuple[str, ...]:
    """Order classes by number if all are finite numbers, else alphabetically, each once."""
    unique = sorted(set(names))
    try:
        numbers = {name: float(name) for name in unique}
    except ValueError:
        return tuple(unique)
    if not all(map(math.isfinite, numbers.values())):
        return tuple(unique)
    return tuple(sorted(unique, key=numbers.__getitem__))


def class_indices(labels: Any, classes: Sequence[str]) -> NDArray[np.int64]:
    """Index (rows,) of each label among `classes`, -1 for null."""
    found = pc.fill_null(pc.index_in(labels, value_set=pa.array(classes, labels.type)), -1)
    return np.asarray(found, dtype=np.int64)


def text_data(
    *,
    source: str,
    split: str,
    texts: Any,
    labels: tuple[str, ...],
    targets: NDArray[np.int64],
    positions: NDArray[np.int64],
    report: DataReport,
) -> Data:
    """Build data from `texts`, an Arrow column of strings (rows,), without rows that lack something.

    Left out and reported are rows without text, and, if any row has a label, rows without label
    (`targets` (rows,) of -1). `positions` (rows,) are those in the file. Raises DataError if
    nothing is left.
    """
    blank = pc.equal(pc.utf8_length(pc.utf8_trim_whitespace(texts)), 0)
    empty = np.asarray(pc.fill_null(blank, True), dtype=bool)
    unlabelled = (targets == UNLABELLED) & (targets != UNLABELLED).any()
    for position in positions[empty]:
        report.add(row_id(position, split), "no text")
    for position in positions[unlabelled & ~empty]:
        report.add(row_id(position, split), "no label")
    kept = ~(empty | unlabelled)
    if not kept.any():
        found = f"none of its {len(kept)} rows is usable" if len(kept) else "it holds no usable row"
        raise DataError(f"{source}: {found}: {report.summary()}. Expected rows of text and label.")
    return Data(
        source=source,
        split=split,
        kind="text",
        labels=labels,
        ids=tuple(row_id(position, split) for position in positions[kept]),
        targets=targets[kept],
        read=Texts(texts if kept.all() else texts.filter(pa.array(kept))),
        report=report,
    )
