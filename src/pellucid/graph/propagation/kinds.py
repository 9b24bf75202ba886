"""Kinds of operators: what a rule may rely on.

| kind | an operator f that | examples |
|---|---|---|
| moves | only places values elsewhere | reshape, cat, slicing, where with a fixed condition |
| sums | is linear in all its tensors together | add, mean, average pooling |
| products | is linear in each of its tensors alone | mul, matmul, convolution, linear |
| pointwise | maps each value by itself | relu, gelu, exp |
| fills | looks at the shape of its tensors alone | full_like, zeros_like |
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import torch
from torch import fx

aten = torch.ops.aten
Operator = Any


def _all(*names: str) -> set[Operator]:
    """All overloads of ATen operators; names that this version of PyTorch lacks are left out."""
    packets = [getattr(aten, name) for name in names if hasattr(aten, name)]
    return {getattr(packet, overload) for packet in packets for overload in packet.overloads()}


MOVES = _all(
    "alias", "cat", "clone", "constant_pad_nd", "contiguous", "detach", "diagonal", "expand",
    "flatten", "flip", "gather", "im2col", "index", "index_put", "index_select", "lift_fresh_copy",
    "masked_fill", "narrow", "permute", "pixel_shuffle", "pixel_unshuffle", "reflection_pad1d",
    "reflection_pad2d", "repeat", "repeat_interleave", "replication_pad1d", "replication_pad2d",
    "reshape", "roll", "scatter", "select", "select_scatter", "slice", "slice_scatter", "split",
    "split_with_sizes", "squeeze", "stack", "t", "_to_copy", "transpose", "tril", "triu", "unbind",
    "unfold", "unsqueeze", "view", "where", "_unsafe_index", "_unsafe_view", "as_strided", "copy",
)  # fmt: skip

SUMS = _all(
    "add", "sub", "rsub", "neg", "mean", "sum", "cumsum", "avg_pool1d", "avg_pool2d", "avg_pool3d",
    "_adaptive_avg_pool2d", "_adaptive_avg_pool3d", "adaptive_avg_pool1d", "adaptive_avg_pool2d",
    "col2im", "index_add", "scatter_add", "upsample_bicubic2d", "upsample_bilinear2d",
    "upsample_linear1d", "upsample_nearest1d", "upsample_nearest2d", "upsample_trilinear3d",
    "_upsample_bilinear2d_aa", "_upsample_bicubic2d_aa",
)  # fmt: skip

FILLS = _all(
    "empty_like", "full_like", "new_empty", "new_full", "new_ones", "new_zeros", "ones_like",
    "sym_size", "zeros_like",
)  # fmt: skip
LAYERS = _all("addmm", "baddbmm", "conv1d", "conv2d", "conv3d", "convolution", "linear")
PRODUCTS = LAYERS | _all("bmm", "dot", "einsum", "matmul", "mm", "mul", "mv")

SMOOTH = _all(
    "atan", "cos", "elu", "erf", "exp", "expm1", "gelu", "log", "log10", "log1p", "log2",
    "log_sigmoid_forward", "mish", "pow", "reciprocal", "rsqrt", "selu", "sigmoid", "silu", "sin",
    "softplus", "sqrt", "square", "tanh",
)  # fmt: skip
KINKED = _all(
    "abs", "ceil", "celu", "clamp", "clamp_max", "clamp_min", "floor", "fmod", "hardsigmoid",
    "hardswish", "hardtanh", "leaky_relu", "prelu", "_prelu_kernel", "relu", "relu6", "round",
    "sign", "threshold",
)  # fmt: skip
POINTWISE = SMOOTH | KINKED
CASTS = _all("_to_copy")
DIVISIONS = {aten.div.Tensor, aten.div.Scalar}
EXTREMES = {aten.maximum.default, aten.minimum.default}
COMPARISONS = _all("gt", "ge", "lt", "le", "eq", "ne", "logical_and", "logical_or", "logical_not")
BRANCHES = {aten.mul.Tensor, aten.where.self, *DIVISIONS, *EXTREMES}
JOINS = BRANCHES | _all("add", "sub", "rsub", "neg", "_to_copy")
RELUS = _all(
    "relu", "relu6", "leaky_relu", "prelu", "_prelu_kernel", "elu", "celu", "selu", "gelu", "silu",
    "mish", "softplus", "hardswish", "threshold",
)  # fmt: skip
WINNERS = _all("max_pool2d_with_indices", "max_pool3d_with_indices", "amax", "amin", "max", "min")
NORMALIZERS = _all("rsqrt", "reciprocal", "linalg_vector_norm", "var", "std")
SOFTMAXES = _all("softmax", "_softmax")
LOG_SOFTMAXES = _all("log_softmax", "_log_softmax")
LAYER_NORMS = {aten.layer_norm.default, aten.native_layer_norm.default}
GATES = _all("sigmoid", "hardsigmoid") | SOFTMAXES


def is_relu(node: fx.Node) -> bool:
    """Tell whether a node is a rectifier, smooth ones and ReLU6 included."""
    low = node.args[1] if node.target is aten.clamp.default and len(node.args) > 1 else None
    low = node.args[1] if node.target is aten.hardtanh.default and len(node.args) > 1 else low
    return node.target in RELUS or (isinstance(low, int | float) and low == 0)


def producer(node: fx.Node, through: Collection[Operator]) -> fx.Node:
    """Follow a node back through operators of one input to the one that computed its values."""
    while node.target in through and len(node.all_input_nodes) == 1:
        node = node.all_input_nodes[0]
    return node
