"""A second look at the few samples that are shown: maps, attention and hidden states in full."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from pellucid.inside.activations.forward import Forward
from pellucid.inside.activations.gates import Unrolled, unroll
from pellucid.inside.activations.heads import by_head, watching_heads
from pellucid.inside.activations.layout import Layer, Response
from pellucid.model import Inputs, Model


@dataclass(kw_only=True)
class Seen:
    """What one sample made the model do.

    `maps` are (units, height, width) by layer with a grid; `attention` (heads, queries, keys) of
    each attention that mixes all tokens, with the name of its layer; `states` the recurrent layers
    over time.
    """

    inputs: Inputs
    maps: dict[str, Tensor] = field(default_factory=dict)
    attention: list[tuple[str, Tensor]] = field(default_factory=list)
    states: list[Unrolled] = field(default_factory=list)


def look_again(
    model: Model, layers: tuple[Layer, ...], recurrent: tuple[str, ...], raw: Any, *, heads: bool
) -> Seen:
    """Run one raw sample, and keep what is shown of it."""
    seen = Seen(inputs=model.prepare([raw]))

    def respond(layer: Layer, response: Response) -> None:
        if response.height:
            cells = response.values[0, :, response.extra :].cpu()
            seen.maps[layer.name] = cells.reshape(-1, response.height, response.width)

    def called(name: str, part: nn.Module, given: tuple[Any, ...], output: Any) -> None:  # noqa: ARG001
        if isinstance(part, nn.RNNBase):
            seen.states.extend(unroll(part, given, name))

    def attend(layer: str, probabilities: Tensor) -> None:
        weights = by_head(probabilities, 1)[0]
        if len(weights) == 1 and weights.shape[-1] > 1:
            seen.attention.append((layer, weights[0].cpu()))

    listening = Forward(
        model=model, layers=layers, respond=respond, listen_to=recurrent, called=called
    )
    with listening.ready():
        listening.begin(seen.inputs)
        if heads:
            with watching_heads(model.module, attend):
                listening.run(seen.inputs)
        else:
            listening.run(seen.inputs)
    return seen
