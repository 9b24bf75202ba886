"""Tables: columns, splits, labels, and rows that are not as they should be."""

from __future__ import annotations

import csv
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pellucid import load_data
from pellucid.data import Data, delimited
from pellucid.data.source import splits
from pellucid.errors import DataError, SpecError

Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file and give its spec."""

    def to_file(content: str | bytes, name: str = "table.csv") -> str:
        raw = content.encode() if isinstance(content, str) else content
        (tmp_path / name).write_bytes(raw)
        return f"table:{tmp_path / name}"

    return to_file


@pytest.fixture
def parquet(tmp_path: Path) -> Write:
    def to_file(columns: Mapping[str, Any], name: str = "table.parquet") -> str:
        pq.write_table(pa.table(dict(columns)), tmp_path / name)
        return f"table:{tmp_path / name}"

    return to_file


def rows(data: Data) -> list[tuple[str, str, int]]:
    return [(sample.id, sample.input, sample.label) for sample in data]


def problems(data: Data) -> list[tuple[str, str, str]]:
    return [(problem.what, problem.reason, problem.action) for problem in data.report.problems]


def test_a_csv(write: Write) -> None:
    spec = write('text,label\nfine film,pos\n"so, so",neg\n"two\nlines",pos\n')
    data = load_data(spec)
    assert (data.source, data.split, data.kind) == (spec, "", "text")
    assert data.labels == ("neg", "pos")
    assert rows(data) == [
        ("row-000000", "fine film", 1),
        ("row-000001", "so, so", 0),
        ("row-000002", "two\nlines", 1),
    ]
    assert problems(data) == []
    assert splits(spec) == ()


def test_a_table_needs_no_scheme(write: Write) -> None:
    path = write("text,label\na,x\nb,y\n").removeprefix("table:")
    assert load_data(path).source == f"table:{path}"
    assert load_data(f"{path}?label=text&text=label")[0].input == "x"


def test_ragged_rows_are_named_by_their_lines(write: Write) -> None:
    spec = write('text,label\na,x\n\nb,c,y\n"over\ntwo lines"\n"d\ne",y\n   \n,\nf,\n')
    data = load_data(spec)
    assert rows(data) == [("row-000000", "a", 0), ("row-000003", "d\ne", 1)]
    assert problems(data) == [
        ("line 4", "3 values, where the header has 2", "skipped"),
        ("lines 5 to 6", "1 value, where the header has 2", "skipped"),
        ("row-000004", "no text", "skipped"),
        ("row-000005", "no label", "skipped"),
    ]


def test_a_quote_that_is_never_closed_costs_its_rows_and_is_named(write: Write) -> None:
    data = load_data(write('text,label\na,x\nb,y\n"open,x\nc,y\n'))
    assert rows(data) == [("row-000000", "a", 0), ("row-000001", "b", 1)]
    assert problems(data) == [("lines 4 to 5", "1 value, where the header has 2", "skipped")]


def test_a_value_beyond_all_measure_is_named(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "LONGEST_VALUE", 20)
    before = csv.field_size_limit()
    data = load_data(write(f"text,label\na,x\n{'b' * 30},y\nc,y\n"))
    assert rows(data) == [("row-000000", "a", 0), ("row-000002", "c", 1)]
    assert problems(data) == [
        ("line 3", "a value of over 20 characters; is a quote not closed?", "skipped")
    ]
    assert csv.field_size_limit() == before


def test_a_long_text_is_read_whole(write: Write) -> None:
    data = load_data(write(f"text,label\n{'long ' * 60_000},x\nb,y\n"))
    assert len(data[0].input) == 300_000


@pytest.mark.parametrize(
    ("header", "text", "label"),
    [
        ("label,review", 1, 0),
        ("Sentence,Sentiment", 0, 1),
        ("target,anything", 1, 0),
        ("id,text,label", 1, 2),
        ("text,content,class", 0, 2),
        (" text , label ", 0, 1),
    ],
)
def test_columns_are_found_by_name(write: Write, header: str, text: int, label: int) -> None:
    width = header.count(",") + 1
    first, second = ([f"{kind}{column}" for column in range(width)] for kind in "ab")
    data = load_data(write("\n".join((header, ",".join(first), ",".join(second)))))
    assert [sample.input for sample in data] == [f"a{text}", f"b{text}"]
    assert data.labels == (f"a{label}", f"b{label}")


def test_columns_can_be_named(write: Write) -> None:
    spec = write("text,summary,label,stars\nlong,short,x,5\nlong,brief,y,1\n")
    data = load_data(f"{spec}?text=summary&label=stars")
    assert rows(data) == [("row-000000", "short", 1), ("row-000001", "brief", 0)]
    assert data.source == f"{spec}?text=summary&label=stars"


def test_columns_that_are_not_there_are_answered_with_the_nearest(write: Write) -> None:
    spec = write("summary,headline,label\na,b,x\n")
    with pytest.raises(DataError, match=r"no column 'sumary'. Closest: 'summary'"):
        load_data(f"{spec}?text=sumary")
    with pytest.raises(DataError, match="'summary', 'headline', 'label' is named like a text"):
        load_data(spec)
    with pytest.raises(DataError, match="2 columns are named 'text'"):
        load_data(write("text,text,label\na,b,c\n"))


def test_labels_are_optional(write: Write) -> None:
    for content in ("text\na\nb, c\n", "text,label\na,\nb,\n"):
        data = load_data(write(content.replace("b, c", '"b, c"')))
        assert data.labels == ()
        assert data.targets.tolist() == [-1, -1]
        assert problems(data) == []


def test_labels_are_trimmed_and_ordered(write: Write) -> None:
    assert load_data(write("text,label\na,10\nb, 9\nc,10 \n")).labels == ("9", "10")
    assert load_data(write("text,label\na,1.5\nb,-2\n")).labels == ("-2", "1.5")
    assert load_data(write("text,label\na,10\nb,9\nc,x\n")).labels == ("10", "9", "x")
    assert load_data(write("text,label\na,nan\nb,inf\nc,1\n")).labels == ("1", "inf", "nan")


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ("text;label\na, b;x\nc;y\n", "t.csv"),
        ("text\tlabel\na, b\tx\nc\ty\n", "t.tsv"),
        ("text|label\na, b|x\nc|y\n", "t.csv"),
        ("\ufefftext;label\r\na, b;x\r\nc;y", "t.CSV"),
    ],
)
def test_delimiters_and_line_ends(write: Write, content: str, name: str) -> None:
    data = load_data(write(content, name))
    assert rows(data) == [("row-000000", "a, b", 0), ("row-000001", "c", 1)]


def test_other_encodings_are_refused_with_the_command(write: Write) -> None:
    latin = write(b"text,label\na,x\n" + "été,y\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"not UTF-8 \(line 3\).*iconv -f WINDOWS-1252 -t UTF-8"):
        load_data(latin)
    with pytest.raises(DataError, match="iconv -f UTF-16 -t UTF-8"):
        load_data(write("text,label\na,x\n".encode("utf-16")))


@pytest.mark.parametrize("content", ["", "\n"])
def test_a_file_without_header(write: Write, content: str) -> None:
    with pytest.raises(DataError, match="empty first line"):
        load_data(write(content))


@pytest.mark.parametrize("content", ["text,label\n", "text,label\n,x\na\n"])
def test_a_table_without_usable_rows(write: Write, content: str) -> None:
    with pytest.raises(DataError, match="Expected rows of text and label"):
        load_data(write(content))


def test_parquet(parquet: Write) -> None:
    spec = parquet({"text": ["a", None, " ", "d", "e"], "label": [10, 9, 9, None, 9]})
    data = load_data(spec)
    assert data.labels == ("9", "10")
    assert rows(data) == [("row-000000", "a", 1), ("row-000004", "e", 0)]
    assert problems(data) == [
        ("row-000001", "no text", "skipped"),
        ("row-000002", "no text", "skipped"),
        ("row-000003", "no label", "skipped"),
    ]


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (pa.array([1.0, 0.0, float("nan")]), ("0", "1")),
        (pa.array([1.5, 0.0, None]), ("0", "1.5")),
        (pa.array([True, False, None]), ("false", "true")),
        (pa.array(["x", " y ", None]).dictionary_encode(), ("x", "y")),
        (pa.array(["x", "y", ""], pa.large_string()), ("x", "y")),
    ],
)
def test_labels_of_any_plain_type(parquet: Write, labels: pa.Array, names: tuple[str, ...]) -> None:
    data = load_data(parquet({"text": ["a", "b", "c"], "label": labels}))
    assert data.labels == names
    assert sorted(data.targets.tolist()) == [0, 1]


def test_a_column_of_lists_is_refused(parquet: Write) -> None:
    with pytest.raises(
        DataError, match=r"column 'text' holds values of type list.*expected strings"
    ):
        load_data(parquet({"text": [["a"], ["b"]], "label": [0, 1]}))


def test_a_damaged_parquet_file(write: Write, parquet: Write, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="damaged or no Parquet file"):
        load_data(write("text,label\na,b\n", "table.parquet"))
    spec = parquet({"text": [f"text {i}" for i in range(1000)], "label": [0] * 1000})
    whole = (tmp_path / "table.parquet").read_bytes()
    (tmp_path / "table.parquet").write_bytes(whole[:20] + bytes(200) + whole[220:])
    with pytest.raises(DataError, match="damaged or no Parquet file"):
        load_data(spec)


def test_a_folder_of_splits_shares_its_classes(
    write: Write, parquet: Write, tmp_path: Path
) -> None:
    write("text,label\na,x\nb,y\n", "train.csv")
    write("text\tlabel\nc\tz\n", "dev.tsv")
    parquet({"text": ["d", "e"]}, "test.parquet")
    write("text,label\nq,r\n", "notes.csv")
    spec = f"table:{tmp_path}"
    assert splits(spec) == ("train", "val", "test")
    train, val, test = (load_data(spec, split=name) for name in ("train", "valid", "test"))
    assert train.labels == val.labels == test.labels == ("x", "y", "z")
    assert rows(val) == [("val/row-000000", "c", 2)]
    assert test.targets.tolist() == [-1, -1]
    assert problems(train) == [("z", "has no samples in this split", "noted")]
    with pytest.raises(DataError, match="has no split 'extra'"):
        load_data(spec, split="extra")


def test_a_folder_of_one_table(write: Write, tmp_path: Path) -> None:
    write("text,label\na,x\nb,y\n", "reviews.csv")
    assert len(load_data(f"table:{tmp_path}")) == 2
    write("text,label\na,x\nb,y\n", "more.csv")
    with pytest.raises(DataError, match=r"the folder holds more.csv, reviews.csv. Expected one"):
        load_data(f"table:{tmp_path}")


def test_two_files_for_a_split_are_refused(write: Write, tmp_path: Path) -> None:
    write("text,label\na,x\n", "train.csv")
    write("text\tlabel\na\tx\n", "train.tsv")
    with pytest.raises(DataError, match="two files of one name for a split"):
        load_data(f"table:{tmp_path}")


def test_files_that_are_not_there_or_of_another_kind(write: Write) -> None:
    with pytest.raises(DataError, match="there is no such file or folder"):
        load_data("table:gone.csv")
    with pytest.raises(SpecError, match=r"ends in '.json'; expected .csv, .tsv, .parquet"):
        load_data(write("{}", "table.json"))


def test_splits_are_drawn_by_label_and_limits_too(write: Write) -> None:
    content = "text,label\n" + "".join(f"text {i},{'xy'[i >= 80]}\n" for i in range(100))
    spec = write(content)
    test = load_data(spec, split="test")
    assert np.bincount(test.targets).tolist() == [8, 2]
    assert [sample.input for sample in test] == [f"text {int(name[4:])}" for name in test.ids]
    assert np.bincount(load_data(spec, limit=10).targets).tolist() == [8, 2]


def test_reading_survives_pickling(write: Write) -> None:
    data = load_data(write("text,label\na,x\n,y\nb,y\n"))
    assert pickle.loads(pickle.dumps(data.read))(1) == "b"


VALUES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(table=st.lists(st.tuples(VALUES, st.sampled_from(["x", "y", "z"])), min_size=1))
def test_what_the_csv_module_writes_is_read_back(
    tmp_path: Path, table: list[tuple[str, str]]
) -> None:
    path = tmp_path / "round.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "label"), ("first", "x"), *table])
    data = load_data(path)
    usable = [(text, label) for text, label in [("first", "x"), *table] if text.strip()]
    assert [(sample.input, data.labels[sample.label]) for sample in data] == usable


def test_real_reviews(shared_data: Path) -> None:
    spec = f"table:{shared_data / 'movie-reviews'}"
    test = load_data(spec, split="test")
    assert (len(test), test.labels) == (1300, ("negative", "positive"))
    assert test.report.problems == []
