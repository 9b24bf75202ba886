"""Models from the user's own code: files that need trust, installed modules that do not."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest
from PIL import Image
from torch import nn

import pellucid
from pellucid.errors import ModelError, SpecError, UntrustedError
from pellucid.model import ArrayInput, ImageInput


def write(path: Path, code: str) -> Path:
    path.write_text(code)
    return path


def load(path: Path, name: str = "model") -> pellucid.Model:
    return pellucid.load(f"python:{path}:{name}", trust=True, device="cpu")


def test_a_file_is_not_run_without_trust(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = write(tmp_path / "net.py", "open('fired', 'w').close()")
    with pytest.raises(UntrustedError, match=r"net\.py is code.*trust=True \(--trust"):
        pellucid.load(f"python:{path}:model")
    with pytest.raises(UntrustedError):
        pellucid.load("python:net.py:model")
    assert not (tmp_path / "fired").exists()


def test_a_function_may_return_a_module(tmp_path: Path) -> None:
    path = write(tmp_path / "net.py", "from torch import nn\ndef model(): return nn.Linear(4, 2)")
    model = load(path)
    assert model.input == ArrayInput(shape=(4,))
    assert model.source == f"python:{path}:model"
    assert model.architecture["name"] == f"{path}:model"
    assert len(model.architecture["sha256"]) == 64
    assert not model.module.training


def test_a_function_may_return_a_model_that_tells_everything(resnet_cifar: Path) -> None:
    model = load(resnet_cifar)
    assert model.labels[3] == "cat"
    assert isinstance(model.input, ImageInput)
    assert model.input.size == (32, 32)
    assert model.head == "linear"
    assert sum(p.numel() for p in model.module.parameters()) == 269_722


def test_an_installed_module_needs_no_trust() -> None:
    model = pellucid.load("python:torchvision.models:squeezenet1_1", device="cpu")
    assert model.notes == ("size and normalization are unknown; ImageNet's are assumed",)
    assert model.architecture["name"] == "torchvision.models:squeezenet1_1"


def test_a_file_may_import_its_neighbours(tmp_path: Path) -> None:
    write(tmp_path / "pellucid_test_layers.py", "from torch import nn\nclass Net(nn.Linear): pass")
    code = "def model():\n    from pellucid_test_layers import Net\n    return Net(4, 2)"
    before = list(sys.path)
    assert type(load(write(tmp_path / "net.py", code)).module).__name__ == "Net"
    assert sys.path == before


def test_a_changed_file_is_run_anew(tmp_path: Path) -> None:
    for width in (4, 5):
        code = f"from torch import nn\ndef model(): return nn.Linear({width}, 2)"
        assert load(write(tmp_path / "net.py", code)).input == ArrayInput(shape=(width,))
    assert not (tmp_path / "__pycache__").exists()


def test_classes_of_a_file_can_be_found_by_their_module_name(tmp_path: Path) -> None:
    code = "from torch import nn\nclass Net(nn.Linear): pass\ndef model(): return Net(4, 2)"
    kind = type(load(write(tmp_path / "net.py", code)).module)
    assert importlib.import_module(kind.__module__).Net is kind


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("x = 1\nimport nothing_of_this_name\n", r"net\.py, line 2, raised ModuleNotFoundError"),
        ("def model(:\n", r"net\.py, line 1, raised SyntaxError"),
        ("def model():\n\n    return 1 / 0\n", r"net\.py, line 3, raised ZeroDivisionError"),
        ("def model(x):\n    return x\n", "raised TypeError: model.. missing 1 required"),
        ("import json\ndef model():\n    json.loads('[')\n", r"net\.py, line 3, raised JSONDecode"),
        ("def model():\n    return 3\n", "model of .*net.py returned int; expected a torch.nn.Mod"),
    ],
)
def test_errors_in_the_users_code_tell_where(tmp_path: Path, code: str, message: str) -> None:
    with pytest.raises(ModelError, match=message) as caught:
        load(write(tmp_path / "net.py", code))
    assert caught.value.__cause__ is not None or "returned" in message


def test_a_file_that_fails_leaves_no_module_behind(tmp_path: Path) -> None:
    before = set(sys.modules)
    with pytest.raises(ModelError):
        load(write(tmp_path / "net.py", "raise ValueError"))
    assert set(sys.modules) == before


@pytest.mark.parametrize(
    ("rest", "error", "message"),
    [
        ("net.py", SpecError, "names no callable; expected python:FILE.py:CALLABLE"),
        (":model", SpecError, "names no callable"),
        ("gone.py:model", ModelError, "there is no Python file at"),
        ("folder/gone:model", ModelError, "there is no Python file at"),
        ("pellucid_nothing.net:model", ModelError, "Python finds no module 'pellucid_nothing.net'"),
        ("torch.nn:Linaer", SpecError, "torch.nn has no callable 'Linaer'"),
    ],
)
def test_what_cannot_be_found_is_told(rest: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        pellucid.load(f"python:{rest}", trust=True)


def test_nearest_callables_are_named(resnet_cifar: Path) -> None:
    with pytest.raises(SpecError, match=r"no callable 'resnet21'. Closest: 'resnet20', 'ResNet20'"):
        load(resnet_cifar, "resnet21")


@pytest.mark.slow
def test_resnet20_is_right_on_cifar10(resnet_cifar: Path, shared_data: Path) -> None:
    weights = shared_data / "cifar10-resnet" / "resnet20-12fca82f.th"
    spec = f"python:{resnet_cifar}:model"
    model = pellucid.load(spec, weights=weights, trust=True, device="cpu")
    assert isinstance(model.module, nn.Module)
    right = []
    for index, label in enumerate(model.labels):
        files = sorted((shared_data / "cifar10" / "test" / label).iterdir())
        answers = model.predict([Image.open(file).convert("RGB") for file in files]).argmax(1)
        right += (answers == index).tolist()
    # Published: 91.7 % on the original pictures; JPEG at quality 75 costs about eleven points.
    assert sum(right) / len(right) == pytest.approx(0.807, abs=0.01)
