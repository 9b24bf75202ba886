"""Costs by hand, and by PyTorch's own counter."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from pellucid.graph.graph import Graph
from pellucid.model import ImageInput, Model


def test_a_convolution_and_a_linear_layer_by_hand():
    """2 · 4·5·5 · 3·9 for the convolution, 2 · 4·2 for the head; ReLU and mean count 0."""
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)
    )
    model = Model(module=module.eval(), source="small", input=ImageInput())
    cost = Graph.of(model, {"": torch.randn(3, 3, 7, 7)}).cost()
    rows = {row.module: row for row in cost.operators if row.flops or row.module == "1"}
    conv, relu, head = rows["0"], rows["1"], rows["4"]
    assert (conv.flops, conv.parameters, conv.bytes) == (2 * 100 * 27, 112, 400)
    assert (conv.operator, conv.shape) == ("aten.convolution.default", (1, 4, 5, 5))
    assert (relu.flops, relu.elements, relu.parameters) == (0, 100, 0)
    assert (head.flops, head.parameters, head.shape) == (16, 10, (1, 2))
    assert (cost.flops, cost.parameters) == (5416, 122)


def test_modules_sum_what_is_inside_them(mixed):
    model, inputs = mixed
    cost = Graph.of(model, inputs).cost()
    modules = {row.name: row for row in cost.modules}
    named = dict(model.module.named_modules())
    assert list(modules) == list(named)
    for name, row in modules.items():
        assert row.parameters == sum(p.numel() for p in named[name].parameters())
    assert modules[""].flops == cost.flops
    assert modules["blocks"].flops == modules["blocks.0"].flops + modules["blocks.1"].flops
    assert sum(row.parameters for row in cost.operators) == cost.parameters


@pytest.mark.oracle
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("resnet18", 32),
        *(
            pytest.param(name, size, marks=pytest.mark.thorough)
            for name, size in (
                ("vit_b_16", 32),
                ("mobilenet_v3_small", 64),
                ("swin_t", 64),
                ("convnext_tiny", 64),
            )
        ),
    ],
)
def test_flops_equal_pytorchs_counter(name, size):
    import torchvision

    extra = {"image_size": size} if name == "vit_b_16" else {}
    module = torchvision.models.get_model(name, weights=None, **extra).eval()
    pixels = torch.randn(2, 3, size, size)
    cost = Graph.of(Model(module=module, source=name, input=ImageInput()), {"": pixels}).cost()
    # The counter knows no formula for fused attention on the CPU, nor for the fast path that is
    # taken without gradients; the plain one it counts.
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        module(pixels[:1])
    assert cost.flops == counter.get_total_flops()
    assert cost.parameters == sum(p.numel() for p in module.parameters())
    assert sum(row.parameters for row in cost.operators) == cost.parameters
