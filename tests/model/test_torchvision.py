"""Classifiers of torchvision: presets, labels, the cache, and what goes wrong without network."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import models

import pellucid
from pellucid.errors import ModelError
from pellucid.model import ImageInput

TINY = "shufflenet_v2_x0_5"


class Shot:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return Path.touch, (Path("fired"),)  # type: ignore[return-value]


def cached(monkeypatch: pytest.MonkeyPatch, home: Path, name: str, checkpoint: Any) -> None:
    """Put a checkpoint where torchvision looks before it downloads."""
    monkeypatch.setenv("TORCH_HOME", str(home))
    url = models.get_model_weights(name).DEFAULT.url
    path = home / "hub" / "checkpoints" / url.rpartition("/")[2]
    path.parent.mkdir(parents=True)
    torch.save(checkpoint, path)


def test_takes_pretrained_weights_from_the_cache(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    expected = models.get_model(TINY).state_dict()
    cached(monkeypatch, tmp_path, TINY, expected)
    model = pellucid.load(f"torchvision:{TINY}", device="cpu")
    torch.testing.assert_close(dict(model.module.state_dict()), dict(expected))
    assert not model.module.training
    assert model.notes == ()


def test_a_cached_pickle_that_needs_code_is_not_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    cached(monkeypatch, tmp_path / "home", TINY, {"shot": Shot()})
    with pytest.raises(ModelError, match="cannot be had"):
        pellucid.load(f"torchvision:{TINY}", device="cpu")
    assert not (tmp_path / "fired").exists()


def test_without_network_it_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise URLError("no network")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("torch.hub.urlopen", refuse)
    with pytest.raises(ModelError, match=r"no network.*weights=FILE, or weights=False"):
        pellucid.load(f"torchvision:{TINY}", device="cpu")
    assert capsys.readouterr().out == ""


def test_names_that_are_no_classifier_are_refused() -> None:
    with pytest.raises(ModelError, match=r"resnt18 is unknown. Closest: 'resnet18'"):
        pellucid.load("torchvision:resnt18")
    with pytest.raises(ModelError, match="fcn_resnet50 is not a classifier"):
        pellucid.load("torchvision:fcn_resnet50")


def test_every_classifier_has_a_preset_that_can_be_taken_over() -> None:
    from pellucid.model.torchvision import _input

    for name in models.list_models(module=models):
        weights = models.get_model_weights(name).DEFAULT
        described = _input(weights.transforms())
        assert described.resize is not None
        assert described.resize >= described.size[0] >= 224
        assert len(weights.meta["categories"]) == 1000


@pytest.mark.oracle
@pytest.mark.parametrize("name", [TINY, "efficientnet_b0", "inception_v3"])
def test_prepares_pictures_as_torchvision_does(name: str) -> None:
    from pellucid.model.torchvision import _input

    preset = models.get_model_weights(name).DEFAULT.transforms()
    pixels = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    picture = Image.fromarray(pixels).resize((451, 300), Image.Resampling.BICUBIC)
    ours = _input(preset).prepare([picture])[""][0]
    torch.testing.assert_close(ours, preset(picture), rtol=0, atol=1e-5)


def test_labels_and_input_are_those_of_the_default_weights() -> None:
    model = pellucid.load(f"torchvision:{TINY}", weights=False, device="cpu")
    assert model.labels[:2] == ("tench", "goldfish")
    assert model.input == ImageInput()
    assert model.architecture == {"source": "torchvision", "name": TINY}


@pytest.mark.parametrize("name", ["googlenet"])
@pytest.mark.parametrize("auxiliary", [True, False])
def test_auxiliary_classifiers_are_built_only_for_weights_that_hold_them(
    tmp_path: Path, name: str, auxiliary: bool
) -> None:
    options = {"aux_logits": auxiliary, "init_weights": False}
    expected = models.get_model(name, **options).state_dict()
    torch.save(expected, tmp_path / "w.pt")
    model = pellucid.load(f"torchvision:{name}", weights=tmp_path / "w.pt", device="cpu")
    torch.testing.assert_close(dict(model.module.state_dict()), dict(expected))
    assert model.module.transform_input
    assert model.architecture["aux_logits"] == auxiliary


@pytest.mark.slow
def test_random_networks_with_auxiliary_classifiers_are_made_without_warnings() -> None:
    for name in ("googlenet", "inception_v3"):
        model = pellucid.load(f"torchvision:{name}", weights=False, device="cpu")
        assert not any("aux" in layer.lower() for layer in model.module.state_dict())


def test_weights_from_a_file(tmp_path: Path) -> None:
    expected = models.get_model(TINY).state_dict()
    torch.save({"state_dict": expected}, tmp_path / "w.pt")
    shutil.copy(tmp_path / "w.pt", tmp_path / "copy.pth.tar")
    model = pellucid.load(f"torchvision:{TINY}", weights=tmp_path / "copy.pth.tar", device="cpu")
    torch.testing.assert_close(dict(model.module.state_dict()), dict(expected))
