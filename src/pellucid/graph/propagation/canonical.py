"""Rewrite a graph so that rules see what they are about: batch norm as part of its layer."""

from __future__ import annotations

from dataclasses import dataclass
from operator import getitem

from torch import Tensor, fx, nn

from pellucid.graph.propagation.kinds import aten

BATCH_NORM = aten._native_batch_norm_legit_no_training.default  # noqa: SLF001


@dataclass(frozen=True, eq=False)
class Canonical:
    """A graph that computes the same as a recorded program, whose tensors are in `module`.

    `now` tells where each node of the program is in the graph.
    """

    module: nn.Module
    graph: fx.Graph
    now: dict[fx.Node, fx.Node]


def unchanged(program: fx.GraphModule) -> Canonical:
    """The graph as it was recorded."""
    return Canonical(program, program.graph, {node: node for node in program.graph.nodes})


def batch_norms_merged(program: fx.GraphModule) -> Canonical:
    """Batch norms after a convolution or linear layer become part of its weight and bias."""
    graph, now = fx.Graph(), dict[fx.Node, fx.Node]()
    for node in program.graph.nodes:
        now[node] = graph.node_copy(node, now.__getitem__)
    for node in list(graph.nodes):
        if node.target is BATCH_NORM and _is_mergeable(node.args[0]):
            _merge(graph, node)
    return Canonical(program, graph, now)


def _is_mergeable(layer: fx.Node) -> bool:
    if layer.target not in (aten.convolution.default, aten.linear.default) or len(layer.users) > 1:
        return False
    transposed = layer.target is aten.convolution.default and bool(layer.args[6])
    return not transposed and _argument(layer, 1).op == "get_attr"


def _merge(graph: fx.Graph, norm: fx.Node) -> None:
    layer, weight, bias, mean, variance, _, epsilon = norm.args
    assert isinstance(layer, fx.Node)
    own_weight, own_bias = layer.args[1], layer.args[2] if len(layer.args) > 2 else None
    with graph.inserting_before(norm):
        scale = graph.call_function(_scale, (weight, variance, epsilon))
        new_weight = graph.call_function(_scaled, (own_weight, scale))
        new_bias = graph.call_function(_shifted, (own_bias, mean, scale, bias))
        args = (layer.args[0], new_weight, new_bias, *layer.args[3:])
        merged = graph.call_function(layer.target, args)  # type: ignore[arg-type]
    merged.meta = dict(layer.meta)
    for user in list(norm.users):
        if user.target is getitem and user.args[1] == 0:
            user.replace_all_uses_with(merged)
            graph.erase_node(user)
    if not norm.users:
        graph.erase_node(norm)
        graph.erase_node(layer)


def _scale(weight: Tensor | None, variance: Tensor, epsilon: float) -> Tensor:
    scale = (variance + epsilon).rsqrt()
    return scale if weight is None else scale * weight


def _scaled(weight: Tensor, scale: Tensor) -> Tensor:
    return weight * scale.view(-1, *(1,) * (weight.ndim - 1))


def _shifted(own: Tensor | None, mean: Tensor, scale: Tensor, bias: Tensor | None) -> Tensor:
    shifted = -mean * scale if own is None else (own - mean) * scale
    return shifted if bias is None else shifted + bias


def _argument(node: fx.Node, place: int) -> fx.Node:
    argument = node.args[place]
    assert isinstance(argument, fx.Node)
    return argument
