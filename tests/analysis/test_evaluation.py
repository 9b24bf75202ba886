import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

from pellucid.analysis.evaluation import Evaluation, evaluate
from pellucid.analysis.shown import thumbnail
from pellucid.data import Data
from pellucid.errors import DataError
from pellucid.model import ImageInput, Model, TextInput
from pellucid.result.store import open_result

TARGET = [0, 0, 0, 0, 1, 1, 1, 2, 2, 2]
PREDICTED = [0, 0, 0, 1, 0, 1, 1, 0, 2, 2]


@pytest.fixture(scope="module")
def three_classes(make_data):
    """Ten samples whose logits favour PREDICTED by 4."""
    return make_data(np.eye(3)[PREDICTED] * 4, TARGET, ("ant", "bee", "cow"))


@pytest.fixture(scope="module")
def by_hand(identity_model, three_classes):
    return evaluate(identity_model(("ant", "bee", "cow")), three_classes)


def test_figures_worked_by_hand(by_hand):
    data = by_hand.data
    confident = np.exp(4) / (np.exp(4) + 2)
    np.testing.assert_array_equal(data["confusion"], [[3, 1, 0], [1, 2, 0], [1, 0, 2]])
    np.testing.assert_allclose(data["f1"], [2 / 3, 2 / 3, 4 / 5])
    np.testing.assert_allclose(data["confidence"], confident, rtol=1e-6)
    assert float(data["accuracy"]) == pytest.approx(0.7)
    assert float(data["accuracy_low"]) == pytest.approx(0.3968, abs=1e-4)
    assert float(data["balanced_accuracy"]) == pytest.approx((3 / 4 + 2 / 3 + 2 / 3) / 3)
    assert float(data["macro_f1"]) == pytest.approx(32 / 45)
    assert float(data["majority_accuracy"]) == pytest.approx(0.4)
    assert float(data["calibration_error"]) == pytest.approx(confident - 0.7)
    assert float(data["negative_log_likelihood"]) == pytest.approx(0.3 * 4 - np.log(confident))
    assert np.isnan(data["top5_accuracy"])
    assert data["in_training"].sum() == 0


def test_labels_are_matched_by_name(by_hand, identity_model, three_classes):
    """The model knows the classes in another order, and one more."""
    reordered = nn.Linear(3, 4, bias=False)
    with torch.no_grad():
        reordered.weight.copy_(torch.tensor([[0, 0, 1], [1, 0, 0], [0, 0, 0], [0, 1, 0.0]]))
    model = identity_model(("cow", "ant", "yak", "bee"), reordered)
    found = evaluate(model, three_classes)
    assert found.data["label"].values.tolist() == ["cow", "ant", "yak", "bee"]
    for name in ("accuracy", "balanced_accuracy", "macro_f1"):
        assert float(found.data[name]) == pytest.approx(float(by_hand.data[name]))
    assert found.data["support"].values.tolist() == [3, 4, 0, 3]
    assert np.isnan(found.data["recall"].values[2])
    assert np.isnan(found.data["auc"].values[2])
    assert "no samples of yak" in found.summary()


def test_a_model_without_labels_takes_those_of_the_data(identity_model, three_classes, by_hand):
    found = evaluate(identity_model(), three_classes)
    np.testing.assert_array_equal(found.data["confusion"], by_hand.data["confusion"])
    assert found.data["label"].values.tolist() == ["ant", "bee", "cow"]
    assert "does not name its classes" in " ".join(found.meta.notes)


def test_nobody_names_the_classes(identity_model, make_data):
    found = evaluate(identity_model(), make_data(np.eye(3), [0, 1, 2], ()))
    assert found.data["label"].values.tolist() == ["class 0", "class 1", "class 2"]
    with pytest.raises(DataError, match="a sample has class 3, but there are only 3"):
        evaluate(identity_model(), make_data(np.eye(3), [0, 1, 3], ()))


def test_data_without_labels_is_refused(identity_model, make_data):
    with pytest.raises(DataError, match="no labels on its 2 samples"):
        evaluate(identity_model(), make_data(np.eye(2), [-1, -1], ()))


