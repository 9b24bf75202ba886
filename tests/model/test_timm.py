"""Models of timm: names, folders, data configuration, labels."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

import pellucid
from pellucid.errors import ModelError
from pellucid.model import ImageInput

timm = pytest.importorskip("timm")
from pellucid.model.request import LoadRequest  # noqa: E402
from pellucid.model.timm import _input, load  # noqa: E402

TINY = "test_vit"
CONFIG = {
    "input_size": (3, 224, 224),
    "crop_pct": 0.875,
    "crop_mode": "center",
    "interpolation": "bicubic",
    "mean": (0.5, 0.5, 0.5),
    "std": (0.25, 0.25, 0.25),
}


def test_opens_a_model_with_its_own_input_and_labels() -> None:
    model = pellucid.load(f"timm:{TINY}", weights=False, device="cpu")
    config = timm.data.resolve_model_data_config(model.module)
    assert isinstance(model.input, ImageInput)
    assert model.input.size == config["input_size"][1:]
    assert model.input.resize == math.floor(160 / config["crop_pct"])
    assert model.input.mean == config["mean"]
    assert (model.labels[0], model.labels[281], len(model.labels)) == ("tench", "tabby", 1000)
    assert not model.module.training


@pytest.mark.oracle
@pytest.mark.parametrize("mode", ["center", "squash"])
def test_prepares_pictures_as_timm_does(mode: str) -> None:
    config = {**CONFIG, "crop_mode": mode, "crop_pct": 1.0 if mode == "squash" else 0.875}
    transform = timm.data.create_transform(**config)
    picture = Image.linear_gradient("L").resize((400, 300)).convert("RGB")
    described, notes = _input(config)
    ours = described.prepare([picture])[""][0]
    torch.testing.assert_close(ours, transform(picture), rtol=0, atol=1e-5)
    assert notes == ()


@pytest.mark.parametrize(
    ("changes", "resize", "note"),
    [
        ({"crop_mode": "border"}, 256, "timm's crop mode 'border' is not followed exactly"),
        ({"crop_mode": "squash"}, None, "timm's crop mode 'squash' is not followed exactly"),
        ({"interpolation": "hamming"}, 256, "timm's interpolation 'hamming' is replaced"),
    ],
)
def test_says_what_it_cannot_take_over(
    changes: dict[str, Any], resize: int | None, note: str
) -> None:
    described, notes = _input({**CONFIG, **changes})
    assert described.resize == resize
    assert note in notes[0]


def folder(path: Path, **config: Any) -> torch.nn.Module:
    """Write a model as timm's hub helpers do: config.json and model.safetensors."""
    from safetensors.torch import save_file

    module: torch.nn.Module = timm.create_model(
        TINY, num_classes=config["num_classes"], img_size=96, **config.get("model_args", {})
    )
    path.mkdir()
    save_file(module.state_dict(), path / "model.safetensors")
    cfg = {
        "input_size": [3, 96, 96],
        "fixed_input_size": True,
        "mean": [0.1, 0.2, 0.3],
        "std": [1, 1, 1],
        "num_classes": 3,
    }
    record = {"architecture": TINY, "pretrained_cfg": cfg, **config}
    (path / "config.json").write_text(json.dumps(record))
    return module


@pytest.mark.parametrize("prefix", ["", "local-dir:"])
def test_opens_a_folder(tmp_path: Path, prefix: str) -> None:
    home = tmp_path / "model"
    module = folder(home, num_classes=3, label_names=["a", "b", "c"], model_args={"depth": 2})
    model = pellucid.load(f"timm:{prefix}{home}", device="cpu")
    torch.testing.assert_close(dict(model.module.state_dict()), dict(module.state_dict()))
    assert isinstance(model.input, ImageInput)
    assert model.input.mean == (0.1, 0.2, 0.3)
    assert model.labels == ("a", "b", "c")
    record = json.loads(json.dumps(model.architecture))
    again = load(record["name"], LoadRequest(pretrained=False, record=record))
    again.module.load_state_dict(module.state_dict())


def test_a_folder_does_not_hide_a_model_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder(tmp_path / TINY, num_classes=3)
    monkeypatch.chdir(tmp_path)
    assert len(pellucid.load(f"timm:{TINY}", weights=False, device="cpu").labels) == 1000


def test_what_cannot_be_opened_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"timm:resnt18 is unknown. Closest: 'resnet18'"):
        pellucid.load("timm:resnt18")
    with pytest.raises(ModelError, match="Invalid pretrained tag"):
        pellucid.load(f"timm:{TINY}.nothing", weights=False)
    with pytest.raises(ModelError, match=r"config\.json"):
        pellucid.load(f"timm:local-dir:{tmp_path}")


def test_without_network_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError("the hub cannot be reached")

    monkeypatch.setattr("timm.models._builder.load_state_dict_from_hf", refuse)
    with pytest.raises(ModelError, match=r"the hub cannot be reached.*or weights=False"):
        pellucid.load(f"timm:{TINY}", device="cpu")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("hf-hub:somebody/something", {}),
        ("local-dir:folder", {}),
        (TINY, {"checkpoint_path": "weights.pth"}),
    ],
)
def test_a_runs_record_cannot_read_other_files(name: str, options: dict[str, Any]) -> None:
    record = {"source": "timm", "name": name, "options": options}
    with pytest.raises(ModelError, match="asks for other files, which a run may not"):
        load(name, LoadRequest(pretrained=False, record=record))
