import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.analysis.metrics import (
    brier,
    confusion_matrix,
    macro,
    negative_log_likelihood,
    per_class,
    rank_of_target,
    softmax,
)

TARGET = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2, 2])
PREDICTED = np.array([0, 0, 0, 1, 0, 1, 1, 0, 2, 2])
CONFUSION = np.array([[3, 1, 0], [1, 2, 0], [1, 0, 2]])

answers = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60)


def test_three_classes_worked_by_hand():
    confusion = confusion_matrix(TARGET, PREDICTED, 3)
    np.testing.assert_array_equal(confusion, CONFUSION)
    classes = per_class(confusion)
    np.testing.assert_allclose(classes.precision.value, [3 / 5, 2 / 3, 1])
    np.testing.assert_allclose(classes.recall.value, [3 / 4, 2 / 3, 2 / 3])
    np.testing.assert_allclose(classes.f1.value, [2 / 3, 2 / 3, 4 / 5])
    np.testing.assert_array_equal(classes.support, [4, 3, 3])
    np.testing.assert_array_equal(classes.num_predicted, [5, 3, 2])
    assert macro(classes.f1.value, classes.support) == pytest.approx(32 / 45)


def test_what_is_not_defined_is_nan():
    classes = per_class(np.array([[2, 0, 1], [1, 0, 0], [0, 0, 0]]))
    np.testing.assert_array_equal(np.isnan(classes.precision.value), [False, True, False])
    np.testing.assert_array_equal(np.isnan(classes.recall.value), [False, False, True])
    np.testing.assert_allclose(classes.f1.value, [2 / 3, 0, 0])
    assert macro(classes.recall.value, classes.support) == pytest.approx(1 / 3)
    assert np.isnan(per_class(np.array([[1, 0], [0, 0]])).f1.value[1])


@given(answers)
def test_confusion_keeps_every_sample(pairs):
    target, predicted = np.array(pairs).T
    confusion = confusion_matrix(target, predicted, 4)
    np.testing.assert_array_equal(confusion.sum(1), np.bincount(target, minlength=4))
    np.testing.assert_array_equal(confusion.sum(0), np.bincount(predicted, minlength=4))
    assert confusion.trace() == (target == predicted).sum()


@given(answers, st.permutations(range(4)))
def test_the_order_of_classes_does_not_matter(pairs, order):
    target, predicted = np.array(pairs).T
    renamed = np.array(order)
    before = per_class(confusion_matrix(target, predicted, 4))
    after = per_class(confusion_matrix(renamed[target], renamed[predicted], 4))
    for name in ("precision", "recall", "f1"):
        for part in ("value", "low", "high"):
            one, other = (getattr(getattr(found, name), part) for found in (before, after))
            np.testing.assert_allclose(one, other[renamed])


def test_rank_puts_the_first_of_equal_logits_first():
    logits = np.array([[1, 3, 2], [2, 2, 2], [0, 0, 5]], dtype=np.float32)
    np.testing.assert_array_equal(rank_of_target(logits, np.array([2, 1, 0])), [1, 1, 1])
    np.testing.assert_array_equal(rank_of_target(logits, logits.argmax(1)), [0, 0, 0])


def test_likelihood_and_brier_worked_by_hand():
    logits = np.log([[0.5, 0.25, 0.25], [0.25, 0.25, 0.5]]).astype(np.float32)
    target = np.array([0, 1])
    assert negative_log_likelihood(logits, target) == pytest.approx((np.log(2) + np.log(4)) / 2)
    assert brier(softmax(logits), target) == pytest.approx((0.375 + 0.875) / 2)


def test_likelihood_of_a_hopeless_answer_is_finite():
    logits = np.array([[0, 500]], dtype=np.float32)
    assert negative_log_likelihood(logits, np.array([0])) == pytest.approx(500)
