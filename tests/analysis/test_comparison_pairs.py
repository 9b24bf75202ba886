import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.analysis.comparison_pairs import accuracy_gain, agreement_matrix, mcnemar

COUNTS = st.integers(0, 400)


def test_the_agreement_matrix_counts_right_and_wrong():
    right_a = np.array([True, True, False, False, True])
    right_b = np.array([True, False, True, False, False])
    assert agreement_matrix(right_a, right_b).tolist() == [[1, 2], [1, 1]]


@pytest.mark.parametrize(
    ("only_a", "only_b", "expected"),
    [(0, 0, 1.0), (1, 7, 2 * (1 + 8) / 2**8), (7, 1, 2 * (1 + 8) / 2**8), (0, 5, 2 / 2**5)],
)
def test_mcnemar_by_counting_the_splits(only_a, only_b, expected):
    assert mcnemar(only_a, only_b) == pytest.approx(expected)


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_the_gain_turns_around_with_the_models_and_lies_in_its_interval(both, a, b, neither):
    if not both + a + b + neither:
        return
    gain = accuracy_gain(np.array([[both, a], [b, neither]]))
    back = accuracy_gain(np.array([[both, b], [a, neither]]))
    assert float(gain.value) == pytest.approx((b - a) / (both + a + b + neither))
    assert float(gain.low) == pytest.approx(-float(back.high), abs=1e-12)
    assert -1 - 1e-9 <= gain.low <= gain.value + 1e-9 <= gain.high + 2e-9 <= 1 + 1e-8


def test_with_many_samples_the_interval_is_the_usual_one():
    """Wald's interval for paired proportions is right in the limit."""
    counts = np.array([[60_000, 9_000], [12_000, 19_000]])
    found, total = accuracy_gain(counts), counts.sum()
    spread = np.sqrt((9_000 + 12_000) / total - 0.03**2) / np.sqrt(total)
    assert float(found.low) == pytest.approx(0.03 - 1.96 * spread, abs=2e-5)
    assert float(found.high) == pytest.approx(0.03 + 1.96 * spread, abs=2e-5)


def test_the_interval_holds_the_true_gain_as_often_as_it_says():
    shares = np.array([0.7, 0.05, 0.12, 0.13])
    drawn = np.random.default_rng(0).multinomial(60, shares, 1_500)
    ends = [accuracy_gain(counts.reshape(2, 2)) for counts in drawn]
    held = np.mean([end.low <= 0.07 <= end.high for end in ends])
    assert 0.94 <= held <= 0.98


def test_without_samples_nothing_is_defined():
    assert np.isnan(accuracy_gain(np.zeros((2, 2), dtype=np.int64)).value)
