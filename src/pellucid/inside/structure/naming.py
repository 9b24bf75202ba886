"""Operators by the names that people use."""

from __future__ import annotations

from torch import fx
from torch._ops import OpOverload

SPOKEN = {
    "_native_batch_norm_legit_no_training": "batch norm",
    "native_layer_norm": "layer norm",
    "native_group_norm": "group norm",
    "max_pool2d_with_indices": "max pool",
    "avg_pool2d": "average pool",
    "_adaptive_avg_pool2d": "average pool",
    "mean": "mean",
    "cat": "concatenate",
    "bmm": "matmul",
    "mm": "matmul",
    "addmm": "linear",
    "split_with_sizes": "split",
    "_softmax": "softmax",
    "hardtanh": "clamp",
    "constant_pad_nd": "pad",
    "_to_copy": "convert",
    "full": "fill",
}
ADD, MULTIPLY, JOIN = frozenset({"add", "sub"}), frozenset({"mul"}), frozenset({"concatenate"})
PRODUCT = frozenset({"matmul"})
# What may stand between the products of an attention and its softmax.
BETWEEN = frozenset(
    {
        "add",
        "mul",
        "div",
        "sub",
        "where",
        "masked fill",
        "reshape",
        "view",
        "expand",
        "permute",
        "transpose",
        "unsqueeze",
        "squeeze",
        "clone",
        "convert",
        "dropout",
        "cast",
        "identity",
    }
)


def spoken(node: fx.Node) -> str:
    """Name of an operator as it is shown: ``convolution``, ``batch norm``, ``max pool``."""
    target = node.target
    written = str(target).split(".") if isinstance(target, OpOverload) else []
    plain = written[1] if len(written) > 1 else getattr(target, "__name__", str(target))
    return SPOKEN.get(plain, plain.strip("_").replace("_", " "))
