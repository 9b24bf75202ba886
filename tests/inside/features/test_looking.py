"""What is shown where nothing is named."""

from __future__ import annotations

import pytest
import torch

from pellucid.data import Data
from pellucid.errors import SpecError
from pellucid.inside.features import inspect_features, inspect_units
from pellucid.model import Model


def test_without_data_classes_are_spread_over_the_outputs(model: Model) -> None:
    found = inspect_features(model, layers="second", num_classes=2, num_units=1, steps=1)
    names = found.data["objective"].values.tolist()
    assert names[:2] == ["class:cat", "class:hen"]
    assert names[2].startswith("second:")


def test_with_data_classes_are_those_that_the_model_gives(model: Model, photos: Data) -> None:
    found = inspect_features(model, photos, num_classes=1, num_units=1, steps=1)
    with model.evaluating(), torch.no_grad():
        first = model.logits(model.prepare([photos.read(0), photos.read(1)])).argmax(-1)
    assert found.data["objective"].values[0] in {f"class:{model.labels[i]}" for i in first.tolist()}
    assert "natural_percentile" in found.data


def test_units_are_those_that_differ_most_between_pictures(model: Model, photos: Data) -> None:
    inputs = model.prepare([photos.read(0), photos.read(1)])
    spread: list[torch.Tensor] = []
    layer = model.module.get_submodule("second")
    hook = layer.register_forward_hook(
        lambda _m, _a, out: spread.append(out.mean((2, 3)).std(0, correction=0))
    )
    with model.evaluating(), torch.no_grad():
        model.logits(inputs)
    hook.remove()
    best = sorted(spread[0].argsort(descending=True)[:2].tolist())
    found = inspect_units(model, photos, layers="second", num_units=2, top=2, steps=1)
    assert found.data["objective"].values.tolist() == [f"second:{unit}" for unit in best]
    assert found.data["top_sample"].shape == (2, 2)


def test_cards_are_of_one_layer(model: Model, photos: Data) -> None:
    with pytest.raises(SpecError, match="cards show the units of one layer; 2 were named"):
        inspect_units(model, photos, layers="Conv2d", steps=1)


def test_counts_are_checked(model: Model) -> None:
    with pytest.raises(SpecError, match="num_classes=0 was given; expected at least 1"):
        inspect_features(model, num_classes=0)
