"""Suffix: run a model from one layer's output on, as often as needed.

Of everything before the layer, only the frontier is kept: the values that the rest needs beside
the layer's output, such as the other branch of a residual block. So a method that changes a layer
a thousand times pays for the layers after it alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import final

from jaxtyping import Float, Int
from torch import Tensor, fx

from pellucid.errors import LayerError
from pellucid.graph.frontier import after, frontier, has_rows, independent, up_to
from pellucid.graph.propagation.kinds import CASTS, DIVISIONS, FILLS, MOVES, PRODUCTS, SUMS
from pellucid.graph.trace import batch_of, place
from pellucid.model import Inputs, Model


@final
@dataclass(frozen=True, eq=False)
class Suffix:
    """The rest of a model behind `layer`. `prefix` gives the frontier, `rest` takes it."""

    model: Model
    layer: str
    inputs: tuple[str, ...]
    prefix: fx.GraphModule
    rest: fx.GraphModule

    def prepare(self, inputs: Inputs) -> tuple[Tensor, ...]:
        """Compute what has to be kept of n samples: tensors whose first axis is n."""
        return tuple(self.prefix(*place(self.model, self.inputs, inputs)))

    def __call__(
        self, output: Float[Tensor, " m *shape"], kept: tuple[Tensor, ...], rows: Int[Tensor, " m"]
    ) -> Float[Tensor, "m classes"]:
        """Logits with `output` in place of the layer's; row i belongs to sample `rows[i]`."""
        logits: Tensor = self.rest(output, *(tensor[rows] for tensor in kept))
        return logits

    @cached_property
    def is_affine(self) -> bool:
        """Whether the logits are a weighted sum of the layer's output plus what does not depend on it."""
        graph = self.rest.graph
        output = next(node for node in graph.nodes if node.op == "placeholder")
        fixed = independent(graph, lambda node: node is output)
        changing = [
            node for node in graph.nodes if node.op == "call_function" and node not in fixed
        ]
        return all(_is_affine(node, fixed) for node in changing)


def _is_affine(node: fx.Node, fixed: set[fx.Node]) -> bool:
    """Whether an operator is affine in those of its inputs that are not fixed."""
    given: list[fx.Node] = []
    fx.node.map_arg((node.args, node.kwargs), given.append)
    free = [value for value in given if value not in fixed]
    if node.target in DIVISIONS:
        return free == [node.args[0]]
    if node.target in PRODUCTS:
        return len(free) == 1
    return node.target in (SUMS | MOVES | FILLS) - CASTS


def suffix_of(
    model: Model, program: fx.GraphModule, inputs: tuple[str, ...], layer: str, node: fx.Node
) -> Suffix:
    """Cut a recorded program behind a node that holds the output of `layer`.

    Raises LayerError when that output has no row for each sample.
    """
    batch = batch_of(program)
    if not has_rows(node, batch):
        raise LayerError(
            f"layer {layer!r} gives {tuple(node.meta['val'].shape)}, which has no row for each "
            "sample, so the model cannot be run on from there. Name a layer around it."
        )
    whole, copies = _opened(program.graph, node)
    output = copies[node]
    constant = independent(whole, lambda n: n.op == "placeholder")
    frozen = independent(whole, lambda n: n is output)
    kept = frontier(whole, frozen, constant, batch, (output,))
    originals = {copy: original for original, copy in copies.items()}
    prefix = up_to(program, [originals[copy] for copy in kept])
    return Suffix(model, layer, inputs, prefix, after(program, whole, kept, (output,)))


def _opened(graph: fx.Graph, node: fx.Node) -> tuple[fx.Graph, dict[fx.Node, fx.Node]]:
    """Copy a graph with a free value in place of one node, without what only led to it."""
    opened = fx.Graph()
    copies: dict[fx.Node, fx.Node] = {}
    for original in graph.nodes:
        if original is node:
            copies[node] = opened.placeholder("output")
            copies[node].meta = dict(node.meta)
        else:
            copies[original] = opened.node_copy(original, copies.__getitem__)
    opened.eliminate_dead_code()
    return opened, copies
