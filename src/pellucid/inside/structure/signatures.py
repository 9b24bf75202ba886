"""Which modules are built alike: the same operators, shapes and wiring inside."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pellucid.inside.structure.parts import Module, Operator

if TYPE_CHECKING:
    from pellucid.inside.structure.arrays import Tree

LEAST_OPERATORS = 2  # in a block, for it to be shown once for several


def signatures(
    tree: Tree, operators: Sequence[Operator], modules: Mapping[tuple[str, ...], Module]
) -> list[str]:
    """One text per group; equal texts mean equal classes, operators, shapes, counts and wiring.

    What comes from outside is numbered in the order in which it is met.
    """
    hashes = [hashlib.sha256() for _ in tree.parents]
    for each, path in zip(hashes, tree.paths, strict=True):
        module = modules.get(path)
        each.update(f"{module.type if module else ''}".encode())
    starts: dict[int, int] = {}
    met: dict[int, dict[int, int]] = {}
    for place, one in enumerate(operators):
        group = inner = tree.groups[place]
        while group >= 0:
            start = starts.setdefault(group, place)
            outside = met.setdefault(group, {})
            inside = [
                place - s if s >= start else -1 - outside.setdefault(s, len(outside))
                for s in one.inputs
            ]
            path = tree.paths[inner][len(tree.paths[group]) :]
            told = (one.operator, one.shape, one.dtype, one.parameters, one.flops, path, inside)
            hashes[group].update(repr(told).encode())
            group = tree.parents[group]
    return [each.hexdigest()[:16] for each in hashes]


def twins_of(parents: Sequence[int], groups: Sequence[int], signed: Sequence[str]) -> list[int]:
    """For each group the first of the neighbours that are built like it, -1 where there is none.

    Neighbours follow each other in their parent without an operator between them.
    """
    sizes = [0] * len(parents)
    for group in groups:
        while group >= 0:
            sizes[group] += 1
            group = parents[group]
    twins = [-1] * len(parents)
    for run in _runs(parents, groups, signed):
        if len(run) > 1 and sizes[run[0]] >= LEAST_OPERATORS:
            for group in run:
                twins[group] = run[0]
    return twins


def _runs(parents: Sequence[int], groups: Sequence[int], signed: Sequence[str]) -> list[list[int]]:
    """Neighbouring children of one parent with one signature."""
    children = children_of(parents, groups)
    runs: list[list[int]] = []
    for siblings in children:
        before = ""
        for is_group, place in siblings:
            if is_group and signed[place] == before:
                runs[-1].append(place)
            elif is_group:
                runs.append([place])
            before = signed[place] if is_group else ""
    return runs


def children_of(parents: Sequence[int], groups: Sequence[int]) -> list[list[tuple[bool, int]]]:
    """What lies directly in each group, in order: (is it a group, its number)."""
    children: list[list[tuple[bool, int]]] = [[] for _ in parents]
    met = {0}
    for node, group in enumerate(groups):
        chain = []
        inner = group
        while inner not in met:
            met.add(inner)
            chain.append(inner)
            inner = parents[inner]
        for each in reversed(chain):
            children[parents[each]].append((True, each))
        children[group].append((False, node))
    return children
