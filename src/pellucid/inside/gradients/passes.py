"""One backward pass per sample: the gradients of the loss for every parameter and layer output.

A pass per sample is exact for any architecture, recurrent ones included, and gives the Fisher
information, the batches' mean gradients and the flow at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.attribution.freezing import batch_norms_in_order
from pellucid.errors import DataError, ModelError
from pellucid.model import Inputs, Model


@dataclass(frozen=True, kw_only=True)
class Pass:
    """What one sample's backward pass gave.

    `gradients` of its cross-entropy by parameter name, zero where it does not depend on one;
    `flow` the length of the gradient at each watched layer's output, in the order of calls.
    """

    loss: float
    predicted: int
    target: int
    gradients: dict[str, Tensor]
    flow: dict[str, float]


@contextmanager
def differentiable(model: Model, seed: int) -> Iterator[dict[str, nn.Parameter]]:
    """Evaluate a model with gradients for all its parameters, frozen ones too; put all back.

    Yields the parameters by name. The random state inside is `seed`'s, for layers that draw in
    evaluation mode too, and outside as it was. Raises ModelError for weights that rule out gradients.
    """
    found = {n: p for n, p in model.module.named_parameters() if p.dtype.is_floating_point}
    if any(parameter.is_inference() for parameter in found.values()):
        raise ModelError(
            "the model's weights were made inside torch.inference_mode, which rules out gradients. "
            "Build the model outside of it."
        )
    frozen = [parameter for parameter in found.values() if not parameter.requires_grad]
    # cuDNN's recurrent layers have no backward pass in evaluation mode.
    recurrent = any(isinstance(part, nn.RNNBase) for part in model.module.modules())
    with ExitStack() as outer:
        outer.enter_context(torch.inference_mode(mode=False))
        outer.enter_context(torch.enable_grad())
        outer.enter_context(model.evaluating())
        outer.enter_context(batch_norms_in_order(model.module))
        outer.enter_context(torch.random.fork_rng(devices=[]))
        if recurrent:
            outer.enter_context(torch.backends.cudnn.flags(enabled=False))
        torch.default_generator.manual_seed(seed)
        try:
            for parameter in frozen:
                parameter.requires_grad = True
            yield found
        finally:
            for parameter in frozen:
                parameter.requires_grad = False


@dataclass
class Watch:
    """Squares of the gradient's length at the outputs of layers, in the order of their calls."""

    squares: dict[str, float] = field(default_factory=dict)

    def clear(self) -> None:
        self.squares.clear()

    def see(self, name: str, output: object) -> None:
        """Listen for the gradient at every tensor that a layer returns."""
        self.squares.setdefault(name, 0.0)
        for tensor in _tensors(output):
            if tensor.requires_grad:
                # A hook on the tensor gets the gradient before any later in-place change.
                tensor.register_hook(  # type: ignore[no-untyped-call]
                    lambda gradient, name=name: self._add(name, gradient)
                )

    def _add(self, name: str, gradient: Tensor) -> None:
        self.squares[name] += float(gradient.detach().double().square().sum())


@contextmanager
def watching(module: nn.Module, layers: Sequence[str]) -> Iterator[Watch]:
    """Watch the outputs of the named layers inside the block."""
    watch = Watch()
    with ExitStack() as hooks:
        for name in layers:
            hook = module.get_submodule(name).register_forward_hook(
                lambda _m, _a, output, name=name: watch.see(name, output)
            )
            hooks.callback(hook.remove)
        yield watch


def layers_with_weights(module: nn.Module, within: Sequence[str] | None) -> list[str]:
    """Layers with parameters of their own, and every chosen one; all but the whole model."""
    found = []
    for name, part in module.named_modules():
        inside = within is None or any(name.startswith(f"{layer}.") for layer in within)
        own = inside and next(part.parameters(recurse=False), None) is not None
        if name and (own or (within is not None and name in within)):
            found.append(name)
    return found


def backward(
    model: Model,
    inputs: Inputs,
    target: int | None,
    parameters: dict[str, nn.Parameter],
    watch: Watch,
    sample: str,
) -> Pass:
    """Differentiate one sample's cross-entropy; for its own prediction where `target` is None.

    Raises ModelError where the output is no row of finite logits, or depends on no parameter,
    DataError for a class that the model does not have.
    """
    watch.clear()
    logits = model.logits(inputs)
    if logits.ndim != 2 or len(logits) != 1 or logits.shape[1] < 2:
        raise ModelError(
            f"{model.source} returned an output of shape {tuple(logits.shape)} for one sample; "
            "expected one row with a logit for each of two or more classes. Gradients of a "
            "classifier's loss are what can be looked at."
        )
    if not bool(logits.isfinite().all()):
        raise ModelError(
            f"{model.source} gave outputs that are not finite (NaN or infinity) for {sample!r}, so "
            "its loss has no gradient. Look for the damage with inspect_weights.",
            samples=[sample],
        )
    predicted = int(logits.argmax(1))
    chosen = predicted if target is None else target
    if chosen >= logits.shape[1]:
        raise DataError(
            f"{sample!r} has class {chosen}, but the model gives {logits.shape[1]} outputs, counted "
            "from 0. Use data with the classes that the model was trained on."
        )
    loss = F.cross_entropy(logits.float(), torch.tensor([chosen], device=logits.device))
    if not loss.requires_grad:
        raise ModelError(
            f"the output of {model.source} does not depend on its parameters in a way that can be "
            "differentiated; expected a module that computes with torch, outside of no_grad."
        )
    found = torch.autograd.grad(loss, list(parameters.values()), allow_unused=True)
    gradients = {
        name: torch.zeros_like(parameter) if gradient is None else gradient.detach()
        for (name, parameter), gradient in zip(parameters.items(), found, strict=True)
    }
    flow = {name: square**0.5 for name, square in watch.squares.items()}
    return Pass(
        loss=float(loss.detach()),
        predicted=predicted,
        target=chosen,
        gradients=gradients,
        flow=flow,
    )


def one_of(inputs: Inputs, row: int, size: int, device: torch.device) -> Inputs:
    """Take one sample of a prepared batch of `size`, on the model's device."""
    return {
        name: (tensor[row : row + 1] if tensor.ndim and len(tensor) == size else tensor).to(device)
        for name, tensor in inputs.items()
    }


def _tensors(output: object) -> Iterator[Tensor]:
    if isinstance(output, Tensor):
        yield output
    elif isinstance(output, dict):
        for part in output.values():
            yield from _tensors(part)
    elif isinstance(output, tuple | list):
        for part in output:
            yield from _tensors(part)
