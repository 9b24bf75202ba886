"""Figures of merit of a classifier, each from its definition.

A figure that is not defined (the precision of a class that was never answered) is NaN.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from pellucid.analysis.intervals import Counts, Floats, f1_interval, share, wilson

Probabilities = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A value with the ends of its 95 % interval; arrays of one shape."""

    value: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, kw_only=True)
class PerClass:
    """What a confusion matrix says of each class; all of shape (classes,)."""

    precision: Estimate
    recall: Estimate
    f1: Estimate
    support: Counts
    num_predicted: Counts


def softmax(logits: NDArray[np.float32]) -> Probabilities:
    """Probabilities (n, classes) float32 of logits (n, classes)."""
    return torch.from_numpy(logits).softmax(-1).numpy()


def confusion_matrix(target: Counts, predicted: Counts, num_classes: int) -> Counts:
    """Count the samples of each (true, predicted) pair of classes: (classes, classes) int64."""
    pairs = np.bincount(target * num_classes + predicted, minlength=num_classes**2)
    return pairs.reshape(num_classes, num_classes).astype(np.int64)


def per_class(confusion: Counts) -> PerClass:
    """Precision, recall and F1 of each class with intervals, from a confusion matrix."""
    hits = confusion.diagonal()
    support, answered = confusion.sum(1), confusion.sum(0)
    f1_ends = f1_interval(hits, support + answered - 2 * hits)
    return PerClass(
        precision=_proportion(hits, answered),
        recall=_proportion(hits, support),
        f1=Estimate(value=share(2 * hits, support + answered), low=f1_ends[0], high=f1_ends[1]),
        support=support,
        num_predicted=answered,
    )


def proportion_right(correct: NDArray[np.bool_]) -> Estimate:
    """Share of True with its interval; 0-d arrays."""
    return _proportion(np.asarray(correct.sum()), np.asarray(correct.size))


def macro(values: Floats, support: Counts) -> float:
    """Mean over the classes that have samples, each class counting the same."""
    present = values[support > 0]
    return float(present.mean()) if len(present) else float("nan")


def rank_of_target(logits: NDArray[np.float32], target: Counts) -> Counts:
    """How many classes stand before the true one, (n,) int64; of equal logits the first leads."""
    own = np.take_along_axis(logits, target[:, None], axis=1)
    earlier = np.arange(logits.shape[1]) < target[:, None]
    return np.asarray(((logits > own) | ((logits == own) & earlier)).sum(1), dtype=np.int64)


def negative_log_likelihood(logits: NDArray[np.float32], target: Counts) -> float:
    """Mean of -ln p(true class), in nats; from logits, so that a tiny p does not become 0."""
    losses = torch.nn.functional.cross_entropy(
        torch.from_numpy(logits), torch.from_numpy(target), reduction="none"
    )
    return float(losses.double().mean())


def brier(probability: Probabilities, target: Counts) -> float:
    """Mean squared distance between probabilities and the truth, summed over classes: 0 to 2.

    Source: G. W. Brier, Verification of forecasts expressed in terms of probability (1950).
    """
    own = np.take_along_axis(probability, target[:, None], axis=1)[:, 0].astype(np.float64)
    squares = np.einsum("nk,nk->n", probability, probability, dtype=np.float64)
    return float((squares - 2 * own + 1).mean())


def _proportion(successes: Counts, trials: Counts) -> Estimate:
    low, high = wilson(successes, trials)
    return Estimate(value=share(successes, trials), low=low, high=high)
