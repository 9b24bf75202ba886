"""A user's model is frozen while it is explained, and afterwards as it was before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

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
def batch_norms_in_order(module: nn.Module) -> Iterator[None]:
    """Give batch norms the gradients of a single sample in plain order, inside the block.

    PyTorch (2.14, on CPUs) takes the gradient of one sample that comes back from flattened and
    transposed cells, as in LeViT, for one in another order, and gives wrong numbers without a word.
    Not for blocks that trace the module: a module with hooks is another one to a graph.
    """

    def reorder(_module: nn.Module, _arguments: object, output: object) -> None:
        if isinstance(output, Tensor) and output.requires_grad and len(output) == 1:
            output.register_hook(Tensor.contiguous)  # type: ignore[no-untyped-call]

    with ExitStack() as hooks:
        for part in module.modules():
            if isinstance(part, _BatchNorm):
                hooks.callback(part.register_forward_hook(reorder).remove)
        yield


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
