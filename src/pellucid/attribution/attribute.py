"""The low-level call: attributions of prepared tensors, as a tensor."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, overload

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from pellucid.attribution.adapting import Restore, adapt, name_inputs
from pellucid.attribution.baselines import Baseline
from pellucid.attribution.call import Attribution, Call
from pellucid.attribution.explained import explained_input, kind_of
from pellucid.attribution.freezing import frozen
from pellucid.attribution.layers import choose_layers, embedding_layer
from pellucid.attribution.registry import Method, find_method, methods
from pellucid.attribution.targets import ClassTarget, Target, plan_goal
from pellucid.errors import MethodError, NoGradientError
from pellucid.model import ArrayInput, Inputs, Model

Values = Tensor | dict[str, Tensor]
Given = Tensor | Sequence[Tensor] | Inputs
Explainable = Model | nn.Module | Callable[..., Any]


@dataclass(frozen=True, kw_only=True)
class Details:
    """What else is known about an attribution; tensors have one entry per sample.

    `targets` are the explained classes, `scores` the explained scalars. `completeness_error` is
    relative; None for methods that do not promise completeness. `standard_error` is that of each
    value; None for methods that do not sample. `forwards` and `backwards` count passes, of which
    methods that were asked for together may share some.
    """

    method: str
    targets: Int[Tensor, " n"]
    scores: Float[Tensor, " n"]
    resolution: str
    layer: str
    completeness_error: Float[Tensor, " n"] | None
    standard_error: Values | None
    forwards: Int[Tensor, " n"]
    backwards: Int[Tensor, " n"]


@overload
def attribute(
    model: Explainable,
    inputs: Tensor,
    *,
    method: str = ...,
    **options: Any,
) -> Tensor: ...


@overload
def attribute(
    model: Explainable,
    inputs: Given,
    *,
    method: Sequence[str],
    **options: Any,
) -> dict[str, Any]: ...


@overload
def attribute(
    model: Explainable,
    inputs: Given,
    *,
    method: str = ...,
    **options: Any,
) -> Any: ...


def attribute(
    model: Explainable,
    inputs: Given,
    *,
    method: str | Sequence[str] = "integrated_gradients",
    target: Target = "predicted",
    against: ClassTarget | None = None,
    layer: str | Sequence[str] | None = None,
    baseline: Baseline = None,
    max_batch: int | None = None,
    max_batch_bytes: int | None = None,
    return_details: bool = False,
    **parameters: Any,
) -> Any:
    """How much does each part of prepared inputs speak for a class?

    `model` is a Model, a module, or any function from inputs to logits. `inputs` are a tensor (the
    first positional argument), several in the order of the model's arguments, or named tensors:
    pixels (n, channels, y, x) or (n, y, x, channels), features in floating point, or token indices.
    `target` is "predicted", a label, an index, one index per sample (n,), or a callable that turns
    the model's output into (n,) scores; `against` a class whose logit is subtracted. `layer`,
    `baseline` and `parameters` go to the method. A pass sees no more than `max_batch` rows, and no
    more than fit into `max_batch_bytes` (1 GiB, or half of what is free on a GPU); fewer are tried
    where memory runs out.

    Returns a tensor of the inputs' shape, (n, height, width) for class activation maps, or
    (n, tokens) for token indices; by name, where several inputs were given. With `return_details`
    also what else is known. With several methods, which share passes: a dict by method. The model
    and the inputs stay as they were. Raises SpecError for an unknown method, MethodError for one
    that is not defined here or whose result is not finite, LayerError for a layer that does not fit.

    >>> import torch
    >>> model = torch.nn.Linear(2, 1, bias=False)
    >>> _ = model.weight.data.copy_(torch.tensor([[2.0, -1.0]]))
    >>> attribute(model, torch.tensor([[3.0, 4.0]]), target=0).round().tolist()
    [[6.0, -4.0]]
    """
    names = [method] if isinstance(method, str) else list(method)
    given = {"layer": layer, "baseline": baseline}
    plans = _plan(names, parameters | {k: v for k, v in given.items() if v is not None})
    limits = {"max_batch": max_batch, "max_batch_bytes": max_batch_bytes}
    with open_call(model, inputs, target, against=against, **limits) as (call, restore):
        announce(call, plans)
        results: dict[str, Any] = {}
        for function, own in plans:
            values, details = _attribute(function, call, own, restore)
            results[function.card.name] = (values, details) if return_details else values
    return results[names[0]] if isinstance(method, str) else results


Plan = tuple[Method, Mapping[str, Any]]


def _plan(names: Sequence[str], parameters: Mapping[str, Any]) -> list[Plan]:
    """Find the methods, and give each the parameters that it takes."""
    functions = [find_method(name) for name in names]
    if len(functions) == 1:
        functions[0].card.check_parameters(parameters)
    for name in parameters:
        if not any(function.card.accepts(name) for function in functions):
            raise MethodError(f"none of the methods {names} takes {name!r}. Leave it out.")
    plans: list[Plan] = []
    for function in functions:
        own = {name: value for name, value in parameters.items() if function.card.accepts(name)}
        function.card.check_parameters(own)
        plans.append((function, own))
    return plans


def announce(call: Call, plans: Sequence[Plan]) -> None:
    """Tell a call what its methods will want at the samples themselves, so that they share a pass."""
    if len(plans) < 2:
        return
    layers: dict[str, None] = {}
    for function, parameters in plans:
        if call.kind == "image" and {"layer", "gradient"} <= set(function.card.needs):
            chosen = choose_layers(call.model, call.inputs, parameters.get("layer"))
            layers |= dict.fromkeys(chosen)
    call.expect(
        layers=tuple(layers),
        gradients=any("input gradient" in function.card.needs for function, _ in plans),
    )


def _attribute(
    function: Method, call: Call, parameters: Mapping[str, Any], restore: Restore
) -> tuple[Values, Details]:
    before = call.forwards.clone(), call.backwards.clone()
    found = run(function, call, parameters)
    shaped = [_like_explained(call, values) for values in (found.values, found.standard_error)]
    details = Details(
        method=function.card.name,
        targets=call.targets,
        scores=call.own_scores,
        resolution=found.resolution,
        layer=found.layer,
        completeness_error=found.completeness_error,
        standard_error=None if shaped[1] is None else restore(shaped[1]),
        forwards=call.forwards - before[0],
        backwards=call.backwards - before[1],
    )
    assert shaped[0] is not None
    return restore(shaped[0]), details


def _like_explained(call: Call, values: Tensor | None) -> Tensor | None:
    """Repeat what holds for all channels of a pixel over the channels."""
    if values is None or call.kind != "image" or values.ndim != call.explained.ndim:
        return values
    return values.expand_as(call.explained).contiguous()


@contextmanager
def open_call(
    model: Explainable,
    inputs: Given,
    target: Target,
    *,
    against: ClassTarget | None = None,
    max_batch: int | None = None,
    max_batch_bytes: int | None = None,
) -> Iterator[tuple[Call, Restore]]:
    """Freeze a model and give the call that methods take; inside the block only.

    Also gives the function that puts values of the explained tensor's shape into that of what was
    given.
    """
    opened = model if isinstance(model, Model) else _wrapped(model)
    with frozen(opened):
        adapted = adapt(opened, _ready(opened, name_inputs(opened, inputs)))
        model, ready = adapted.model, adapted.inputs
        name = explained_input(model, ready)
        if not len(ready[name]):
            raise MethodError("an empty batch was given; expected at least one sample.")
        embedding = embedding_layer(model, ready) if kind_of(ready[name]) == "text" else None
        goal = plan_goal(target, opened, len(ready[name]), against)
        limits = {"max_batch": max_batch, "max_batch_bytes": max_batch_bytes}
        yield Call(model, ready, goal, embedding=embedding, **limits), adapted.restore


def run(function: Method, call: Call, parameters: Mapping[str, Any]) -> Attribution:
    """Run a method on a call, and see that it is defined there and that its map is finite."""
    card = function.card
    card.check_kind(call.kind)
    try:
        found = function(call, **parameters)
    except NoGradientError as error:
        black_box = [
            other.name
            for other in methods()
            if "gradient" not in other.needs and call.kind in other.kinds
        ]
        raise NoGradientError(
            f"{card.name!r} needs gradients, but {error} Methods that work without: "
            f"{', '.join(black_box)}."
        ) from error
    finite = found.values.flatten(1).isfinite().all(1)
    if not finite.all():
        broken = (~finite).nonzero()[:, 0].tolist()
        raise MethodError(
            f"{card.name!r} gave a map that is not finite (NaN or infinite) for samples "
            f"{broken}. Check the model's weights and the inputs, or use float32."
        )
    return found


class BlackBox(nn.Module):
    """A function from inputs to logits in the place of a module, with nothing of it to be seen."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *positional: Tensor, **named: Tensor) -> Any:
        """Call the function."""
        return self.function(*positional, **named)


def _wrapped(model: nn.Module | Callable[..., Any]) -> Model:
    """Make a Model of a module, or of any function from prepared inputs to logits."""
    module = model if isinstance(model, nn.Module) else BlackBox(model)
    parameter = next(module.parameters(), None)
    device = torch.device("cpu") if parameter is None else parameter.device
    source = type(module).__name__ if module is model else getattr(model, "__name__", "function")
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
