"""Folders of pictures: classes, splits, and everything that can be wrong with them."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pellucid import load_data
from pellucid.data import Data, Problem
from pellucid.data.source import splits
from pellucid.errors import DataError, UnreadableSample

Pictures = Callable[..., Path]


def problems(data: Data) -> set[tuple[str, str, str]]:
    return {(problem.what, problem.reason, problem.action) for problem in data.report.problems}


def test_class_folders(pictures: Pictures) -> None:
    root = pictures("dog/b.png", "cat/a.png", "cat/deep/er/c.png")
    data = load_data(f"folder:{root}")
    assert (data.source, data.split, data.kind) == (f"folder:{root}", "", "image")
    assert data.labels == ("cat", "dog")
    assert data.ids == ("cat/a.png", "cat/deep/er/c.png", "dog/b.png")
    assert data.targets.tolist() == [0, 0, 1]
    assert data[0].input.getpixel((0, 0)) == (1, 10, 20)
    assert data.report.problems == []
    assert splits(str(root)) == ()


def test_a_folder_needs_no_scheme(pictures: Pictures) -> None:
    root = pictures("cat/a.png", "dog/b.png")
    assert load_data(root).identity == load_data(f"folder:{root}").identity
    assert load_data(str(root)).source == f"folder:{root}"


def test_hidden_and_other_files_do_not_count(pictures: Pictures) -> None:
    root = pictures("cat/a.png", "cat/._a.png", ".thumbs/x.png", "__MACOSX/cat/a.png", "dog/B.PNG")
    (root / "cat" / "notes.txt").write_text("not a picture")
    data = load_data(root)
    assert data.ids == ("cat/a.png", "dog/B.PNG")
    assert data.report.problems == []


def test_split_folders_share_their_classes(pictures: Pictures) -> None:
    root = pictures("train/cat/a.png", "train/dog/b.png", "valid/dog/c.png", "valid/emu/d.png")
    assert splits(f"folder:{root}") == ("train", "val")
    train = load_data(root)
    assert (train.split, train.labels) == ("train", ("cat", "dog", "emu"))
    assert train.ids == ("train/cat/a.png", "train/dog/b.png")
    for name in ("val", "valid", "validation", "dev"):
        val = load_data(root, split=name)
        assert (val.split, val.ids, val.targets.tolist()) == (
            "val",
            ("valid/dog/c.png", "valid/emu/d.png"),
            [1, 2],
        )
    assert problems(val) == {("cat", "has no samples in this split", "noted")}


def test_a_split_that_is_not_there_is_refused(pictures: Pictures) -> None:
    root = pictures("train/cat/a.png", "val/cat/b.png")
    with pytest.raises(DataError, match=r"has no split 'test'. It has 'train', 'val'"):
        load_data(root, split="test")


def test_without_train_a_split_must_be_named_unless_there_is_one(pictures: Pictures) -> None:
    assert load_data(pictures("test/cat/a.png", folder="one")).split == "test"
    with pytest.raises(DataError, match=r"has no split 'train'. It has 'val', 'test'"):
        load_data(pictures("test/cat/a.png", "dev/cat/a.png", folder="two"))


def test_a_folder_named_train_with_pictures_in_it_is_a_class(pictures: Pictures) -> None:
    data = load_data(pictures("car/a.png", "train/b.png"))
    assert data.labels == ("car", "train")
    assert problems(data) == {("train", "is taken as a class, not as a split", "noted")}
    nested = load_data(pictures("car/a.png", "train/b.png", "train/steam/c.png", folder="nested"))
    assert nested.labels == ("car", "train")


def test_pictures_without_classes_beside_a_true_split_are_unlabelled(pictures: Pictures) -> None:
    root = pictures("train/cat/a.png", "train/dog/b.png", "test/1.png", "test/2.png")
    data = load_data(root, split="test")
    assert data.ids == ("test/1.png", "test/2.png")
    assert data.targets.tolist() == [-1, -1]
    assert data.labels == ("cat", "dog")


def test_what_lies_beside_the_layout_is_reported(pictures: Pictures) -> None:
    root = pictures("train/cat/a.png", "extra/cat/b.png", "cover.png", "train/dog/c.png")
    (root / "docs").mkdir()
    assert problems(load_data(root)) == {
        ("extra", "lies beside the split folders and is none", "left out"),
        ("cover.png", "lies in no split folder", "left out"),
    }
    plain = pictures("cat/a.png", "dog/b.png", "cover.png", folder="plain")
    assert problems(load_data(plain)) == {("cover.png", "lies in no class folder", "left out")}


def test_a_flat_folder_is_unlabelled(pictures: Pictures) -> None:
    data = load_data(pictures("b.png", "a.png"))
    assert (data.labels, data.ids, data.targets.tolist()) == ((), ("a.png", "b.png"), [-1, -1])


def test_unreadable_pictures_are_skipped_and_named(pictures: Pictures) -> None:
    root = pictures("cat/a.png", "dog/b.png", "emu/c.png")
    (root / "cat" / "empty.jpg").touch()
    (root / "cat" / "text.jpg").write_text("not a picture")
    (root / "emu" / "c.png").write_bytes(b"")
    (root / "fox").mkdir()
    data = load_data(root)
    assert data.labels == ("cat", "dog")
    assert data.targets.tolist() == [0, 1]
    assert problems(data) == {
        ("cat/empty.jpg", "empty file", "skipped"),
        ("cat/text.jpg", "not a picture, or its header is damaged", "skipped"),
        ("emu/c.png", "empty file", "skipped"),
        ("emu", "none of its pictures can be read", "left out"),
        ("fox", "has no pictures", "left out"),
    }
    assert "3 skipped (2 × empty file" in str(data)


def test_a_class_without_pictures_in_any_split_is_left_out(pictures: Pictures) -> None:
    root = pictures("train/cat/a.png", "train/dog/b.png")
    (root / "train" / "fox").mkdir()
    data = load_data(root)
    assert data.labels == ("cat", "dog")
    assert problems(data) == {("fox", "has no pictures in any split", "left out")}


def test_an_unusual_picture_is_noted(pictures: Pictures) -> None:
    root = pictures("cat/a.png", "dog/b.png")
    Image.new("CMYK", (8, 8)).save(root / "cat" / "c.jpg")
    data = load_data(root)
    assert len(data) == 3
    assert data.report.problems == [Problem("cat/c.jpg", "CMYK converted to RGB", "converted")]


def test_a_single_class_is_noted(pictures: Pictures) -> None:
    data = load_data(pictures("cat/a.png", "cat/b.png"))
    assert problems(data) == {("cat", "is a single class", "noted")}


def test_a_truncated_picture_is_found_when_read(pictures: Pictures) -> None:
    root = pictures("cat/a.png", "dog/b.png")
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(root / "cat" / "t.jpg")
    whole = (root / "cat" / "t.jpg").read_bytes()
    (root / "cat" / "t.jpg").write_bytes(whole[:2000])
    data = load_data(root)
    with pytest.raises(UnreadableSample, match=r"cat/t.jpg: cannot be decoded"):
        data[1]


def test_no_pictures_say_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"(?s)no pictures in .*one folder per class.*cat/0001.jpg"):
        load_data(tmp_path)
    (tmp_path / "train.csv").write_text("text,label\n")
    with pytest.raises(DataError, match="It holds tables; open them with table:"):
        load_data(tmp_path)


def test_only_unreadable_pictures_are_counted(tmp_path: Path) -> None:
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "a.jpg").touch()
    with pytest.raises(DataError, match=r"none of its 1 pictures can be read: 1 skipped \(1 × emp"):
        load_data(tmp_path)


def test_a_missing_folder_is_answered_with_the_nearest(pictures: Pictures) -> None:
    root = pictures("cat/a.png")
    with pytest.raises(DataError, match=r"there is no such folder.*Closest: 'pictures'"):
        load_data(f"folder:{root.parent / 'picture'}")


def test_links_are_followed_but_not_round(pictures: Pictures) -> None:
    root = pictures("cat/a.png", "dog/b.png")
    (root / "emu").symlink_to(root / "dog")
    (root / "cat" / "round").symlink_to(root)
    (root / "dog" / "broken.png").symlink_to(root / "gone.png")
    (root / "cat" / "self").symlink_to(root / "cat" / "self")
    data = load_data(root)
    assert data.ids == ("cat/a.png", "dog/b.png", "emu/b.png")
    assert ("dog/broken.png", "cannot be opened: No such file or directory", "skipped") in problems(
        data
    )


def test_a_name_that_is_no_text_is_skipped(pictures: Pictures) -> None:
    root = pictures("cat/a.png", "dog/b.png")
    source = os.fsencode(root / "cat" / "a.png")
    os.link(source, os.fsencode(root / "cat") + b"/caf\xe9.png")
    data = load_data(root)
    assert len(data) == 2
    assert problems(data) == {(r"caf\udce9.png", "its name is not valid UTF-8", "skipped")}
    assert data.identity.num_samples == 2


def test_a_split_is_drawn_where_there_is_none(pictures: Pictures) -> None:
    root = pictures(*(f"{label}/{i}.png" for label in ("cat", "dog") for i in range(10)))
    parts = {name: load_data(root, split=name) for name in ("train", "validation", "test")}
    assert [part.split for part in parts.values()] == ["train", "val", "test"]
    assert [np.bincount(part.targets).tolist() for part in parts.values()] == [
        [8, 8],
        [1, 1],
        [1, 1],
    ]
    everything = sorted(name for part in parts.values() for name in part.ids)
    assert everything == sorted(load_data(root).ids)
    with pytest.raises(DataError, match="has no splits of its own, so there is no 'half'"):
        load_data(root, split="half")


def test_too_few_samples_for_a_split(pictures: Pictures) -> None:
    root = pictures("cat/a.png", "dog/b.png")
    with pytest.raises(DataError, match="no split 'test' can be drawn from 2 samples"):
        load_data(root, split="test")


def test_a_limit_takes_of_every_class(pictures: Pictures) -> None:
    root = pictures(*(f"{label}/{i}.png" for label in ("cat", "dog") for i in range(10)))
    data = load_data(root, limit=4)
    assert np.bincount(data.targets).tolist() == [2, 2]
    assert list(data.ids) == sorted(data.ids)
    assert data[3].input.size == (4, 4)
    assert load_data(root, limit=4, seed=1).ids != data.ids


def test_reading_survives_pickling(pictures: Pictures) -> None:
    data = load_data(pictures("cat/a.png", "dog/b.png"), limit=2)
    read = pickle.loads(pickle.dumps(data.read))
    assert read(1).tobytes() == data.read(1).tobytes()


def test_real_pictures(shared_data: Path) -> None:
    data = load_data(shared_data / "cifar10", split="test", limit=50)
    assert len(data.labels) == 10
    assert np.bincount(data.targets).tolist() == [5] * 10
    assert all(sample.input.size == (32, 32) for sample in data)
