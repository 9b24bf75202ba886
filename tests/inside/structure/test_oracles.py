"""Parameter counts and FLOPs against torchinfo and PyTorch's counter."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from pellucid.inside.structure import inspect_structure
from pellucid.inside.structure.arrays import group_sums
from pellucid.model import ArrayInput, Model

pytestmark = pytest.mark.oracle


class Recurrent(nn.Module):
    """Two layers of LSTM and a head."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(6, 8, 2, batch_first=True)
        self.head = nn.Linear(8, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.lstm(x)[0][:, -1])


def network(name: str) -> tuple[nn.Module, tuple[int, ...]]:
    import torchvision

    if name == "lstm":
        return Recurrent(), (5, 6)
    if name == "transformer":
        layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
        return nn.TransformerEncoder(layer, 2, enable_nested_tensor=False), (7, 16)
    return torchvision.models.get_model(name, weights=None), (3, 64, 64)


@pytest.mark.parametrize(
    "name",
    [
        "lstm",
        pytest.param("transformer", marks=pytest.mark.thorough),
        "squeezenet1_1",
        pytest.param("resnet18", marks=pytest.mark.thorough),
        pytest.param("mobilenet_v3_small", marks=pytest.mark.thorough),
    ],
)
def test_counts_equal_independent_ones(name: str) -> None:
    torchinfo = pytest.importorskip("torchinfo", reason="torchinfo is not installed")
    module, shape = network(name)
    module.eval()
    inputs = torch.randn(2, *shape)
    model = Model(module=module, source=name, input=ArrayInput(shape=shape))
    structure = inspect_structure(model, {"": inputs}, time=False)
    data = structure.data
    told = torchinfo.summary(module, input_data=inputs[:1], verbose=0, depth=9)
    assert data["group_parameters"].values[0] == told.total_params
    ours = {
        str(n): int(p)
        for n, p, call in zip(
            data["group_name"].values,
            data["group_parameters"].values,
            data["group_call"].values,
            strict=True,
        )
        if call == 1
    }
    own = dict(module.named_modules())
    assert all(ours[n] == sum(p.numel() for p in own[n].parameters()) for n in ours)
    with (
        FlopCounterMode(display=False, depth=None) as counter,
        sdpa_kernel(SDPBackend.MATH),
        torch.enable_grad(),
    ):
        module(inputs[:1])
    # The counter has no formula for the fused LSTM: four gates of 8 units, five steps, two layers.
    lstm = 2 * 5 * 4 * 8 * ((6 + 8) + (8 + 8)) if name == "lstm" else 0
    assert group_sums(data, "flops")[0] == counter.get_total_flops() + lstm
