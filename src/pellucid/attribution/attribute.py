"""The low-level call: attributions of prepared tensors, as a tensor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, overload

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from pellucid.attribution.baselines import Baseline
from pellucid.attribution.call import Attribution, Call, explained_input, frozen, kind_of
from pellucid.attribution.layers import embedding_layer
from pellucid.attribution.registry import Method, find_method
from pellucid.attribution.targets import Target, choose_class
from pellucid.errors import MethodError
from pellucid.model import ArrayInput, Inputs, Model


@dataclass(frozen=True, kw_only=True)
class Details:
    """What else is known about an attribution; tensors have one entry per sample.

    `targets` are the explained classes, `scores` their logits. `completeness_error` is relative;
    None for methods that do not promise completeness. `forwards` and `backwards` count passes.
    """

    method: str
    targets: Int[Tensor, " n"]
    scores: Float[Tensor, " n"]
    resolution: str
    layer: str
    completeness_error: Float[Tensor, " n"] | None
    forwards: Int[Tensor, " n"]
    backwards: Int[Tensor, " n"]


@overload
def attribute(
    model: Model | nn.Module,
    inputs: Tensor | Inputs,
    *,
    method: str = ...,
    target: Target = ...,
    layer: str | None = ...,
    baseline: Baseline = ...,
    max_batch: int = ...,
    return_details: Literal[False] = ...,
    **parameters: Any,
) -> Tensor: ...


@overload
def attribute(
    model: Model | nn.Module,
    inputs: Tensor | Inputs,
    *,
    method: str = ...,
    target: Target = ...,
    layer: str | None = ...,
    baseline: Baseline = ...,
    max_batch: int = ...,
    return_details: Literal[True],
    **parameters: Any,
) -> tuple[Tensor, Details]: ...


def attribute(
    model: Model | nn.Module,
    inputs: Tensor | Inputs,
    *,
    method: str = "integrated_gradients",
    target: Target = "predicted",
    layer: str | None = None,
    baseline: Baseline = None,
    max_batch: int = 32,
    return_details: bool = False,
    **parameters: Any,
) -> Tensor | tuple[Tensor, Details]:
    """How much does each part of prepared inputs speak for a class?

    `inputs` are a tensor (the first positional argument) or named tensors; pixels or features in
    floating point, or token indices. `target` is "predicted", a label, an index, or one index per
    sample (n,); its logit is explained. `max_batch` bounds the rows of one pass. `layer`,
    `baseline` and `parameters` go to the method.

    Returns a tensor of the inputs' shape, (n, height, width) for class activation maps, or
    (n, tokens) for token indices; with `return_details` also what else is known. The model and the
    inputs stay as they were. Raises SpecError for an unknown method, MethodError for one that is
    not defined here or whose result is not finite, LayerError for a layer that does not fit.

    >>> import torch
    >>> model = torch.nn.Linear(2, 1, bias=False)
    >>> _ = model.weight.data.copy_(torch.tensor([[2.0, -1.0]]))
    >>> attribute(model, torch.tensor([[3.0, 4.0]]), target=0).round().tolist()
    [[6.0, -4.0]]
    """
    function = find_method(method)
    given = parameters | {
        name: value
        for name, value in (("layer", layer), ("baseline", baseline))
        if value is not None
    }
    function.card.check_parameters(given)
    with open_call(model, inputs, target, max_batch=max_batch) as call:
        found = run(function, call, given)
        details = Details(
            method=method,
            targets=call.targets,
            scores=call.own_scores,
            resolution=found.resolution,
            layer=found.layer,
            completeness_error=found.completeness_error,
            forwards=call.forwards,
            backwards=call.backwards,
        )
        alike = found.values.ndim == call.explained.ndim
        values = found.values.expand_as(call.explained).contiguous() if alike else found.values
    return (values, details) if return_details else values


@contextmanager
def open_call(
    model: Model | nn.Module, inputs: Tensor | Inputs, target: Target, *, max_batch: int = 32
) -> Iterator[Call]:
    """Freeze a model and give the call that methods take; inside the block only."""
    if max_batch < 1:
        raise MethodError(f"max_batch={max_batch} was given; expected at least 1.")
    opened = model if isinstance(model, Model) else _wrapped(model)
    own = getattr(opened.input, "argument", "")
    named = {own: inputs} if isinstance(inputs, Tensor) else inputs
    with frozen(opened):
        ready = _ready(opened, named)
        name = explained_input(opened, ready)
        if not len(ready[name]):
            raise MethodError("an empty batch was given; expected at least one sample.")
        embedding = embedding_layer(opened, ready) if kind_of(ready[name]) == "text" else None
        choose = choose_class(target, opened, len(ready[name]))
        yield Call(opened, ready, choose, embedding=embedding, max_batch=max_batch)


def run(function: Method, call: Call, parameters: Mapping[str, Any]) -> Attribution:
    """Run a method on a call, and see that it is defined there and that its map is finite."""
    function.card.check_kind(call.kind)
    found = function(call, **parameters)
    finite = found.values.flatten(1).isfinite().all(1)
    if not finite.all():
        broken = (~finite).nonzero()[:, 0].tolist()
        raise MethodError(
            f"{function.card.name!r} gave a map that is not finite (NaN or infinite) for samples "
            f"{broken}. Check the model's weights and the inputs, or use float32."
        )
    return found


def _wrapped(module: nn.Module) -> Model:
    parameter = next(module.parameters(), None)
    device = torch.device("cpu") if parameter is None else parameter.device
    source = type(module).__name__
    return Model(module=module, source=source, input=ArrayInput(), device=device)


def _ready(model: Model, inputs: Inputs) -> Inputs:
    """Bring inputs to the model's device and floating-point type, as tensors that allow gradients."""
    weights = (p.dtype for p in model.module.parameters() if p.is_floating_point())
    dtype = next(weights, None) if not torch.is_autocast_enabled(model.device.type) else None
    ready = {}
    for name, tensor in inputs.items():
        moved = tensor.to(model.device, dtype if tensor.is_floating_point() else None)
        ready[name] = moved.clone() if moved.is_inference() else moved
    return ready
