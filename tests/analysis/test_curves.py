import numpy as np
import pytest

from pellucid.analysis.curves import GRID, one_against_rest


def two_classes(scores):
    return np.stack([1 - np.array(scores), np.array(scores)], axis=1).astype(np.float32)


def test_curves_worked_by_hand():
    """Scores .9+ .6- .4+ .1-: three of four pairs are in order."""
    curves = one_against_rest(np.array([1, 0, 1, 0]), two_classes([0.9, 0.6, 0.4, 0.1]))
    assert curves.auc[1] == pytest.approx(3 / 4)
    assert curves.average_precision[1] == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    np.testing.assert_allclose(curves.precision[1], np.where(GRID <= 0.5, 1, 2 / 3))
    np.testing.assert_allclose(curves.true_positive_rate[1], np.where(GRID < 0.5, 0.5, 1))


def test_a_perfect_and_a_blind_score():
    target = np.array([0, 1, 0, 1])
    perfect = one_against_rest(target, two_classes([0.1, 0.9, 0.2, 0.8]))
    np.testing.assert_allclose([*perfect.auc, *perfect.average_precision], 1)
    blind = one_against_rest(target, two_classes([0.5, 0.5, 0.5, 0.5]))
    np.testing.assert_allclose(blind.true_positive_rate[1], GRID)
    np.testing.assert_allclose([blind.auc[1], blind.average_precision[1]], 0.5)


def test_a_class_without_samples_has_no_curve():
    probability = np.full((3, 3), 1 / 3, dtype=np.float32)
    curves = one_against_rest(np.array([0, 1, 0]), probability)
    assert np.isnan(curves.auc[2])
    assert np.isnan(curves.precision[2]).all()
    assert np.isnan(one_against_rest(np.array([1, 1]), probability[:2]).auc).all()


def test_area_under_the_resampled_curve_is_near_the_exact_one():
    generator = np.random.default_rng(0)
    target = generator.integers(0, 2, 400)
    curves = one_against_rest(target, two_classes((generator.random(400) + 0.4 * target) / 1.4))
    assert np.trapezoid(curves.true_positive_rate[1], GRID) == pytest.approx(
        curves.auc[1], abs=5e-3
    )
    assert curves.precision[1].mean() == pytest.approx(curves.average_precision[1], abs=5e-3)
