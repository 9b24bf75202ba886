"""Blur IG, guided IG and IDGI: closed forms, completeness, and what they leave out."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torchvision.transforms.v2.functional import gaussian_blur

from pellucid import attribute
from pellucid.errors import MethodError
from pellucid.model import Model


def network(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(6, 16), nn.Softplus(), nn.Linear(16, 1)).double()


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10_000))
def test_idgi_adds_up_whatever_the_steps(seed: int) -> None:
    model, values = network(seed), torch.randn(3, 6, dtype=torch.float64)
    found, details = attribute(model, values, method="idgi", steps=3, return_details=True)
    change = (model(values) - model(torch.zeros_like(values)))[:, 0].detach()
    torch.testing.assert_close(found.sum(1), change, rtol=1e-9, atol=1e-9)
    assert details.backwards.tolist() == [3] * 3


def test_idgi_by_hand() -> None:
    """f = 3 u + 4 v: shares 9 / 25 and 16 / 25 of each change."""
    model = nn.Linear(2, 1, bias=False)
    model.weight.data.copy_(torch.tensor([[3.0, 4.0]]))
    found = attribute(model, torch.tensor([[5.0, 10.0]]), method="idgi", steps=7)
    torch.testing.assert_close(found, torch.tensor([[9 / 25 * 55, 16 / 25 * 55]]))


def test_idgi_says_where_the_gradient_vanishes() -> None:
    class Late(nn.Module):
        def forward(self, values: Tensor) -> Tensor:
            return (values - 0.5).relu().sum(1)

    found, details = attribute(
        Late(), torch.ones(1, 2), method="idgi", steps=1, return_details=True
    )
    assert not found.any()
    assert details.completeness_error is not None
    assert details.completeness_error.tolist() == [1.0]


@pytest.mark.parametrize("seed", range(4))
def test_guided_ig_comes_closer_with_more_steps(seed: int) -> None:
    model, values = network(seed), torch.randn(2, 6, dtype=torch.float64)
    change = (model(values) - model(torch.zeros_like(values)))[:, 0].detach()
    found = attribute(model, values, method="guided_ig", steps=128)
    torch.testing.assert_close(found.sum(1), change, rtol=0.05, atol=0.05)


def test_guided_ig_of_a_linear_model_is_weight_times_change() -> None:
    model, values, baseline = nn.Linear(6, 2), torch.randn(3, 6), torch.randn(6)
    found = attribute(model, values, method="guided_ig", target=1, baseline=baseline, steps=9)
    torch.testing.assert_close(found, (model.weight[1] * (values - baseline)).detach())


def test_guided_ig_changes_first_what_moves_the_score_least() -> None:
    """f = u v² from 0 to 1: with v first, u gets all; with both at once, u gets a third."""

    class Product(nn.Module):
        def forward(self, values: Tensor) -> Tensor:
            return values[:, 0] * (1 + 3 * values[:, 1] ** 2) + 10 * values[:, 2]

    values = torch.ones(1, 3)
    free = attribute(Product(), values, method="guided_ig", steps=100, share=0.3, max_distance=1.0)
    straight = attribute(
        Product(), values, method="guided_ig", steps=100, share=0.3, max_distance=0.0
    )
    torch.testing.assert_close(straight, torch.tensor([[2.0, 2.0, 10.0]]), rtol=0.02, atol=0)
    torch.testing.assert_close(free, torch.tensor([[4.0, 0.0, 10.0]]), rtol=0.03, atol=0.05)


def test_blur_ig_of_a_linear_model_is_weight_times_change(pixels: Tensor) -> None:
    weights = torch.randn(3, 12, 12)

    class Linear(nn.Module):
        def forward(self, pixels: Tensor) -> Tensor:
            return (weights * pixels).sum((1, 2, 3))

    padded = torch.zeros(1, 3, 12, 12)
    padded[:, :, 5:7, 5:7] = 1  # so far from the border that it does not matter
    found = attribute(Linear(), padded, method="blur_ig", blur=0.07)
    blurred = gaussian_blur(padded, [9, 9], [0.84, 0.84])
    torch.testing.assert_close(found, weights * (padded - blurred), rtol=1e-3, atol=1e-3)


def test_blur_ig_adds_up_from_the_blurred_picture(picture_model: Model, pixels: Tensor) -> None:
    _, details = attribute(picture_model, pixels, method="blur_ig", return_details=True)
    assert details.completeness_error is not None
    over = details.completeness_error > 0.01
    assert (details.backwards[over] == 256).all()
    assert not over.all()


def test_a_flat_picture_has_nothing_to_sharpen(picture_model: Model) -> None:
    flat = torch.full((1, 3, 12, 12), 0.7)
    found = attribute(picture_model, flat, method="blur_ig", max_steps=8)
    torch.testing.assert_close(found, torch.zeros_like(found), rtol=0, atol=1e-5)


def test_blur_ig_is_for_pictures() -> None:
    with pytest.raises(MethodError, match="not defined for arrays"):
        attribute(nn.Linear(4, 2), torch.randn(3, 4), method="blur_ig")
