"""What there is to see, and to say, of two structures' difference."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import xarray as xr

from pellucid.inside.structure.amounts import amount
from pellucid.inside.structure.as_json import EDGE, GROUP, NODE, records
from pellucid.inside.structure.items import Item, graph_view
from pellucid.views import Column, Table, View
from pellucid.views.prose import counted, listed
from pellucid.views.wording import entries

MOST_ROWS = 300


def difference_views(data: xr.Dataset) -> list[View]:
    """Both graphs as one, and the table of what is different."""
    return [graph_of(data), changes_table(data)]


def graph_of(data: xr.Dataset) -> View:
    """The two graphs as one; the second's figures."""

    def marks(item: Item) -> tuple[str, str]:
        if item.node >= 0:
            mark, words = _at(data, "node", item.node)
            around = _at(data, "group", item.group)[1] if item.group >= 0 else ""
            return mark, "; ".join(dict.fromkeys(filter(None, (words, around))))
        return _at(data, "group", item.group)

    return graph_view(
        data,
        title="What is different",
        caption=(
            f"From {data.attrs.get('first', 'the first')} to {data.attrs.get('second', 'the second')}, both in one graph. "
            "Blue with + was added, orange with − was removed, purple with ≠ changed or holds "
            "something that changed; the rest is the same."
        ),
        marks=marks,
    )


def _at(data: xr.Dataset, dimension: str, place: int) -> tuple[str, str]:
    return (
        str(data[f"{dimension}_mark"].values[place]),
        str(data[f"{dimension}_change"].values[place]),
    )


def changes(data: xr.Dataset) -> list[tuple[str, str, str, str, int]]:
    """What is different: (mark, name, class or operator, words, parameters), modules as wholes."""
    rows: list[tuple[str, str, str, str, int]] = []
    parents, marks = data["group_parent"].values, data["group_mark"].values
    for group in range(1, data.sizes["group"]):
        mark, words = _at(data, "group", group)
        whole = mark in ("added", "removed") and marks[parents[group]] != mark
        if whole or words:
            name, kind = (str(data[n].values[group]) for n in ("group_name", "group_type"))
            rows.append((mark, name, kind, words, int(data["group_parameters"].values[group])))
    for node in range(data.sizes["node"]):
        mark, words = _at(data, "node", node)
        around = int(data["node_group"].values[node])
        if mark == "same" or marks[around] == mark != "changed":
            continue
        name = str(data["group_name"].values[around]) or "(the model)"
        kind = str(data["operator"].values[node])
        rows.append((mark, name, kind, words, int(data["parameters"].values[node])))
    return rows


def changes_table(data: xr.Dataset) -> Table:
    """What was added, removed or changed."""
    rows = changes(data)
    shown = rows[:MOST_ROWS]
    more = f" The first {MOST_ROWS} of {len(rows):,} are listed." if len(rows) > MOST_ROWS else ""
    return Table(
        title="Differences",
        caption=f"Modules first, then operators; what is inside an added or removed module counts with it.{more}",
        columns=(
            Column(name="difference", values=tuple(row[0] for row in shown)),
            Column(name="in", values=tuple(row[1] for row in shown)),
            Column(name="class or operator", values=tuple(row[2] for row in shown)),
            Column(name="what changed", values=tuple(row[3] for row in shown)),
            Column(name="parameters", values=tuple(row[4] for row in shown), format=",d"),
        ),
    )


def difference_table(data: xr.Dataset) -> tuple[list[str], list[list[str]]]:
    """The table as strings: columns and rows."""
    columns = changes_table(data).columns
    return [c.name for c in columns], [list(r) for r in zip(*map(entries, columns), strict=True)]


def difference_summary(data: xr.Dataset) -> str:
    """What is different, in a paragraph."""
    first, second = data.attrs.get("first", "the first"), data.attrs.get("second", "the second")
    counts = Counter(data["node_mark"].values.tolist())
    if set(counts) <= {"same"} and not (data["group_mark"].values != "same").any():
        return (
            f"{first} and {second} are built alike: all {counts['same']:,} operators are the same."
        )
    told = [
        f"{counted(counts[mark], 'operator')} {mark}"
        for mark in ("added", "removed", "changed")
        if counts[mark]
    ]
    marks, parents = data["group_mark"].values.tolist(), data["group_parent"].values.tolist()
    whole = [
        f"{name} ({mark})"
        for mark, name, parent in zip(marks, data["group_name"].values, parents, strict=True)
        if mark in ("added", "removed") and marks[parent] != mark
    ]
    opening = f"From {first} to {second}, {listed(told) or 'no operator differs'}; "
    lines = [opening + f"{counted(counts['same'], 'operator')} the same.", _parameters(data)]
    if whole:
        lines.append(f"Whole parts that differ: {listed(list(dict.fromkeys(whole)), 4)}.")
    return " ".join(lines)


def _parameters(data: xr.Dataset) -> str:
    before, after = float(data["parameters_first"]), float(data["parameters_second"])
    if before == after:
        return f"Both have {before:,.0f} parameters."
    return f"Parameters go from {before:,.0f} to {after:,.0f} ({_signed(after - before)})."


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else '−'}{abs(value):,.0f}"


def difference_headline(data: xr.Dataset) -> list[tuple[str, str, str]]:
    """Give the tiles: operators the same, added, removed, changed; parameters and FLOPs."""
    counts = Counter(data["node_mark"].values.tolist())
    tiles = [
        (f"Operators {mark}", f"{counts[mark]:,}", f"of {data.sizes['node']:,} in both")
        for mark in ("same", "changed", "added", "removed")
    ]
    for name, label in (("parameters", "Parameters"), ("flops", "FLOPs")):
        before, after = float(data[f"{name}_first"]), float(data[f"{name}_second"])
        tiles.append((label, amount(after), f"before: {amount(before)}"))
    return tiles


def difference_json(data: xr.Dataset) -> dict[str, Any]:
    """Give counts, differences, and all operators, modules and edges with their marks."""
    counts = Counter(data["node_mark"].values.tolist())
    node = NODE | {"mark": "node_mark", "change": "node_change"}
    group = GROUP | {"mark": "group_mark", "change": "group_change"}
    names = ("difference", "in", "what", "change", "parameters")
    totals = {
        f"{name}_{side}": _number(float(data[f"{name}_{side}"]))
        for name in ("parameters", "flops", "bytes")
        for side in ("first", "second")
    }
    return {
        "kind": "structure_difference",
        "first": data.attrs.get("first", ""),
        "second": data.attrs.get("second", ""),
        "counts": {mark: counts[mark] for mark in ("same", "changed", "added", "removed")},
        **totals,
        "differences": [dict(zip(names, row, strict=True)) for row in changes(data)],
        "modules": records(data, group, data.sizes["group"]),
        "operators": records(data, node, data.sizes["node"]),
        "edges": records(data, EDGE, data.sizes["edge"]),
    }


def _number(value: float) -> int | float:
    return int(value) if np.isfinite(value) and value.is_integer() else value
