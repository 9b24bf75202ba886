"""Specs, labels, devices, guessed inputs, and sources from elsewhere."""

from __future__ import annotations

import json
import types
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import pellucid
from pellucid import plugins
from pellucid.errors import ModelError, SpecError, WeightsError
from pellucid.model import ArrayInput, ImageInput, Model
from pellucid.model.request import LoadRequest
from pellucid.model.source import parse, read_labels


class Net(nn.Module):
    def __init__(self, channels: int = 3, classes: int = 2) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.dropout = nn.Dropout()
        self.linear = nn.Linear(4, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.dropout(self.norm(self.conv(x)).mean((2, 3))))


def load_toy(rest: str, request: LoadRequest) -> Model:
    """A stranger's source: one function."""
    return Model(
        module=Net(classes=int(rest)),
        source=f"toy:{rest}",
        input=ImageInput(size=(8, 8), resize=None),
        architecture={"source": "toy", "name": rest},
        device=request.device,
        notes=request.notes,
    )


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    known = dict(plugins._family("pellucid.model_sources"))
    entry = types.SimpleNamespace(load=lambda: load_toy)
    family = {"pellucid.model_sources": {**known, "toy": entry}}
    monkeypatch.setattr(plugins, "_family", family.__getitem__)


def test_a_third_partys_source_is_one_function(toy: None, tmp_path: Path) -> None:
    weights = tmp_path / "w.pt"
    torch.save(Net(classes=5).state_dict(), weights)
    model = pellucid.load("toy:5", weights=weights, labels=list("abcde"), device="cpu")
    assert not any(module.training for module in model.module.modules())
    assert model.labels == ("a", "b", "c", "d", "e")
    assert model.notes == (f"weights read from {weights}",)
    torch.testing.assert_close(model.module.state_dict(), torch.load(weights))


def test_random_weights_are_told(toy: None) -> None:
    assert "random" in pellucid.load("toy:5", weights=False, device="cpu").notes[0]
    assert pellucid.load("toy:5", device="cpu").notes == ()


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("resnet18", r"expected SCHEME:NAME, with one of bundled, hf, .*'torchvision:resnet18'"),
        ("torchvision:", "expected SCHEME:NAME"),
        ("torchvison:resnet18", "the scheme 'torchvison' is unknown. Closest: 'torchvision'"),
        ("net.py", r"For a Python file: 'python:net\.py:CALLABLE'"),
        ("net.py:model", r"For a Python file: 'python:net\.py:CALLABLE'"),
        ("", "expected SCHEME:NAME"),
    ],
)
def test_a_bad_spec_says_what_is_known(spec: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        pellucid.load(spec)


def test_advises_on_files_and_folders(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "w.pth").write_bytes(b"")
    with pytest.raises(SpecError, match=r"For a folder of Hugging Face: 'hf:"):
        parse(str(tmp_path))
    with pytest.raises(SpecError, match=r"For a file of weights: 'torchvision:NAME' with weights="):
        parse(str(tmp_path / "w.pth"))


def test_a_folder_with_a_run_is_a_run(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}")
    assert parse(str(tmp_path)) == ("run", str(tmp_path))


def test_an_unknown_device_is_refused(toy: None) -> None:
    with pytest.raises(SpecError, match="device 'cudaa' is unknown; expected auto, cpu"):
        pellucid.load("toy:2", device="cudaa")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_an_absent_device_is_refused(toy: None) -> None:
    with pytest.raises(ModelError, match="toy:2 cannot be put on cuda"):
        pellucid.load("toy:2", device="cuda")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("labels.txt", "cat\ndog\n\n"),
        ("labels.txt", "\ufeffcat \r\ndog"),
        ("labels.json", '["cat", "dog"]'),
        ("labels.json", '{"1": "dog", "0": "cat"}'),
        ("config.json", '{"id2label": {"0": "cat", "1": "dog"}, "other": 1}'),
    ],
)
def test_reads_labels_from_files(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_bytes(text.encode())
    assert read_labels(tmp_path / name) == ("cat", "dog")
    assert read_labels(str(tmp_path / name)) == ("cat", "dog")


@pytest.mark.parametrize("record", ['{"cat": 0}', "3", "[", '{"0": "a", "2": "b"}'])
def test_refuses_json_without_labels(tmp_path: Path, record: str) -> None:
    (tmp_path / "labels.json").write_text(record)
    with pytest.raises(ModelError, match="holds no labels: expected a JSON list"):
        read_labels(tmp_path / "labels.json")


def test_labels_must_be_as_many_as_logits(toy: None, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="3 labels were given for toy:2, which has 2 logits"):
        pellucid.load("toy:2", labels=["a", "b", "c"], device="cpu")
    with pytest.raises(ModelError, match="1 labels were given for Net, which has 2 logits"):
        pellucid.wrap(Net(), labels=["a"])
    with pytest.raises(ModelError, match="there is no file of labels at"):
        pellucid.load("toy:2", labels=tmp_path / "none.txt", device="cpu")


def test_wrap_guesses_pictures_and_says_what_it_assumed() -> None:
    model = pellucid.wrap(Net())
    assert model.input == ImageInput()
    assert model.notes == ("size and normalization are unknown; ImageNet's are assumed",)
    grey = pellucid.wrap(Net(channels=1)).input
    assert isinstance(grey, ImageInput)
    assert grey.mean == (0.449,)
    assert grey.prepare([torch.zeros(8, 8).numpy()])[""].shape == (1, 1, 224, 224)


def test_wrap_guesses_arrays() -> None:
    model = pellucid.wrap(nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)))
    assert model.input == ArrayInput(shape=(4,))
    assert model.predict([[1, 2, 3, 4]]).shape == (1, 2)


