"""Torch datasets of every common form become Data."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import Dataset, IterableDataset, Subset, TensorDataset
from torchvision.datasets import FakeData, ImageFolder

from pellucid import wrap_data
from pellucid.data import Batches, Data, Problem, in_order
from pellucid.errors import DataError, UnreadableSample


class Listed(Dataset[Any]):
    """Yields what it is given; counts how often it is read."""

    def __init__(self, *samples: Any, **attributes: Any) -> None:
        self.samples, self.reads = samples, 0
        self.__dict__.update(attributes)

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Any:
        self.reads += 1
        if isinstance(self.samples[index], Exception):
            raise self.samples[index]
        return self.samples[index]


def picture(mode: str = "RGB", colour: Any = (1, 2, 3)) -> Image.Image:
    return Image.new(mode, (4, 2), colour)


def problems(data: Data) -> list[Problem]:
    return data.report.problems


def test_pictures_and_indices() -> None:
    data = wrap_data(Listed((picture("L", 9), 1), (picture(), 0)), name="mine", split="val")
    assert (data.source, data.split, data.kind, data.labels) == ("mine", "val", "image", ("0", "1"))
    assert data.ids == ("sample-000000", "sample-000001")
    assert data.targets.tolist() == [1, 0]
    assert data[0].input.getpixel((0, 0)) == (9, 9, 9)


def test_tensors_are_arrays() -> None:
    inputs = torch.arange(12.0).reshape(3, 4)
    data = wrap_data(TensorDataset(inputs, torch.tensor([2, 0, 1])), labels=["a", "b", "c"])
    assert (data.kind, data.labels, data.targets.tolist()) == ("array", ("a", "b", "c"), [2, 0, 1])
    np.testing.assert_array_equal(data[1].input, [4, 5, 6, 7])
    alone = wrap_data(TensorDataset(inputs))
    assert (alone.labels, alone.targets.tolist()) == ((), [-1, -1, -1])


def test_texts_and_label_names() -> None:
    data = wrap_data(Listed(("fine", "pos"), ("bad", "neg"), ("odd", None)))
    assert (data.kind, data.labels, data.targets.tolist()) == ("text", ("neg", "pos"), [1, 0, -1])
    assert data[2].input == "odd"
    ordered = wrap_data(Listed(("fine", "pos"), ("bad", "neg")), labels=("pos", "neg"))
    assert ordered.targets.tolist() == [0, 1]


@pytest.mark.parametrize("label_key", ["label", "labels", "target"])
@pytest.mark.parametrize(
    ("key", "value", "kind"),
    [
        ("image", picture(), "image"),
        ("img", picture(), "image"),
        ("pixel_values", torch.zeros(3, 2, 2), "array"),
        ("text", "hello", "text"),
        ("sentence", "hello", "text"),
        ("input", np.zeros(3), "array"),
    ],
)
def test_dicts(key: str, value: Any, kind: str, label_key: str) -> None:
    data = wrap_data(Listed({"idx": 7, key: value, label_key: torch.tensor(1)}))
    assert (data.kind, data.targets.tolist()) == (kind, [1])
    assert wrap_data(Listed({key: value})).targets.tolist() == [-1]


@pytest.mark.parametrize("stored", [[1, 0, 1], (1, 0, 1), torch.tensor([1, 0, 1])])
@pytest.mark.parametrize("name", ["targets", "labels"])
def test_stored_labels_are_taken_without_reading(name: str, stored: Any) -> None:
    dataset = Listed(*((picture(), label) for label in (1, 0, 1)), **{name: stored})
    dataset.classes = ["cat", "dog"]
    data = wrap_data(dataset)
    assert (data.labels, data.targets.tolist()) == (("cat", "dog"), [1, 0, 1])
    assert dataset.reads == 1


@pytest.mark.parametrize(
    "attributes",
    [
        {"targets": [5, 5, 5]},
        {"targets": [1, 0]},
        {"targets": [[1], [0], [1]]},
        {"targets": [1, 1, 1], "target_transform": abs},
        {"targets": [1, 1, 1], "transforms": lambda image, label: (image, label)},
    ],
    ids=["other values", "other length", "other form", "transformed", "transformed together"],
)
def test_stored_labels_that_are_not_safe_are_read_instead(attributes: dict[str, Any]) -> None:
    dataset = Listed(*((picture(), label) for label in (1, 0, 1)), **attributes)
    assert wrap_data(dataset).targets.tolist() == [1, 0, 1]


def test_a_subset_takes_labels_and_names_from_below() -> None:
    dataset = Listed(*(("text", label) for label in (0, 1, 2, 1)), targets=[0, 1, 2, 1])
    dataset.classes = ["a", "b", "c"]
    data = wrap_data(Subset(Subset(dataset, [3, 2, 0]), [1, 0]))
    assert (data.labels, data.targets.tolist()) == (("a", "b", "c"), [2, 1])
    assert dataset.reads == 1


def test_torchvision_datasets(tmp_path: Path) -> None:
    for name in ("cat/1.png", "dog/2.png"):
        (tmp_path / name).parent.mkdir()
        picture().save(tmp_path / name)
    data = wrap_data(ImageFolder(tmp_path))
    assert (data.labels, data.targets.tolist(), data.kind) == (("cat", "dog"), [0, 1], "image")
    assert len(wrap_data(FakeData(5, (3, 4, 4), num_classes=3))) == 5


def test_a_hugging_face_dataset_in_memory() -> None:
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["neg", "pos"])}
    )
    made = datasets.Dataset.from_dict({"text": ["a", "b"], "label": [1, 0]}, features=features)
    data = wrap_data(made)
    assert (data.labels, data.targets.tolist(), data[0].input) == (("neg", "pos"), [1, 0], "a")


@pytest.mark.parametrize(
    "raw",
    [
        np.full((2, 4, 3), 128, np.uint8),
        np.full((3, 2, 4), 128, np.uint8),
        torch.full((3, 2, 4), 128 / 255),
        torch.full((1, 2, 4), 128 / 255),
        np.full((2, 4), 128, np.uint8),
    ],
    ids=["y x 3", "3 y x", "float", "one channel", "y x"],
)
def test_arrays_as_pictures(raw: Any) -> None:
    read = wrap_data(Listed((raw, 0)), kind="image")[0].input
    assert (read.mode, read.size, read.getpixel((3, 1))) == ("RGB", (4, 2), (128, 128, 128))


@pytest.mark.parametrize(
    ("raw", "kind", "reason"),
    [
        (torch.full((3, 2, 2), -2.1), "image", "values from -2.1 to -2.1; expected 0 to 1"),
        (np.zeros((5, 2, 2)), "image", r"shape \(5, 2, 2\) is no picture"),
        (np.zeros(3), "text", "a ndarray, expected a string"),
    ],
)
def test_inputs_that_are_not_of_the_kind(raw: Any, kind: Any, reason: str) -> None:
    with pytest.raises(UnreadableSample, match=f"sample-000000: {reason}"):
        wrap_data(Listed((raw, 0)), kind=kind)[0]


def test_a_sample_that_raises_is_skipped_and_reported() -> None:
    data = wrap_data(Listed(KeyError("gone"), ("b", 1), OSError(), ("d", 0)))
    assert data.ids == ("sample-000001", "sample-000003")
    assert [sample.input for sample in data] == ["b", "d"]
    assert problems(data) == [
        Problem("sample-000000", "KeyError: 'gone'"),
        Problem("sample-000002", "OSError"),
    ]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_sample_that_raises_in_a_worker(workers: int) -> None:
    samples = [("text", i % 2) for i in range(12)]
    dataset = Listed(*samples, targets=[i % 2 for i in range(12)])
    data = wrap_data(dataset)
    dataset.samples = (*samples[:5], ValueError("broken"), *samples[6:])
    batches = Batches(data, lambda raws: {}, in_order(12, 4), workers=workers)
    assert [batch.positions.tolist() for batch in batches][1] == [4, 6, 7]
    assert problems(data) == [Problem("sample-000005", "ValueError: broken")]


def test_reading_survives_pickling() -> None:
    data = wrap_data(TensorDataset(torch.arange(4)))
    assert pickle.loads(pickle.dumps(data.read))(2) == 2


class Stream(IterableDataset[Any]):
    def __iter__(self) -> Iterator[Any]:
        return iter([1, 2])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (Stream, r"Stream cannot be indexed.*itertools.islice"),
        (lambda: 7, "int cannot be indexed"),
        (Listed, "Listed has no samples"),
        (lambda: Listed(ValueError("no")), r"none of its first 1 samples .*\(ValueError: no\)"),
        (lambda: Listed({"a": 1}), "a sample has the keys 'a'; expected one of"),
        (lambda: Listed((1, 2, 3)), r"a sample has 3 parts; expected \(input, label\)"),
        (lambda: Listed((object(), 1)), "an input is of type object; expected a PIL picture"),
        (lambda: Listed(("a", {"boxes": 1})), "a label is of type dict"),
        (lambda: Listed(("a", 0.5)), "a label is of type float"),
        (lambda: Listed(("a", torch.zeros(3))), "a label is of type Tensor"),
        (lambda: Listed(("a", 1), ("b", "x")), "some labels are strings and some numbers"),
        (lambda: Listed(("a", -2), ("b", 1)), "label -2 is no index into 2 classes"),
        (lambda: Listed(("a", 3), classes=["x", "y"]), "label 3 is no index into 2 classes"),
        (lambda: Listed(("a", "z"), classes=["x", "y"]), "label 'z' is no class"),
    ],
)
def test_what_cannot_be_wrapped(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        wrap_data(make())
