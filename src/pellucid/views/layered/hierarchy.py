"""Where each edge of a graph in groups is seen: in the innermost group that holds both its ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from pellucid.views.kinds import Graph

FOLDED = "repeat"


class Inner(NamedTuple):
    """An edge within a group, from one of its children to another; `source` is the operator."""

    start: int
    end: int
    source: int
    kind: str


class Crossing(NamedTuple):
    """An edge across a group's border, at one of its children; `source` is the operator."""

    child: int
    source: int
    kind: str


@dataclass(frozen=True)
class Hierarchy:
    """Lists by item; the last entry of each belongs to the graph as a whole, `root`."""

    children: list[list[int]]
    inner: list[list[Inner]]
    entering: list[list[Crossing]]
    leaving: list[list[Crossing]]
    parents: list[int]
    kinds: tuple[str, ...]

    @property
    def root(self) -> int:
        return len(self.kinds)

    def is_folded(self, item: int) -> bool:
        """Whether an item stands for several groups that are built alike."""
        return item != self.root and self.kinds[item] == FOLDED

    def shown(self, item: int) -> int:
        """The group whose inside is shown when an item is open: of several alike, the first."""
        return self.children[item][0] if self.is_folded(item) else item

    def counterpart(self, item: int, source: int) -> int:
        """The operator that stands for `source` where only the first of several alike is shown."""
        if not self.is_folded(item):
            return source
        twin = source
        while self.parents[twin] != item and self.parents[twin] != self.root:
            twin = self.parents[twin]
        return source - twin + self.children[item][0] if self.parents[twin] == item else source


def hierarchy_of(view: Graph) -> Hierarchy:
    """Sort a graph's items and edges into its groups."""
    root = len(view.labels)
    parents = [root if parent < 0 else parent for parent in view.parents.tolist()]
    depths = [0] * root + [-1]
    children: list[list[int]] = [[] for _ in range(root + 1)]
    for item, parent in enumerate(parents):
        depths[item] = depths[parent] + 1
        children[parent].append(item)
    found = Hierarchy(
        children=children,
        inner=[[] for _ in children],
        entering=[[] for _ in children],
        leaving=[[] for _ in children],
        parents=parents,
        kinds=view.kinds,
    )
    edges = zip(view.sources.tolist(), view.targets.tolist(), view.edge_kinds, strict=True)
    for source, target, kind in edges:
        _enter(found, depths, source, target, kind)
    return found


def _enter(found: Hierarchy, depths: list[int], source: int, target: int, kind: str) -> None:
    """Climb from both ends to where they meet, and write down each border on the way."""
    start, end, parents = source, target, found.parents
    while parents[start] != parents[end]:
        if depths[start] >= depths[end]:
            found.leaving[parents[start]].append(Crossing(start, source, kind))
            start = parents[start]
        else:
            found.entering[parents[end]].append(Crossing(end, source, kind))
            end = parents[end]
    if start != end:
        found.inner[parents[start]].append(Inner(start, end, source, kind))
