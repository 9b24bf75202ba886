"""The labelled arrays of a structure: operators (node), edges, and modules (group).

A group is one call of a module: a module that is called twice has two. Groups are in the order of
their first operator, parents before their children; group 0 is the model.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from pellucid.inside.structure.parts import Module, Operator, Parts
from pellucid.inside.structure.signatures import signatures, twins_of
from pellucid.inside.structure.wiring import attention_of, edge_kinds, edges_of, roles

Path = tuple[str, ...]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
ROOT = 0
RECURRENT = re.compile("(LSTM|GRU|RNN)(Cell)?$")


@dataclass
class Tree:
    """Calls of modules: parent, path and number of the call; and the group of each operator."""

    parents: list[int] = field(default_factory=lambda: [-1])
    paths: list[Path] = field(default_factory=lambda: [()])
    calls: list[int] = field(default_factory=lambda: [1])
    groups: list[int] = field(default_factory=list)


def grow(operators: tuple[Operator, ...]) -> Tree:
    """Group operators by module. What comes back to a module that was left is a further call."""
    tree = Tree()
    counts: dict[Path, int] = {}
    stack = [ROOT]
    for one in operators:
        depth = 0
        while (
            depth < min(len(stack) - 1, len(one.path))
            and tree.paths[stack[depth + 1]][-1] == one.path[depth]
        ):
            depth += 1
        del stack[depth + 1 :]
        for end in range(depth + 1, len(one.path) + 1):
            path = one.path[:end]
            counts[path] = counts.get(path, 0) + 1
            tree.parents.append(stack[-1])
            tree.paths.append(path)
            tree.calls.append(counts[path])
            stack.append(len(tree.paths) - 1)
        tree.groups.append(stack[-1])
    return tree


def arrays(parts: Parts) -> xr.Dataset:
    """All of a structure as arrays."""
    operators = parts.operators
    tree = grow(operators)
    twins = twins_of(tree.parents, tree.groups, signatures(tree, operators, parts.modules))
    recurrent = _recurrent(parts)
    edges = np.array(edges_of(operators), dtype=np.int32).reshape(-1, 2)
    data = xr.Dataset(
        {
            **_nodes(operators, tree, recurrent),
            "edge_source": ("edge", edges[:, 0]),
            "edge_target": ("edge", edges[:, 1]),
            "edge_kind": ("edge", _texts(edge_kinds(operators, recurrent))),
            **_groups(tree, parts, operators, twins),
        }
    )
    data.attrs = {"how": parts.how, "why": parts.why, "separator": parts.separator}
    return data


def _recurrent(parts: Parts) -> frozenset[int]:
    """Operators of LSTM, GRU and RNN, whose sums and products are no connections past layers."""
    known = {path for path, module in parts.modules.items() if RECURRENT.search(module.type)}
    return frozenset(place for place, one in enumerate(parts.operators) if one.path in known)


def _nodes(
    operators: tuple[Operator, ...], tree: Tree, recurrent: frozenset[int]
) -> dict[str, Any]:
    def numbers(name: str, unit: str) -> Any:
        values = np.array([getattr(one, name) for one in operators], dtype=np.float64)
        return "node", values, {"units": unit}

    def texts(name: str) -> Any:
        return "node", _texts([getattr(one, name) for one in operators])

    parameters = np.array([one.parameters for one in operators], dtype=np.int64)
    return {
        "node_name": texts("name"),
        "operator": texts("operator"),
        "node_kind": ("node", _texts(roles(operators, recurrent))),
        "node_group": ("node", np.array(tree.groups, dtype=np.int32)),
        "shape": texts("shape"),
        "dtype": texts("dtype"),
        "parameters": ("node", parameters, {"units": "numbers"}),
        "flops": numbers("flops", "FLOPs per sample"),
        "bytes": numbers("bytes", "bytes per sample"),
        "seconds": numbers("seconds", "s"),
    }


def _groups(
    tree: Tree, parts: Parts, operators: tuple[Operator, ...], twins: list[int]
) -> dict[str, Any]:
    modules = [_module(path, parts.modules) for path in tree.paths]
    summed = sums(
        np.array([one.parameters for one in operators], dtype=np.float64),
        np.array(tree.groups, dtype=np.int64),
        np.array(tree.parents, dtype=np.int64),
    )
    counts = [
        (0 if call > 1 else module.parameters) if module else int(own)
        for module, call, own in zip(modules, tree.calls, summed, strict=True)
    ]
    return {
        "group_name": ("group", _texts([parts.separator.join(path) for path in tree.paths])),
        "group_label": ("group", _texts([path[-1] if path else "" for path in tree.paths])),
        "group_type": ("group", _texts([m.type if m else "" for m in modules])),
        "group_parent": ("group", np.array(tree.parents, dtype=np.int32)),
        "group_call": ("group", np.array(tree.calls, dtype=np.int32)),
        "group_parameters": ("group", np.array(counts, dtype=np.int64), {"units": "numbers"}),
        "group_twin": ("group", np.array(twins, dtype=np.int32)),
        "group_attends": ("group", _attends(tree, operators)),
    }


def _module(path: Path, modules: Mapping[Path, Module]) -> Module | None:
    return modules.get(path)


def _attends(tree: Tree, operators: tuple[Operator, ...]) -> NDArray[np.bool_]:
    """Whether a group is the innermost one around an attention."""
    found = np.zeros(len(tree.paths), dtype=np.bool_)
    for place in attention_of(operators):
        found[tree.groups[place]] = tree.groups[place] != ROOT
    return found


def sums(values: Floats, groups: Ints, parents: Ints) -> Floats:
    """Sum values of nodes over each group and what it contains; an unknown part makes it NaN."""
    totals = np.zeros(len(parents))
    np.add.at(totals, groups, values)
    for group in range(len(parents) - 1, 0, -1):
        totals[parents[group]] += totals[group]
    return totals


def group_sums(data: xr.Dataset, name: str) -> Floats:
    """Sum a figure of the nodes (``flops``) over each group; NaN only where nothing is known."""
    values = data[name].values.astype(np.float64)
    groups = data["node_group"].values.astype(np.int64)
    parents = data["group_parent"].values.astype(np.int64)
    known = sums(np.isfinite(values).astype(np.float64), groups, parents)
    total = sums(np.nan_to_num(values), groups, parents)
    return np.where(known > 0, total, math.nan)


def _texts(values: list[str]) -> NDArray[np.str_]:
    return np.array(values, dtype=np.str_) if values else np.zeros(0, dtype="<U1")
