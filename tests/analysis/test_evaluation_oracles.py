"""Figures against scikit-learn's and torchmetrics'."""

import numpy as np
import pytest
import torch

from pellucid.analysis.evaluation import evaluate

pytestmark = pytest.mark.oracle
NUM_CLASSES = 8


@pytest.fixture(scope="module")
def found(identity_model, make_data):
    generator = np.random.default_rng(0)
    target = generator.choice(NUM_CLASSES, 500, p=np.arange(1, 9) / 36)
    logits = generator.normal(size=(500, NUM_CLASSES)) * 2
    logits[np.arange(500), target] += 2
    labels = [f"c{index}" for index in range(NUM_CLASSES)]
    return evaluate(identity_model(labels), make_data(logits, target, labels)).data


@pytest.fixture(scope="module")
def truth(found):
    return found["target"].values, found["predicted"].values, found["probability"].values


def test_classes_agree_with_scikit_learn(found, truth):
    from sklearn import metrics

    target, predicted, _ = truth
    np.testing.assert_array_equal(found["confusion"], metrics.confusion_matrix(target, predicted))
    precision, recall, f1, support = metrics.precision_recall_fscore_support(target, predicted)
    np.testing.assert_allclose(found["precision"], precision)
    np.testing.assert_allclose(found["recall"], recall)
    np.testing.assert_allclose(found["f1"], f1)
    np.testing.assert_array_equal(found["support"], support)
    assert float(found["macro_f1"]) == pytest.approx(f1.mean())
    assert float(found["balanced_accuracy"]) == pytest.approx(
        metrics.balanced_accuracy_score(target, predicted)
    )


def test_curves_agree_with_scikit_learn(found, truth):
    from sklearn import metrics

    target, _, probability = truth
    for label in range(NUM_CLASSES):
        mine, score = target == label, probability[:, label]
        assert float(found["auc"][label]) == pytest.approx(metrics.roc_auc_score(mine, score))
        assert float(found["average_precision"][label]) == pytest.approx(
            metrics.average_precision_score(mine, score)
        )
        precision, recall, _ = metrics.precision_recall_curve(mine, score)
        best = [precision[:-1][recall[:-1] >= level - 1e-12][-1] for level in (0.1, 0.5, 0.9, 1)]
        stored = found["precision_at_recall"].sel(recall_level=[0.1, 0.5, 0.9, 1], method="nearest")
        np.testing.assert_allclose(stored[label], best, rtol=1e-6)


def test_scalars_agree_with_scikit_learn(found, truth):
    from sklearn import metrics

    target, _, probability = truth
    assert float(found["top5_accuracy"]) == metrics.top_k_accuracy_score(target, probability, k=5)
    precise = probability.astype(np.float64)
    precise /= precise.sum(1, keepdims=True)
    assert float(found["negative_log_likelihood"]) == pytest.approx(
        metrics.log_loss(target, precise), rel=1e-5
    )
    one_hot = np.eye(NUM_CLASSES)[target]
    assert float(found["brier"]) == pytest.approx(((probability - one_hot) ** 2).sum(1).mean())


def test_figures_agree_with_torchmetrics(found, truth):
    from torchmetrics import classification

    target, probability = torch.tensor(truth[0]), torch.tensor(truth[2])

    def value(metric):
        return float(metric(probability, target))

    size = {"num_classes": NUM_CLASSES}
    expected = {
        "accuracy": classification.MulticlassAccuracy(**size, average="micro"),
        "top5_accuracy": classification.MulticlassAccuracy(**size, average="micro", top_k=5),
        "macro_f1": classification.MulticlassF1Score(**size, average="macro"),
        "macro_auc": classification.MulticlassAUROC(**size, average="macro"),
        "macro_average_precision": classification.MulticlassAveragePrecision(**size),
        "calibration_error": classification.MulticlassCalibrationError(**size, n_bins=15),
    }
    for name, metric in expected.items():
        assert float(found[name]) == pytest.approx(value(metric), abs=1e-5), name


def test_wilson_agrees_with_scipy():
    from scipy.stats import binomtest

    from pellucid.analysis.intervals import wilson

    for successes, trials in ((0, 7), (3, 7), (50, 61), (61, 61)):
        ends = binomtest(successes, trials).proportion_ci(0.95, method="wilson")
        np.testing.assert_allclose(wilson(successes, trials), (ends.low, ends.high), atol=1e-12)
