"""Methods that hide segments against Captum, where it is right."""

from __future__ import annotations

from itertools import permutations
from math import factorial

import pytest
import torch
from torch import Tensor, nn

from pellucid import attribute

captum = pytest.importorskip("captum.attr")

pytestmark = pytest.mark.oracle
TARGETS = torch.tensor([0, 1, 2])


def assert_agree(found: Tensor, expected: Tensor, rtol: float = 1e-4) -> None:
    """Equal to `rtol` of the largest value."""
    scale = expected.abs().max().item()
    assert scale > 0
    torch.testing.assert_close(found, expected.detach().to(found), rtol=rtol, atol=rtol * scale)


@pytest.fixture
def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 3)
    )


@pytest.fixture
def values() -> Tensor:
    return torch.randn(3, 6, generator=torch.Generator().manual_seed(1))


def slow_shapley(network: nn.Module, sample: Tensor, target: int) -> Tensor:
    shares = torch.zeros(6)
    for order in permutations(range(6)):
        points = torch.full((7, 6), 0.1)
        for step, place in enumerate(order, start=1):
            points[step:, place] = sample[place]
        shares[list(order)] += network(points)[:, target].detach().diff()
    return shares / factorial(6)


def test_shapley_values(network: nn.Module, values: Tensor) -> None:
    peer = captum.ShapleyValues(network).attribute(
        values, baselines=0.1, target=TARGETS, perturbations_per_eval=64
    )
    assert_agree(peer[2], slow_shapley(network, values[2], 2))
    for method in ("exact_shapley", "kernel_shap"):
        found = attribute(network, values, method=method, target=TARGETS, baseline=0.1)
        assert_agree(found, peer)


@pytest.mark.parametrize("segments", [None, torch.tensor([0, 0, 1, 2, 2, 1])])
def test_feature_ablation(network: nn.Module, values: Tensor, segments: Tensor | None) -> None:
    expected = captum.FeatureAblation(network).attribute(
        values, baselines=0.1, target=TARGETS, feature_mask=segments
    )
    found = attribute(
        network, values, method="feature_ablation", target=TARGETS, baseline=0.1, segments=segments
    )
    assert_agree(found, expected)


def test_shapley_values_of_segments(convolutional: nn.Module, pixels: Tensor) -> None:
    labels = torch.arange(4).repeat_interleave(3)[:, None].expand(12, 12)
    network = convolutional.eval()
    peer = captum.ShapleyValues(network).attribute(
        pixels[:2], target=1, feature_mask=labels.expand(1, 3, 12, 12).contiguous()
    )
    found = attribute(network, pixels[:2], method="exact_shapley", target=1, segments=labels)
    assert_agree(found * 3 * 36, peer, 1e-3)


def test_converged_kernel_shap(network: nn.Module, values: Tensor) -> None:
    torch.manual_seed(0)
    peer = captum.KernelShap(network).attribute(
        values[:1], baselines=0.1, target=0, n_samples=1500, perturbations_per_eval=500
    )
    found = attribute(network, values[:1], method="kernel_shap", target=0, baseline=0.1)
    assert_agree(peer, found, 0.05)
