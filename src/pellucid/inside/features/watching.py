"""Run a model for what some of its layers give, and no further than the last of them.

Hooks end the pass: a traced prefix (`Graph.activations`) was measured on EfficientNet-Lite0 and takes
as long per step or longer, after a trace that takes as long as a hundred steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from jaxtyping import Float
from torch import Tensor

from pellucid.errors import LayerError
from pellucid.model import Model, as_logits, call

LOGITS = ""
Run = Callable[[Float[Tensor, "n c h w"]], dict[str, Tensor]]


class _ReachedError(BaseException):
    """Ends a forward pass; no model takes it for an error of its own."""


@contextmanager
def watching(model: Model, layers: Sequence[str], calls: Mapping[str, int]) -> Iterator[Run]:
    """Give a function from normalized pictures to layers' outputs; "" stands for the logits.

    `calls` tells how often each layer is called in one pass (`count_calls`); the last call counts,
    and after it the pass is broken off unless logits are wanted. Hooks are gone after the block.
    """
    argument = model.input.argument if hasattr(model.input, "argument") else ""
    caught: dict[str, Tensor] = {}
    left = [0]
    wanted = [layer for layer in dict.fromkeys(layers) if layer != LOGITS]

    def catch(name: str, output: Any) -> None:
        caught[name] = first_tensor(output, name).clone()  # an in-place operator may follow
        left[0] -= 1
        if left[0] == 0 and LOGITS not in layers:
            raise _ReachedError

    def run(pixels: Tensor) -> dict[str, Tensor]:
        caught.clear()
        left[0] = sum(calls[name] for name in wanted)
        with suppress(_ReachedError):
            caught[LOGITS] = as_logits(call(model.module, {argument: pixels}))
        return dict(caught)

    with ExitStack() as hooks:
        for name in wanted:
            layer = model.module.get_submodule(name)
            hook = layer.register_forward_hook(lambda _m, _a, out, name=name: catch(name, out))
            hooks.callback(hook.remove)
        yield run


def count_calls(
    model: Model, layers: Sequence[str], pixels: Float[Tensor, "n c h w"]
) -> tuple[dict[str, int], dict[str, Tensor]]:
    """Count how often each layer is called in a pass, and give what it gives; "" for the logits.

    Raises LayerError for a layer that is never called, or gives no tensor.
    """
    argument = model.input.argument if hasattr(model.input, "argument") else ""
    calls = dict.fromkeys(layers, 0)
    caught: dict[str, Tensor] = {}

    def note(name: str, output: Any) -> None:
        calls[name] += 1
        caught[name] = first_tensor(output, name)

    with ExitStack() as hooks:
        for name in (layer for layer in calls if layer != LOGITS):
            layer = model.module.get_submodule(name)
            hook = layer.register_forward_hook(lambda _m, _a, out, name=name: note(name, out))
            hooks.callback(hook.remove)
        caught[LOGITS] = as_logits(call(model.module, {argument: pixels}))
    for name in calls:
        if name not in caught:
            raise LayerError(
                f"layer {name!r} is not reached in a prediction, so nothing can excite it. "
                "'pellucid inspect' shows which layers are; name one of them."
            )
    return calls, caught


def first_tensor(output: Any, layer: str) -> Tensor:
    """Give a layer's output, or the first tensor of a tuple. Raises LayerError if there is none."""
    first = output[0] if isinstance(output, tuple | list) and output else output
    if not isinstance(first, Tensor):
        raise LayerError(
            f"layer {layer!r} gives {type(output).__name__}, not a tensor; name a layer inside it."
        )
    return first
