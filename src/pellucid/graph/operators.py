"""The operators a traced model is made of.

Everything is decomposed to core ATen, except for what rules and readers want whole: `linear`,
`matmul`, `layer_norm` and `softmax.int` stay as they are, and `reshape` stands for every view.
Core ATen itself has `convolution`, `gelu`, `sigmoid`, `tanh` and
`_native_batch_norm_legit_no_training` whole. No operator works in place. Fused attention is taken apart, so that the attention
probabilities are the value of a `softmax` in every architecture:

    attention(q, k, v) = softmax(q kᵀ · scale + mask) v
"""

from __future__ import annotations

import math
import operator
from collections.abc import Collection, Mapping
from typing import Any

import torch
from torch import Tensor, fx

aten = torch.ops.aten
CHECKS = (aten._assert_tensor_metadata.default, aten._assert_scalar.default)  # noqa: SLF001
VIEWS = (aten.view.default, aten._unsafe_view.default)  # noqa: SLF001
WHOLE = (aten.linear.default, aten.matmul.default, aten.layer_norm.default, aten.softmax.int)


def decompositions() -> Any:
    """Table of the rules by which operators are taken apart, as the exporter takes it."""
    table: Any = torch.export.default_decompositions()
    for whole in WHOLE:
        table.pop(whole)
    table[aten.scaled_dot_product_attention.default] = attention
    return table


def attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,  # noqa: ARG001
    is_causal: bool = False,
    *,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """Scaled dot-product attention in eval mode, from matmul and softmax.

    A row that may look at nothing gives zero, as in PyTorch.
    """
    if enable_gqa:
        key = key.repeat_interleave(query.shape[-3] // key.shape[-3], -3)
        value = value.repeat_interleave(query.shape[-3] // value.shape[-3], -3)
    factor = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = torch.matmul(query * factor, key.transpose(-2, -1))
    if is_causal:
        ones = torch.ones(query.shape[-2], key.shape[-2], dtype=torch.bool, device=query.device)
        attn_mask = ones.tril()
    if attn_mask is None:
        return torch.matmul(scores.softmax(-1), value)
    if attn_mask.dtype == torch.bool:
        scores = scores.masked_fill(attn_mask.logical_not(), -math.inf)
    else:
        scores = scores + attn_mask
    blind = (scores == -math.inf).all(-1, keepdim=True)
    seen = scores.masked_fill(blind, 0.0).softmax(-1).masked_fill(blind, 0.0)
    return torch.matmul(seen, value)


def drop_decisions(graph: fx.Graph) -> None:
    """Drop the numbers that a recorded call took out of tensors to decide by: they are past."""
    for node in list(graph.nodes):
        if node.target is aten._local_scalar_dense.default and not node.users:  # noqa: SLF001
            graph.erase_node(node)


def simplify(graph: fx.Graph, kept: Collection[fx.Node]) -> None:
    """Drop checks and copies, which a graph without in-place operators does not need.

    `kept` copies stay. A `view` holds only for the memory layout that was recorded, and becomes a
    `reshape`, which holds for any.
    """
    for node in list(graph.nodes):
        if node.target in VIEWS:
            node.target = aten.reshape.default
        elif node.target in CHECKS:
            graph.erase_node(node)
        elif node not in kept and (node.target is aten.clone.default or _is_restriding(node)):
            node.replace_all_uses_with(node.args[0])
            graph.erase_node(node)


def _is_restriding(node: fx.Node) -> bool:
    """Whether an `as_strided` only renames the strides of axes of length one, as pooling does."""
    if node.target is not aten.as_strided.default:
        return False
    old, new = node.all_input_nodes[0].meta["val"], node.meta["val"]
    return str(old.shape) == str(new.shape) and all(
        str(length) == "1" or str(before) == str(after)
        for length, before, after in zip(new.shape, old.stride(), new.stride(), strict=True)
    )


def fold_constants(program: fx.GraphModule, live: set[str]) -> None:
    """Compute once what depends neither on the inputs nor on a `live` tensor of the model.

    The shift masks of a Swin are an example: hundreds of operators, always with the same value.
    """
    values = _constants(program, live)
    for node, value in values.items():
        if any(user not in values for user in node.users) and node.op == "call_function":
            name = f"constant_{node.name}"
            program.register_buffer(name, value, persistent=False)
            with program.graph.inserting_before(node):
                constant = program.graph.get_attr(name)
            constant.meta = dict(node.meta)
            node.replace_all_uses_with(constant)
    program.graph.eliminate_dead_code()


def _constants(program: fx.GraphModule, live: set[str]) -> dict[fx.Node, Tensor]:
    values: dict[fx.Node, Tensor] = {}
    for node in program.graph.nodes:
        if node.op == "get_attr" and node.target not in live:
            found = operator.attrgetter(node.target)(program)
            if isinstance(found, Tensor):
                values[node] = found
        elif node.op == "call_function" and _is_fixed(node, values):
            args, kwargs = fx.node.map_arg((node.args, node.kwargs), values.__getitem__)
            with torch.no_grad():
                values[node] = node.target(*args, **kwargs)
    return values


def _is_fixed(node: fx.Node, values: Mapping[fx.Node, Tensor]) -> bool:
    value = node.meta.get("val")
    random = torch.Tag.nondeterministic_seeded in getattr(node.target, "tags", ())
    fixed = isinstance(value, Tensor) and all(isinstance(length, int) for length in value.shape)
    return fixed and not random and all(source in values for source in node.all_input_nodes)
