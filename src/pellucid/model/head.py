"""The head: the layer that makes the logits; finding it, and putting a new one in its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from pellucid.errors import LayerError, ModelError, closest
from pellucid.model.inputs import ArrayInput, ImageInput, Input, Inputs
from pellucid.model.protocol import Model


def find_head(model: Model, inputs: Inputs) -> str:
    """Name the layer that makes the logits, `model.head` if that is set.

    It is the last layer without parts (linear, or a 1×1 convolution) that is called in a dry run
    over the prepared `inputs` and gives as many features as there are logits. The model is left as
    it was. Raises LayerError if there is none.
    """
    if model.head:
        _named_head(model)
        return model.head
    calls: list[tuple[str, int]] = []
    with _recording(model.module, calls):
        num_logits = count_logits(model, inputs)
    fitting = [name for name, width in calls if width == num_logits]
    if not fitting:
        raise LayerError(
            f"no linear layer or 1×1 convolution of {type(model.module).__name__} gives the "
            f"{num_logits} logits. Name the layer with head=."
        )
    return fitting[-1]


def count_logits(model: Model, inputs: Inputs) -> int:
    """Count the logits in a dry run over prepared inputs, which leaves the model as it was.

    Raises ModelError if the model fails on them, or returns anything but (n, classes).
    """
    try:
        with model.evaluating(), torch.no_grad(), torch.random.fork_rng(devices=[]):
            logits = model.logits(inputs)
    except Exception as error:
        shapes = ", ".join(f"{name or 'input'} {tuple(t.shape)}" for name, t in inputs.items())
        raise ModelError(
            f"{model.source} fails on its own kind of input ({shapes}): {error}. "
            "Describe what it takes with input=."
        ) from error
    if logits.ndim != 2:
        raise ModelError(
            f"{model.source} returned logits of shape {tuple(logits.shape)}; expected "
            "(samples, classes). Wrap the module so that it returns one row per sample."
        )
    return logits.shape[1]


def example_inputs(description: Input) -> Inputs | None:
    """Make one neutral sample for a dry run; None if the shape of an array is not known."""
    if isinstance(description, ImageInput):
        return description.prepare([np.full((*description.size, 3), 127, dtype=np.uint8)])
    if isinstance(description, ArrayInput):
        return description.prepare([np.zeros(description.shape)]) if description.shape else None
    return description.prepare(["an example"])


def replace_head(model: Model, labels: Sequence[str], inputs: Inputs, seed: int) -> Model:
    """Put a new head with one output per label into the model, in place, and return the model.

    The new layer is of the head's own class, initialised from `seed` alone; the global random
    state stays. Raises LayerError, with the model unchanged, if the logits do not follow the new
    layer.
    """
    name = find_head(model, inputs)
    old = _named_head(model, name)
    put_layer(model.module, name, new_head(old, len(labels), seed))
    try:
        num_logits = count_logits(model, inputs)
    except ModelError as error:
        put_layer(model.module, name, old)
        raise LayerError(
            f"{model.source} fails with a new head {name!r} ({error.__cause__ or error}), so its "
            "logits come from other layers too. Replace them yourself and wrap the module."
        ) from error
    if num_logits != len(labels):
        put_layer(model.module, name, old)
        raise LayerError(
            f"a new head {name!r} with {len(labels)} outputs leaves {num_logits} logits: it is "
            "not the layer that makes them. Name that layer with head=."
        )
    model.head, model.labels = name, tuple(labels)
    _tell_config(model.module, model.labels)
    return model


def new_head(old: nn.Module, num_outputs: int, seed: int) -> nn.Module:
    """Make a layer like `old` with `num_outputs` outputs, on its device and in its dtype."""
    weight: Any = old.weight
    if not isinstance(weight, nn.Parameter) or parametrize.is_parametrized(old):
        raise LayerError(
            f"the head's weight is computed from others (parametrized {type(old).__name__}), so "
            "a new one cannot be made. Replace the layer yourself and wrap the module."
        )
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        try:
            layer = _build_like(old, num_outputs)
        except TypeError as error:
            raise LayerError(
                f"a new {type(old).__name__} cannot be made as its base class is: {error}. "
                "Replace the layer yourself and wrap the module."
            ) from error
    layer.to(device=weight.device, dtype=weight.dtype).train(old.training)
    return layer


def put_layer(module: nn.Module, name: str, layer: nn.Module) -> None:
    """Put `layer` where `name` is, and wherever else the same layer is used."""
    old = module.get_submodule(name)
    places = [n for n, m in module.named_modules(remove_duplicate=False) if m is old]
    for place in places:
        parent, _, child = place.rpartition(".")
        setattr(module.get_submodule(parent), child, layer)


def _build_like(old: nn.Module, num_outputs: int) -> nn.Module:
    build: Any = type(old)
    layer: nn.Module
    if isinstance(old, nn.Linear):
        layer = build(old.in_features, num_outputs, bias=old.bias is not None)
    else:
        assert isinstance(old, (nn.Conv1d, nn.Conv2d))
        geometry = {"kernel_size": 1, "stride": old.stride, "padding": old.padding}
        layer = build(old.in_channels, num_outputs, bias=old.bias is not None, **geometry)
    return layer


def _named_head(model: Model, name: str = "") -> nn.Module:
    """Get the head by name. Raises LayerError if it does not exist or is of another kind."""
    name = name or model.head
    layers = dict(model.module.named_modules())
    if name not in layers:
        heads = [known for known, layer in layers.items() if _is_head(layer)]
        raise LayerError(f"layer {name!r} is not in {model.source}. {closest(name, heads)}")
    if not _is_head(layers[name]):
        raise LayerError(
            f"layer {name!r} of {model.source} is {type(layers[name]).__name__}; a head is a "
            "linear layer or a 1×1 convolution. Name such a layer with head=."
        )
    found: nn.Module = layers[name]
    return found


def _is_head(layer: nn.Module) -> bool:
    if isinstance(layer, (nn.Conv1d, nn.Conv2d)):
        return set(layer.kernel_size) == {1} and layer.groups == 1
    return isinstance(layer, nn.Linear)


@contextmanager
def _recording(module: nn.Module, calls: list[tuple[str, int]]) -> Iterator[None]:
    """Note name and number of features of every possible head that is called in the block."""

    def note(name: str, layer: nn.Module, _: Any, output: Any) -> None:
        if isinstance(output, Tensor) and output.ndim > 1:
            calls.append((name, output.shape[-1 if isinstance(layer, nn.Linear) else 1]))

    layers = [(name, layer) for name, layer in module.named_modules() if _is_head(layer)]
    handles = [layer.register_forward_hook(partial(note, name)) for name, layer in layers]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _tell_config(module: nn.Module, labels: tuple[str, ...]) -> None:
    """Keep the record of labels that a Hugging Face model carries in step with its head."""
    config: Any = getattr(module, "config", None)
    if hasattr(config, "id2label"):
        config.id2label = dict(enumerate(labels))
        config.label2id = {label: index for index, label in enumerate(labels)}
        vars(module)["num_labels"] = len(labels)
