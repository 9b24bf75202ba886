"""Propagation methods against Captum and Zennit, on networks where these are right."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from pellucid import attribute
from pellucid.model import ImageInput, Model

captum = pytest.importorskip("captum.attr")
composites = pytest.importorskip("zennit.composites")
zennit_layers = pytest.importorskip("zennit.layer")
zennit_rules = pytest.importorskip("zennit.rules")
canonizers = pytest.importorskip("zennit.torchvision")
from zennit.canonizers import SequentialMergeBatchNorm  # noqa: E402

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
BOX = 3.0


def assert_agree(found: Tensor, expected: Tensor) -> None:
    scale = expected.abs().max().item()
    assert scale > 0
    torch.testing.assert_close(found, expected.detach().to(found), rtol=1e-4, atol=1e-4 * scale)


@pytest.fixture
def plain() -> nn.Module:
    """Convolutions with batch norm, pooling of both kinds, and linear layers."""
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 6, 3, padding=1), nn.ReLU(), nn.AvgPool2d(5), nn.Flatten(),
        nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3),
    ).double()  # fmt: skip
    module[1].running_mean.normal_()
    module[1].running_var.uniform_(0.5, 2)
    nn.init.uniform_(module[1].weight, 0.5, 2)
    return module.eval()


@pytest.fixture
def x() -> Tensor:
    made = torch.Generator().manual_seed(1)
    return torch.randn(3, 3, 12, 12, dtype=torch.float64, generator=made)


def test_deeplift(plain: nn.Module, x: Tensor) -> None:
    assert_agree(
        attribute(plain, x, method="deeplift", target=1),
        captum.DeepLift(plain).attribute(x, target=1),
    )


def test_deep_shap(plain: nn.Module, x: Tensor) -> None:
    """Without maxima, whose rule Captum applies differently after a ReLU."""
    plain[3] = nn.AvgPool2d(2)
    several = x.flip(0)[:2] + 0.3
    assert_agree(
        attribute(plain, x, method="deep_shap", target=1, baseline=several),
        captum.DeepLiftShap(plain).attribute(x, several, target=1),
    )


def test_guided_backprop_and_deconvnet(plain: nn.Module, x: Tensor) -> None:
    for method, peer in (
        ("guided_backprop", captum.GuidedBackprop),
        ("deconvnet", captum.Deconvolution),
    ):
        found = attribute(plain, x, method=method, target=1)
        assert_agree(found, peer(plain).attribute(x, target=1))


def relevance(module: nn.Module, x: Tensor, composite: Any, classes: int) -> Tensor:
    from zennit.attribution import Gradient

    chosen = torch.eye(classes, dtype=x.dtype)[[1] * len(x)]
    with Gradient(model=module, composite=composite) as attributor:
        _, found = attributor(x.clone().requires_grad_(), lambda output: output * chosen)
    return found


def composite(rule: str, canonizer: Any) -> Any:
    """Zennit's composite, with sums and average pools stabilized as little as here."""
    from zennit.types import AvgPool, Linear

    exact = zennit_rules.Norm(stabilizer=1e-9)
    sums = [(AvgPool, exact), (zennit_layers.Sum, exact)]
    base = [*sums, *composites.layer_map_base()]
    rules = {
        "epsilon": zennit_rules.Epsilon(),
        "gamma": zennit_rules.Gamma(),
        "alpha_beta": zennit_rules.AlphaBeta(),
        "flat": zennit_rules.Flat(),
    }
    made = [canonizer]
    if rule in rules:
        return composites.LayerMapComposite([*base, (Linear, rules[rule])], canonizers=made)
    if rule == "epsilon_gamma_box":
        return composites.EpsilonGammaBox(low=-BOX, high=BOX, layer_map=sums, canonizers=made)
    named = {"epsilon_plus": "EpsilonPlus", "epsilon_plus_flat": "EpsilonPlusFlat"}[rule]
    return getattr(composites, named)(layer_map=sums, canonizers=made)


def of_pictures(module: nn.Module, side: int) -> Model:
    """A model whose pixel values lie between −BOX and BOX."""
    record = ImageInput(size=(side, side), resize=side, mean=(0.5,) * 3, std=(0.5 / BOX,) * 3)
    return Model(module=module, source="made", input=record)


@pytest.mark.parametrize(
    "rule",
    [
        "epsilon",
        "gamma",
        "alpha_beta",
        "flat",
        "epsilon_plus",
        "epsilon_gamma_box",
        "epsilon_plus_flat",
    ],
)
def test_lrp(plain: nn.Module, x: Tensor, rule: str) -> None:
    found = attribute(of_pictures(plain, 12), x, method="lrp", rule=rule, target=1)
    expected = relevance(plain, x, composite(rule, SequentialMergeBatchNorm()), 3)
    assert_agree(found, expected)


@pytest.fixture
def photo() -> Tensor:
    return torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(3)).double()


def calibrated(name: str) -> nn.Module:
    torchvision = pytest.importorskip("torchvision")
    torch.manual_seed(0)
    module: nn.Module = torchvision.models.get_model(name, weights=None, num_classes=10)
    if name == "vgg11":
        module.classifier = nn.Sequential(
            nn.Linear(512 * 49, 32), nn.ReLU(inplace=True), nn.Dropout(), nn.Linear(32, 10)
        )
    made = torch.Generator().manual_seed(4)
    module.train()(torch.randn(4, 3, 64, 64, generator=made))
    return module.double().eval()


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["epsilon_gamma_box", "alpha_beta"])
def test_lrp_of_resnet(photo: Tensor, rule: str) -> None:
    module = calibrated("resnet18")
    found = attribute(of_pictures(module, 64), photo, method="lrp", rule=rule, target=1)
    expected = relevance(module, photo, composite(rule, canonizers.ResNetCanonizer()), 10)
    assert_agree(found, expected)


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["epsilon_plus_flat"])
def test_lrp_of_vgg(photo: Tensor, rule: str) -> None:
    module = calibrated("vgg11")
    found = attribute(of_pictures(module, 64), photo, method="lrp", rule=rule, target=1)
    expected = relevance(module, photo, composite(rule, canonizers.VGGCanonizer()), 10)
    assert_agree(found, expected)


@pytest.mark.slow
def test_deeplift_of_vgg(photo: Tensor) -> None:
    """Captum is 9 % off on AlexNet, whose pooling windows overlap."""
    module = separate(calibrated("vgg11"))
    expected = captum.DeepLift(module).attribute(photo, target=1)
    assert_agree(attribute(module, photo, method="deeplift", target=1), expected)


@pytest.mark.slow
def test_guided_backprop_of_vgg(photo: Tensor) -> None:
    module = separate(calibrated("vgg11"))
    for method, peer in (
        ("guided_backprop", captum.GuidedBackprop),
        ("deconvnet", captum.Deconvolution),
    ):
        found = attribute(module, photo, method=method, target=1)
        assert_agree(found, peer(module).attribute(photo, target=1))


def separate(module: nn.Module) -> nn.Module:
    """Rectifiers that do not work in place, as Captum needs them."""
    for part in module.modules():
        if isinstance(part, nn.ReLU):
            part.inplace = False
    return module
