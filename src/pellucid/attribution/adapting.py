"""Models that take pictures channels last, or several inputs at once, as methods see them.

Methods know one explained tensor, pictures as (n, channels, y, x). A model that differs is called
through a module with the same layers that takes such a tensor, and what a method returns is put
back into the shape of what was given.
"""

from __future__ import annotations

import copy
import inspect
import math
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import torch
from torch import Tensor, nn

from pellucid.errors import MethodError
from pellucid.model import Inputs, Model, call

CHANNELS = (1, 3, 4)
Restore = Callable[[Tensor], Tensor | dict[str, Tensor]]


@dataclass(frozen=True)
class Adapted:
    """A model and inputs as methods see them; `restore` undoes it for values of that shape."""

    model: Model
    inputs: Inputs
    restore: Restore


@final
class _Through(nn.Module):
    """Calls another module with changed inputs; has its layers and tensors, by the same names."""

    def __init__(self, inner: nn.Module, change: Callable[[dict[str, Tensor]], Inputs]) -> None:
        super().__init__()
        for kind in ("_modules", "_parameters", "_buffers"):
            self.__dict__[kind] = getattr(inner, kind)
        self.__dict__ |= {"_inner": weakref.ref(inner), "_change": change}

    def forward(self, *positional: Tensor, **named: Tensor) -> Tensor:
        inner: nn.Module | None = self.__dict__["_inner"]()
        assert inner is not None
        given = ({"": positional[0]} if positional else {}) | named
        return call(inner, self.__dict__["_change"](given))

    def __deepcopy__(self, memo: dict[int, Any]) -> _Through:
        inner = copy.deepcopy(self.__dict__["_inner"](), memo)
        made = _Through(inner, self.__dict__["_change"])
        made.__dict__["_kept"] = inner  # the reference to it is weak
        return made


_made: weakref.WeakKeyDictionary[nn.Module, dict[Any, nn.Module]] = weakref.WeakKeyDictionary()


def name_inputs(model: Model, inputs: Tensor | Sequence[Tensor] | Inputs) -> Inputs:
    """Name given inputs: one tensor by the model's own argument, several by the order of `forward`."""
    if isinstance(inputs, Tensor):
        return {getattr(model.input, "argument", ""): inputs}
    if isinstance(inputs, dict):
        return inputs
    tensors = list(inputs)
    strange = [type(tensor).__name__ for tensor in tensors if not isinstance(tensor, Tensor)]
    if strange or not isinstance(inputs, list | tuple):
        got = type(inputs).__name__
        got += f" with {strange[0]}" if isinstance(inputs, list | tuple) else ""
        raise MethodError(
            f"inputs of type {got} were given; expected a torch tensor (torch.from_numpy makes one), "
            "several in the order of forward, or tensors by name."
        )
    parameters = inspect.signature(model.module.forward).parameters.values()
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [parameter.name for parameter in parameters if parameter.kind in kinds]
    if len(tensors) > len(names):
        raise MethodError(
            f"{len(tensors)} inputs were given for {type(model.module).__name__}, whose forward "
            f"takes {', '.join(names) or 'none by name'}. Give tensors, in that order or by name."
        )
    return dict(zip(names, tensors, strict=False))


def adapt(model: Model, inputs: Inputs) -> Adapted:
    """Adapt a model to one explained tensor in the layout of the methods; most need nothing."""
    together = _explained_together(model, inputs)
    if together:
        return _packed(model, inputs, together)
    last = [name for name, tensor in inputs.items() if _channels_last(tensor)]
    if last:
        return _channels_first(model, inputs, last[0])
    return Adapted(model, inputs, lambda values: values)


def _explained_together(model: Model, inputs: Inputs) -> tuple[str, ...]:
    """Names of several inputs that are explained at once; none where one is meant."""
    if "input_ids" in inputs or getattr(model.input, "argument", None) in inputs:
        return ()
    floating = tuple(name for name, tensor in inputs.items() if tensor.is_floating_point())
    return floating if len(floating) > 1 else ()


def _channels_last(tensor: Tensor) -> bool:
    return (
        tensor.ndim == 4
        and tensor.is_floating_point()
        and tensor.shape[3] in CHANNELS
        and tensor.shape[1] not in CHANNELS
    )


def _channels_first(model: Model, inputs: Inputs, name: str) -> Adapted:
    def change(given: dict[str, Tensor]) -> Inputs:
        return given | {name: given[name].permute(0, 2, 3, 1)}

    def restore(values: Tensor) -> Tensor:
        return values.permute(0, 2, 3, 1).contiguous() if values.ndim == 4 else values

    changed = inputs | {name: inputs[name].permute(0, 3, 1, 2).contiguous()}
    module = _through(model.module, ("channels last", name), change)
    return Adapted(replace(model, module=module), changed, restore)


def _packed(model: Model, inputs: Inputs, names: tuple[str, ...]) -> Adapted:
    shapes = [tuple(inputs[name].shape[1:]) for name in names]
    sizes = [math.prod(shape) for shape in shapes]
    if len({len(inputs[name]) for name in names}) > 1:
        lengths = {name: len(inputs[name]) for name in names}
        raise MethodError(
            f"the inputs hold different numbers of samples: {lengths}; expected equal ones."
        )

    def split(flat: Tensor) -> dict[str, Tensor]:
        parts = torch.split(flat, sizes, 1)
        pieces = zip(names, parts, shapes, strict=True)
        return {name: part.reshape(len(flat), *shape) for name, part, shape in pieces}

    def change(given: dict[str, Tensor]) -> Inputs:
        others = {name: tensor for name, tensor in given.items() if name}
        return split(given[""]) | others

    rest = {name: tensor for name, tensor in inputs.items() if name not in names}
    packed = torch.cat([inputs[name].flatten(1) for name in names], 1)
    module = _through(model.module, ("packed", names, tuple(shapes)), change)

    def restore(values: Tensor) -> Tensor | dict[str, Tensor]:
        of_the_inputs = values.shape[1:] == packed.shape[1:]
        return split(values) if of_the_inputs else values

    return Adapted(replace(model, module=module), {"": packed, **rest}, restore)


def _through(
    module: nn.Module, key: tuple[Any, ...], change: Callable[[dict[str, Tensor]], Inputs]
) -> nn.Module:
    """The adapting module of a module, one for each way, so that its graph is traced once."""
    made = _made.setdefault(module, {})
    if key not in made:
        made[key] = _Through(module, change)
    return made[key]
