"""Words and numbers that all drawers write alike."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from pellucid.views.kinds import Axis, Column

NOTHING = "Nothing to show"
MISSING = "–"
MINUS = "−"


def axis_label(axis: Axis) -> str:
    """The axis' label with its unit in brackets."""
    return f"{axis.label} ({axis.unit})" if axis.unit else axis.label


def shorten(text: str, most: int) -> str:
    """Cut `text` to at most `most` characters, the last of them an ellipsis."""
    return text if len(text) <= most else text[: max(most - 1, 0)].rstrip() + "…"


def formatted(value: Any, spec: str = "") -> str:
    """Format a table's entry: numbers by `spec`, anything that is missing as a dash."""
    if value is None:
        return MISSING
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        return str(value)
    number = float(value)
    if not math.isfinite(number):
        return MISSING if math.isnan(number) else ("∞" if number > 0 else "−∞")
    whole = spec.endswith("d") or (not spec and number.is_integer())
    text = format(round(number), spec or "d") if whole else format(number, spec or ".3g")
    return text.replace("-", MINUS)


def bar_words(signed: bool) -> tuple[str, str, str]:
    """What the low end, the high end and the arrow between them mean on a colour bar."""
    if signed:
        return "speaks against", "speaks for", "↔"
    return "less important", "more important", "→"


def readable_tokens(tokens: Sequence[str]) -> list[tuple[str, bool]]:
    """Each token without its tokenizer's marks, and whether a space goes before it.

    Knows the marks of WordPiece (``##`` continues a word), byte-level BPE (``Ġ``) and
    SentencePiece (``▁``), both of which begin one.
    """
    for mark in ("Ġ", "▁"):
        if any(token.startswith(mark) for token in tokens):
            return [(token.replace(mark, ""), token.startswith(mark)) for token in tokens]
    return [(token.removeprefix("##"), not token.startswith("##")) for token in tokens]


def quantity(value: float, axis: Axis) -> str:
    """A value as words: with its unit, or as a percentage where the axis goes from 0 to 1."""
    if axis.limits == (0.0, 1.0) and not axis.unit:
        percent = 100 * value
        return formatted(percent, ".1f" if 0 < abs(percent) < 10 else ".0f") + " %"
    text = formatted(value, ".3g")
    return f"{text} {axis.unit}" if axis.unit else text


def is_numeric(column: Column) -> bool:
    """Say whether a column holds numbers (and gaps) only."""
    known = [value for value in column.values if value is not None]
    return bool(known) and all(
        hasattr(value, "__float__") and not isinstance(value, bool | str) for value in known
    )


def column_label(column: Column) -> str:
    """A column's name with its unit in brackets."""
    return f"{column.name} ({column.unit})" if column.unit else column.name


def entries(column: Column) -> list[str]:
    """The entries of a column as they are shown: numbers of one column with equal decimals."""
    spec = column.format
    if not spec and is_numeric(column):
        numbers = [float(value) for value in column.values if value is not None]
        whole = all(not math.isfinite(number) or number.is_integer() for number in numbers)
        spec = "d" if whole else ".3g"
    return [formatted(value, spec) for value in column.values]
