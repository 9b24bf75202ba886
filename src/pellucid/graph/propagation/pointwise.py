"""Pointwise parts of a graph: a function of each value by itself, however many operators it takes.

SiLU is recorded as x · sigmoid(x), one form of GELU as seven operators. Where branches of
pointwise operators that start from the same tensor meet in a product, the whole is one function
of that tensor, and rules treat it as one: the same function gets the same attribution, whichever
way it is written.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from jaxtyping import Float
from torch import Tensor, fx

from pellucid.graph.propagation.kinds import BRANCHES, COMPARISONS, JOINS, KINKED, POINTWISE

Operate = Callable[[fx.Node, tuple[Any, ...], dict[str, Any]], Any]


@dataclass(frozen=True)
class Part:
    """A pointwise part of a graph: `nodes` in order, from what follows `root` to the last."""

    root: fx.Node
    nodes: tuple[fx.Node, ...]

    @property
    def smooth(self) -> bool:
        """Whether the function has a derivative everywhere."""
        return not any(node.target in KINKED or node.target in BRANCHES for node in self.nodes)

    def function(self, values: Mapping[fx.Node, Any], operate: Operate) -> Callable[..., Tensor]:
        """The function itself; whatever else it needs is as in `values`."""
        own = {self.root, *self.nodes}
        needed = {i for node in self.nodes for i in node.all_input_nodes if i not in own}
        fixed = {node: values[node] for node in needed}

        def run(root: Float[Tensor, " *shape"]) -> Float[Tensor, " *shape"]:
            known = fixed | {self.root: root}
            for node in self.nodes:
                args, kwargs = fx.node.map_arg((node.args, node.kwargs), known.__getitem__)
                known[node] = operate(node, args, kwargs)
            result: Tensor = known[self.nodes[-1]]
            return result

        return run


def pointwise_parts(graph: fx.Graph, moving: Collection[fx.Node]) -> dict[fx.Node, Part]:
    """Parts by their last node: single pointwise operators, and where branches of a root meet.

    `moving` are the nodes that depend on what is explained; all others are fixed.
    """
    chains: dict[fx.Node, tuple[fx.Node, ...]] = {}
    parts: dict[fx.Node, Part] = {}
    for node in graph.nodes:
        sources = [source for source in node.all_input_nodes if source in moving]
        if not sources or node.target not in POINTWISE | JOINS | COMPARISONS:
            continue
        root = _common([chains.get(source, (source,)) for source in sources])
        if root is None or _shape(root) != _shape(node):
            continue
        chains[node] = (node, *chains.get(root, (root,)))
        if node.target in POINTWISE or (len(sources) > 1 and node.target in BRANCHES):
            parts[node] = Part(root, _between(root, node, moving))
    return parts


def _common(chains: list[tuple[fx.Node, ...]]) -> fx.Node | None:
    """The nearest tensor that all branches are pointwise functions of."""
    return next((node for node in chains[0] if all(node in chain for chain in chains)), None)


def _between(root: fx.Node, last: fx.Node, moving: Collection[fx.Node]) -> tuple[fx.Node, ...]:
    found: dict[fx.Node, None] = {}

    def visit(node: fx.Node) -> None:
        if node is root or node in found:
            return
        for source in node.all_input_nodes:
            if source in moving:
                visit(source)
        found[node] = None

    visit(last)
    return tuple(found)


def _shape(node: fx.Node) -> tuple[str, ...] | None:
    value = node.meta.get("val")
    return tuple(map(str, value.shape)) if isinstance(value, Tensor) else None
