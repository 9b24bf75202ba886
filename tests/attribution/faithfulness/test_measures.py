"""Measuring by name: what is unknown, what controls there are, and all kinds of input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from pellucid.attribution.attribute import run
from pellucid.attribution.call import Attribution
from pellucid.attribution.faithfulness.measures import (
    MEASURES,
    QUICK,
    QUICK_CONTROLS,
    QUICK_PARAMETERS,
    Entry,
    explaining,
    joined,
    measure,
)
from pellucid.attribution.faithfulness.subject import plane
from pellucid.attribution.registry import find_method
from pellucid.errors import MethodError


def entry(call: Any, name: str = "occlusion") -> Entry:
    method = find_method(name)
    return Entry(name=name, attribution=run(method, call, {}), explain=explaining(method, {}))


def test_every_measure_tells_about_itself() -> None:
    for name, found in MEASURES.items():
        card = found.card
        assert card.name == name
        assert all((card.title, card.paper, card.about, card.unit, card.passes))


@pytest.mark.parametrize(
    ("measures", "parameters", "message"),
    [
        (["delection"], {}, "measure 'delection' is not known. Closest: 'deletion'"),
        (["deletion"], {"deletion": {"step": 3}}, "no parameter 'step'. Closest: 'steps'"),
        (["deletion"], {"deletion": {"steps": 1}}, "steps=1; expected a whole number from 2"),
        (["deletion"], {"insertion": {"steps": 3}}, "'insertion' were given, but it is not asked"),
    ],
)
def test_what_is_unknown_is_refused(
    measures: Any, parameters: Any, message: str, opened: Any, total: Any
) -> None:
    call = opened(total, torch.ones(1, 3))
    with pytest.raises(MethodError, match=message):
        measure(call, [entry(call)], measures, parameters=parameters)


def test_controls_that_the_input_does_not_have_are_refused(opened: Any, total: Any) -> None:
    call = opened(total, torch.ones(1, 3))
    with pytest.raises(MethodError, match="control 'centre' is not known here"):
        measure(call, [entry(call)], controls=["centre"])


def test_a_map_that_does_not_cover_the_picture_is_refused(
    opened: Any, picture_model: Any, pixels: Tensor
) -> None:
    call = opened(picture_model, pixels)
    small = Attribution(values=torch.ones(5, 6, 6), resolution="")
    with pytest.raises(MethodError, match="expected equal sizes"):
        measure(call, [Entry(name="small", attribution=small)])


@pytest.mark.parametrize("kind", ["image", "text", "array"])
def test_all_measures_of_all_kinds(
    kind: str, opened: Any, picture_model: Any, text_model: Any, pixels: Tensor
) -> None:
    model, inputs = {
        "image": (picture_model, pixels),
        "text": (text_model, text_model.prepare(["good film", "a very bad film"])),
        "array": (torch.nn.Linear(6, 3), torch.randn(4, 6, generator=torch.manual_seed(0))),
    }[kind]
    call = opened(model, inputs, "predicted")
    own = entry(call), entry(call, "integrated_gradients")
    masks = torch.zeros(call.size, plane(call).numel(), dtype=torch.bool)
    masks[:, 1:] = True
    found = measure(call, own, list(MEASURES), masks=masks)
    rows = len(found.entries) + len(found.controls)
    for name, values in found.values.items():
        assert values.shape == (rows, call.size)
        assert np.isfinite(values[:2]).all() or name == "mass_inside", name


def test_the_quick_measures_are_cheap(opened: Any, picture_model: Any, pixels: Tensor) -> None:
    call = opened(picture_model, pixels)
    own = [entry(call), entry(call, "integrated_gradients")]
    before = call.forwards.clone()
    measure(call, own, QUICK, parameters=QUICK_PARAMETERS, controls=QUICK_CONTROLS)
    assert (call.forwards - before).max() <= 2 * 7 * (len(own) + len(QUICK_CONTROLS)) + 2


def test_joined_batches_are_one(opened: Any, picture_model: Any, pixels: Tensor) -> None:
    whole = opened(picture_model, pixels, 0)
    parts = [opened(picture_model, pixels[:2], 0), opened(picture_model, pixels[2:], 0)]
    expected = measure(whole, [entry(whole)])
    found = joined([measure(part, [entry(part)]) for part in parts])
    for name in expected.values:
        np.testing.assert_allclose(found.values[name], expected.values[name], atol=1e-5)
    for name in expected.curves:
        np.testing.assert_allclose(found.curves[name], expected.curves[name], atol=1e-5)
