"""Graphs as text for other tools: Mermaid, Graphviz, and Google's Model Explorer.

Names come from models and files, and may hold anything: identifiers are numbers, and what is
written as a label is escaped as its language wants it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from pellucid.views import Graph
from pellucid.views.layered import Hierarchy, hierarchy_of

INDENT = "  "
COLOURS = {
    "residual": "#d55e00",
    "skip": "#0b7a5c",
    "gate": "#7a4e9c",
    "data": "#6b7683",
}
FILLS = {"attention": "#fdf0dc", "residual": "#fbe4d6", "join": "#dcf1ea", "gate": "#ece4f2"}
MARKS = {"added": "#0a5c96", "removed": "#a84400", "changed": "#6a3d8f"}
SIGNS = {"added": "+ ", "removed": "− ", "changed": "≠ "}


def mermaid(view: Graph, opened: Collection[int]) -> str:
    """A Mermaid flowchart of what is open."""
    shown = _Shown(view, opened)
    lines = ["flowchart TB"]

    def write(item: int, level: int) -> None:
        margin = INDENT * level
        if item in shown.inside:
            lines.append(f'{margin}subgraph g{item}["{_entities(shown.words(item))}"]')
            for child in shown.inside[item]:
                write(child, level + 1)
            lines.append(f"{margin}end")
            return
        start, end = (
            ('("', '")') if view.kinds[item] in ("operator", "input", "output") else ('["', '"]')
        )
        lines.append(f"{margin}n{item}{start}{_entities(shown.words(item))}{end}")

    for item in shown.tops:
        write(item, 1)
    edges = shown.edges()
    for start, end, kind in edges:
        arrow = "-->" if kind == "data" else f"-. {kind} .->"
        lines.append(f"{INDENT}n{start} {arrow} n{end}")
    for item in shown.leaves():
        fill, stroke = FILLS.get(view.kinds[item], ""), MARKS.get(shown.mark(item), "")
        style = [f"fill:{fill}"] * bool(fill) + [f"stroke:{stroke},stroke-width:3px"] * bool(stroke)
        if style:
            lines.append(f"{INDENT}style n{item} {','.join(style)}")
    return "\n".join(lines) + "\n"


def _entities(text: str) -> str:
    """Text within Mermaid's quotes: everything but letters, digits and blanks as an entity."""
    plain = set(" .,_×…−+()/≠")
    return "".join(
        c if c.isalnum() or c in plain else "<br/>" if c == "\n" else f"#{ord(c)};" for c in text
    )


def dot(view: Graph, opened: Collection[int]) -> str:
    """A Graphviz digraph of what is open; groups are clusters."""
    shown = _Shown(view, opened)
    lines = [
        "digraph model {",
        '  graph [rankdir=TB, fontname="Helvetica", fontsize=11, compound=true];',
        '  node [shape=box, style="rounded,filled", fillcolor=white, fontname="Helvetica", fontsize=10];',
        f'  edge [color="{COLOURS["data"]}", arrowsize=0.6];',
    ]

    def write(item: int, level: int) -> None:
        margin = INDENT * level
        if item in shown.inside:
            lines.append(f"{margin}subgraph cluster_{item} {{")
            lines.append(
                f'{margin}{INDENT}label={_quoted(shown.words(item))}; style="rounded,filled"; fillcolor="#eef2f6";'
            )
            for child in shown.inside[item]:
                write(child, level + 1)
            lines.append(f"{margin}}}")
            return
        looks = [f"label={_quoted(shown.words(item))}"]
        if view.kinds[item] in FILLS:
            looks.append(f'fillcolor="{FILLS[view.kinds[item]]}"')
        if shown.mark(item) in MARKS:
            looks.append(f'color="{MARKS[shown.mark(item)]}", penwidth=2')
        lines.append(f"{margin}n{item} [{', '.join(looks)}];")

    for item in shown.tops:
        write(item, 1)
    for start, end, kind in shown.edges():
        style = "" if kind == "data" else f' [color="{COLOURS[kind]}", tooltip="{kind}"]'
        lines.append(f"{INDENT}n{start} -> n{end}{style};")
    return "\n".join([*lines, "}"]) + "\n"


def _quoted(text: str) -> str:
    """A double-quoted string of Graphviz: only quotes and backslashes have a meaning there."""
    printed = "".join(
        c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text
    )
    escaped = printed.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