def test_samples_without_label_or_unreadable_are_left_out(identity_model, make_data):
    logits = np.eye(2)[[0, 1, 0, 1] * 5]
    data = make_data(logits, [0, 1, -1, 1] * 5, ("a", "b"), unreadable=[1])
    found = evaluate(identity_model(("a", "b")), data, batch_size=3)
    assert found.data.sizes["sample"] == 14
    assert found.data["sample_id"].values[:3].tolist() == ["s0", "s3", "s4"]
    assert float(found.data["accuracy"]) == 1
    assert found.meta.parameters["num_unlabelled"] == 5
    assert found.meta.parameters["num_unreadable"] == 1
    assert "5 samples without a label" in found.summary()
    assert "1 sample could not be read" in found.summary()


def test_samples_used_in_training_are_told_first(identity_model, three_classes):
    model = identity_model(("ant", "bee", "cow"))
    found = evaluate(model, three_classes, training_ids={"s0", "s1", "s2", "elsewhere"})
    warning = "3 of 10 samples were used in training: the figures are too good."
    assert warning in found.summary().splitlines()[0]
    assert found.meta.notes[0] == warning
    assert found.summary().count("too good") == 1
    assert float(found.data["accuracy_unseen"]) == pytest.approx(4 / 7)
    assert "On the 7 other samples it is right in 57.1 %" in found.summary()
    assert any("used in training" in detail for _, _, detail in found.headline())


def test_every_sample_was_used_in_training(identity_model, three_classes):
    model = identity_model(("ant", "bee", "cow"))
    found = evaluate(model, three_classes, training_ids=three_classes.ids)
    assert "None was new to the model" in found.summary()
    assert json.loads(json.dumps(found.to_json()))["accuracy_unseen"] is None


def test_provenance_says_how_to_make_it_again(by_hand, identity_model, three_classes):
    meta = by_hand.meta
    assert meta.kind == "evaluation"
    assert meta.model == identity_model().identity
    assert meta.data == three_classes.identity
    assert meta.seed == 0
    assert meta.seconds > 0
    assert meta.parameters["num_bins"] == by_hand.data.sizes["bin"] == 15


def test_the_same_seed_gives_the_same_figures(identity_model, three_classes, by_hand):
    again = evaluate(identity_model(("ant", "bee", "cow")), three_classes, batch_size=3)
    assert again.data.equals(by_hand.data)


def test_digits_as_arrays_are_told_apart(digits_model, digits_data):
    found = evaluate(digits_model, digits_data)
    assert float(found.data["accuracy"]) > 0.85
    assert float(found.data["top5_accuracy"]) > float(found.data["accuracy"])
    assert float(found.data["macro_auc"]) > 0.97
    assert "thumbnails" not in found.data
    assert [label for label, _, _ in found.headline()] == [
        "Accuracy",
        "Top-5 accuracy",
        "Macro F1",
        "Calibration error",
        "Samples",
    ]


def test_pictures_are_kept_small(pictures, digits_model, digits_data):
    found = evaluate(*pictures).data
    assert found["thumbnails"].shape[1:] == (64, 64, 3)
    assert found["thumbnails"].dtype == np.uint8
    assert found.sizes["shown"] <= 400
    shown = found["shown_sample"].values
    assert set(np.flatnonzero(~found["correct"].values)) & set(shown)
    first = pictures[1].read(int(shown[0]))
    np.testing.assert_array_equal(found["thumbnails"].values[0], thumbnail(first))


def test_pictures_belong_to_their_samples_where_some_are_missing(pictures):
    model, data = pictures
    reads = type(data.read)(data.read.raws, unreadable=[1])
    targets = data.targets.copy()
    targets[0] = -1
    some = replace(data, targets=targets, read=reads).subset(range(60))
    found = evaluate(model, some).data
    assert found.sizes["sample"] == 58
    names = found["sample_id"].values[found["shown_sample"].values]
    for name, pixels in zip(names, found["thumbnails"].values, strict=True):
        raw = data.read(int(name.removeprefix("s")))
        np.testing.assert_array_equal(pixels, thumbnail(raw))


def test_arrays_for_a_model_of_pictures_are_shown_as_pictures(pictures, digits_data):
    model, _ = pictures
    squares = [values.reshape(8, 8) for values in digits_data.read.raws[:40]]
    data = replace(digits_data.subset(range(40)), read=squares.__getitem__)
    assert "thumbnails" in evaluate(model, data).data


class Letters:
    """A tokenizer of letters, with the interface of Hugging Face's."""

    def __len__(self):
        return 27

    def __call__(self, texts, *, max_length, **_):
        codes = [[(ord(c) - 96) * c.isalpha() for c in t.lower()[:max_length]] for t in texts]
        longest = max(map(len, codes))
        ids = torch.tensor([row + [0] * (longest - len(row)) for row in codes])
        return {"input_ids": ids, "attention_mask": (ids > 0).long()}


