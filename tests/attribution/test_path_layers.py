"""Layers and units on the way from a baseline: closed forms, completeness, shapes, errors."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from pellucid import attribute
from pellucid.errors import LayerError, MethodError
from pellucid.model import Model

LAYERS = ("layer_conductance", "internal_influence")
NEURONS = ("neuron_conductance", "neuron_integrated_gradients", "neuron_gradient")


class Two(nn.Module):
    """u = x₀ + 2 x₁ and v = 3 x₁ as inner units, f = u² − v."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(2, 2, bias=False)
        self.inner.weight.data.copy_(torch.tensor([[1.0, 2.0], [0.0, 3.0]]))

    def forward(self, values: Tensor) -> Tensor:
        units = self.inner(values)
        return units[:, 0] ** 2 - units[:, 1]


VALUES = torch.tensor([[1.0, 2.0]])  # u = 5, v = 6


@pytest.mark.parametrize(
    ("method", "options", "expected"),
    [
        ("layer_conductance", {"steps": 256}, [25.0, -6.0]),
        ("internal_influence", {}, [5.0, -1.0]),
        ("neuron_conductance", {"unit": 0}, [5.0, 20.0]),  # x_i · ∂u/∂x_i · ∫ 2 u
        ("neuron_conductance", {"unit": 1}, [0.0, -6.0]),
        ("neuron_integrated_gradients", {"unit": 0}, [1.0, 4.0]),
        ("neuron_integrated_gradients", {"unit": (-1,)}, [0.0, 6.0]),
        ("neuron_gradient", {"unit": 0}, [1.0, 2.0]),
        ("neuron_gradient", {"unit": 1}, [0.0, 3.0]),
    ],
)
def test_by_hand(method: str, options: dict[str, Any], expected: list[float]) -> None:
    found = attribute(Two(), VALUES, method=method, layer="inner", **options)
    torch.testing.assert_close(found, torch.tensor([expected]), rtol=1e-4, atol=1e-5)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10_000))
def test_conductances_of_all_units_add_up_to_the_score(seed: int) -> None:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(5, 5), nn.Tanh(), nn.Linear(5, 2)).double()
    values = torch.randn(3, 5, dtype=torch.float64)
    layered, details = attribute(
        model, values, method="layer_conductance", layer="1", target=1, return_details=True
    )
    units = [
        attribute(model, values, method="neuron_conductance", layer="1", unit=unit, target=1)
        for unit in range(5)
    ]
    change = (model(values) - model(torch.zeros_like(values)))[:, 1].detach()
    whole = attribute(model, values, target=1, steps=32, max_steps=32)
    torch.testing.assert_close(torch.stack(units).sum(0), whole, rtol=1e-4, atol=1e-5)
    scale = change.abs() + layered.abs().sum(1)
    assert details.completeness_error is not None
    assert ((layered.sum(1) - change).abs() <= 0.011 * scale).all()
    through = torch.stack([unit.sum(1) for unit in units], 1)
    assert ((layered - through).abs() <= 0.1 * scale[:, None]).all()


@pytest.mark.parametrize("method", LAYERS)
def test_maps_of_a_layer(method: str, picture_model: Model, pixels: Tensor) -> None:
    own, details = attribute(
        picture_model, pixels, method=method, layer="second", upsample=False, return_details=True
    )
    assert own.shape == (5, 6, 6)
    assert (details.layer, details.resolution) == ("second", "6 × 6 cells")
    stretched = attribute(picture_model, pixels, method=method, layer="second")
    assert stretched.shape == (5, 12, 12)
    assert attribute(picture_model, pixels, method=method).shape == (5, 12, 12)


class Recurrent(nn.Module):
    """States of width five over a sequence of width three."""

    def __init__(self) -> None:
        super().__init__()
        self.states, self.head = nn.LSTM(3, 5, batch_first=True), nn.Linear(5, 2)

    def forward(self, sequence: Tensor) -> Tensor:
        return self.head(self.states(sequence)[0].sum(1))


@pytest.mark.parametrize("method", LAYERS)
def test_states_over_a_sequence(method: str) -> None:
    torch.manual_seed(0)
    found = attribute(Recurrent(), torch.randn(2, 4, 3), method=method, layer="states")
    assert found.shape == (2, 4, 5)


def test_conductances_of_states_add_up_to_the_score() -> None:
    torch.manual_seed(0)
    module, sequence = Recurrent(), torch.randn(2, 4, 3)
    found = attribute(module, sequence, method="layer_conductance", layer="states", target=1)
    change = (module(sequence) - module(torch.zeros_like(sequence)))[:, 1].detach()
    torch.testing.assert_close(found.sum((1, 2)), change, rtol=0.02, atol=1e-3)


