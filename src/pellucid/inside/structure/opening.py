"""Which groups of a graph are open in an export."""

from __future__ import annotations

from collections.abc import Sequence

from pellucid.errors import SpecError, closest
from pellucid.views import Graph


def opened_to(graph: Graph, depth: int | None, names: Sequence[str]) -> tuple[int, ...]:
    """Groups down to `depth` levels, and those with a name of `names`, outer ones first.

    Without either, those that the view opens. Raises SpecError for an unknown name, or a depth
    below 0.
    """
    if depth is not None and depth < 0:
        raise SpecError(f"depth is {depth}; expected 0 (all closed) or more.")
    if depth is None and not names:
        return graph.opened
    parents = graph.parents.tolist()
    groups = sorted(set(parents) - {-1})
    levels: dict[int, int] = {}
    for item in groups:
        # A run of groups built alike is no level of its own.
        own = graph.kinds[item] != "repeat"
        levels[item] = levels.get(parents[item], 0) + own
    chosen = {item for item in groups if depth is not None and levels[item] <= depth}
    for name in names:
        chosen |= _around(graph, parents, groups, name)
    return tuple(sorted(chosen, key=lambda item: (levels[item], item)))


def _around(graph: Graph, parents: list[int], groups: list[int], name: str) -> set[int]:
    """A group and those around it."""
    known = {full_name(graph, item): item for item in groups if graph.kinds[item] != "repeat"}
    if name not in known:
        raise SpecError(f"there is no group {name!r} to open. {closest(name, known)}")
    found, item = set(), known[name]
    while item >= 0:
        found.add(item)
        item = parents[item]
    return found


def full_name(graph: Graph, item: int) -> str:
    """The name of a group as the model has it."""
    column = next((c for c in graph.details if c.name == "module"), None)
    return str(column.values[item]) if column else graph.labels[item]
