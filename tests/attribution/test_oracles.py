"""The three methods against Captum, on networks where Captum is right."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from pellucid import attribute
from pellucid.model import Model

captum = pytest.importorskip("captum.attr")

pytestmark = pytest.mark.oracle
TARGETS = torch.tensor([0, 1, 2, 1, 0])


def assert_agree(found: Tensor, expected: Tensor) -> None:
    """Equal to 1e-4 of the largest value."""
    scale = expected.abs().max().item()
    assert scale > 0
    torch.testing.assert_close(found, expected.detach().to(found), rtol=1e-4, atol=1e-4 * scale)


@pytest.fixture
def network(convolutional: nn.Module) -> nn.Module:
    return convolutional.eval()


@pytest.mark.parametrize("baseline", [0.0, 0.5])
def test_integrated_gradients(network: nn.Module, pixels: Tensor, baseline: float) -> None:
    """Nodes lie elsewhere than the peer's, so both are compared where they have converged."""
    network.act = nn.Softplus()
    expected, delta = captum.IntegratedGradients(network).attribute(
        pixels,
        baselines=baseline,
        target=TARGETS,
        n_steps=48,
        method="gausslegendre",
        return_convergence_delta=True,
    )
    found, details = attribute(
        network,
        pixels,
        target=TARGETS,
        baseline=baseline,
        steps=48,
        max_steps=48,
        return_details=True,
    )
    assert_agree(found, expected)
    assert delta.abs().max() < 1e-4
    assert details.completeness_error is not None
    assert details.completeness_error.max() < 1e-3


@pytest.mark.parametrize(
    ("window", "stride"), [((4, 4), (4, 4)), ((4, 4), (2, 2)), ((5, 3), (2, 3)), ((7, 12), (4, 1))]
)
def test_occlusion(
    network: nn.Module, pixels: Tensor, window: tuple[int, int], stride: tuple[int, int]
) -> None:
    expected = captum.Occlusion(network).attribute(
        pixels, (3, *window), strides=(3, *stride), baselines=0.3, target=TARGETS
    )
    found = attribute(
        network,
        pixels,
        method="occlusion",
        target=TARGETS,
        baseline=0.3,
        window=window,
        stride=stride,
    )
    assert_agree(found, expected)


@pytest.mark.parametrize("layer", ["first", "norm", "second", "act"])
def test_grad_cam(network: nn.Module, pixels: Tensor, layer: str) -> None:
    network.act.inplace = False
    cam = captum.LayerGradCam(network, getattr(network, layer))
    expected = cam.attribute(pixels, target=TARGETS, relu_attributions=True)[:, 0]
    found = attribute(
        network, pixels, method="grad_cam", target=TARGETS, layer=layer, upsample=False
    )
    assert_agree(found, expected)
    enlarged = captum.LayerAttribution.interpolate(expected[:, None], (12, 12), "bilinear")[:, 0]
    found = attribute(network, pixels, method="grad_cam", target=TARGETS, layer=layer)
    assert_agree(found, enlarged)


def test_integrated_gradients_of_words(text_model: Model) -> None:
    inputs = text_model.prepare(["a very good film", "bad film"])
    module = text_model.module.eval()

    def logits(indices: Tensor, mask: Tensor) -> Any:
        return module(input_ids=indices, attention_mask=mask).logits

    special = torch.isin(inputs["input_ids"], torch.tensor([0, 2, 3]))
    baselines = torch.where(special, inputs["input_ids"], 0)
    layered = captum.LayerIntegratedGradients(logits, module.get_input_embeddings())
    expected = layered.attribute(
        inputs["input_ids"],
        baselines=baselines,
        target=1,
        additional_forward_args=(inputs["attention_mask"],),
        n_steps=32,
        method="gausslegendre",
    ).sum(-1)
    found = attribute(text_model, inputs, target="positive", steps=32, max_steps=32)
    assert_agree(found, expected)
