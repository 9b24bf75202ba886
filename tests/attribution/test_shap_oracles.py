"""Shapley values, DeepSHAP and expected gradients against SHAP, where it is right."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pellucid import attribute

pytestmark = [pytest.mark.oracle, pytest.mark.filterwarnings("ignore")]
TARGET = 1


@pytest.fixture(scope="module")
def shap() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import shap
    except Exception as error:  # noqa: BLE001  numba, which shap needs, raises errors of its own
        pytest.skip(f"shap cannot be imported: {error}")
    return shap


@pytest.fixture
def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 3)
    ).eval()


@pytest.fixture
def values() -> Tensor:
    return torch.randn(3, 6, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def data() -> Tensor:
    return torch.randn(8, 6, generator=torch.Generator().manual_seed(2))


def assert_agree(found: Tensor, expected: Any) -> None:
    """Equal to 1e-4 of the largest value."""
    peer = torch.tensor(np.asarray(expected)).to(found)
    scale = peer.abs().max().item()
    assert scale > 0
    torch.testing.assert_close(found, peer, rtol=1e-4, atol=1e-4 * scale)


def as_numpy(network: nn.Module) -> Any:
    def scores(rows: Any) -> Any:
        with torch.no_grad():
            return network(torch.tensor(np.asarray(rows), dtype=torch.float32))[:, TARGET].numpy()

    return scores


@pytest.mark.parametrize("method", ["exact_shapley", "kernel_shap"])
def test_kernel_shap(
    shap: Any, network: nn.Module, values: Tensor, data: Tensor, method: str
) -> None:
    peer = shap.KernelExplainer(as_numpy(network), data.numpy())
    expected = peer.shap_values(values.numpy(), silent=True)
    assert_agree(attribute(network, values, method=method, target=TARGET, baseline=data), expected)


def test_owen_values(shap: Any, network: nn.Module, values: Tensor) -> None:
    halves = [[1, 2, 1, 2], [0, 6, 2, 3], [4, 5, 1, 2], [3, 8, 2, 3], [7, 9, 3, 6]]
    masker = shap.maskers.Partition(
        np.full((1, 6), 0.1, np.float32), clustering=np.array(halves, float)
    )
    peer = shap.explainers.Partition(as_numpy(network), masker)
    expected = peer(values.numpy(), max_evals=5000, silent=True).values
    assert_agree(attribute(network, values, method="owen", target=TARGET, baseline=0.1), expected)


def test_deep_shap(shap: Any, network: nn.Module, values: Tensor, data: Tensor) -> None:
    expected = shap.DeepExplainer(network, data).shap_values(values)[..., TARGET]
    found = attribute(network, values, method="deep_shap", target=TARGET, baseline=data)
    assert_agree(found, expected)


def test_deep_shap_of_pictures(shap: Any) -> None:
    """The peer knows convolutions, ReLU, average pooling and linear layers, each called once."""
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 6, 3), nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(6, 4, 3), nn.ReLU(),
        nn.Flatten(), nn.Linear(36, 3),
    ).eval()  # fmt: skip
    pictures = torch.randn(2, 3, 12, 12)
    neutral = torch.randn(3, 3, 12, 12)
    expected = shap.DeepExplainer(network, neutral).shap_values(pictures)[..., TARGET]
    found = attribute(network, pictures, method="deep_shap", target=TARGET, baseline=neutral)
    assert_agree(found, expected)