class _Shown:
    """What is seen of a graph where some groups are open: of several alike, the first."""

    def __init__(self, view: Graph, opened: Collection[int]) -> None:
        self.view = view
        self.hierarchy: Hierarchy = hierarchy_of(view)
        self.inside: dict[int, list[int]] = {}
        self.tops = self.hierarchy.children[self.hierarchy.root]
        waiting = list(self.tops)
        while waiting:
            item = waiting.pop()
            if item in opened and self.hierarchy.children[item]:
                self.inside[item] = self.hierarchy.children[self.hierarchy.shown(item)]
                waiting += self.inside[item]
        self._seen = self._representatives()

    def _representatives(self) -> list[int]:
        """For each item the closed box that stands for it."""
        parents = self.hierarchy.parents
        found = [-1] * len(parents)
        boxes = {child for items in (self.tops, *self.inside.values()) for child in items}
        for item in range(len(parents) - 1):
            parent = parents[item]
            above = found[parent] if parent != self.hierarchy.root else -1
            found[item] = (
                above if above >= 0 else item if item in boxes - self.inside.keys() else -1
            )
        return found

    def leaves(self) -> Iterator[int]:
        """Closed boxes."""
        return iter(sorted(set(self._seen) - {-1}))

    def edges(self) -> list[tuple[int, int, str]]:
        """Edges between closed boxes, once each; data hides another kind of the same way."""
        view, found = self.view, dict[tuple[int, int], str]()
        edges = zip(view.sources.tolist(), view.targets.tolist(), view.edge_kinds, strict=True)
        for source, target, kind in edges:
            if self._is_between_twins(source, target):
                continue
            start, end = self._end(source), self._end(target)
            if start >= 0 and end >= 0 and start != end:
                known = found.setdefault((start, end), kind)
                found[start, end] = "data" if "data" in (known, kind) else known
        return [(start, end, kind) for (start, end), kind in found.items()]

    def _is_between_twins(self, source: int, target: int) -> bool:
        """Whether an edge goes from one of several groups to another, which are shown as one."""
        parents, around = self.hierarchy.parents, set()
        item = source
        while item != self.hierarchy.root:
            around.add(item := parents[item])
        item = parents[target]
        while item not in around:
            item = parents[item]
        return item in self.inside and self.hierarchy.is_folded(item)

    def _end(self, operator: int) -> int:
        """The box of an operator; of one inside a block that is not shown, its counterpart's."""
        item, source = operator, operator
        while item != self.hierarchy.root:
            if self.hierarchy.is_folded(item) and item in self.inside:
                source = self.hierarchy.counterpart(item, source)
            item = self.hierarchy.parents[item]
        return self._seen[source]

    def mark(self, item: int) -> str:
        return self.view.marks[item] if self.view.marks else ""

    def words(self, item: int) -> str:
        """Name, class and shape of an item, in two lines."""
        view = self.view
        times = f" ×{int(view.times[item])}" if view.times[item] > 1 else ""
        sign = SIGNS.get(self.mark(item), "")
        shape = next((str(c.values[item]) for c in view.details if c.name == "output shape"), "")
        below = ", ".join(filter(None, (view.types[item], shape.replace(" × ", "×"))))
        return f"{sign}{view.labels[item]}{times}" + (f"\n{below}" if below else "")


def model_explorer(view: Graph, name: str) -> dict[str, Any]:
    """A graph collection as Google's Model Explorer reads it, with every operator.

    See github.com/google-ai-edge/model-explorer, `graph_builder.py`. A slash separates the levels
    of a namespace there, so names have another stroke in its place.
    """
    parents = view.parents.tolist()
    inner = set(parents)
    incoming: dict[int, list[int]] = {}
    for source, target in zip(view.sources.tolist(), view.targets.tolist(), strict=True):
        incoming.setdefault(target, []).append(source)
    leaves = [item for item in range(len(view.labels)) if item not in inner]
    spaces = _namespaces(view, parents)
    nodes = [
        {
            "id": str(item),
            "label": view.labels[item],
            "namespace": spaces[parents[item]] if parents[item] >= 0 else "",
            "attrs": _attributes(view, item),
            "incomingEdges": [
                {
                    "sourceNodeId": str(source),
                    "sourceNodeOutputId": "0",
                    "targetNodeInputId": str(n),
                }
                for n, source in enumerate(incoming.get(item, []))
            ],
        }
        for item in leaves
    ]
    groups = {
        spaces[item]: {each["key"]: each["value"] for each in _attributes(view, item)}
        for item in sorted(inner - {-1})
        if view.kinds[item] != "repeat"
    }
    return {
        "label": name,
        "graphs": [{"id": name, "nodes": nodes, "groupNodeAttributes": groups}],
    }


def _namespaces(view: Graph, parents: list[int]) -> dict[int, str]:
    spaces: dict[int, str] = {}
    for item in sorted(set(parents) - {-1}):
        above = spaces.get(parents[item], "")
        own = (
            ""
            if view.kinds[item] == "repeat"
            else view.labels[item].replace("/", "\N{DIVISION SLASH}")
        )
        spaces[item] = "/".join(filter(None, (above, own)))
    return spaces


def _attributes(view: Graph, item: int) -> list[dict[str, str]]:
    told = [("class", view.types[item]), ("kind", view.kinds[item])]
    told += [(column.name, str(column.values[item])) for column in view.details]
    return [{"key": key, "value": value} for key, value in told if value]
