"""Lines of metrics as columns of numbers: quickly where they are as usual, with care where not."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import json as arrow_json

from pellucid.studio.curves.columns import MOST_NAMES, Floats

# Rows by kind: the line that each stood in, and their numbers by name.
Rows = dict[str, tuple[Floats, dict[str, Floats]]]
FEW_BYTES = 16 * 1024
BLOCK_BYTES = 8 * 2**20


def parse(content: bytes, first_line: int) -> tuple[Rows, int]:
    """Read whole lines; returns rows by kind, and how many lines there were.

    Numbers alone are kept. What is no JSON object with a kind is passed over.
    """
    if len(content) > FEW_BYTES:
        try:
            return _parsed_by_arrow(content, first_line)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            pass  # lines that do not fit each other: one by one
    return _parsed_one_by_one(content, first_line)


def _parsed_by_arrow(content: bytes, first_line: int) -> tuple[Rows, int]:
    options = arrow_json.ReadOptions(use_threads=True, block_size=BLOCK_BYTES)
    table = arrow_json.read_json(pa.BufferReader(content), read_options=options)
    if table.num_rows != content.count(b"\n") or "kind" not in table.column_names:
        raise pa.ArrowInvalid("not one object with a kind per line")
    kinds = table["kind"]
    if not pa.types.is_string(kinds.type):
        raise pa.ArrowInvalid("kinds that are no text")
    lines = np.arange(first_line, first_line + table.num_rows, dtype=np.float64)
    numeric = {
        name: _floats(table[name])
        for name in table.column_names[:MOST_NAMES]
        if _is_numeric(table[name])
    }
    rows: Rows = {}
    for kind in pc.unique(kinds).drop_null().to_pylist():
        mask = pc.fill_null(pc.equal(kinds, kind), False).to_numpy()
        columns = {name: values[mask] for name, values in numeric.items()}
        kept = {name: values for name, values in columns.items() if not np.isnan(values).all()}
        rows[kind] = (lines[mask], kept)
    return rows, table.num_rows


def _is_numeric(column: Any) -> bool:
    return bool(pa.types.is_floating(column.type) or pa.types.is_integer(column.type))


def _floats(column: Any) -> Floats:
    """Missing entries as NaN, and those that are no numbers as inf."""
    numbers = column.cast(pa.float64())
    values: Floats = numbers.to_numpy()
    undefined = pc.fill_null(pc.is_nan(numbers), False)
    return np.where(undefined.to_numpy(), np.inf, values) if pc.any(undefined).as_py() else values


def _parsed_one_by_one(content: bytes, first_line: int) -> tuple[Rows, int]:
    found: dict[str, list[tuple[int, dict[str, float]]]] = {}
    lines = content.split(b"\n")[:-1]
    for place, line in enumerate(lines, first_line):
        kind, numbers = _numbers(line)
        if kind:
            found.setdefault(kind, []).append((place, numbers))
    return {kind: _columns(rows) for kind, rows in found.items()}, len(lines)


def _numbers(line: bytes) -> tuple[str, dict[str, float]]:
    """Kind and numbers of one line; ("", {}) for one that is none of ours."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return "", {}
    kind = record.get("kind") if isinstance(record, dict) else None
    if not isinstance(kind, str) or not kind:
        return "", {}
    return kind, {str(name): _number(v) for name, v in record.items() if _is_number(v)}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(value: float) -> float:
    """A number that was written; infinity stands for all that are not finite."""
    try:
        number = float(value)
    except OverflowError:
        return math.inf
    return number if math.isfinite(number) else math.inf


def _columns(rows: list[tuple[int, dict[str, float]]]) -> tuple[Floats, dict[str, Floats]]:
    names = list(dict.fromkeys(name for _, numbers in rows for name in numbers))[:MOST_NAMES]
    columns = {
        name: np.array([numbers.get(name, math.nan) for _, numbers in rows]) for name in names
    }
    return np.array([line for line, _ in rows], dtype=np.float64), columns
