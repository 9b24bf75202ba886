"""A user's model is frozen while it is explained, and afterwards as it was before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from pellucid.errors import MethodError
from pellucid.model import Model


@contextmanager
def frozen(model: Model) -> Iterator[None]:
    """Evaluate a model with gradients for its inputs alone; put everything back afterwards.

    Works inside the caller's `no_grad` and `inference_mode` too.
    """
    if any(parameter.is_inference() for parameter in model.module.parameters()):
        raise MethodError(
            "the model's weights were made inside torch.inference_mode, which rules out gradients. "
            "Build the model outside of it."
        )
    trainable = [p for p in model.module.parameters() if p.requires_grad]
    with torch.inference_mode(mode=False), torch.enable_grad(), model.evaluating():
        try:
            for parameter in trainable:
                parameter.requires_grad = False
            yield
        finally:
            for parameter in trainable:
                parameter.requires_grad = True


@contextmanager
def intercepted(module: nn.Module, change: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """Replace what a module returns, or the first tensor of a tuple, inside the block."""

    def hook(_module: nn.Module, _arguments: object, output: object) -> object:
        if isinstance(output, tuple) and isinstance(output[0], Tensor):
            return (change(output[0]), *output[1:])
        return change(output) if isinstance(output, Tensor) else output

    handle = module.register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()
