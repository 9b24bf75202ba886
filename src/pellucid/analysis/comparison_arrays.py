"""The labelled arrays of a comparison, computed from the logits of both models."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, zip_longest
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from pellucid.analysis.calibration import calibrate
from pellucid.analysis.comparison_classes import UNKNOWN, Classes
from pellucid.analysis.comparison_pairs import accuracy_gain, agreement_matrix, mcnemar
from pellucid.analysis.intervals import Counts
from pellucid.analysis.metrics import Estimate, Probabilities, proportion_right, softmax

MODELS, SIDES = ("A", "B"), ("a", "b")
BOTH, ONLY_A, ONLY_B, NEITHER, NOT_JUDGED = 0, 1, 2, 3, -1
NUM_BINS = 15
MOST_FLIPS, MOST_OTHERS = 24, 12
Flags = NDArray[np.bool_]


def measure_pair(
    *,
    logits: tuple[NDArray[np.float32], NDArray[np.float32]],
    classes: Classes,
    target: Counts,
    sample_ids: Sequence[str],
    in_training: Flags,
    seed: int,
) -> xr.Dataset:
    """Compute every figure from logits (n, outputs) of A and B and `target` (n,), places in
    `classes.labels`, −1 where unknown.
    """
    outputs = (classes.outputs_a, classes.outputs_b)
    probability = [softmax(each) for each in logits]
    best = [each.argmax(1) for each in logits]
    predicted = np.stack([of[top] for of, top in zip(outputs, best, strict=True)])
    confidence = np.stack([each.max(1) for each in probability])
    judged = np.stack([np.isin(target, of) for of in outputs])
    compared = _compared_class(classes, target, predicted)
    given = _given_to(compared, probability, outputs, confidence)
    correct = judged & (predicted == target)
    variables: dict[str, Any] = {
        "sample_id": ("sample", np.array(sample_ids, dtype=np.str_)),
        "target": ("sample", target),
        "in_training": ("sample", in_training),
        "predicted": (("model", "sample"), predicted),
        "confidence": (("model", "sample"), confidence),
        "judged": (("model", "sample"), judged),
        "correct": (("model", "sample"), correct),
        "outcome": ("sample", _outcome(correct, judged), _outcome_attributes()),
        "compared_class": ("sample", compared),
        "probability": (("model", "sample"), given),
        "change": ("sample", given[1] - given[0]),
        "shared": ("label", np.isin(np.arange(len(classes.labels)), classes.shared)),
        **_per_model(correct, judged, confidence, seed),
        **_paired(correct[:, judged.all(0)]),
        **_answers(predicted, given, shared=bool(len(classes.shared))),
    }
    coordinates = {
        "model": np.array(MODELS),
        "label": np.array(classes.labels, dtype=np.str_),
        "of_a": np.array(["right", "wrong"]),
        "of_b": np.array(["right", "wrong"]),
    }
    return xr.Dataset(variables, coords=coordinates)


def choose_explained(arrays: xr.Dataset, most: int) -> Counts:
    """Choose at most `most` samples to explain: (explained,) int64.

    First the flips, in turns what only A and what only B got right; then other samples with
    different answers; then the rest. The largest change comes first in each.
    """
    order = by_change(arrays)
    outcome, differ = arrays["outcome"].values[order], differing(arrays)[order]
    lost, won = order[outcome == ONLY_A], order[outcome == ONLY_B]
    pairs = zip_longest(lost.tolist(), won.tolist(), fillvalue=None)
    flips = [sample for sample in chain.from_iterable(pairs) if sample is not None]
    other = ~flipped(arrays)[order]
    rest = [*order[differ & other].tolist(), *order[~differ & other].tolist()]
    return np.array([*flips, *rest][:most], dtype=np.int64)


def choose_shown(arrays: xr.Dataset) -> Counts:
    """Choose samples to be shown small: (shown,) int64; flips first, the largest change first."""
    order = by_change(arrays)
    outcome, differ = arrays["outcome"].values[order], differing(arrays)[order]
    parts = [
        order[outcome == ONLY_A][:MOST_FLIPS],
        order[outcome == ONLY_B][:MOST_FLIPS],
        order[(outcome == NOT_JUDGED) & differ][:MOST_FLIPS],
        order[(outcome == NOT_JUDGED) & ~differ][:MOST_OTHERS],
        order[outcome == NEITHER][:MOST_OTHERS],
        order[outcome == BOTH][:MOST_OTHERS],
    ]
    return np.concatenate(parts).astype(np.int64)


def by_change(arrays: xr.Dataset) -> Counts:
    """All samples, the largest change of probability first: (n,) int64."""
    return np.argsort(-np.abs(arrays["change"].values), kind="stable").astype(np.int64)


def differing(arrays: xr.Dataset) -> Flags:
    """Which samples got different answers (n,), where the models share classes at all."""
    first, second = arrays["predicted"].values
    return np.asarray((first != second) & bool(arrays["shared"].any()), dtype=np.bool_)


def flipped(arrays: xr.Dataset) -> Flags:
    """Which samples only one of the models got right (n,)."""
    return np.isin(arrays["outcome"].values, (ONLY_A, ONLY_B))


def _compared_class(classes: Classes, target: Counts, predicted: Counts) -> Counts:
    """The class whose probability is compared, (n,) int64: the true one where both models know
    it, else A's answer, else B's; −1 where neither knows the other's.
    """
    compared = np.full(len(target), UNKNOWN, dtype=np.int64)
    for candidate in (target, *predicted):
        fits = (compared == UNKNOWN) & np.isin(candidate, classes.shared)
        compared = np.where(fits, candidate, compared)
    return compared


def _given_to(
    compared: Counts,
    probability: Sequence[Probabilities],
    outputs: Sequence[Counts],
    confidence: Probabilities,
) -> Probabilities:
    """What both models give to the compared class, (2, n); to their own answer where there is none."""
    given = confidence.copy()
    known = np.flatnonzero(compared != UNKNOWN)
    for row, (shares, of) in enumerate(zip(probability, outputs, strict=True)):
        given[row, known] = shares[known, output_of(of, compared[known])]
    return given


def output_of(outputs: Counts, classes: Counts) -> Counts:
    """The output that stands for each of `classes`, all of which are among `outputs`."""
    order = np.argsort(outputs)
    return np.asarray(order[np.searchsorted(outputs, classes, sorter=order)], dtype=np.int64)


def _outcome(correct: Flags, judged: Flags) -> NDArray[np.int8]:
    cell = np.where(correct[0], BOTH, ONLY_B) + np.where(correct[1], 0, 1)
    return np.where(judged.all(0), cell, NOT_JUDGED).astype(np.int8)


def _outcome_attributes() -> dict[str, Any]:
    return {
        "flag_values": [NOT_JUDGED, BOTH, ONLY_A, ONLY_B, NEITHER],
        "flag_meanings": "not_judged both_right only_a_right only_b_right neither_right",
    }


def _per_model(
    correct: Flags, judged: Flags, confidence: Probabilities, seed: int
) -> dict[str, Any]:
    """Accuracy and calibration of each model on the samples whose class it knows."""
    right = [proportion_right(correct[row, judged[row]]) for row in range(len(MODELS))]
    bins = [
        calibrate(confidence[row, known], correct[row, known], num_bins=NUM_BINS, seed=seed)
        if (known := judged[row]).any()
        else None
        for row in range(len(MODELS))
    ]
    nothing = float("nan")
    return {
        "accuracy": ("model", np.array([each.value for each in right])),
        "accuracy_low": ("model", np.array([each.low for each in right])),
        "accuracy_high": ("model", np.array([each.high for each in right])),
        "num_judged": ("model", judged.sum(1), {"units": "samples"}),
        "mean_confidence": ("model", confidence.mean(1, dtype=np.float64)),
        "calibration_error": ("model", np.array([b.ece if b else nothing for b in bins])),
        "calibration_error_by_chance": (
            "model",
            np.array([b.ece_by_chance if b else nothing for b in bins]),
        ),
    }


def _paired(correct: Flags) -> dict[str, Any]:
    """Who is right where, of the samples that both models can be judged on: `correct` (2, pairs)."""
    agreement = agreement_matrix(correct[0], correct[1])
    p_value = mcnemar(int(agreement[0, 1]), int(agreement[1, 0])) if correct.size else np.nan
    return {
        "agreement_matrix": (("of_a", "of_b"), agreement, {"units": "samples"}),
        **_scalar("accuracy_gain", accuracy_gain(agreement)),
        "mcnemar_p": ((), p_value),
    }


def _answers(predicted: Counts, given: Probabilities, *, shared: bool) -> dict[str, Any]:
    change = given[1].astype(np.float64) - given[0]
    same = proportion_right(predicted[0] == predicted[1])
    if not shared:
        nothing = np.array(np.nan)
        same = Estimate(value=nothing, low=nothing, high=nothing)
    return {
        **_scalar("same_answer", same),
        "mean_change": ((), float(change.mean())),
        "mean_absolute_change": ((), float(np.abs(change).mean())),
    }


def _scalar(name: str, estimate: Estimate) -> dict[str, Any]:
    return {
        name: ((), estimate.value),
        f"{name}_low": ((), estimate.low),
        f"{name}_high": ((), estimate.high),
    }
