"""Specs: what they may be, and what a third party's source needs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pellucid import load_data, plugins
from pellucid.data import Data
from pellucid.data.source import Source, read_options, splits
from pellucid.errors import DataError, SpecError


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("nowhere", "'nowhere' is no existing folder or table.*folder:…, hf:…, table:…"),
        ("folder:", "'folder:' is no existing folder or table"),
        ("folders:x", "Unknown data source 'folders'. Closest: 'folder'"),
        ("table:x.csv?txt=a", "option 'txt' .* is not understood.*Closest: 'text'"),
        ("table:x.csv?text=", "option 'text=' .* is not understood"),
    ],
)
def test_specs_that_cannot_be_understood(spec: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        load_data(spec)


def test_a_file_of_an_unknown_kind(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(SpecError, match=r"a file of an unknown kind.*ending in .csv"):
        load_data(tmp_path / "notes.txt")


def test_a_limit_below_one_is_refused_before_anything_is_read() -> None:
    with pytest.raises(SpecError, match="limit=0 was given"):
        load_data("folder:nowhere", limit=0)


def test_options_are_taken_apart(tmp_path: Path) -> None:
    assert read_options("x.csv?text=a%20b&label=c", ("text", "label")) == (
        "x.csv",
        {"text": "a b", "label": "c"},
    )
    assert read_options("x.csv", ("text",)) == ("x.csv", {})
    odd = tmp_path / "what?.csv"
    odd.touch()
    assert read_options(str(odd), ("text",)) == (str(odd), {})


def shelf(rest: str) -> Source:
    """A third party's source, as one function."""

    def read(split: str) -> Data:
        return Data(
            source=f"shelf:{rest}",
            split=split,
            kind="text",
            labels=("a", "b", "c"),
            ids=("1", "2") if rest == "top" else (),
            targets=np.array([0, 2] if rest == "top" else [], dtype=np.int64),
            read=str,
        )

    return Source(splits=("train", "unsupervised"), read=read)


@pytest.fixture
def third_party(monkeypatch: pytest.MonkeyPatch) -> None:
    class Entry:
        def load(self) -> Callable[[str], Source]:
            return shelf

    monkeypatch.setattr(plugins, "_family", lambda group: {"shelf": Entry()})


@pytest.mark.usefixtures("third_party")
def test_a_source_of_a_third_party_is_one_function() -> None:
    assert splits("shelf:top") == ("train", "unsupervised")
    data = load_data("shelf:top", split="unsupervised")
    assert (data.source, data.split, data[1].input) == ("shelf:top", "unsupervised", "1")
    assert [(p.what, p.reason) for p in data.report.problems] == [
        ("b", "has no samples in this split")
    ]
    with pytest.raises(DataError, match=r"has no split 'val'. It has 'train', 'unsupervised'"):
        load_data("shelf:top", split="val")
    with pytest.raises(DataError, match="shelf:bottom holds no samples in split 'train'"):
        load_data("shelf:bottom")
