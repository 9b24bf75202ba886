"""Incremental runs: variants against whole passes, and what is computed again, by hand."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from pellucid.graph.graph import Graph
from pellucid.graph.incremental import Incremental
from pellucid.model import ArrayInput, Model

Spans = tuple[Tensor, Tensor]


class Pooled(nn.Module):
    """Strides, dilation, groups, uneven kernels, both poolings, a ceiling, and a concatenation."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 5, stride=2, padding=2)
        self.norm = nn.BatchNorm2d(8)
        self.grouped = nn.Conv2d(8, 8, 3, padding=2, dilation=2, groups=4)
        self.largest = nn.MaxPool2d(3, stride=2, padding=1, ceil_mode=True)
        self.uneven = nn.Conv2d(16, 6, (1, 3), padding=(0, 1), stride=(2, 1))
        self.mean = nn.AvgPool2d((3, 2), stride=1, padding=1)
        self.fc = nn.Linear(6, 4)

    def forward(self, pixels: Tensor) -> Tensor:
        hidden = self.norm(self.first(pixels)).relu()
        hidden = torch.cat([hidden, self.grouped(hidden).tanh()], 1)
        return self.fc(self.mean(self.uneven(self.largest(hidden))).relu().mean((2, 3)))


class ChannelsLast(nn.Module):
    """A block as in ConvNeXt: norm and linear layers per place, a scale, a map of positions."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 2, stride=2)
        self.positions = nn.Parameter(torch.randn(1, 8, 12, 10))
        self.depthwise = nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.norm = nn.LayerNorm(8)
        self.wide, self.narrow = nn.Linear(8, 16), nn.Linear(16, 8)
        self.scale = nn.Parameter(torch.randn(8, 1, 1))
        self.last = nn.BatchNorm2d(8)

    def forward(self, pixels: Tensor) -> Tensor:
        hidden = self.stem(pixels) + self.positions
        inner = self.norm(self.depthwise(hidden).permute(0, 2, 3, 1))
        inner = self.narrow(nn.functional.gelu(self.wide(inner))).permute(0, 3, 1, 2)
        return self.last(hidden + self.scale * inner).amax((2, 3))


class Squeezed(nn.Module):
    """A gate that sees the whole map, and a sum of its gated and plain paths."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.gate = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 1)
        self.after = nn.Conv2d(8, 5, 3)

    def forward(self, pixels: Tensor) -> Tensor:
        hidden = self.conv(pixels).relu()
        gated = hidden * self.gate(hidden.mean((2, 3), keepdim=True)).sigmoid()
        return self.after(gated + hidden).relu().sum((2, 3))


def model_of(module: nn.Module) -> Model:
    """Wrap a module in double precision, with odd statistics in its batch norms."""
    torch.manual_seed(1)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            for tensor in (part.running_var, part.weight, part.running_mean, part.bias):
                assert tensor is not None
                tensor.data.uniform_(0.5, 1.5)
    module.double().eval().requires_grad_(requires_grad=False)
    return Model(module=module, source="made", input=ArrayInput(), device=torch.device("cpu"))


def ends(side: int, window: int, stride: int) -> Spans:
    first = torch.arange(0, side - window + stride, stride)
    return first, (first + window).clamp(max=side)


def incremental_of(model: Model, pixels: Tensor, down: Spans, across: Spans) -> Incremental:
    graph = Graph.of(model, {"": pixels})
    assert graph.how == "export"
    return Incremental(graph.program, graph.inputs, "", down=down, across=across)


def covered(pixels: Tensor, hidden: Tensor, down: Spans, across: Spans) -> Tensor:
    """All variants as whole pictures, (i j) c y x."""
    variants = []
    for top, bottom in zip(*down, strict=True):
        for left, right in zip(*across, strict=True):
            variant = pixels.clone()
            variant[..., top:bottom, left:right] = hidden[..., top:bottom, left:right]
            variants.append(variant)
    return torch.cat(variants)


def compare(
    module: nn.Module, size: tuple[int, int], window: tuple[int, int], stride: tuple[int, int]
) -> Incremental:
    """Assert that all variants are as in whole passes, in one piece and in groups."""
    model = model_of(module)
    generator = torch.Generator().manual_seed(2)
    pixels, hidden = torch.randn(2, 1, 3, *size, generator=generator, dtype=torch.float64)
    down, across = ends(size[0], window[0], stride[0]), ends(size[1], window[1], stride[1])
    incremental = incremental_of(model, pixels, down, across)
    picture = incremental.picture({"": pixels})
    torch.testing.assert_close(picture.logits, module(pixels))
    whole = module(covered(pixels, hidden, down, across))
    whole = whole.view(len(down[0]), len(across[0]), -1)
    for number in (1, 3):
        found = torch.full_like(whole, torch.nan)
        for rows, columns in incremental.groups(number):
            i, j = rows.repeat_interleave(len(columns)), columns.repeat(len(rows))
            assert found[i, j].isnan().all()
            found[i, j] = picture.covered(hidden, i, j)
        torch.testing.assert_close(found, whole, rtol=1e-9, atol=1e-9)
    return incremental


