"""Run a model batch by batch, and hand on what its layers give."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from pellucid.attribution.explained import explained_input
from pellucid.attribution.layers import first_sample
from pellucid.data.loading import Batch
from pellucid.errors import LayerError, ModelError
from pellucid.inside.activations.layout import Layer, Response, respond
from pellucid.inside.activations.survey import quiet
from pellucid.model import Inputs, Model

ReceiveResponse = Callable[[Layer, Response], None]
ReceiveCall = Callable[[str, nn.Module, tuple[Any, ...], Any], None]


@dataclass(kw_only=True)
class Forward:
    """A model whose layers are listened to: `run` a batch, and `respond` is called for each layer.

    `listen_to` names further modules, whose every call goes to `called`.
    """

    model: Model
    layers: Sequence[Layer]
    respond: ReceiveResponse
    listen_to: Sequence[str] = ()
    called: ReceiveCall | None = None
    size: int = 0
    mask: Tensor | None = None
    picture: tuple[int, int] | None = None

    @contextmanager
    def ready(self) -> Iterator[Forward]:
        """Hang the hooks up inside the block, and take them off afterwards."""
        self._counts: dict[str, int] = {}
        with ExitStack() as hooks, quiet(self.model):
            for layer in self.layers:
                module = self.model.module.get_submodule(layer.name)
                hook = module.register_forward_hook(
                    lambda _m, _a, out, layer=layer: self._heard(layer, out)
                )
                hooks.callback(hook.remove)
            for name in self.listen_to:
                module = self.model.module.get_submodule(name)
                hook = module.register_forward_hook(
                    lambda part, given, out, name=name: self._called(name, part, given, out)
                )
                hooks.callback(hook.remove)
            yield self

    def begin(self, inputs: Inputs) -> None:
        """Look at a batch before it is run: its size, mask and picture size."""
        tensor = inputs[explained_input(self.model, inputs)]
        self.size, self.mask, self.picture = len(tensor), text_mask(inputs), picture_size(tensor)
        self._counts.clear()

    def run(self, inputs: Inputs) -> Tensor:
        """Run a batch that was begun. Raises LayerError for a layer that was not reached."""
        logits = self.model.logits(inputs)
        for layer in self.layers:
            calls = self._counts.get(layer.name, 0)
            if calls != layer.calls:
                raise LayerError(
                    f"layer {layer.name!r} ran {layer.calls} times for the first sample and "
                    f"{calls} times for a later batch. Leave it out: the model does not always "
                    "go through it."
                )
        return logits

    def _heard(self, layer: Layer, output: Any) -> None:
        calls = self._counts.get(layer.name, 0) + 1
        self._counts[layer.name] = calls
        if calls == layer.calls:
            found = respond(layer, output, self.size, self.mask, self.picture)
            self.respond(layer, found)

    def _called(self, name: str, part: nn.Module, given: tuple[Any, ...], output: Any) -> None:
        if self.called is not None:
            self.called(name, part, given, output)


def text_mask(inputs: Inputs) -> Tensor | None:
    """Which tokens of texts count, (n, tokens); None for other inputs."""
    return inputs.get("attention_mask")


def picture_size(tensor: Tensor) -> tuple[int, int] | None:
    """Height and width of a batch of pictures; None for other inputs."""
    return (tensor.shape[2], tensor.shape[3]) if tensor.ndim == 4 else None


def refuse_not_finite(layer: Layer, response: Response, ids: Sequence[str]) -> None:
    """Raise ModelError for NaN or infinity, with the samples that they come from."""
    # The sum is not finite if any value is not, and takes a tenth of the time of looking at each.
    if bool(torch.isfinite(response.values.sum())):
        return
    broken = ~response.values.isfinite().flatten(1).all(1)
    if not bool(broken.any()):
        return
    shown = [ids[row] for row in torch.nonzero(broken).flatten().tolist()]
    raise ModelError(
        f"layer {layer.name!r} gives NaN or infinity for {', '.join(map(repr, shown[:3]))}. Look "
        "at these samples; if they are sound, the weights are damaged or the number format is too "
        "small (float16): run the model in float32.",
        samples=shown,
    )


def first_of(model: Model, batch: Batch) -> Inputs:
    """The first sample of a batch, on the model's device."""
    return first_sample(model, batch.inputs)
