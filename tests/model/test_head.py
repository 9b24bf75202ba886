"""Finding the layer that makes the logits, and putting a new one in its place."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

import pellucid
from pellucid.errors import LayerError, ModelError
from pellucid.model import ArrayInput, ImageInput, Model
from pellucid.model.head import example_inputs, find_head, replace_head

TORCHVISION = {
    "resnet18": "fc",
    "mobilenet_v3_small": "classifier.3",
    "squeezenet1_1": "classifier.1",
    "densenet121": "classifier",
    "swin_t": "head",
    "vit_b_16": "heads.head",
}
TIMM = {"resnet18": "fc", "vit_tiny_patch16_224": "head", "mobilevit_xxs": "head.fc"}


def small() -> Model:
    module = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3), nn.Dropout())
    return pellucid.wrap(module, input=ArrayInput(shape=(4,)), labels=["a", "b", "c"])


def inputs_of(model: Model) -> dict[str, Tensor]:
    inputs = example_inputs(model.input)
    assert inputs is not None
    return inputs


def state_of(module: nn.Module) -> tuple[Any, ...]:
    """Everything about a module that a call could change."""
    return (
        {name: tensor.clone() for name, tensor in module.state_dict().items()},
        [m.training for m in module.modules()],
        [p.requires_grad for p in module.parameters()],
        [p.grad is None for p in module.parameters()],
        [(len(m._forward_hooks), len(m._forward_pre_hooks)) for m in module.modules()],
        torch.get_rng_state(),
    )


def assert_unchanged(before: tuple[Any, ...], module: nn.Module) -> None:
    after = state_of(module)
    torch.testing.assert_close(before[0], after[0], rtol=0, atol=0)
    assert before[1:5] == after[1:5]
    assert torch.equal(before[5], after[5])


@pytest.mark.parametrize("name", ["squeezenet1_1", "mobilenet_v3_small"])
def test_finds_and_replaces_heads_of_torchvision(name: str) -> None:
    _check(f"torchvision:{name}", TORCHVISION[name], small_input=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "densenet121",
        "vit_b_16",
        *(pytest.param(n, marks=pytest.mark.thorough) for n in ("resnet18", "swin_t")),
    ],
)
def test_finds_and_replaces_heads_of_larger_networks(name: str) -> None:
    _check(f"torchvision:{name}", TORCHVISION[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", TIMM)
def test_finds_and_replaces_heads_of_timm(name: str) -> None:
    pytest.importorskip("timm")
    _check(f"timm:{name}", TIMM[name])


def _check(spec: str, head: str, *, small_input: bool = False) -> None:
    model = pellucid.load(spec, weights=False, device="cpu")
    inputs = {"": torch.zeros(1, 3, 64, 64)} if small_input else inputs_of(model)
    before = state_of(model.module)
    assert find_head(model, inputs) == head
    assert_unchanged(before, model.module)
    replace_head(model, ["yes", "no"], inputs, seed=0)
    assert model.logits(inputs).shape == (1, 2)
    assert (model.head, model.labels) == (head, ("yes", "no"))


class TwoHeads(nn.Module):
    """The mean of two heads, as in distilled vision transformers."""

    def __init__(self) -> None:
        super().__init__()
        self.head, self.head_dist = nn.Linear(4, 3), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return (self.head(x) + self.head_dist(x)) / 2


def test_models_whose_logits_come_from_two_layers_are_refused() -> None:
    model = pellucid.wrap(TwoHeads(), input=ArrayInput(shape=(4,)))
    before = state_of(model.module)
    with pytest.raises(LayerError, match="its logits come from other layers too"):
        replace_head(model, ["yes", "no"], inputs_of(model), seed=0)
    assert_unchanged(before, model.module)
    assert model.head == ""


def test_a_new_head_depends_on_the_seed_alone() -> None:
    weights = []
    for seed, disturbance in ((1, 5), (1, 6), (2, 5)):
        torch.manual_seed(0)
        model = small()
        torch.manual_seed(disturbance)
        before = torch.get_rng_state()
        replace_head(model, ["x", "y"], inputs_of(model), seed)
        assert torch.equal(before, torch.get_rng_state())
        weights.append(model.module[2].weight)
    torch.testing.assert_close(weights[0], weights[1], rtol=0, atol=0)
    assert not torch.equal(weights[0], weights[2])


def test_a_new_head_has_the_old_ones_kind_dtype_and_mode() -> None:
    model = small()
    model.module.double().eval()
    replaced = replace_head(
        pellucid.wrap(model.module, input=_Doubles(shape=(4,))),
        ["x"],
        {"": torch.zeros(1, 4, dtype=torch.float64)},
        seed=0,
    )
    new = replaced.module[2]
    assert (new.in_features, new.out_features) == (8, 1)
    assert new.weight.dtype == torch.float64
    assert not new.training
    assert new.weight.requires_grad


class _Doubles(ArrayInput):
    pass


def test_a_subclass_of_linear_stays_one() -> None:
    class Cosine(nn.Linear):
        def forward(self, input: Tensor) -> Tensor:  # noqa: A002
            return nn.functional.cosine_similarity(input[:, None], self.weight, dim=-1)

    module = nn.Sequential(nn.Linear(4, 8), Cosine(8, 3, bias=False))
    model = pellucid.wrap(module, input=ArrayInput(shape=(4,)))
    replace_head(model, ["x", "y"], inputs_of(model), seed=0)
    assert isinstance(model.module[1], Cosine)
    assert model.module[1].bias is None


def test_a_subclass_that_cannot_be_built_is_refused() -> None:
    class Scaled(nn.Linear):
        def __init__(self, scale: float) -> None:
            super().__init__(8, 3)
            self.scale = scale

    module = nn.Sequential(nn.Linear(4, 8), Scaled(2.0))
    model = pellucid.wrap(module, input=ArrayInput(shape=(4,)))
    with pytest.raises(LayerError, match="a new Scaled cannot be made"):
        replace_head(model, ["x", "y"], inputs_of(model), seed=0)


def test_a_parametrized_head_is_refused() -> None:
    module = nn.Sequential(nn.Linear(4, 8), parametrizations.weight_norm(nn.Linear(8, 3)))
    model = pellucid.wrap(module, input=ArrayInput(shape=(4,)))
    with pytest.raises(LayerError, match="computed from others"):
        replace_head(model, ["x", "y"], inputs_of(model), seed=0)


def test_a_head_that_is_used_twice_is_replaced_everywhere() -> None:
    module = nn.ModuleDict({"body": nn.Linear(4, 8), "head": nn.Linear(8, 3)})
    module["twin"] = module["head"]
    module.forward = lambda x: module["twin"](module["body"](x))  # type: ignore[method-assign]
    model = pellucid.wrap(module, input=ArrayInput(shape=(4,)))
    replace_head(model, ["x", "y"], inputs_of(model), seed=0)
    assert module["head"] is module["twin"]
    assert module["head"].out_features == 2


def test_a_named_head_is_taken_and_checked() -> None:
    model = small()
    model.head = "2"
    assert find_head(model, {}) == "2"
    model.head = "1"
    with pytest.raises(LayerError, match="layer '1' of Sequential is ReLU"):
        find_head(model, {})
    model.head = "7"
    with pytest.raises(LayerError, match=r"layer '7' is not in Sequential. Known: '0', '2'"):
        find_head(model, {})


def test_a_wrongly_named_head_leaves_the_model_as_it_was() -> None:
    model = small()
    model.head = "0"
    before, layer = state_of(model.module), model.module[0]
    with pytest.raises(LayerError, match="with a new head '0'"):
        replace_head(model, ["x", "y"], inputs_of(model), seed=0)
    assert_unchanged(before, model.module)
    assert model.module[0] is layer


def test_a_head_that_does_not_decide_the_number_of_logits_is_refused() -> None:
    class Padded(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(4, 3)

        def forward(self, x: Tensor) -> Tensor:
            return nn.functional.pad(self.linear(x), (0, 3))[:, :3]

    model = pellucid.wrap(Padded(), input=ArrayInput(shape=(4,)))
    with pytest.raises(LayerError, match="with 2 outputs leaves 3 logits"):
        replace_head(model, ["x", "y"], inputs_of(model), seed=0)
    assert model.module.linear.out_features == 3


def test_a_model_without_head_is_told() -> None:
    model = pellucid.wrap(nn.Conv2d(3, 2, 3), input=ImageInput(size=(3, 3), resize=None))
    model.module = nn.Sequential(model.module, nn.Flatten())
    with pytest.raises(LayerError, match=r"no linear layer .* gives the 2 logits.*head="):
        find_head(model, inputs_of(model))


def test_hooks_go_when_the_model_fails() -> None:
    model = small()
    before = state_of(model.module)
    with pytest.raises(ModelError, match="fails on its own kind of input"):
        find_head(model, {"": torch.zeros(1, 5)})
    assert_unchanged(before, model.module)


def test_logits_must_be_one_row_per_sample() -> None:
    module = nn.Linear(4, 3)
    model = pellucid.wrap(module, input=ArrayInput(shape=(2, 4)))
    with pytest.raises(ModelError, match=r"logits of shape \(1, 2, 3\); expected \(samples"):
        find_head(model, inputs_of(model))


def test_the_old_layers_copy_elsewhere_is_not_touched() -> None:
    model = small()
    twin = copy.deepcopy(model.module)
    replace_head(model, ["x", "y"], inputs_of(model), seed=0)
    assert twin[2].out_features == 3
