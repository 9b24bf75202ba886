"""What is going to be watched, decided on one sample before the long work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import nn

from pellucid.attribution.explained import explained_input
from pellucid.attribution.layers import first_sample
from pellucid.data import Data
from pellucid.errors import DataError, LayerError, PellucidError, UnreadableSample, closest
from pellucid.inside.activations.defaults import default_layers
from pellucid.inside.activations.forward import picture_size
from pellucid.inside.activations.heads import watching_heads
from pellucid.inside.activations.layout import Layer, read_layout
from pellucid.inside.activations.survey import BOUNDS, Called, quiet, survey
from pellucid.inside.choosing import choose_layers
from pellucid.model import Inputs, Model
from pellucid.model.head import find_head

MOST_BOUNDED = 200


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Layers in depth order; modules whose every call is looked at; the pair that is plotted."""

    layers: tuple[Layer, ...]
    recurrent: tuple[str, ...]
    bounded: tuple[str, ...]
    has_heads: bool
    picture: tuple[int, int] | None
    pair: tuple[tuple[str, int], tuple[str, int]] | None

    @property
    def scattered(self) -> dict[str, NDArray[np.int64] | None]:
        """Layers and units of which samples' pooled activations are kept; None means all units."""
        if self.pair is None:
            return {self.layers[-1].name: None}
        return {
            name: np.array(sorted({unit for other, unit in self.pair if other == name}))
            for name, _ in self.pair
        }


def make_plan(
    model: Model,
    data: Data,
    layers: str | Sequence[str] | None,
    pair: tuple[str, str] | None,
) -> Plan:
    """Look at one sample. Raises LayerError for layers that are unknown, or never reached."""
    first = first_sample(model, _first_readable(model, data))
    picture = picture_size(first[explained_input(model, first)])
    called = survey(model, first)
    watchable = {
        layer.name: layer for each in called if (layer := read_layout(each, picture)) and layer.name
    }
    wanted = _wanted(model, called, watchable, layers, first)
    plotted = tuple(_unit(model, word, watchable) for word in pair) if pair else None
    wanted |= {name for name, _ in plotted or ()}
    return Plan(
        layers=tuple(layer for name, layer in watchable.items() if name in wanted),
        recurrent=tuple(each.name for each in called if isinstance(each.module, nn.RNNBase)),
        bounded=_bounded(called),
        has_heads=_has_heads(model, first),
        picture=picture,
        pair=(plotted[0], plotted[1]) if plotted else None,
    )


def _first_readable(model: Model, data: Data) -> Inputs:
    for index in range(len(data)):
        try:
            return model.prepare([data.read(index)])
        except UnreadableSample:
            continue
    raise DataError(f"{data.source}: none of its {len(data)} samples can be read.")


def _wanted(
    model: Model,
    called: list[Called],
    watchable: dict[str, Layer],
    layers: str | Sequence[str] | None,
    first: Inputs,
) -> set[str]:
    if layers is not None:
        chosen = choose_layers(model.module, layers)
        several = len(chosen) > (1 if isinstance(layers, str) else len(layers))
        usable = {name for name in chosen if name in watchable}
        for name in chosen:
            if name not in watchable and not (several and usable):
                raise LayerError(_not_watchable(name, called, watchable))
        return usable
    head, width = _head(model, first)
    found = default_layers(called, watchable, head, width)
    if not found:
        raise LayerError(
            f"{type(model.module).__name__} calls no module that gives a tensor per sample, so "
            "there is nothing to look at. Build it from modules, or name layers with layers=."
        )
    return set(found)


def _not_watchable(name: str, called: list[Called], watchable: dict[str, Layer]) -> str:
    shapes = {each.name: each.shape for each in called}
    if name not in shapes:
        return (
            f"layer {name!r} is never reached in a prediction. "
            f"{closest(name, watchable)} Containers such as ModuleList are not run themselves: "
            "name what is in them, for example with a glob."
        )
    got = f"a tensor of shape {shapes[name]} for two samples" if shapes[name] else "no tensor"
    return (
        f"layer {name!r} gives {got}; expected (samples, units), (samples, positions, units) or "
        f"(samples, units, height, width). {closest(name, watchable)}"
    )


def _unit(model: Model, word: str, watchable: dict[str, Layer]) -> tuple[str, int]:
    """Read ``layer:unit``. Raises LayerError for an unknown layer, or a unit out of range."""
    name, colon, unit = word.rpartition(":")
    if not colon or not unit.strip().isdigit():
        raise LayerError(f"{word!r} is no unit; expected 'layer:unit', such as 'layer4:12'.")
    (layer,) = choose_layers(model.module, [name])[:1]
    if layer not in watchable:
        raise LayerError(f"layer {layer!r} is never reached, or gives no units per sample.")
    check_unit(watchable[layer], int(unit))
    return layer, int(unit)


def check_unit(layer: Layer, unit: int) -> None:
    """Raise LayerError for a unit that the layer does not have."""
    if not 0 <= unit < layer.units:
        raise LayerError(
            f"unit {unit} is out of range: layer {layer.name!r} has {layer.units} units, "
            f"0 to {layer.units - 1}."
        )


def _head(model: Model, first: Inputs) -> tuple[str, int]:
    """The head and how many features it takes; "" where none is found."""
    try:
        name = find_head(model, first)
    except PellucidError:
        return "", 0
    weight = getattr(model.module.get_submodule(name), "weight", None)
    return name, int(weight.shape[1]) if weight is not None and weight.ndim > 1 else 0


def _bounded(called: list[Called]) -> tuple[str, ...]:
    names = [each.name for each in called if type(each.module).__name__ in BOUNDS]
    return tuple(names[:MOST_BOUNDED])


def _has_heads(model: Model, first: Inputs) -> bool:
    seen: list[str] = []
    with quiet(model), watching_heads(model.module, lambda layer, _: seen.append(layer)):
        model.logits(first)
    return bool(seen)
