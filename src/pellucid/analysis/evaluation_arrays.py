"""The labelled arrays of an evaluation, computed from logits and targets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from pellucid.analysis.calibration import calibrate
from pellucid.analysis.curves import GRID, Curves, one_against_rest
from pellucid.analysis.intervals import Counts, macro_f1_interval
from pellucid.analysis.metrics import (
    Estimate,
    PerClass,
    Probabilities,
    brier,
    confusion_matrix,
    macro,
    negative_log_likelihood,
    per_class,
    proportion_right,
    rank_of_target,
    softmax,
)

TOP = 5
Variables = dict[str, Any]


def measure(
    *,
    logits: NDArray[np.float32],
    target: Counts,
    labels: Sequence[str],
    sample_ids: Sequence[str],
    in_training: NDArray[np.bool_],
    num_bins: int,
    seed: int,
) -> xr.Dataset:
    """Compute every figure: logits (n, classes) float32, target (n,) int64 as output indices."""
    probability = softmax(logits)
    predicted = logits.argmax(1).astype(np.int64)
    confidence = np.take_along_axis(probability, predicted[:, None], axis=1)[:, 0]
    correct = predicted == target
    confusion = confusion_matrix(target, predicted, logits.shape[1])
    classes = per_class(confusion)
    variables: Variables = {
        "sample_id": ("sample", np.array(sample_ids, dtype=np.str_)),
        "target": ("sample", target),
        "predicted": ("sample", predicted),
        "confidence": ("sample", confidence),
        "correct": ("sample", correct),
        "in_training": ("sample", in_training),
        "probability": (("sample", "label"), probability),
        "confusion": (("label", "label_predicted"), confusion, {"units": "samples"}),
        **_class_variables(classes),
        **_curve_variables(target, probability, classes.support),
        **_calibration_variables(confidence, correct, num_bins, seed),
        **_scalars(logits, target, probability, correct, in_training),
        **_class_scalars(confusion, classes, seed),
    }
    names = np.array(labels, dtype=np.str_)
    coordinates = {
        "label": names,
        "label_predicted": names,
        "false_positive_rate": GRID,
        "recall_level": GRID,
    }
    return xr.Dataset(variables, coords=coordinates)


def _estimate(name: str, estimate: Estimate, dims: tuple[str, ...] = ()) -> Variables:
    return {
        name: (dims, estimate.value),
        f"{name}_low": (dims, estimate.low),
        f"{name}_high": (dims, estimate.high),
    }


def _class_variables(classes: PerClass) -> Variables:
    return {
        **_estimate("precision", classes.precision, ("label",)),
        **_estimate("recall", classes.recall, ("label",)),
        **_estimate("f1", classes.f1, ("label",)),
        "support": ("label", classes.support, {"units": "samples"}),
        "num_predicted": ("label", classes.num_predicted, {"units": "samples"}),
    }


def _curve_variables(target: Counts, probability: Probabilities, support: Counts) -> Variables:
    curves: Curves = one_against_rest(target, probability)
    roc_dims, pr_dims = ("label", "false_positive_rate"), ("label", "recall_level")
    return {
        "true_positive_rate": (roc_dims, curves.true_positive_rate.astype(np.float32)),
        "precision_at_recall": (pr_dims, curves.precision.astype(np.float32)),
        "auc": ("label", curves.auc),
        "average_precision": ("label", curves.average_precision),
        "macro_auc": ((), macro(curves.auc, support)),
        "macro_average_precision": ((), macro(curves.average_precision, support)),
    }


def _calibration_variables(
    confidence: Probabilities, correct: NDArray[np.bool_], num_bins: int, seed: int
) -> Variables:
    bins = calibrate(confidence, correct, num_bins=num_bins, seed=seed)
    return {
        "bin_low": ("bin", bins.edges[:-1]),
        "bin_high": ("bin", bins.edges[1:]),
        "bin_count": ("bin", bins.count, {"units": "samples"}),
        "bin_confidence": ("bin", bins.confidence),
        **_estimate("bin_accuracy", bins.accuracy, ("bin",)),
        "calibration_error": ((), bins.ece),
        "calibration_error_by_chance": ((), bins.ece_by_chance),
        "mean_confidence": ((), float(confidence.mean(dtype=np.float64))),
    }


def _scalars(
    logits: NDArray[np.float32],
    target: Counts,
    probability: Probabilities,
    correct: NDArray[np.bool_],
    in_training: NDArray[np.bool_],
) -> Variables:
    """Top-5 is NaN for five classes or fewer, where it could hardly fail."""
    unseen = proportion_right(correct[~in_training])
    top = proportion_right(rank_of_target(logits, target) < TOP)
    if logits.shape[1] <= TOP:
        top = Estimate(value=np.array(np.nan), low=np.array(np.nan), high=np.array(np.nan))
    return {
        **_estimate("accuracy", proportion_right(correct)),
        **_estimate("accuracy_unseen", unseen),
        **_estimate("top5_accuracy", top),
        "negative_log_likelihood": ((), negative_log_likelihood(logits, target), {"units": "nat"}),
        "brier": ((), brier(probability, target)),
    }


def _class_scalars(confusion: Counts, classes: PerClass, seed: int) -> Variables:
    low, high = macro_f1_interval(confusion, seed)
    return {
        "balanced_accuracy": ((), macro(classes.recall.value, classes.support)),
        "macro_f1": ((), macro(classes.f1.value, classes.support)),
        "macro_f1_low": ((), low),
        "macro_f1_high": ((), high),
        "majority_accuracy": ((), float(classes.support.max() / classes.support.sum())),
        "majority_label": ((), int(classes.support.argmax())),
    }
