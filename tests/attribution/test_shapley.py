"""Exact and sampled Shapley values: games by hand, the axioms, and the standard error."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from pellucid import attribute
from pellucid.errors import MethodError
from pellucid.model import Model

METHODS = ("exact_shapley", "shapley_sampling", "kernel_shap", "owen")


class Interactions(nn.Module):
    """A polynomial of five values, in which the first two are alike and the last does nothing."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.weights = nn.Parameter(torch.randn(6, generator=generator))

    def forward(self, values: Tensor) -> Tensor:
        a, b, c, d, _ = values.T
        terms = [a + b, a * b, c * d, (a + b) * c, a * b * d, (c - d).tanh()]
        return torch.stack(terms, 1) @ self.weights


def test_a_game_of_gloves() -> None:
    """One left glove and two right ones: a pair is worth 1. Shapley: 2/3, 1/6, 1/6."""

    class Gloves(nn.Module):
        def forward(self, hands: Tensor) -> Tensor:
            return torch.minimum(hands[:, 0], hands[:, 1] + hands[:, 2]).clamp(max=1)

    hands = torch.ones(2, 3)
    expected = torch.tensor([[2 / 3, 1 / 6, 1 / 6]]).expand(2, 3)
    found, details = attribute(Gloves(), hands, method="exact_shapley", return_details=True)
    torch.testing.assert_close(found, expected)
    assert details.forwards.tolist() == [8, 8]
    torch.testing.assert_close(attribute(Gloves(), hands, method="kernel_shap"), expected)
    sampled = attribute(Gloves(), hands, method="shapley_sampling", samples=4000)
    torch.testing.assert_close(sampled, expected, rtol=0, atol=0.02)


def test_a_product_is_shared_by_powers() -> None:
    class Product(nn.Module):
        def forward(self, values: Tensor) -> Tensor:
            return values.prod(1)

    values = torch.tensor([[2.0, 3.0]])  # v: 1, 2, 3, 6 with baseline 1
    for method in METHODS:
        found = attribute(Product(), values, method=method, baseline=1.0)
        torch.testing.assert_close(found, torch.tensor([[2.0, 3.0]]))


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000))
def test_efficiency_and_dummy(method: str, seed: int) -> None:
    model = Interactions(seed)
    values = torch.randn(2, 5, generator=torch.Generator().manual_seed(seed + 1))
    found, details = attribute(model, values, method=method, baseline=0.25, return_details=True)
    change = (model(values) - model(torch.full_like(values, 0.25))).detach()
    torch.testing.assert_close(found.sum(1), change, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found[:, 4], torch.zeros(2), rtol=0, atol=1e-5)
    assert (details.completeness_error < 1e-6).all()


@pytest.mark.parametrize("method", ["exact_shapley", "kernel_shap"])
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000))
def test_symmetry_and_linearity(method: str, seed: int) -> None:
    one, other = Interactions(seed), Interactions(seed + 5000)
    both = Interactions(0)
    both.weights.data = one.weights.data - 2 * other.weights.data
    values = torch.randn(2, 5, generator=torch.Generator().manual_seed(seed + 1))
    values[:, 1] = values[:, 0]
    a, b, c = (attribute(model, values, method=method) for model in (one, other, both))
    torch.testing.assert_close(a[:, 0], a[:, 1], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(c, a - 2 * b, rtol=1e-4, atol=1e-4)


def test_sampled_values_are_linear_in_the_model() -> None:
    one, other, both = Interactions(1), Interactions(2), Interactions(0)
    both.weights.data = one.weights.data + other.weights.data
    values = torch.randn(3, 5)
    a, b, c = (
        attribute(model, values, method="shapley_sampling", samples=6, seed=9)
        for model in (one, other, both)
    )
    torch.testing.assert_close(c, a + b, rtol=1e-4, atol=1e-5)


@pytest.fixture
def network() -> nn.Module:
    torch.manual_seed(3)
    return nn.Sequential(
        nn.Linear(9, 24), nn.ReLU(), nn.Linear(24, 24), nn.Tanh(), nn.Linear(24, 2)
    )


@pytest.mark.parametrize(("method", "few"), [("shapley_sampling", 8), ("kernel_shap", 64)])
def test_the_error_shrinks_and_the_standard_error_covers_it(
    network: nn.Module, method: str, few: int
) -> None:
    values = 2 * torch.randn(6, 9, generator=torch.Generator().manual_seed(0))
    exact = attribute(network, values, method="exact_shapley", target=1)
    errors, inside = {}, []
    for samples in (few, 4 * few):
        distances = []
        for seed in range(12):
            found, details = attribute(
                network, values, method=method, target=1, samples=samples, seed=seed,
                return_details=True,
            )  # fmt: skip
            distances.append((found - exact).abs())
            inside.append((distances[-1] <= 2 * details.standard_error).float().mean())
        errors[samples] = torch.stack(distances).mean()
    faster_without_repetition = 6 if method == "kernel_shap" else 3
    assert 1.6 < errors[few] / errors[4 * few] < faster_without_repetition
    covered = torch.stack(inside)[12:].mean()
    assert 0.85 < covered < 0.99


def test_segments_share_evenly_so_that_pictures_add_up(picture_model: Model) -> None:
    pixels = torch.randn(2, 3, 12, 12, generator=torch.Generator().manual_seed(0))
    labels = torch.zeros(12, 12, dtype=torch.int64)
    labels[:2], labels[:, :5] = 1, 2
    ends = [picture_model.module.eval()(x)[:, 1] for x in (pixels, torch.zeros_like(pixels))]
    for method in METHODS:
        found = attribute(picture_model, pixels, method=method, target=1, segments=labels)
        torch.testing.assert_close(
            found.sum((1, 2, 3)), (ends[0] - ends[1]).detach(), rtol=1e-3, atol=1e-5
        )
        for label in range(3):
            assert found[:, :, labels == label].flatten(1).std(1).max() < 1e-6


def test_samples_with_different_numbers_of_tokens(text_model: Model) -> None:
    inputs = text_model.prepare(["a very good film", "bad film", "[UNK]", ""])
    special = torch.isin(inputs["input_ids"], torch.tensor([0, 2, 3]))
    for method in METHODS:
        found, details = attribute(
            text_model, inputs, method=method, target="positive", return_details=True
        )
        assert not found[special].any()
        assert (details.completeness_error < 1e-4).all()
        for row in range(4):
            alone = attribute(
                text_model,
                {name: tensor[row : row + 1] for name, tensor in inputs.items()},
                method=method,
                target="positive",
            )
            torch.testing.assert_close(found[row : row + 1], alone, rtol=1e-4, atol=1e-5)


def test_too_many_for_all_coalitions() -> None:
    with pytest.raises(MethodError, match=r"17 segments, which form 2\^17.*'shapley_sampling'"):
        attribute(nn.Linear(17, 1), torch.rand(1, 17), method="exact_shapley")


@pytest.mark.parametrize("method", METHODS)
def test_low_precision_and_bounded_passes(method: str) -> None:
    torch.manual_seed(0)
    module, values = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 2)), torch.randn(3, 6)
    found = attribute(module, values, method=method, target=0)
    pieces = attribute(module, values, method=method, target=0, max_batch=5)
    torch.testing.assert_close(found, pieces, rtol=1e-4, atol=1e-5)
    low = attribute(module.bfloat16(), values.bfloat16(), method=method, target=0)
    assert low.isfinite().all()
    torch.testing.assert_close(low.float(), found, rtol=0.1, atol=0.05)
