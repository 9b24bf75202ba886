"""Which input of a model is explained, and what it holds."""

from __future__ import annotations

import torch
from torch import Tensor

from pellucid.data import InputKind
from pellucid.errors import MethodError
from pellucid.model import Inputs, Model


def explained_input(model: Model, inputs: Inputs) -> str:
    """Name the input that is explained: the model's own, else the only one that it can be."""
    own = getattr(model.input, "argument", "input_ids")
    if own in inputs:
        return own
    floating = [name for name, tensor in inputs.items() if tensor.is_floating_point()]
    for names in (["input_ids"] if "input_ids" in inputs else [], floating, list(inputs)):
        if len(names) == 1:
            return names[0]
    raise MethodError(
        f"the inputs {sorted(inputs)} leave open which one to explain. "
        "Give the model an input record whose `argument` names it."
    )


def kind_of(tensor: Tensor) -> InputKind:
    """Tell what a prepared tensor holds: token indices, pictures (n, c, h, w), or other arrays."""
    if tensor.dtype in (torch.int64, torch.int32):
        if tensor.ndim > 3:
            raise MethodError(
                f"an input of whole numbers of shape {tuple(tensor.shape)} was given; expected token "
                "indices (n, tokens), or pixels in floating point."
            )
        return "text"
    if not tensor.is_floating_point():
        raise MethodError(
            f"an input of type {tensor.dtype} was given; expected floating-point pixels or "
            "features, or int64 token indices."
        )
    return "image" if tensor.ndim == 4 else "array"
