"""Two structures laid over each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

import numpy as np
import xarray as xr

from pellucid.inside.structure.arrays import ROOT
from pellucid.inside.structure.differing import group_change, node_change, shapes_of
from pellucid.inside.structure.signatures import children_of

Child = tuple[bool, int]
Pair = tuple[Child | None, Child | None]
MANY = 1500  # neighbours, above which the matcher may leave out what is frequent
COPIED_NODE = (
    "node_name",
    "operator",
    "node_kind",
    "shape",
    "dtype",
    "parameters",
    "flops",
    "bytes",
    "seconds",
)
COPIED_GROUP = (
    "group_name",
    "group_label",
    "group_type",
    "group_call",
    "group_parameters",
    "group_attends",
)


@dataclass
class Side:
    """One of the two: its arrays, and what lies in each of its groups."""

    data: xr.Dataset
    children: list[list[Child]] = field(init=False)
    shapes: list[str] = field(init=False)

    def __post_init__(self) -> None:
        parents, groups = self.data["group_parent"].values, self.data["node_group"].values
        self.children = children_of(parents.tolist(), groups.tolist())
        self.shapes = shapes_of(self.data, self.children)

    def name(self, child: Child) -> tuple[str, ...]:
        """What a child is called among its siblings."""
        is_group, place = child
        if is_group:
            return (
                "group",
                str(self.data["group_label"].values[place]),
                str(self.data["group_call"].values[place]),
            )
        return "node", str(self.data["operator"].values[place])

    def built(self, child: Child) -> tuple[str, ...]:
        """How a child is built, whatever it is called."""
        is_group, place = child
        return ("group", self.shapes[place]) if is_group else self.name(child)


@dataclass
class Union:
    """All nodes and groups of both, in one order: (parent, place in the first, in the second)."""

    groups: list[tuple[int, int, int]] = field(default_factory=lambda: [(-1, ROOT, ROOT)])
    nodes: list[tuple[int, int, int]] = field(default_factory=list)


def merged(a: xr.Dataset, b: xr.Dataset) -> xr.Dataset:
    """Arrays of both structures as one, with marks."""
    first, second, union = Side(a), Side(b), Union()
    _descend(first, second, (ROOT, ROOT), ROOT, union)
    node_of = [{row[side]: place for place, row in enumerate(union.nodes)} for side in (1, 2)]
    variables: dict[str, Any] = {}
    for name in COPIED_NODE:
        variables[name] = ("node", _chosen(a[name].values, b[name].values, union.nodes))
    for name in COPIED_GROUP:
        variables[name] = ("group", _chosen(a[name].values, b[name].values, union.groups))
    variables["node_group"] = ("node", np.array([row[0] for row in union.nodes], dtype=np.int32))
    variables["group_parent"] = (
        "group",
        np.array([row[0] for row in union.groups], dtype=np.int32),
    )
    variables["group_twin"] = ("group", np.full(len(union.groups), -1, dtype=np.int32))
    marks = [node_change(a, b, one, other) for _, one, other in union.nodes]
    variables |= _marked("node", marks)
    variables |= _marked("group", _group_marks(a, b, union, [mark for mark, _ in marks]))
    variables |= _edges(a, b, node_of)
    for side, data in (("first", a), ("second", b)):
        for name in ("parameters", "flops", "bytes"):
            variables[f"{name}_{side}"] = ((), float(np.nansum(data[name].values)))
        variables[f"parameters_{side}"] = ((), float(data["group_parameters"].values[ROOT]))
    return xr.Dataset(
        variables, attrs={"how": b.attrs.get("how", ""), "separator": b.attrs.get("separator", ".")}
    )


def _descend(first: Side, second: Side, pair: tuple[int, int], parent: int, union: Union) -> None:
    """Align what lies in a group of each (-1: in none), and write it down in order."""
    one, other = pair
    ours = first.children[one] if one >= 0 else []
    theirs = second.children[other] if other >= 0 else []
    for left, right in _aligned(first, second, ours, theirs):
        is_group = (left or right or (False, 0))[0]
        row = (parent, left[1] if left else -1, right[1] if right else -1)
        if is_group:
            union.groups.append(row)
            _descend(first, second, row[1:], len(union.groups) - 1, union)
        else:
            union.nodes.append(row)


def _aligned(first: Side, second: Side, ours: list[Child], theirs: list[Child]) -> list[Pair]:
    """Pairs by name, in an order that both keep; what is left between them by how it is built."""
    pairs: list[Pair] = []
    for tag, low, high, start, end in _blocks(ours, theirs, first.name, second.name):
        if tag == "equal":
            pairs += list(zip(ours[low:high], theirs[start:end], strict=True))
            continue
        left, right = ours[low:high], theirs[start:end]
        for inner, a0, a1, b0, b1 in _blocks(left, right, first.built, second.built):
            if inner == "equal" or _are_nodes(left[a0:a1], right[b0:b1]):
                pairs += list(zip(left[a0:a1], right[b0:b1], strict=True))
            else:
                pairs += [(child, None) for child in left[a0:a1]]
                pairs += [(None, child) for child in right[b0:b1]]
    return pairs


def _are_nodes(ours: list[Child], theirs: list[Child]) -> bool:
    """Whether as many operators stand where others stood: each was exchanged for one."""
    return len(ours) == len(theirs) and not any(is_group for is_group, _ in (*ours, *theirs))


def _blocks(
    ours: Sequence[Child],
    theirs: Sequence[Child],
    name: Callable[[Child], Any],
    other: Callable[[Child], Any],
) -> Sequence[tuple[str, int, int, int, int]]:
    keys, others = [name(child) for child in ours], [other(child) for child in theirs]
    matcher = SequenceMatcher(None, keys, others, autojunk=max(len(keys), len(others)) > MANY)
    return matcher.get_opcodes()


def _chosen(ours: Any, theirs: Any, rows: list[tuple[int, int, int]]) -> Any:
    """Values of the second, or of the first where something is in that alone."""
    values = [theirs[other] if other >= 0 else ours[one] for _, one, other in rows]
    kind = np.str_ if ours.dtype.kind in "UT" else np.result_type(ours.dtype, theirs.dtype)
    return np.array(values, dtype=kind)


def _marked(dimension: str, marks: list[tuple[str, str]]) -> dict[str, Any]:
    return {
        f"{dimension}_mark": (dimension, np.array([mark for mark, _ in marks], dtype=np.str_)),
        f"{dimension}_change": (dimension, np.array([words for _, words in marks], dtype=np.str_)),
    }


def _group_marks(
    a: xr.Dataset, b: xr.Dataset, union: Union, node_marks: list[str]
) -> list[tuple[str, str]]:
    """A group in both is the same where all in it is."""
    touched = [False] * len(union.groups)
    for (group, _, _), mark in zip(union.nodes, node_marks, strict=True):
        touched[group] = touched[group] or mark != "same"
    for place in range(len(union.groups) - 1, 0, -1):
        parent, one, other = union.groups[place]
        touched[parent] = touched[parent] or touched[place] or one < 0 or other < 0
    return [
        group_change(a, b, one, other, touched=inside)
        for (_, one, other), inside in zip(union.groups, touched, strict=True)
    ]


def _edges(a: xr.Dataset, b: xr.Dataset, node_of: list[dict[int, int]]) -> dict[str, Any]:
    """Edges of both, each once."""
    found: dict[tuple[int, int], str] = {}
    for data, places in ((a, node_of[0]), (b, node_of[1])):
        ends = zip(
            data["edge_source"].values.tolist(),
            data["edge_target"].values.tolist(),
            data["edge_kind"].values.tolist(),
            strict=True,
        )
        for source, target, kind in ends:
            found[places[source], places[target]] = kind
    pairs = np.array(list(found), dtype=np.int32).reshape(-1, 2)
    return {
        "edge_source": ("edge", pairs[:, 0]),
        "edge_target": ("edge", pairs[:, 1]),
        "edge_kind": ("edge", np.array(list(found.values()), dtype=np.str_)),
    }
