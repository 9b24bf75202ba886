import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from pellucid.errors import ResultError
from pellucid.views import (
    Axis,
    Bars,
    BarSeries,
    Column,
    Heatmap,
    Histogram,
    ImageGrid,
    Lines,
    Matrix,
    Overlay,
    Picture,
    Series,
    Table,
    Text,
    Tokens,
    View,
    kinds,
)
from pellucid.views.encoding import decode, encode

words = st.text(max_size=8)
numbers = st.floats(allow_nan=True, allow_infinity=True)
floats = arrays(np.float32, st.integers(0, 4), elements=st.floats(width=32))
planes = arrays(np.float64, array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=3))
pixels = arrays(
    np.uint8,
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.just(3)),
    elements=st.integers(0, 255),
)
axes = st.builds(
    Axis,
    label=words,
    unit=words,
    scale=st.sampled_from(["linear", "log"]),
    limits=st.none() | st.tuples(numbers, numbers),
)
tuples_of_words = st.lists(words, max_size=3).map(tuple)


def some(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(strategy, max_size=2).map(tuple)


def named(kind: type[View], **parts: st.SearchStrategy[Any]) -> st.SearchStrategy[View]:
    return st.builds(kind, title=words, caption=words, **parts)


bars = named(
    Bars,
    categories=tuples_of_words,
    series=some(st.builds(BarSeries, name=words, values=floats, low=st.none() | floats)),
    value=axes,
    horizontal=st.booleans(),
)
pictures = st.builds(
    Picture, pixels=pixels, sample=words, tone=st.sampled_from(["neutral", "good", "bad"])
)
entries = st.none() | st.booleans() | st.integers() | numbers | words
views = st.one_of(
    named(
        Lines,
        series=some(st.builds(Series, name=words, x=floats, y=floats, high=st.none() | floats)),
        x=axes,
        y=axes,
    ),
    bars,
    named(Histogram, edges=floats, counts=st.dictionaries(words, floats, max_size=2), x=axes),
    named(
        Matrix,
        values=planes,
        rows=tuples_of_words,
        columns=tuples_of_words,
        x=axes,
        y=axes,
        value=axes,
        signed=st.booleans(),
        members=st.dictionaries(
            st.tuples(st.integers(0, 9), st.integers(0, 9)), tuples_of_words, max_size=2
        ),
    ),
    named(ImageGrid, pictures=some(pictures)),
    named(
        Overlay,
        picture=pictures,
        maps=some(
            st.builds(Heatmap, name=words, values=planes, limit=numbers, signed=st.booleans())
        ),
        probabilities=st.none() | bars,
    ),
    named(Tokens, tokens=tuples_of_words, values=floats, limit=numbers, probabilities=st.none()),
    named(
        Table,
        columns=some(
            st.builds(Column, name=words, values=st.lists(entries, max_size=3).map(tuple))
        ),
    ),
    named(Text, paragraphs=tuples_of_words),
)


def assert_same(one: Any, other: Any) -> None:
    if isinstance(one, np.ndarray):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    elif is_dataclass(one):
        assert type(one) is type(other)
        for part in fields(one):
            assert_same(getattr(one, part.name), getattr(other, part.name))
    elif isinstance(one, Mapping):
        assert list(one) == list(other)
        for key in one:
            assert_same(one[key], other[key])
    elif isinstance(one, tuple):
        assert isinstance(other, tuple)
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            assert_same(a, b)
    else:
        assert type(one) is type(other)
        assert one == other or (one != one and other != other)


@given(views)
def test_a_view_comes_back_from_json_and_columns(view: View) -> None:
    document, columns = encode(view)
    written = json.dumps(document, allow_nan=False)
    assert_same(decode(json.loads(written), columns), view)


def test_every_kind_has_a_round_trip(each_kind: list[View]) -> None:
    known = {k for k in vars(kinds).values() if isinstance(k, type) and issubclass(k, View)}
    assert {type(view) for view in each_kind} == known - {View}
    for view in each_kind:
        document, columns = encode(view)
        assert json.loads(json.dumps(document, allow_nan=False)) == document
        again, same_columns = encode(decode(document, columns))
        assert again == document
        assert list(same_columns) == list(columns)


def test_columns_are_named_for_where_they_belong(each_kind: list[View]) -> None:
    document, columns = encode(each_kind[0])
    assert document["series"][1]["high"] == {"$column": "series/1/high"}
    assert columns["series/1/high"] is each_kind[0].series[1].high


def test_numpy_numbers_become_plain_ones() -> None:
    table = Table(title="t", columns=(Column(name="n", values=(np.float32(0.5), np.int64(3))),))
    document, columns = encode(table)
    assert document["columns"][0]["values"] == [0.5, 3]
    assert not columns


def test_an_unknown_kind_is_told() -> None:
    with pytest.raises(ResultError, match=r"kind 'Line' is unknown. Closest: 'Lines'"):
        decode({"$kind": "Line"}, {})


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"$kind": "Text", "title": "t", "paragraphs": {"$column": "p"}}, "column 'p' is missing"),
        ({"$kind": "Text", "title": "t"}, "Text cannot be built"),
        ({"$kind": "Text", "title": "t", "paragraphs": {"a": 1}}, "record without a kind"),
        ({"$kind": "Axis", "label": "x"}, "holds Axis; expected a view"),
    ],
)
def test_damaged_documents_are_told(document: dict[str, Any], message: str) -> None:
    with pytest.raises(ResultError, match=message):
        decode(document, {})


def test_what_cannot_be_encoded_is_told() -> None:
    with pytest.raises(ResultError, match="holds object in 'paragraphs/0'"):
        encode(Text(title="", paragraphs=(object(),)))
