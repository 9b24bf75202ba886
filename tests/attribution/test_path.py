"""Integrated and expected gradients: closed forms, axioms, and where steps are added."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from pellucid import attribute
from pellucid.errors import MethodError
from pellucid.model import Model


class Square(nn.Module):
    """Σ w x², whose attribution from zero is w x²; the last value does not count."""

    def forward(self, values: Tensor) -> Tensor:
        return (torch.tensor([1.0, -2.0, 3.0, 0.0]) * values**2).sum(1)


class Step(nn.Module):
    """Smooth from zero to one, but so steep that few steps miss it."""

    def forward(self, values: Tensor) -> Tensor:
        return torch.sigmoid(300 * (values.sum(1) - 0.55))


def test_a_linear_model_gives_weight_times_change() -> None:
    model = nn.Linear(4, 2)
    values, baseline = torch.randn(3, 4), torch.randn(4)
    found = attribute(model, values, target=1, baseline=baseline, steps=1)
    torch.testing.assert_close(found, (model.weight[1] * (values - baseline)).detach())


def test_a_square_is_exact_with_two_steps() -> None:
    values = torch.tensor([[1.0, 2.0, -1.0, 5.0]])
    found, details = attribute(
        Square(), values, target=0, steps=2, max_steps=2, return_details=True
    )
    torch.testing.assert_close(found, torch.tensor([[1.0, -8.0, 3.0, 0.0]]))
    assert details.completeness_error is not None
    assert details.completeness_error.item() < 1e-6
    assert details.forwards.tolist() == [4]
    assert details.backwards.tolist() == [2]


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), baseline=st.floats(-2, 2))
def test_the_parts_add_up_to_the_whole(seed: int, baseline: float) -> None:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3)).double()
    values = torch.randn(4, 6, dtype=torch.float64)
    targets = torch.randint(3, (4,))
    found = attribute(model, values, target=targets, baseline=baseline, steps=64)
    rows = torch.arange(4)
    change = (model(values) - model(torch.full_like(values, baseline)))[rows, targets].detach()
    torch.testing.assert_close(found.sum(1), change, rtol=1e-6, atol=1e-6)


def test_a_value_without_influence_gets_nothing(pixels: Tensor) -> None:
    class OneChannel(nn.Module):
        def forward(self, pixels: Tensor) -> Tensor:
            return pixels[:, :1].tanh().mean((2, 3))

    found = attribute(OneChannel(), pixels)
    assert found.shape == pixels.shape
    assert not found[:, 1:].any()
    assert found[:, 0].any()


def test_steps_are_added_only_where_they_are_needed() -> None:
    values = torch.tensor([[0.1, 0.1], [0.5, 0.5]])  # only the second crosses the step
    found, details = attribute(
        Step(), values, steps=4, max_steps=512, tolerance=0.01, return_details=True
    )
    assert details.completeness_error is not None
    assert details.completeness_error[1] <= 0.01
    assert details.backwards[0] <= 4 < details.backwards[1] <= 32
    assert abs(float(found[1].sum()) - 1) < 0.01


def test_large_errors_that_cancel_are_not_taken_for_a_right_sum() -> None:
    class Dents(nn.Module):
        """x with a dent down and an equal one up, between which three nodes see nothing."""

        def forward(self, values: Tensor) -> Tensor:
            height = torch.sigmoid(80 * (values - 0.3)) - torch.sigmoid(80 * (values - 0.6))
            return (values + 4 * height).sum(1)

    found, details = attribute(
        Dents(), torch.ones(1, 1), steps=3, max_steps=256, return_details=True
    )
    assert details.backwards.item() > 10
    torch.testing.assert_close(found, torch.ones(1, 1), rtol=0.011, atol=0)


def test_rectifiers_are_summed_to_a_millionth_with_few_gradients() -> None:
    """Halving alone leaves an error that falls with the square of the number of places at best."""
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(20, 200), nn.ReLU(), nn.Linear(200, 100), nn.ReLU(), nn.Linear(100, 1)
    ).double()
    values = 3 * torch.randn(3, 20, dtype=torch.float64)
    found, details = attribute(
        model, values, target=0, tolerance=1e-6, max_steps=512, return_details=True
    )
    change = (model(values) - model(torch.zeros_like(values)))[:, 0].detach()
    torch.testing.assert_close(found.sum(1), change, rtol=1e-6, atol=0)
    assert (details.backwards <= 64).all()


def test_a_sample_that_is_not_done_says_so() -> None:
    values = torch.tensor([[0.5, 0.5]])
    _, details = attribute(
        Step(), values, steps=2, max_steps=6, tolerance=0.001, return_details=True
    )
    assert details.backwards.tolist() == [6]
    assert details.completeness_error is not None
    assert details.completeness_error.item() > 0.001


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10_000))
def test_the_error_that_is_told_is_that_of_the_map(seed: int) -> None:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 1)).double()
    values = 5 * torch.randn(3, 6, dtype=torch.float64)
    found, details = attribute(model, values, steps=3, max_steps=24, return_details=True)
    change = (model(values) - model(torch.zeros_like(values)))[:, 0].detach()
    error = (found.sum(1) - change).abs() / change.abs().clamp(min=1e-6)
    assert details.completeness_error is not None
    torch.testing.assert_close(details.completeness_error.double(), error, rtol=1e-4, atol=1e-7)
    assert ((error <= 0.01 + 1e-6) | (details.backwards == 24)).all()


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10_000))
def test_linearity_symmetry_and_implementation_invariance(seed: int) -> None:
    torch.manual_seed(seed)
    first, second = (nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 1)) for _ in "ab")
    values = torch.randn(2, 4)

    class Sum(nn.Module):
        def forward(self, values: Tensor) -> Tensor:
            return 2 * first(values) + first(values.flip(1)) - 3 * second(values)

    def found(model: nn.Module, given: Tensor = values) -> Tensor:
        return attribute(model, given, steps=32, max_steps=32)

    parts = 2 * found(first) + found(first, values.flip(1)).flip(1) - 3 * found(second)
    torch.testing.assert_close(found(Sum()), parts, rtol=1e-3, atol=1e-4)

    class Even(nn.Module):
        def forward(self, values: Tensor) -> Tensor:
            return first(values) + first(values.flip(1))

    same = torch.tensor([[0.3, 0.7, 0.7, 0.3]])
    torch.testing.assert_close(found(Even(), same), found(Even(), same).flip(1))


def test_the_error_falls_faster_than_the_number_of_added_steps_grows() -> None:
    class Wave(nn.Module):
        def forward(self, values: Tensor) -> Tensor:
            return (values + 2 * torch.sin(30 * values)).sum(1)

    values = torch.ones(1, 1, dtype=torch.float64)
    errors = []
    for steps in (32, 128, 512):
        found = attribute(Wave(), values, steps=3, max_steps=steps, tolerance=0.0)
        errors.append(abs(found.item() - (1 + 2 * math.sin(30))))
    rounding = 1e-13
    assert errors[1] < max(errors[0] / 4, rounding)
    assert errors[2] < max(errors[1] / 4, rounding)


def test_the_sum_is_made_right_with_the_last_quarter_of_the_steps() -> None:
    """A score with a hundred kinks, which halving alone would settle with thousands of steps."""

    class Zigzag(nn.Module):
        def forward(self, values: Tensor) -> Tensor:
            places = torch.linspace(0, 1, 100, dtype=torch.float64)
            slopes = torch.cos(torch.arange(100.0, dtype=torch.float64) ** 2)
            return (slopes * (values - places).relu()).sum(1, keepdim=True).sum(1)

    values = torch.ones(1, 1, dtype=torch.float64)
    options = {"steps": 8, "max_steps": 64, "tolerance": 1e-6, "return_details": True}
    _, details = attribute(Zigzag(), values, **options)
    assert details.completeness_error.item() < 1e-6
    assert details.backwards.item() <= 64


def test_smooth_models_converge_with_few_first_steps() -> None:
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1)).double()
    values = torch.randn(5, 4, dtype=torch.float64)
    _, details = attribute(model, values, steps=32, max_steps=32, return_details=True)
    assert details.completeness_error is not None
    assert (details.completeness_error < 1e-6).all()


def test_fixed_steps_report_how_wrong_they_are() -> None:
    values = torch.tensor([[0.5, 0.5]])
    _, details = attribute(Step(), values, steps=2, max_steps=2, return_details=True)
    assert details.backwards.tolist() == [2]
    assert details.completeness_error is not None
    assert details.completeness_error.item() > 0.5


def test_baselines_of_pictures(picture_model: Model, pixels: Tensor) -> None:
    def found(baseline: str | float | Tensor | None) -> Tensor:
        return attribute(picture_model, pixels, baseline=baseline)

    torch.testing.assert_close(found(None), found("zero"))
    torch.testing.assert_close(found("black"), found(-2.0))  # (0 − 0.5) / 0.25
    mean = pixels.mean((2, 3), keepdim=True)
    torch.testing.assert_close(found("mean"), found(mean))
    assert not torch.allclose(found("blur"), found("mean"))
    flat = torch.full_like(pixels, 0.3)
    torch.testing.assert_close(
        attribute(picture_model, flat, baseline="blur"), flat * 0, atol=1e-5, rtol=0
    )


@pytest.mark.parametrize(
    ("baseline", "message"),
    [
        ("white", "baseline 'white' is not known here. Known: 'zero', 'black', 'blur', 'mean'"),
        (torch.zeros(7), r"baseline of shape \(7,\).* broadcasts to \(5, 3, 12, 12\)"),
    ],
)
def test_baselines_that_do_not_fit(
    picture_model: Model, pixels: Tensor, baseline: str | Tensor, message: str
) -> None:
    with pytest.raises(MethodError, match=message):
        attribute(picture_model, pixels, baseline=baseline)


def test_black_needs_a_record_of_the_normalization(
    convolutional: nn.Module, pixels: Tensor
) -> None:
    with pytest.raises(MethodError, match="how pictures are normalized"):
        attribute(convolutional, pixels, baseline="black")


def test_words_add_up_and_added_tokens_get_nothing(text_model: Model) -> None:
    inputs = text_model.prepare(["a very good film", "bad film"])
    found, details = attribute(text_model, inputs, steps=64, return_details=True)
    assert found.shape == inputs["input_ids"].shape == (2, 6)
    special = torch.isin(inputs["input_ids"], torch.tensor([0, 2, 3]))
    assert not found[special].any()
    assert found[~special].all()
    padded = torch.where(special, inputs["input_ids"], 0)
    with text_model.evaluating(), torch.no_grad():
        before = text_model.logits(inputs | {"input_ids": padded})
    change = details.scores - before.gather(1, details.targets[:, None])[:, 0]
    torch.testing.assert_close(found.sum(1), change, rtol=1e-3, atol=1e-4)


def test_baselines_of_texts(text_model: Model) -> None:
    inputs = text_model.prepare(["a very good film"])
    named = {name: attribute(text_model, inputs, baseline=name) for name in ("pad", "mask", "zero")}
    torch.testing.assert_close(attribute(text_model, inputs), named["pad"])
    torch.testing.assert_close(attribute(text_model, inputs, baseline=0.0), named["zero"])
    assert not torch.allclose(named["pad"], named["mask"])
    text_model.input.tokenizer.mask_token = None
    with pytest.raises(MethodError, match="has no mask token"):
        attribute(text_model, inputs, baseline="mask")


def test_expected_gradients_of_a_linear_model_compare_with_the_mean() -> None:
    model, values, others = nn.Linear(4, 2), torch.randn(3, 4), torch.randn(7, 4)
    found, details = attribute(
        model,
        values,
        method="expected_gradients",
        target=1,
        baseline=others,
        samples=500,
        return_details=True,
    )
    expected = (model.weight[1] * (values - others.mean(0))).detach()
    assert isinstance(details.standard_error, Tensor)
    assert ((found - expected).abs() <= 4 * details.standard_error + 1e-5).all()
    assert details.backwards.tolist() == [500] * 3


def test_expected_gradients_of_one_baseline_approach_integrated_gradients() -> None:
    values = torch.tensor([[1.0, 2.0, -1.0, 5.0]])
    found, details = attribute(
        Square(),
        values,
        method="expected_gradients",
        target=0,
        baseline=0.5,
        samples=1000,
        return_details=True,
    )
    expected = attribute(Square(), values, target=0, baseline=0.5)
    assert isinstance(details.standard_error, Tensor)
    assert ((found - expected).abs() <= 4 * details.standard_error + 1e-5).all()


def test_expected_gradients_of_words(text_model: Model) -> None:
    inputs = text_model.prepare(["a very good film", "bad film"])
    found = attribute(text_model, inputs, method="expected_gradients", samples=8)
    assert found.shape == inputs["input_ids"].shape
    special = torch.isin(inputs["input_ids"], torch.tensor([0, 2, 3]))
    assert not found[special].any()


def test_baselines_of_another_shape_are_refused() -> None:
    with pytest.raises(MethodError, match=r"baselines of shape \(7, 5\)"):
        attribute(
            nn.Linear(4, 2),
            torch.randn(3, 4),
            method="expected_gradients",
            baseline=torch.zeros(7, 5),
        )
