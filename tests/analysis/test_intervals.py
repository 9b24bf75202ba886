import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.analysis.intervals import f1_interval, macro_f1_interval, share, wilson


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(7, 10, 0.3968, 0.8922), (0, 10, 0, 0.2775), (10, 10, 0.7225, 1), (1, 2, 0.0945, 0.9055)],
)
def test_wilson_of_known_cases(successes, trials, low, high):
    np.testing.assert_allclose(wilson(successes, trials), (low, high), atol=5e-5)


def test_wilson_solves_the_score_equation():
    """Both ends are where the observed share is z standard errors away (Wilson 1927)."""
    for end in wilson(13, 40, 0.9):
        assert abs(13 / 40 - end) == pytest.approx(1.6448536 * np.sqrt(end * (1 - end) / 40))


def test_no_trials_give_no_interval():
    low, high = wilson([1, 0], [2, 0])
    assert np.isnan([low[1], high[1]]).all()
    assert np.isfinite([low[0], high[0]]).all()


@given(st.integers(0, 500), st.integers(0, 500), st.floats(0.5, 0.999))
def test_intervals_hold_the_estimate_and_stay_within_bounds(right, wrong, confidence):
    if right + wrong == 0:
        return
    for (low, high), value in (
        (wilson(right, right + wrong, confidence), right / (right + wrong)),
        (f1_interval(right, wrong, confidence), 2 * right / (2 * right + wrong)),
    ):
        assert 0 <= low <= value + 1e-12
        assert value - 1e-12 <= high <= 1


def test_more_samples_narrow_the_interval():
    widths = np.diff(wilson([8, 80, 800], [10, 100, 1000]), axis=0)[0]
    assert widths[0] > widths[1] > widths[2]


def test_f1_without_mistakes_keeps_an_interval():
    low, high = f1_interval(10, 0)
    assert high == 1
    assert low == pytest.approx(2 * 0.72247 / 1.72247, abs=1e-4)


def test_macro_f1_interval_agrees_with_resampled_samples():
    """Drawing cells is drawing samples: compare with a plain bootstrap of the samples."""
    from sklearn.metrics import f1_score

    confusion = np.array([[90, 25, 12], [1, 20, 1], [1, 1, 9]])
    pairs = np.argwhere(confusion > 0).repeat(confusion[confusion > 0], axis=0)
    generator = np.random.default_rng(1)
    drawn = [pairs[generator.integers(0, len(pairs), len(pairs))] for _ in range(300)]
    scores = [f1_score(p[:, 0], p[:, 1], average="macro") for p in drawn]
    np.testing.assert_allclose(
        macro_f1_interval(confusion, 0), np.quantile(scores, (0.025, 0.975)), atol=0.025
    )


def test_macro_f1_interval_repeats_with_its_seed_and_in_pieces(monkeypatch):
    confusion = np.array([[50, 22, 3], [10, 93, 4], [5, 8, 61]])
    whole = macro_f1_interval(confusion, 3)
    assert whole == macro_f1_interval(confusion, 3)
    assert whole != macro_f1_interval(confusion, 4)
    monkeypatch.setattr("pellucid.analysis.intervals.MOST_CELLS_AT_ONCE", 40)
    assert macro_f1_interval(confusion, 3) == whole


def test_macro_f1_interval_needs_a_mistake():
    assert np.isnan(macro_f1_interval(np.diag([3, 4]), 0)).all()


def test_share_of_nothing_is_not_defined():
    np.testing.assert_array_equal(share([1, 0], [2, 0]), [0.5, np.nan])
