"""LIME and KernelSHAP: the pairs that are drawn, and the fits against slow ones."""

from __future__ import annotations

from itertools import product
from math import comb

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression, Ridge
from torch import Tensor, nn

from pellucid import attribute
from pellucid.attribution.coalitions import draw_pairs
from pellucid.errors import MethodError


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 11), st.integers(1, 300), st.integers(0, 99))
def test_pairs_are_unique_and_weigh_as_the_kernel(players: int, pairs: int, seed: int) -> None:
    drawn = draw_pairs(players, max(pairs, 2 * players), seed)
    both = torch.cat([drawn.shown, ~drawn.shown])
    assert len(both.unique(dim=0)) == len(both) <= 2**players - 2
    sizes = drawn.shown.sum(1)
    for size in range(1, players // 2 + 1):
        found = drawn.weights[(sizes == size) | (sizes == players - size)].sum()
        both_sides = 1 if 2 * size == players else 2  # of a pair, only one coalition is listed
        expected = both_sides / 2 * (players - 1) / (size * (players - size))
        assert float(found) == pytest.approx(expected)
    if max(pairs, 2 * players) >= 2 ** (players - 1) - 1:
        assert len(both) == 2**players - 2


def test_large_games_are_not_listed() -> None:
    drawn = draw_pairs(200, 1000, 0)
    assert 950 <= len(drawn.shown) <= 1100
    assert set(drawn.shown.sum(1).tolist()) == set(range(1, 101))
    assert (drawn.shown.sum(1) == 1).sum() == 200


@pytest.fixture
def network() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(5, 16), nn.Tanh(), nn.Linear(16, 2))


def every_score(module: nn.Module, sample: Tensor, baseline: float) -> tuple[Tensor, Tensor]:
    shown = torch.tensor(list(product([0.0, 1.0], repeat=sample.numel())))
    points = torch.where(shown == 1, sample, baseline)
    return shown, module(points)[:, 1].detach()


def test_kernel_shap_of_all_coalitions_is_the_weighted_fit(network: nn.Module) -> None:
    sample = torch.randn(1, 5)
    found, details = attribute(
        network, sample, method="kernel_shap", target=1, baseline=0.2, return_details=True
    )
    shown, scores = every_score(network, sample, 0.2)
    size = shown.sum(1)
    inner = (size > 0) & (size < 5)
    kernel = torch.tensor([4 / (comb(5, int(s)) * s * (5 - s)) if 0 < s < 5 else 1e7 for s in size])
    assert inner.sum() == 30
    slow = LinearRegression().fit(shown.numpy(), scores.numpy(), sample_weight=kernel.numpy())
    torch.testing.assert_close(found[0], torch.tensor(slow.coef_), rtol=1e-3, atol=1e-5)
    assert not details.standard_error.any()
    assert details.forwards.tolist() == [32]


@pytest.mark.parametrize("ridge", [0.0, 0.5])
def test_lime_tends_to_the_weighted_ridge_over_all_coalitions(
    network: nn.Module, ridge: float
) -> None:
    sample = torch.randn(1, 5)
    found, details = attribute(
        network, sample, method="lime", target=1, baseline=0.2, samples=60_000, ridge=ridge,
        return_details=True,
    )  # fmt: skip
    shown, scores = every_score(network, sample, 0.2)
    distance = 1 - torch.nn.functional.cosine_similarity(shown, torch.ones(1, 5))
    weights = (-((distance / 0.25) ** 2)).exp()
    slow = Ridge(alpha=float(ridge * 0.25 * weights.sum()) or 1e-9)
    slow.fit(shown.numpy(), scores.numpy(), sample_weight=weights.numpy())
    expected = torch.tensor(slow.coef_)
    torch.testing.assert_close(found[0], expected, rtol=0, atol=0.01)
    assert ((found[0] - expected).abs() < 4 * details.standard_error[0] + 1e-6).all()


def test_the_standard_error_of_lime_covers_its_limit(network: nn.Module) -> None:
    samples = torch.randn(6, 5, generator=torch.Generator().manual_seed(0))
    limit = attribute(network, samples, method="lime", target=1, samples=100_000)
    inside, errors = [], {60: 0.0, 960: 0.0}
    for count in errors:
        for seed in range(12):
            found, details = attribute(
                network, samples, method="lime", target=1, samples=count, seed=seed,
                return_details=True,
            )  # fmt: skip
            errors[count] += float((found - limit).abs().mean())
            inside.append(((found - limit).abs() <= 2 * details.standard_error).float().mean())
    assert 0.85 < torch.stack(inside).mean() < 0.99
    assert 2.5 < errors[60] / errors[960] < 6.5


@pytest.mark.parametrize("method", ["lime", "kernel_shap", "shapley_sampling", "owen"])
def test_linear_models_with_segments(method: str) -> None:
    pixels = torch.randn(2, 3, 6, 6)
    module = nn.Sequential(nn.Flatten(), nn.Linear(108, 2))
    terms = (module[1].weight[1] * (pixels - 0.5).flatten(1)).view(2, 3, 6, 6).sum(1).detach()
    found = attribute(
        module, pixels, method=method, target=1, baseline=0.5, segments="grid", num_segments=4
    )
    each = terms.view(2, 2, 3, 2, 3).sum((2, 4)).repeat_interleave(3, 1).repeat_interleave(3, 2)
    expected = each if method == "lime" else each / 27
    torch.testing.assert_close(found[:, 0], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("method", ["lime", "kernel_shap"])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_few_segments(method: str, size: int) -> None:
    linear, values = nn.Linear(size, 1), torch.rand(2, size)
    found = attribute(linear, values, method=method, samples=2)
    torch.testing.assert_close(found, (linear.weight * values).detach())


def test_too_many_unknowns() -> None:
    with pytest.raises(MethodError, match=r"got 4100 segments, .* at most 4096.*'rise'"):
        attribute(nn.Linear(4100, 1), torch.rand(1, 4100), method="lime")


def test_superpixels_are_the_default_of_lime(convolutional: nn.Module) -> None:
    pytest.importorskip("skimage")
    found, details = attribute(
        convolutional, torch.rand(2, 3, 16, 16), method="lime", samples=80, return_details=True
    )
    assert details.resolution == "about 36 superpixels"
    assert found.isfinite().all()
