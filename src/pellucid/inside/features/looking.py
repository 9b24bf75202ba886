"""What is shown of a model's features where none is named.

Classes that the model gives to the data, units of several depths, and cards for units of the last
block: in each layer, the units whose activation differs most between pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pellucid.attribution.freezing import frozen
from pellucid.data import Data
from pellucid.errors import SpecError
from pellucid.inside.choosing import choose_layers
from pellucid.inside.features.aims import by_channel
from pellucid.inside.features.cards import feature_cards
from pellucid.inside.features.objectives import Class, Objective, Unit
from pellucid.inside.features.planning import check_pictures
from pellucid.inside.features.result import FeatureImage
from pellucid.inside.features.visualize import STEPS, visualize_feature
from pellucid.inside.features.watching import LOGITS, count_calls
from pellucid.model import Inputs, Model
from pellucid.model.head import example_inputs
from pellucid.training.network import example_inputs as first_samples
from pellucid.training.strategies import blocks

DEPTHS = (0.25, 0.5, 0.75)
Layers = str | Sequence[str] | None


def inspect_features(
    model: Model,
    data: Data | None = None,
    *,
    layers: Layers = None,
    num_classes: int = 4,
    num_units: int = 2,
    steps: int = STEPS,
    seed: int = 0,
    show: bool | None = None,
) -> FeatureImage:
    """Show what excites some classes, and some units of each of several layers.

    The classes are those that the model gives most often to the first samples of `data`; without
    data, classes evenly spread over the outputs. `layers` are names, shorthands, globs or kinds;
    blocks at a quarter, half and three quarters of the depth if None. Raises as
    `visualize_feature`.
    """
    check_pictures(model)
    _check(num_classes=num_classes, num_units=num_units)
    inputs = _example(model, data)
    names = _middle(model) if layers is None else list(choose_layers(model.module, layers))
    outputs, size = _outputs(model, names, inputs)
    objectives: list[Objective] = [Class(index) for index in _classes(outputs, num_classes, data)]
    for name in names:
        objectives += [Unit(name, unit) for unit in _lively(outputs[name], size, num_units)]
    return visualize_feature(model, objectives, steps=steps, data=data, seed=seed, show=show)


def inspect_units(
    model: Model,
    data: Data,
    *,
    layers: Layers = None,
    num_units: int = 4,
    top: int = 6,
    steps: int = STEPS,
    seed: int = 0,
    show: bool | None = None,
) -> FeatureImage:
    """Make cards of some units of one layer, the last block of the network if None.

    Raises as `feature_cards`, and SpecError where more than one layer is named.
    """
    check_pictures(model)
    _check(num_units=num_units)
    inputs = first_samples(model, data)
    names = blocks(model)[-1:] if layers is None else list(choose_layers(model.module, layers))
    if len(names) > 1:
        raise SpecError(
            f"cards show the units of one layer; {len(names)} were named ({names[0]!r}, "
            f"{names[1]!r}, …). Name one."
        )
    outputs, size = _outputs(model, names, inputs)
    units = _lively(outputs[names[0]], size, num_units)
    return feature_cards(model, data, names[0], units, top=top, steps=steps, seed=seed, show=show)


def _check(**counts: int) -> None:
    for name, count in counts.items():
        if count < 1:
            raise SpecError(f"{name}={count} was given; expected at least 1.")


def _example(model: Model, data: Data | None) -> Inputs:
    made: Any = example_inputs(model.input) if data is None else first_samples(model, data)
    return dict(made)


def _middle(model: Model) -> list[str]:
    names = blocks(model)
    return list(dict.fromkeys(names[int(depth * len(names))] for depth in DEPTHS if names))


def _outputs(
    model: Model, names: Sequence[str], inputs: Inputs
) -> tuple[dict[str, Tensor], tuple[int, int]]:
    """What layers, and the logits (""), give for a batch; and the size of its pictures."""
    pixels = next(iter(inputs.values())).to(model.device)
    with frozen(model), torch.no_grad():
        _, outputs = count_calls(model, [LOGITS, *names], pixels)
    return outputs, (pixels.shape[2], pixels.shape[3])


def _classes(outputs: dict[str, Tensor], number: int, data: Data | None) -> list[int]:
    logits = outputs[LOGITS]
    known = logits.shape[-1]
    if data is None:
        return sorted({int(index) for index in np.linspace(0, known - 1, min(number, known))})
    votes = torch.bincount(logits.argmax(-1).flatten(), minlength=known)
    strongest = votes + logits.softmax(-1).mean(0)
    return [int(index) for index in strongest.argsort(descending=True)[:number]]


def _lively(output: Tensor, picture: tuple[int, int], number: int) -> list[int]:
    """The units whose mean activation differs most between pictures; over places, if one is seen."""
    cells = by_channel(output, picture).float()
    cells = cells.flatten(2) if cells.ndim > 2 else cells[..., None]
    means = cells.mean(2) if len(cells) > 1 else cells[0].T
    order = means.std(0, correction=0).argsort(descending=True)
    return sorted(int(unit) for unit in order[:number])
