"""Both halves of a cut model are the model, and only what never changes is kept."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from pellucid.errors import ModelError
from pellucid.graph.cut import cut, cut_at_layer
from pellucid.graph.trace import trace
from pellucid.model import ImageInput, Model


class Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(x + self.norm(self.conv(x)))


class Small(nn.Module):
    """A shared, in-place ReLU, a residual block, batch norm and dropout: what trips hooks."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, stride=2)
        self.relu = nn.ReLU(inplace=True)
        self.blocks = nn.Sequential(Residual(8), Residual(8), Residual(8))
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.blocks(self.relu(self.stem(x)))
        return self.head(self.drop(self.relu(x + 1).mean((2, 3))))


@pytest.fixture
def model() -> Model:
    torch.manual_seed(0)
    small = Small().eval()
    for module in small.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    return Model(module=small, source="small", input=ImageInput(size=(16, 16)))


def pictures(count: int) -> dict[str, Tensor]:
    return {"": torch.randn(count, 3, 16, 16, generator=torch.Generator().manual_seed(1))}


@pytest.mark.parametrize(
    ("modules", "shapes"),
    [
        (("head",), [(8,)]),
        (("blocks.2", "head"), [(8, 7, 7)]),
        (("blocks.1.norm", "head"), [(8, 7, 7), (8, 7, 7)]),
    ],
)
def test_the_frontier_is_what_enters_the_trained_modules(model, modules, shapes):
    halves = cut(model, pictures(3), modules)
    assert [tuple(t.shape[1:]) for t in halves.frontier(pictures(3))] == shapes


@pytest.mark.parametrize("count", [1, 2, 7])
def test_both_halves_give_the_whole_on_any_batch_size(model, count):
    halves = cut(model, pictures(3), ("blocks.2", "head"))
    inputs = pictures(count)
    with torch.no_grad():
        torch.testing.assert_close(halves.suffix(*halves.frontier(inputs)), model.logits(inputs))


def test_training_the_suffix_trains_the_model_as_a_whole_would(model):
    """Gradients and batch-norm statistics equal those of the uncut model in the same modes."""
    trained = ("blocks.2", "head")
    model.module.requires_grad_(False)
    for name in trained:
        model.module.get_submodule(name).train().requires_grad_(True)
    halves = cut(model, pictures(3), trained)
    inputs = pictures(6)
    before = model.module.blocks[2].norm.running_mean.clone()

    halves.training_suffix(*halves.frontier(inputs)).square().sum().backward()
    cut_gradients = [p.grad.clone() for p in model.module.parameters() if p.requires_grad]
    cut_mean = model.module.blocks[2].norm.running_mean.clone()
    assert not torch.equal(cut_mean, before)

    model.module.blocks[2].norm.running_mean.copy_(before)
    model.module.zero_grad()
    model.logits(inputs).square().sum().backward()
    whole = [p.grad for p in model.module.parameters() if p.requires_grad]
    torch.testing.assert_close(cut_gradients, whole)
    torch.testing.assert_close(cut_mean, model.module.blocks[2].norm.running_mean)


def test_cutting_leaves_the_model_as_it_was(model):
    model.module.blocks[1].train()
    modes = [m.training for m in model.module.modules()]
    state = {name: t.clone() for name, t in model.module.state_dict().items()}
    cut(model, pictures(3), ("blocks.1", "head"))
    assert [m.training for m in model.module.modules()] == modes
    assert all(torch.equal(t, state[name]) for name, t in model.module.state_dict().items())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.module.modules())


class Branching(nn.Module):
    """Cannot be traced: its way depends on the numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Linear(6, 4)
        self.head = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.body(x)
        return self.head(x if x.sum() > 0 else -x)


def test_what_cannot_be_traced_says_so_and_can_be_cut_before_its_head():
    branching = Branching().eval()
    model = Model(module=branching, source="branching", input=ImageInput())
    inputs = {"": torch.randn(4, 6)}
    with pytest.raises(ModelError, match="Branching cannot be traced"):
        trace(model, inputs)
    halves = cut_at_layer(model, inputs, "head")
    (features,) = halves.frontier(inputs)
    assert features.shape == (4, 4)
    torch.testing.assert_close(halves.suffix(features), model.logits(inputs))


def test_a_layer_that_does_not_end_the_model_is_refused():
    module = nn.Sequential(nn.Linear(6, 4), nn.Linear(4, 3), nn.Softmax(-1)).eval()
    model = Model(module=module, source="soft", input=ImageInput())
    with pytest.raises(ModelError, match="two halves differ"):
        cut_at_layer(model, {"": torch.randn(4, 6)}, "1")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "modules", "rows"),
    [
        ("mobilenet_v3_small", ("classifier",), [(576,)]),
        *(
            pytest.param(*case, marks=pytest.mark.thorough)
            for case in (
                ("swin_t", ("features.7", "norm", "head"), [(2, 2, 768)]),
                ("resnet18", ("layer4", "fc"), [(256, 4, 4)]),
                ("vit_b_16", ("encoder.layers.encoder_layer_11", "heads"), [(17, 768)]),
                ("convnext_tiny", ("features.7", "classifier"), [(768, 2, 2)]),
            )
        ),
    ],
)
def test_real_architectures_are_cut_where_expected(name, modules, rows):
    import torchvision

    extra = {"image_size": 64} if name == "vit_b_16" else {}
    module = torchvision.models.get_model(name, weights=None, **extra).eval()
    model = Model(module=module, source=name, input=ImageInput())
    inputs = {"": torch.randn(2, 3, 64, 64)}
    halves = cut(model, inputs, modules)
    assert [tuple(t.shape[1:]) for t in halves.frontier(inputs)] == rows
