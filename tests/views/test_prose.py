import math

import pytest

from pellucid.views.prose import counted, interval, listed, percent


@pytest.mark.parametrize(
    ("share", "digits", "expected"),
    [
        (0.8066, 1, "80.7 %"),
        (1, 1, "100.0 %"),
        (0.99999, 1, ">99.9 %"),
        (0.996, 0, ">99 %"),
        (0, 1, "0.0 %"),
        (0.0001, 1, "<0.1 %"),
        (math.nan, 1, "–"),
    ],
)
def test_percent_never_claims_all_or_none_for_nearly(share, digits, expected):
    assert percent(share, digits) == expected


def test_interval():
    assert interval(0.5, 0.75) == "50.0–75.0 %"
    assert interval(math.nan, math.nan) == "–"


def test_counted_and_listed():
    assert counted(1, "sample") == "1 sample"
    assert counted(1300, "sample") == "1,300 samples"
    assert counted(2, "class", "classes") == "2 classes"
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"
    assert listed([]) == ""
