import numpy as np
import pytest

from pellucid.analysis.evaluation import evaluate
from pellucid.analysis.evaluation_words import calibration_verdict


@pytest.fixture(scope="module")
def two_classes(identity_model, make_data):
    """Evaluate answers to class "no" that are sure with `confidence`, `right` of 100 times."""

    def run(confidence, right, targets=None):
        margin = np.log(confidence / (1 - confidence))
        answers = np.arange(100) % 2
        truth = np.where(np.arange(100) < right, answers, 1 - answers)
        logits = np.eye(2)[answers] * np.broadcast_to(margin, 100)[:, None]
        return evaluate(
            identity_model(("no", "yes")),
            make_data(logits, truth if targets is None else targets, ("no", "yes")),
        )

    return run


@pytest.mark.parametrize(
    ("confidence", "right", "verdict", "words"),
    [
        (0.81, 80, "fair", "can be taken at face value"),
        (0.99, 80, "over", "over-confident: on average it is 99.0 % sure, but right in 80.0 %"),
        (0.60, 95, "under", "under-confident: on average it is only 60.0 % sure"),
    ],
)
def test_confidence_is_judged(two_classes, confidence, right, verdict, words):
    found = two_classes(confidence, right)
    assert calibration_verdict(found.data) == verdict
    assert words in found.summary()


def test_errors_in_both_directions_are_uneven(two_classes):
    confidence = np.where(np.arange(100) < 50, 0.55, 0.95)
    found = two_classes(confidence, 75)
    assert calibration_verdict(found.data) == "uneven"
    assert "too high for some answers and too low for others" in found.summary()


def test_a_handful_of_samples_does_not_judge_the_confidence(identity_model, make_data):
    data = make_data(np.eye(2)[[0, 1, 0, 1]], [0, 1, 0, 1], ("a", "b"))
    found = evaluate(identity_model(("a", "b")), data)
    assert calibration_verdict(found.data) == "unclear"
    assert "4 samples are too few to judge its confidence" in found.summary()


def test_a_useful_model_is_better_than_the_most_frequent_answer(two_classes):
    summary = two_classes(0.9, 90).summary()
    assert summary.startswith(
        "The model is right on 90 of 100 samples: 90.0 % (95 % interval 82.6–94.5 %)."
    )
    assert "would be right in 50.0 %." in summary
    assert "learned anything" not in summary


def test_a_useless_model_is_told_so(two_classes):
    targets = np.zeros(100, dtype=int)
    targets[::10] = 1
    summary = two_classes(0.9, 0, targets).summary()
    assert "worse than always answering 'no', right in 90.0 %" in summary
    assert "do not show that it has learned anything" in two_classes(0.9, 52).summary()


def test_the_worst_mistake_is_named(identity_model, make_data):
    answers = [0] * 12 + [1] * 5 + [2] * 20
    targets = [0] * 12 + [1] * 2 + [2] * 3 + [2] * 20
    found = evaluate(
        identity_model(("ant", "bee", "cow")),
        make_data(np.eye(3)[answers] * 5, targets, ("ant", "bee", "cow")),
    )
    summary = found.summary()
    assert "take cow for bee: 3 of 23 samples of cow" in summary
    assert "recognises ant best (100.0 % of its samples found) and cow worst (87.0 %)" in summary
    assert "fewer than 10 samples of bee" in summary


def test_tiles_are_few_and_say_what_they_mean(two_classes):
    tiles = {label: (value, detail) for label, value, detail in two_classes(0.99, 80).headline()}
    assert tiles["Accuracy"] == ("80.0 %", "95 % interval 71.1–86.7 %")
    assert tiles["Calibration error"][1].startswith("over-confident")
    assert tiles["Samples"] == ("100", "2 classes")
    assert "Top-5 accuracy" not in tiles


def test_macro_f1_without_a_mistake_has_no_interval(two_classes):
    tiles = {label: detail for label, _, detail in two_classes(0.99, 100).headline()}
    assert "no mistake to resample" in tiles["Macro F1"]
