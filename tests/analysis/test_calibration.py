import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.analysis.calibration import calibrate


def test_error_worked_by_hand():
    found = calibrate(
        np.array([0.9, 0.9, 0.5, 0.5]), np.array([True, False, True, True]), num_bins=5, seed=0
    )
    np.testing.assert_array_equal(found.count, [0, 0, 2, 0, 2])
    np.testing.assert_allclose(found.accuracy.value[[2, 4]], [1, 0.5])
    np.testing.assert_allclose(found.confidence[[2, 4]], [0.5, 0.9])
    assert found.ece == pytest.approx(0.5 * 0.5 + 0.5 * 0.4)
    assert np.isnan(found.accuracy.value[0])


def test_a_confidence_on_an_edge_belongs_below_it():
    found = calibrate(np.array([0.25, 0.5, 1.0]), np.ones(3, dtype=bool), num_bins=4, seed=0)
    np.testing.assert_array_equal(found.count, [1, 1, 0, 1])


@given(st.integers(1, 20), st.integers(1, 20), st.integers(1, 30))
def test_perfect_calibration_has_no_error(num_right, num_wrong, num_bins):
    confidence = np.full(num_right + num_wrong, num_right / (num_right + num_wrong))
    correct = np.arange(len(confidence)) < num_right
    assert calibrate(confidence, correct, num_bins=num_bins, seed=0).ece == pytest.approx(0)


def test_chance_explains_the_error_of_a_calibrated_model_nineteen_times_in_twenty():
    generator = np.random.default_rng(0)
    explained = []
    for seed in range(200):
        confidence = generator.uniform(0.3, 1, 120)
        correct = generator.random(120) < confidence
        found = calibrate(confidence, correct, num_bins=15, seed=seed)
        explained.append(found.ece <= found.ece_by_chance)
    assert 0.9 <= np.mean(explained) <= 0.99


def test_overconfidence_is_more_than_chance():
    confidence = np.full(200, 0.95)
    found = calibrate(confidence, np.arange(200) < 140, num_bins=15, seed=0)
    assert found.ece == pytest.approx(0.25)
    assert found.ece > 3 * found.ece_by_chance
