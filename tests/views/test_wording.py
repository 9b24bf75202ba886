import numpy as np
import pytest

from pellucid.views import Axis, Column
from pellucid.views.wording import (
    axis_label,
    column_label,
    entries,
    formatted,
    is_numeric,
    quantity,
    readable_tokens,
    shorten,
)


@pytest.mark.parametrize(
    ("value", "spec", "expected"),
    [
        (0.8125, ".1%", "81.2%"),
        (3, "", "3"),
        (3.0, "", "3"),
        (0.12345, "", "0.123"),
        (-0.5, ".2f", "−0.50"),
        (1234.0, ",d", "1,234"),
        (float("nan"), ".1%", "–"),
        (None, ".1%", "–"),
        (float("-inf"), "d", "−∞"),
        (True, "", "True"),
        ("a-b", ".1f", "a-b"),
        (np.float32(0.25), ".1f", "0.2"),
    ],
)
def test_numbers_are_formatted(value: object, spec: str, expected: str) -> None:
    assert formatted(value, spec) == expected


def test_a_column_of_whole_numbers_has_no_decimals() -> None:
    assert entries(Column(name="n", values=(1.0, 20.0, None))) == ["1", "20", "–"]
    assert entries(Column(name="n", values=(1.5, 20.0))) == ["1.5", "20"]
    assert entries(Column(name="n", values=("a", None))) == ["a", "–"]


def test_which_columns_are_numbers() -> None:
    assert is_numeric(Column(name="n", values=(1, 2.5, None, np.int8(3))))
    assert not is_numeric(Column(name="n", values=(1, "2")))
    assert not is_numeric(Column(name="n", values=(True, False)))
    assert not is_numeric(Column(name="n", values=(None, None)))


def test_labels_name_their_units() -> None:
    assert axis_label(Axis(label="loss", unit="nats")) == "loss (nats)"
    assert axis_label(Axis(label="epoch")) == "epoch"
    assert column_label(Column(name="time", values=(), unit="s")) == "time (s)"


def test_long_texts_end_in_an_ellipsis() -> None:
    assert shorten("automobile", 10) == "automobile"
    assert shorten("automobiles", 10) == "automobil…"
    assert shorten("a word apart", 8) == "a word…"
    assert shorten("ab", 0) == "…"


def test_quantities_are_said_with_their_unit() -> None:
    share = Axis(label="probability", limits=(0.0, 1.0))
    assert quantity(0.834, share) == "83 %"
    assert quantity(0.028, share) == "2.8 %"
    assert quantity(0.0, share) == "0 %"
    assert quantity(2.5, Axis(label="time", unit="ms")) == "2.5 ms"
    assert quantity(0.5, Axis(label="x", limits=(0.0, 1.0), unit="m")) == "0.5 m"


def test_marks_of_tokenizers_are_taken_away() -> None:
    assert readable_tokens(["un", "##like", "##ly", "!"]) == [
        ("un", True),
        ("like", False),
        ("ly", False),
        ("!", True),
    ]
    assert readable_tokens(["A", "Ġfine", "st"]) == [("A", False), ("fine", True), ("st", False)]
    assert readable_tokens(["▁A", "▁fi", "ne"]) == [("A", True), ("fi", True), ("ne", False)]
