"""What changed between two operators, or two modules, in words."""

from __future__ import annotations

import hashlib

import xarray as xr

Change = tuple[str, str]
TOLD_NODE = (
    ("operator", "operator"),
    ("shape", "shape"),
    ("dtype", "type"),
    ("parameters", "parameters"),
)


def node_change(a: xr.Dataset, b: xr.Dataset, one: int, other: int) -> Change:
    """Mark and words for an operator at `one` in the first and `other` in the second; -1 is none."""
    if one < 0 or other < 0:
        return ("added" if one < 0 else "removed"), ""
    changes = [
        (words, a[name].values[one], b[name].values[other])
        for name, words in TOLD_NODE
        if a[name].values[one] != b[name].values[other]
    ]
    return ("changed" if changes else "same"), _told(changes)


def group_change(a: xr.Dataset, b: xr.Dataset, one: int, other: int, *, touched: bool) -> Change:
    """Mark and words for a module; `touched` says that something in it is not the same."""
    if one < 0 or other < 0:
        return ("added" if one < 0 else "removed"), ""
    named = (("group_type", "class"), ("group_parameters", "parameters"))
    changes = [
        (words, a[name].values[one], b[name].values[other])
        for name, words in named
        if a[name].values[one] != b[name].values[other]
    ]
    before, after = a["group_name"].values[one], b["group_name"].values[other]
    renamed = f"renamed from {before}" if before != after else ""
    words = "; ".join(filter(None, (_told(changes), renamed)))
    return ("changed" if changes or touched else "same"), words


def _told(changes: list[tuple[str, object, object]]) -> str:
    return "; ".join(f"{words} {_plain(old)} → {_plain(new)}" for words, old, new in changes)


def _plain(value: object) -> str:
    return str(value) or "none" if isinstance(value, str) else f"{value:,}"


def shapes_of(data: xr.Dataset, children: list[list[tuple[bool, int]]]) -> list[str]:
    """A text for each group; equal ones hold the same operators with the same shapes and counts."""
    parents = data["group_parent"].values.tolist()
    texts: list[str] = [""] * len(parents)
    for group in reversed(range(len(parents))):
        digest = hashlib.sha256(str(data["group_type"].values[group]).encode())
        for is_group, place in children[group]:
            if is_group:
                digest.update(texts[place].encode())
                continue
            told = [str(data[name].values[place]) for name, _ in TOLD_NODE]
            digest.update("|".join(told).encode())
        texts[group] = digest.hexdigest()[:16]
    return texts