def test_a_layer_behind_several_inputs() -> None:
    class Sum(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = Two()

        def forward(self, left: Tensor, right: Tensor) -> Tensor:
            return self.inner(left + right)

    given = torch.randn(3, 2), torch.randn(3, 2)
    found = attribute(Sum(), given, method="layer_conductance", layer="inner.inner")
    assert found.shape == (3, 2)


def test_a_layer_that_everything_passes_is_complete(picture_model: Model, pixels: Tensor) -> None:
    found, details = attribute(
        picture_model,
        pixels,
        method="layer_conductance",
        layer="first",
        upsample=False,
        return_details=True,
    )
    module = picture_model.module.eval()
    rows = torch.arange(5)
    change = (module(pixels) - module(torch.zeros_like(pixels)))[rows, details.targets].detach()
    error = (found.sum((1, 2)) - change).abs() / change.abs()
    assert details.completeness_error is not None
    torch.testing.assert_close(details.completeness_error, error, rtol=1e-2, atol=1e-4)
    assert ((error <= 0.0101) | (details.backwards == 256)).all()


def test_a_layer_that_is_passed_by_says_so() -> None:
    class Around(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Linear(2, 2)

        def forward(self, values: Tensor) -> Tensor:
            return self.inner(values).sum(1) + 5 * values.sum(1)

    _, details = attribute(
        Around(), VALUES, method="layer_conductance", layer="inner", max_steps=16,
        return_details=True,
    )  # fmt: skip
    assert details.completeness_error is not None
    assert details.completeness_error.item() > 0.3


def test_a_channel_is_the_sum_of_its_cells(picture_model: Model, pixels: Tensor) -> None:
    def found(unit: int | tuple[int, ...]) -> Tensor:
        options = {"method": "neuron_gradient", "layer": "second", "unit": unit}
        return attribute(picture_model, pixels, **options)

    cells = sum(found((2, y, x)) for y in range(6) for x in range(6))
    torch.testing.assert_close(found(2), cells, rtol=1e-4, atol=1e-5)
    assert found((2, 0, 0))[..., 4:, 4:].abs().max() == 0  # out of sight


@pytest.mark.parametrize("method", NEURONS)
@pytest.mark.parametrize("unit", [6, -7, (0, 6, 0), (0, 0, 0, 0)])
def test_units_that_are_not_there(
    method: str, unit: int | tuple[int, ...], picture_model: Model, pixels: Tensor
) -> None:
    with pytest.raises(MethodError, match=r"unit=.* layer 'second' is of shape \(6, 6, 6\)"):
        attribute(picture_model, pixels, method=method, layer="second", unit=unit)


@pytest.mark.parametrize("method", [*LAYERS, *NEURONS])
def test_layers_that_do_not_fit(method: str, picture_model: Model, pixels: Tensor) -> None:
    with pytest.raises(LayerError, match=r"no layer was named.*'?inner"):
        attribute(Two(), VALUES, method=method)
    with pytest.raises(LayerError, match=r"'secnd' is not in Convolutional.*second"):
        attribute(picture_model, pixels, method=method, layer="secnd")


@pytest.mark.parametrize("method", LAYERS)
def test_pictures_need_a_grid(method: str, picture_model: Model, pixels: Tensor) -> None:
    with pytest.raises(LayerError, match=r"'fc' gives \(5, 3\), which is no grid"):
        attribute(picture_model, pixels, method=method, layer="fc")


def test_words_by_way_of_a_block_of_the_encoder(text_model: Model) -> None:
    """Everything passes through the block, so that its tokens' shares add up to the score."""
    inputs = text_model.prepare(["a very good film", "bad"])
    options = {"layer": "bert.encoder.layer[0]", "return_details": True}
    found, details = attribute(text_model, inputs, method="layer_conductance", **options)
    assert found.shape == inputs["input_ids"].shape
    assert details.completeness_error is not None
    assert (details.completeness_error < 0.01).all()
    influence, _ = attribute(text_model, inputs, method="internal_influence", **options)
    assert influence.shape == found.shape


def test_words_that_drive_a_unit(text_model: Model) -> None:
    inputs = text_model.prepare(["a very good film"])
    options = {"layer": "bert.encoder.layer[0]", "unit": (0, 3)}
    gradient, integrated, through = (
        attribute(text_model, inputs, method=name, return_details=True, **options)
        for name in ("neuron_gradient", "neuron_integrated_gradients", "neuron_conductance")
    )
    assert (gradient[0] >= 0).all()
    assert integrated[1].completeness_error.max() < 0.01
    assert gradient[0].shape == integrated[0].shape == through[0].shape


def test_words_need_a_layer_with_a_row_for_each_token(text_model: Model) -> None:
    inputs = text_model.prepare(["a very good film"])
    with pytest.raises(LayerError, match="expected a row for each token"):
        attribute(text_model, inputs, method="layer_conductance", layer="bert.pooler")
    with pytest.raises(LayerError, match="no layer was named"):
        attribute(text_model, inputs, method="layer_conductance")
