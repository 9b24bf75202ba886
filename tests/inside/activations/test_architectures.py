"""Activations equal to hooks on networks of many kinds, with random weights and small inputs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
import torchvision
from torch import nn

from pellucid.inside.activations import inspect_activations
from pellucid.model import ArrayInput, Model

SIDE = 64


def timm_model(name: str, **options: int) -> nn.Module:
    return pytest.importorskip("timm").create_model(
        name, pretrained=False, num_classes=5, **options
    )


BUILT: dict[str, Callable[[], nn.Module]] = {
    "resnet18": lambda: torchvision.models.resnet18(num_classes=5),
    "mobilenet_v3": lambda: torchvision.models.mobilenet_v3_small(num_classes=5),
    "densenet121": lambda: torchvision.models.densenet121(num_classes=5),
    "squeezenet": lambda: torchvision.models.squeezenet1_1(num_classes=5),
    "convnext": lambda: timm_model("convnext_atto"),
    "vit": lambda: torchvision.models.VisionTransformer(
        image_size=SIDE, patch_size=16, num_layers=3, num_heads=2, hidden_dim=16, mlp_dim=32,
        num_classes=5,
    ),
    "swin": lambda: torchvision.models.SwinTransformer(
        patch_size=[4, 4], embed_dim=12, depths=[1, 2], num_heads=[2, 2], window_size=[4, 4],
        num_classes=5,
    ),
    "deit": lambda: timm_model("deit_tiny_distilled_patch16_224", img_size=SIDE, depth=3),
    "mixer": lambda: timm_model("mixer_s32_224", img_size=SIDE),
    "regnet": lambda: timm_model("regnetx_002"),
}  # fmt: skip
USUAL = ("resnet18", "vit", "mixer")


@pytest.mark.parametrize(
    "name", [n if n in USUAL else pytest.param(n, marks=pytest.mark.thorough) for n in BUILT]
)
def test_activations_are_those_of_hooks(name: str, make_data, caught) -> None:
    torch.manual_seed(0)
    model = Model(module=BUILT[name](), source=name, input=ArrayInput(), labels=tuple("abcde"))
    rng = np.random.default_rng(0)
    data = make_data([rng.normal(size=(3, SIDE, SIDE)) for _ in range(3)])
    found = inspect_activations(model, data, batch_size=2, top=2, shown=1, show=False).data
    layers = found["layer"].values.tolist()
    assert 3 <= len(layers) <= 13
    hooked = caught(model, data, layers)
    for place, layer in enumerate(layers):
        mine = found.isel(unit=found["unit_layer"].values == place)
        number = int(found["num_units"][place])
        values = hooked[layer].double()
        axis = 1 if values.shape[1] == number and values.ndim != 3 else values.ndim - 1
        flat = values.movedim(axis, 1).reshape(3, number, -1)
        scale = float(values.std())
        np.testing.assert_allclose(mine["unit_mean"], flat.mean((0, 2)), atol=1e-4 * scale)
        np.testing.assert_allclose(mine["unit_max"], flat.amax((0, 2)), atol=1e-4 * scale)
        assert found["form"].values[place] in ("grid", "vector")
    widths = found["num_units"].values
    head = [part for part in model.module.modules() if isinstance(part, nn.Linear)]
    if head and name != "squeezenet":
        assert widths[-1] in {part.in_features for part in head}
    if name in ("vit", "deit", "swin"):
        assert "head" in found.sizes
        assert np.isfinite(found["head_distance"]).all()
    if name in ("vit", "deit"):
        assert found["attention_map"].shape[-2:] == (4, 4)
        assert found["attention_from"].item() == "the class token"