class CountsLetters(nn.Module):
    """The logits are the numbers of a's and of b's."""

    def forward(self, input_ids, attention_mask):
        return torch.stack([(input_ids == letter).sum(1) for letter in (1, 2)], 1).float()


def test_texts_keep_their_beginning(make_data):
    model = Model(
        module=CountsLetters(),
        source="letters",
        input=TextInput(tokenizer=Letters()),
        labels=("a", "b"),
    )
    texts = ["aab", "bba", "aaa  bb" + "c" * 300, "bb\na"]
    found = evaluate(model, make_data(texts, [0, 1, 1, 0], ("a", "b"), kind="text"))
    assert float(found.data["accuracy"]) == 0.5
    assert found.data["shown_sample"].values[:2].tolist() == [2, 3]
    snippets = found.data["snippets"].values
    assert snippets[1] == "bb a"
    assert len(snippets[0]) == 200
    table = found.views()[1]
    assert table.columns[-1].values == tuple(snippets[:2])


def test_json_holds_every_figure_and_no_nan(by_hand):
    record = json.loads(json.dumps(by_hand.to_json(), allow_nan=False))
    assert record["accuracy"] == pytest.approx(0.7)
    assert record["top5_accuracy"] is None
    assert record["majority_label"] == "ant"
    assert record["confusion"] == {
        "labels": ["ant", "bee", "cow"],
        "counts": [[3, 1, 0], [1, 2, 0], [1, 0, 2]],
    }
    assert record["classes"][2]["label"] == "cow"
    assert record["classes"][2]["precision"] == 1
    assert record["calibration"][-1]["bin_count"] == 10
    assert record["calibration"][0]["bin_accuracy"] is None
    assert record["provenance"]["data"]["source"] == "list"


def test_saved_and_opened_it_is_the_same(tmp_path, pictures):
    found = evaluate(*pictures)
    opened = open_result(found.save(tmp_path / "digits.zarr"))
    assert isinstance(opened, Evaluation)
    assert opened.data.equals(found.data)
    assert opened.meta == found.meta
    assert opened.summary() == found.summary()
    assert opened.to_json() == found.to_json()


@pytest.mark.slow
def test_a_real_network_on_real_pictures(shared_data):
    """A small trained network and CIFAR-10 photographs, as a user would bring them."""

    class Block(nn.Module):
        def __init__(self, wide_in, wide, stride):
            super().__init__()
            self.conv1 = nn.Conv2d(wide_in, wide, 3, stride, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(wide)
            self.conv2 = nn.Conv2d(wide, wide, 3, 1, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(wide)
            self.stride, self.pad = stride, (wide - wide_in) // 2

        def forward(self, x):
            y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
            shortcut = F.pad(
                x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.pad, self.pad)
            )
            return F.relu(y + shortcut)

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)
            widths = ((16, 16, 1), (16, 32, 2), (32, 64, 2))
            for number, (before, after, stride) in enumerate(widths, start=1):
                blocks = [Block(before, after, stride), *(Block(after, after, 1) for _ in "12")]
                setattr(self, f"layer{number}", nn.Sequential(*blocks))
            self.linear = nn.Linear(64, 10)

        def forward(self, x):
            x = self.layer3(self.layer2(self.layer1(F.relu(self.bn1(self.conv1(x))))))
            return self.linear(x.mean((2, 3)))

    stored = torch.load(
        shared_data / "cifar10-resnet/resnet20-12fca82f.th", map_location="cpu", weights_only=True
    )
    module = Network()
    module.load_state_dict({k.removeprefix("module."): v for k, v in stored["state_dict"].items()})
    files = sorted((shared_data / "cifar10/test").glob("*/*.jpg"))
    labels = tuple(sorted({file.parent.name for file in files}))
    data = Data(
        source="cifar10",
        split="test",
        kind="image",
        labels=labels,
        ids=tuple(f"{file.parent.name}/{file.name}" for file in files),
        targets=np.array([labels.index(file.parent.name) for file in files]),
        read=lambda index: Image.open(files[index]).convert("RGB"),
    )
    form = ImageInput(size=(32, 32), resize=32)
    model = Model(module=module, source="resnet20", input=form, labels=labels)
    found = evaluate(model, data)
    assert 0.75 < float(found.data["accuracy"]) < 0.95
    assert "over-confident" in found.summary()
    assert len(found.views()[1].pictures) == 24
