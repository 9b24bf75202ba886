"""Make a traced program cheaper to run many times, without touching the model it came from.

Batch norms are folded into the convolution before them, w' = w γ/√(v + ε), in a copy of its
weights; elsewhere they become x γ/√(v + ε) + shift, which holds for any part of a map. Maxima are taken
without their indices.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, fx

aten = torch.ops.aten
BATCH_NORM = aten._native_batch_norm_legit_no_training.default  # noqa: SLF001
MAX_POOL = aten.max_pool2d_with_indices.default


def prepare(program: fx.GraphModule) -> fx.GraphModule:
    """Copy a program, with batch norms folded and maxima plain."""
    graph = fx.Graph()
    output = graph.graph_copy(program.graph, val_map={})
    graph.output(output)
    prepared = fx.GraphModule(program, graph)
    for node in list(prepared.graph.nodes):
        if node.target in (BATCH_NORM, MAX_POOL) and all(_is_first(user) for user in node.users):
            if node.target is MAX_POOL:
                _replace(node, prepared.graph, aten.max_pool2d.default, node.args)
            elif _stored(node.args[1:5]):
                _fold(prepared, node)
    prepared.graph.eliminate_dead_code()
    prepared.graph.lint()
    return prepared


def _is_first(user: fx.Node) -> bool:
    return user.target is operator.getitem and user.args[1:] == (0,)


def _stored(nodes: Iterable[Any]) -> bool:
    """Whether all are tensors of the model, or left out."""
    return all(node is None or node.op == "get_attr" for node in nodes)


def _replace(node: fx.Node, graph: fx.Graph, target: Any, args: tuple[Any, ...]) -> None:
    """Put an operator with one output in the place of the first of several."""
    with graph.inserting_before(node):
        new = graph.call_function(target, args)
    for user in list(node.users):
        new.meta = dict(user.meta)
        user.replace_all_uses_with(new)


def _fold(program: fx.GraphModule, norm: fx.Node) -> None:
    source: Any = norm.args[0]
    scale, shift = _affine(program, norm)
    if _only_used_here(source, norm):
        weight, bias = (_value(program, node) for node in source.args[1:3])
        bias = shift if bias is None else bias.double() * scale + shift
        weight = weight.double() * scale.view(-1, *[1] * (weight.ndim - 1))
        folded = (
            _constant(program, norm, "weight", weight),
            _constant(program, norm, "bias", bias),
        )
        args = (source.args[0], *folded, *source.args[3:])
        _replace(norm, program.graph, source.target, args)
        return
    column = (-1, *[1] * (norm.meta["val"][0].ndim - 2))
    factor = _constant(program, norm, "scale", scale.view(column))
    offset = _constant(program, norm, "shift", shift.view(column))
    _replace(norm, program.graph, aten.addcmul.default, (offset, source, factor))


def _affine(
    program: fx.GraphModule, norm: fx.Node
) -> tuple[Float[Tensor, " channels"], Float[Tensor, " channels"]]:
    """Scale and shift of a batch norm in eval mode, in double precision."""
    weight, bias, mean, variance = (_value(program, node) for node in norm.args[1:5])
    epsilon: Any = norm.args[6]
    assert mean is not None
    assert variance is not None
    scale = (variance.double() + epsilon).rsqrt()
    if weight is not None:
        scale = scale * weight.double()
    shift = -mean.double() * scale
    return scale, shift if bias is None else shift + bias.double()


def _only_used_here(source: fx.Node, norm: fx.Node) -> bool:
    """Whether the source is a plain convolution with own weights that nothing else reads."""
    if source.target is not aten.convolution.default or set(source.users) != {norm}:
        return False
    return not source.args[6] and _stored(source.args[1:3])


def _value(program: fx.GraphModule, node: Any) -> Any:
    return None if node is None else operator.attrgetter(node.target)(program).detach()


def _constant(program: fx.GraphModule, norm: fx.Node, what: str, value: Tensor) -> fx.Node:
    name = f"{norm.name}_folded_{what}"
    layout = torch.channels_last if value.ndim == 4 else torch.contiguous_format
    stored = value.to(norm.meta["val"][0].dtype).contiguous(memory_format=layout)
    program.register_buffer(name, stored)
    with program.graph.inserting_before(norm):
        constant = program.graph.get_attr(name)
    constant.meta = {"val": stored}
    return constant
