"""Hugging Face data sets in folders; the hub itself is out of reach of tests."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
from PIL import Image

from pellucid import load_data
from pellucid.data import Batches, Data, in_order
from pellucid.data.source import splits
from pellucid.errors import DataError, SpecError, UnreadableSample


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    datasets.disable_progress_bars()


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[Any], str]:
    """Save a data set and give its spec."""

    def save(dataset: Any) -> str:
        dataset.save_to_disk(tmp_path / "saved")
        return f"hf:{tmp_path / 'saved'}"

    return save


def problems(data: Data) -> list[tuple[str, str, str]]:
    return [(problem.what, problem.reason, problem.action) for problem in data.report.problems]


def texts(*rows: tuple[Any, Any], names: tuple[str, ...] = ("neg", "pos")) -> datasets.Dataset:
    features = datasets.Features(
        {"sentence": datasets.Value("string"), "label": datasets.ClassLabel(names=list(names))}
    )
    columns = {"sentence": [text for text, _ in rows], "label": [label for _, label in rows]}
    return datasets.Dataset.from_dict(columns, features=features)


def png(colour: int, mode: str = "RGB") -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (4, 4), colour).convert(mode).save(buffer, "PNG")
    return buffer.getvalue()


def photographs(files: list[bytes | None], labels: list[Any]) -> datasets.Dataset:
    features = datasets.Features(
        {"Photo": datasets.Image(), "kind": datasets.ClassLabel(names=["cat", "dog"])}
    )
    stored = [None if file is None else {"bytes": file, "path": None} for file in files]
    return datasets.Dataset.from_dict({"Photo": stored, "kind": labels}, features=features)


def test_texts_with_class_names(saved: Callable[[Any], str]) -> None:
    spec = saved(texts(("fine", 1), ("bad", 0), ("  ", 0), ("so so", None)))
    data = load_data(spec)
    assert (data.source, data.split, data.kind, data.labels) == (spec, "", "text", ("neg", "pos"))
    assert [(sample.id, sample.input, sample.label) for sample in data] == [
        ("row-000000", "fine", 1),
        ("row-000001", "bad", 0),
    ]
    assert problems(data) == [
        ("row-000002", "no text", "skipped"),
        ("row-000003", "no label", "skipped"),
    ]
    assert splits(spec) == ()
    assert pickle.loads(pickle.dumps(data.read))(1) == "bad"


def test_the_order_of_a_shuffled_dataset_holds(saved: Callable[[Any], str]) -> None:
    dataset = texts(*((f"text {i}", i % 2) for i in range(20))).select([7, 2, 13])
    data = load_data(saved(dataset.with_format("numpy")))
    assert [(sample.input, sample.label) for sample in data] == [
        ("text 7", 1),
        ("text 2", 0),
        ("text 13", 1),
    ]


def test_splits_of_a_dictionary(saved: Callable[[Any], str]) -> None:
    spec = saved(
        datasets.DatasetDict(
            {
                "train": texts(("a", 0), ("b", 1)),
                "validation": texts(("c", 1)),
                "test": texts(("d", -1), ("e", -1)),
                "unsupervised": texts(("f", None)),
            }
        )
    )
    assert splits(spec) == ("train", "val", "test", "unsupervised")
    assert load_data(spec).ids == ("train/row-000000", "train/row-000001")
    val = load_data(spec, split="dev")
    assert (val.split, val[0].input) == ("val", "c")
    assert problems(val) == [("neg", "has no samples in this split", "noted")]
    assert load_data(spec, split="test").targets.tolist() == [-1, -1]
    assert load_data(spec, split="unsupervised").targets.tolist() == [-1]


def test_plain_labels_are_shared_by_the_splits(saved: Callable[[Any], str]) -> None:
    make = datasets.Dataset.from_dict
    spec = saved(
        datasets.DatasetDict(
            {
                "train": make({"text": ["a", "b"], "stars": [10, 9]}),
                "test": make({"text": ["c"], "stars": [1]}),
            }
        )
    )
    train = load_data(f"{spec}?label=stars")
    assert (train.labels, train.targets.tolist()) == (("1", "9", "10"), [2, 1])
    assert load_data(spec).labels == ()


def test_pictures_are_decoded_when_read(saved: Callable[[Any], str]) -> None:
    files = [png(10), png(20, "LA"), png(30)[:45], b"", None, png(60)]
    data = load_data(saved(photographs(files, [0, 1, 0, 1, 0, None])))
    assert (data.kind, data.labels, data.targets.tolist()) == (
        "image",
        ("cat", "dog"),
        [0, 1, 0, 1, 0],
    )
    assert [data[i].input.getpixel((3, 3)) for i in (0, 1)] == [(10, 10, 10), (20, 20, 20)]
    for index, reason in ((2, "cannot be decoded"), (3, "empty file"), (4, "no picture")):
        with pytest.raises(UnreadableSample, match=f"row-00000{index}: {reason}"):
            data[index]
    assert problems(data) == [("row-000005", "no label", "skipped")]


def test_pictures_in_workers(saved: Callable[[Any], str]) -> None:
    files = [png(10 * i) for i in range(12)]
    files[4] = b"damaged"
    data = load_data(saved(photographs(files, [0, 1] * 6)))
    batches = Batches(data, lambda raws: {}, in_order(12, 5), workers=2)
    assert [len(batch.positions) for batch in batches] == [4, 5, 2]
    assert problems(data) == [("row-000004", "not a picture, or its header is damaged", "skipped")]


def test_a_folder_of_data_files_without_splits(tmp_path: Path) -> None:
    lines = "".join(f"text {i},{i % 2}\n" for i in range(20))
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "all.csv").write_text("text,label\n" + lines)
    spec = f"hf:{tmp_path / 'files'}"
    assert splits(spec) == ()
    assert len(load_data(spec)) == 20
    assert np.bincount(load_data(spec, split="val").targets).tolist() == [1, 1]


def test_a_folder_of_pictures(tmp_path: Path) -> None:
    for name in ("train/cat/1.png", "train/dog/2.png", "test/dog/3.png"):
        (tmp_path / "files" / name).parent.mkdir(parents=True)
        (tmp_path / "files" / name).write_bytes(png(50))
    spec = f"hf:{tmp_path / 'files'}"
    assert splits(spec) == ("train", "test")
    data = load_data(spec, split="test")
    assert (data.labels, data.targets.tolist()) == (("cat", "dog"), [1])
    assert data[0].input.getpixel((0, 0)) == (50, 50, 50)


def test_columns_can_be_named(saved: Callable[[Any], str]) -> None:
    dataset = photographs([png(1), png(2)], [0, 1]).add_column("caption", ["one", "two"])
    spec = saved(dataset.add_column("group", ["x", "y"]))
    assert load_data(f"{spec}?label=group").labels == ("x", "y")
    captions = load_data(f"{spec}?text=caption")
    assert (captions.kind, captions.labels, captions[1].input) == ("text", ("cat", "dog"), "two")
    with pytest.raises(DataError, match=r"no column 'picture'. Known: 'Photo'"):
        load_data(f"{spec}?image=picture")
    with pytest.raises(SpecError, match="option 'colour'"):
        load_data(f"{spec}?colour=red")


def test_a_dataset_without_pictures_and_texts(saved: Callable[[Any], str]) -> None:
    spec = saved(datasets.Dataset.from_dict({"a": [1.0], "b": [2.0], "label": [0]}))
    with pytest.raises(DataError, match="none of its columns 'a', 'b', 'label' is named like a"):
        load_data(spec)


def test_a_name_that_cannot_be_reached() -> None:
    with pytest.raises(DataError, match=r"hf:nobody/nothing cannot be opened: .* on the hub"):
        load_data("hf:nobody/nothing")
