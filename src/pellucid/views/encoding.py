"""Views as JSON plus binary columns, for what draws them outside Python.

``encode`` puts every array into the columns and leaves ``{"$column": name}`` in the document;
names tell where the array belongs (``series/0/y``). Records become ``{"$kind": …}``, mappings
``{"$map": [[key, value], …]}``, and the numbers that JSON lacks ``{"$number": "nan"}``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import ResultError, closest
from pellucid.views import kinds

Columns = dict[str, NDArray[Any]]
RECORDS: dict[str, type[Any]] = {
    name: record
    for name, record in vars(kinds).items()
    if isinstance(record, type) and is_dataclass(record)
}


def encode(view: kinds.View) -> tuple[dict[str, Any], Columns]:
    """Take a view apart into a JSON document and the arrays it refers to."""
    columns: Columns = {}
    return _record(view, "", columns), columns


def decode(document: Mapping[str, Any], columns: Mapping[str, NDArray[Any]]) -> kinds.View:
    """Put a view together again. Raises ResultError for what `encode` does not write."""
    view = _decoded(document, columns)
    if not isinstance(view, kinds.View):
        raise ResultError(f"this document holds {type(view).__name__}; expected a view.")
    return view


def _record(record: Any, path: str, columns: Columns) -> dict[str, Any]:
    document = {"$kind": type(record).__name__}
    for item in fields(record):
        where = f"{path}/{item.name}" if path else item.name
        document[item.name] = _encoded(getattr(record, item.name), where, columns)
    return document


def _encoded(value: Any, path: str, columns: Columns) -> Any:
    match value:
        case np.ndarray():
            columns[path] = value
            return {"$column": path}
        case np.generic():
            return _encoded(value.item(), path, columns)
        case float() if not math.isfinite(value):
            return {"$number": str(value)}
        case None | bool() | int() | float() | str():
            return value
        case list() | tuple():
            return [_encoded(part, f"{path}/{i}", columns) for i, part in enumerate(value)]
        case Mapping():
            pairs = enumerate(value.items())
            return {"$map": [_encoded(pair, f"{path}/{i}", columns) for i, pair in pairs]}
        case _ if type(value).__name__ in RECORDS:
            return _record(value, path, columns)
    raise ResultError(
        f"a view holds {type(value).__name__} in {path!r}; expected numbers, strings, arrays, "
        "tuples or mappings of them."
    )


def _decoded(value: Any, columns: Mapping[str, NDArray[Any]]) -> Any:
    match value:
        case list() | tuple():
            return tuple(_decoded(part, columns) for part in value)
        case {"$column": str(name)}:
            if name not in columns:
                raise ResultError(f"column {name!r} is missing. {closest(name, columns)}")
            return columns[name]
        case {"$number": str(text)}:
            return float(text)
        case {"$map": pairs}:
            return dict(_decoded(pairs, columns))
        case {"$kind": str(name), **parts}:
            return _built(name, {str(key): _decoded(part, columns) for key, part in parts.items()})
        case Mapping():
            raise ResultError(f"a record without a kind, with {sorted(value)}; expected '$kind'.")
    return value


def _built(name: str, parts: dict[str, Any]) -> Any:
    if name not in RECORDS:
        raise ResultError(f"A view of kind {name!r} is unknown. {closest(name, RECORDS)}")
    try:
        return RECORDS[name](**parts)
    except TypeError as error:
        raise ResultError(f"{name} cannot be built: {error}") from error