@pytest.mark.parametrize(
    ("size", "window", "stride"),
    [((40, 56), (5, 8), (4, 7)), ((37, 29), (9, 4), (9, 3)), ((16, 16), (16, 2), (16, 2))],
)
def test_strides_dilation_groups_and_pooling(
    size: tuple[int, int], window: tuple[int, int], stride: tuple[int, int]
) -> None:
    compare(Pooled(), size, window, stride)


def test_channels_last_and_operands_that_differ_from_place_to_place() -> None:
    incremental = compare(ChannelsLast(), (24, 20), (5, 4), (3, 4))
    assert incremental.share < 0.3


def test_a_gate_that_sees_everything_ends_the_local_part() -> None:
    incremental = compare(Squeezed(), (20, 18), (4, 4), (4, 4))
    assert 0.3 < incremental.share < 1


@settings(max_examples=8, deadline=None)
@given(
    kernel=st.integers(1, 4),
    stride=st.integers(1, 5),
    padding=st.integers(0, 3),
    dilation=st.integers(1, 2),
    window=st.integers(1, 6),
    step=st.integers(1, 6),
)
def test_any_convolution(
    kernel: int, stride: int, padding: int, dilation: int, window: int, step: int
) -> None:
    first = nn.Conv2d(3, 4, kernel, stride, padding, dilation)
    second = nn.Conv2d(4, 4, 3, padding=1)
    module = nn.Sequential(first, nn.ReLU(), second, nn.Tanh(), nn.Flatten())
    compare(module, (14, 17), (window, window), (min(step, window), min(step, window)))


def test_work_is_the_part_of_the_multiplications_that_depends_on_the_window() -> None:
    module = nn.Sequential(nn.Conv2d(3, 5, 3, padding=1), nn.Flatten())
    model = model_of(module)
    pixels = torch.randn(1, 3, 8, 10, dtype=torch.float64)
    spans = (torch.tensor([0, 3]), torch.tensor([2, 5]))
    incremental = incremental_of(model, pixels, spans, spans)
    picture = incremental.picture({"": pixels})
    convolution, flat = 8 * 10 * 5 * 27, 8 * 10 * 5 * 8  # a plain operator counts as 8 per number
    for which, side in ((0, 3), (1, 4)):  # at the corner, the kernel's other half is outside
        before = picture.work
        index = torch.tensor([which])
        picture.covered(torch.zeros_like(pixels), index, index)
        expected = (convolution * side * side / 80 + flat) / (convolution + flat)
        assert picture.work - before == pytest.approx(expected)


def test_nothing_is_saved_after_a_patch_embedding() -> None:
    class Patches(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Conv2d(3, 16, 4, stride=4)
            self.attend = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)

        def forward(self, pixels: Tensor) -> Tensor:
            return self.attend(self.embed(pixels).flatten(2).mT).mean(1)

    incremental = compare(Patches(), (16, 20), (4, 4), (2, 2))
    assert incremental.share > 0.75


def test_the_model_is_not_changed() -> None:
    module = Pooled()
    model = model_of(module)
    before = {name: (tensor, tensor.clone()) for name, tensor in module.state_dict().items()}
    pixels = torch.randn(1, 3, 20, 20, dtype=torch.float64)
    spans = ends(20, 5, 5)
    picture = incremental_of(model, pixels, spans, spans).picture({"": pixels})
    picture.covered(torch.zeros_like(pixels), torch.tensor([0, 1]), torch.tensor([1, 1]))
    for name, tensor in module.state_dict().items():
        assert tensor.data_ptr() == before[name][0].data_ptr()
        torch.testing.assert_close(tensor, before[name][1], rtol=0, atol=0)


@pytest.mark.thorough
@pytest.mark.parametrize(
    "name",
    [
        "resnet18", "densenet121", "mobilenet_v2", "mobilenet_v3_small", "efficientnet_b0",
        "googlenet", "convnext_tiny", "shufflenet_v2_x0_5", "squeezenet1_1", "swin_t", "vit_b_16",
    ],
)  # fmt: skip
def test_architectures(name: str) -> None:
    models = pytest.importorskip("torchvision.models")
    torch.manual_seed(0)
    extra = {"init_weights": False} if name == "googlenet" else {}
    module = getattr(models, name)(weights=None, **extra)
    size = (224, 224) if name == "vit_b_16" else (72, 88)
    compare(module, size, (size[0] // 3, size[1] // 3), (size[0] // 3, size[1] // 3))
