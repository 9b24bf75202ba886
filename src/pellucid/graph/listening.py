"""Listen to layers of a model that could not be recorded."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from torch import Tensor

from pellucid.errors import LayerError
from pellucid.model import Inputs, Model


def listen(model: Model, inputs: Inputs, layers: Sequence[str]) -> list[Tensor]:
    """Run a model in eval mode for the last output of each layer, or the first tensor of it.

    Raises LayerError for a layer that was not called or gave no tensor.
    """
    caught: dict[str, Tensor] = {}

    def catch(name: str, output: Any) -> None:
        first = output[0] if type(output) in (tuple, list) and output else output
        if isinstance(first, Tensor):
            caught[name] = first.clone()

    with ExitStack() as hooks, model.evaluating():
        for name in layers:
            layer = model.module.get_submodule(name)
            hook = layer.register_forward_hook(lambda _m, _a, out, name=name: catch(name, out))
            hooks.callback(hook.remove)
        model.logits({name: tensor.clone() for name, tensor in inputs.items()})
    for name in layers:
        if name not in caught:
            raise LayerError(f"layer {name!r} gives no tensor in a prediction. Name another one.")
    return [caught[name] for name in layers]