@pytest.mark.parametrize(
    ("module", "begins"),
    [
        (nn.Sequential(nn.Embedding(5, 2), nn.Linear(2, 2)), r"begins with Embedding\(5, 2\)"),
        (nn.Conv2d(5, 2, 1), "begins with Conv2d"),
        (nn.ReLU(), "has no weights"),
    ],
)
def test_wrap_asks_for_the_input_it_cannot_guess(module: nn.Module, begins: str) -> None:
    with pytest.raises(ModelError, match=f"cannot be guessed: it {begins}.*input=ImageInput"):
        pellucid.wrap(module)
    assert pellucid.wrap(module, input=ArrayInput()).labels == ()


def test_wrap_leaves_the_module_as_it_is() -> None:
    module = Net().train()
    module.norm.eval()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    pellucid.wrap(module, labels=["a", "b"])
    assert [m.training for m in module.modules()] == [True, True, False, True, True]
    torch.testing.assert_close(dict(module.state_dict()), before)
    assert not any(m._forward_hooks for m in module.modules())


def test_wrap_takes_weights_names_and_a_device(tmp_path: Path) -> None:
    torch.save(Net().state_dict(), tmp_path / "w.pt")
    model = pellucid.wrap(
        Net(), weights=tmp_path / "w.pt", name="mine", head="linear", device="cpu", task="ranking"
    )
    assert (model.source, model.head, model.task) == ("mine", "linear", "ranking")
    with pytest.raises(WeightsError, match="does not fit Net"):
        pellucid.wrap(Net(classes=3), weights=tmp_path / "w.pt")


def test_wrap_refuses_what_is_no_module() -> None:
    with pytest.raises(ModelError, match=r"function was given; expected a torch\.nn\.Module"):
        pellucid.wrap(lambda x: x)  # type: ignore[arg-type]


def test_a_module_that_cannot_take_the_input_is_told() -> None:
    with pytest.raises(ModelError, match=r"fails on its own kind of input \(input \(1, 7\)\)"):
        pellucid.wrap(nn.Linear(3, 2), input=ArrayInput(shape=(7,)), labels=["a", "b"])


def test_describes_a_model_in_json_and_in_text(toy: None) -> None:
    from pellucid.model import describe

    model = pellucid.load("toy:7", weights=False, labels=list("abcdefg"), device="cpu")
    record = json.loads(json.dumps(describe(model)))
    assert record["parameters"] == record["trainable"] == 112 + 8 + 35
    assert record["labels"] == {"count": 7, "first": ["a", "b", "c", "d", "e", "f"]}
    assert record["input"]["kind"] == "image"
    assert record["source"] == "toy:7"
    assert str(model).splitlines() == [
        "toy:7",
        "  architecture  Net, 155 parameters (155 trainable)",
        (
            "  input         pictures, 3 × 8 × 8 (squashed, bilinear; "
            "mean 0.485/0.456/0.406, std 0.229/0.224/0.225)"
        ),
        "  task          classification",
        "  labels        7: a, b, c, d, e, f, …",
        "  device        cpu",
        "  note          the weights are random: nothing was loaded",
    ]
