"""Gradient and path methods against Captum, on networks where Captum is right."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from pellucid import attribute

captum = pytest.importorskip("captum.attr")

pytestmark = pytest.mark.oracle
TARGETS = torch.tensor([0, 1, 2, 1, 0])
MANY = 400


def assert_agree(found: Tensor, expected: Tensor, relative: float = 1e-4) -> None:
    """Equal to a share of the largest value."""
    scale = expected.abs().max().item()
    assert scale > 0
    torch.testing.assert_close(
        found, expected.detach().to(found), rtol=relative, atol=relative * scale
    )


@pytest.fixture
def network(convolutional: nn.Module) -> nn.Module:
    """Smooth, so that integrals converge quickly on both sides."""
    convolutional.act = nn.Softplus()
    return convolutional.eval()


def ours(network: nn.Module, pixels: Tensor, method: str, **options: Any) -> Tensor:
    return attribute(network, pixels, method=method, target=TARGETS, **options)


def test_saliency(network: nn.Module, pixels: Tensor) -> None:
    expected = captum.Saliency(network).attribute(pixels.clone().requires_grad_(), target=TARGETS)
    assert_agree(ours(network, pixels, "saliency"), expected)


def test_input_x_gradient(network: nn.Module, pixels: Tensor) -> None:
    expected = captum.InputXGradient(network).attribute(
        pixels.clone().requires_grad_(), target=TARGETS
    )
    assert_agree(ours(network, pixels, "input_x_gradient"), expected)


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("smooth_grad", "smoothgrad"),
        ("smooth_grad_squared", "smoothgrad_sq"),
        ("var_grad", "vargrad"),
    ],
)
def test_smoothing(network: nn.Module, pixels: Tensor, method: str, kind: str) -> None:
    """Captum draws noise of its own, so both are compared within their standard errors."""
    picture, target = pixels[:1], 0
    found, details = attribute(
        network, picture, method=method, target=target, samples=400, noise=0.1, return_details=True
    )
    width = 0.1 * (picture.max() - picture.min()).item()
    tunnel = captum.NoiseTunnel(captum.Saliency(network))
    torch.manual_seed(0)
    expected = tunnel.attribute(
        picture.clone(), nt_type=kind, nt_samples=400, stdevs=width, target=target, abs=False
    )
    assert isinstance(details.standard_error, Tensor)
    off = (found - expected).abs() / (2**0.5 * details.standard_error)
    assert off.square().mean().sqrt() < 1.3
    assert off.max() < 6


@pytest.mark.parametrize("baseline", [0.0, 0.5])
def test_integrated_gradients(network: nn.Module, pixels: Tensor, baseline: float) -> None:
    expected = captum.IntegratedGradients(network).attribute(
        pixels, baselines=baseline, target=TARGETS, n_steps=64, method="gausslegendre"
    )
    options = {"baseline": baseline, "steps": 64, "max_steps": 64}
    assert_agree(ours(network, pixels, "integrated_gradients", **options), expected)


def test_expected_gradients_of_a_linear_model(pixels: Tensor) -> None:
    linear = nn.Sequential(nn.Flatten(), nn.Linear(432, 3))
    expected = captum.GradientShap(linear).attribute(
        pixels, baselines=torch.zeros(1, 3, 12, 12), target=TARGETS, n_samples=4
    )
    assert_agree(ours(linear, pixels, "expected_gradients", samples=4), expected)


@pytest.mark.parametrize("layer", ["first", "norm", "second", "act"])
def test_layer_conductance(network: nn.Module, pixels: Tensor, layer: str) -> None:
    """Captum's differences are of first order, so both come close only with many steps."""
    conductance = captum.LayerConductance(network, getattr(network, layer))
    expected = conductance.attribute(
        pixels, target=TARGETS, n_steps=MANY, method="riemann_middle"
    ).sum(1)
    options = {"layer": layer, "upsample": False, "steps": 128, "max_steps": 128}
    assert_agree(ours(network, pixels, "layer_conductance", **options), expected, 5e-3)


@pytest.mark.parametrize("layer", ["first", "second"])
def test_internal_influence(network: nn.Module, pixels: Tensor, layer: str) -> None:
    influence = captum.InternalInfluence(network, getattr(network, layer))
    expected = influence.attribute(pixels, target=TARGETS, n_steps=32, method="gausslegendre")
    options = {"layer": layer, "upsample": False}
    assert_agree(ours(network, pixels, "internal_influence", **options), expected.sum(1))


def test_neurons(network: nn.Module, pixels: Tensor) -> None:
    unit = (3, 2, 4)
    options = {"layer": "second", "unit": unit}
    peer = captum.NeuronIntegratedGradients(network, network.second)
    expected = peer.attribute(pixels, unit, n_steps=64, method="gausslegendre")
    fixed = {"steps": 64, "max_steps": 64}
    assert_agree(ours(network, pixels, "neuron_integrated_gradients", **options, **fixed), expected)
    expected = captum.NeuronGradient(network, network.second).attribute(
        pixels.clone().requires_grad_(), unit
    )
    assert_agree(ours(network, pixels, "neuron_gradient", **options), expected)
    expected = captum.NeuronConductance(network, network.second).attribute(
        pixels, unit, target=TARGETS, n_steps=64, method="gausslegendre"
    )
    assert_agree(ours(network, pixels, "neuron_conductance", **options, steps=64), expected)
