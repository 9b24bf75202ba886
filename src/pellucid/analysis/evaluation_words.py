"""An evaluation in plain words."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import xarray as xr

from pellucid.analysis.evaluation_arrays import TOP
from pellucid.views.prose import counted, interval, percent

MOST_BY_CHANCE = 0.1


def summary(data: xr.Dataset, notes: Sequence[str]) -> str:
    """How often it is right; against what, and where it fails; what to beware of: a line each."""
    warning = training_warning(data)
    lines = (
        (_accuracy(data), warning, _unseen(data) if warning else ""),
        (_baseline(data), _best_and_worst(data), _confusion(data), calibration_words(data)),
        tuple(note for note in notes if note != warning),
    )
    return "\n".join(" ".join(filter(None, line)) for line in lines if any(line))


def training_warning(data: xr.Dataset) -> str:
    """Say how many samples the model has seen in training; "" if none."""
    leaked, total = int(data["in_training"].sum()), data.sizes["sample"]
    if not leaked:
        return ""
    return (
        f"{leaked:,} of {counted(total, 'sample')} {'was' if leaked == 1 else 'were'} used in "
        "training: the figures are too good."
    )


def headline(data: xr.Dataset) -> list[tuple[str, str, str]]:
    """Give the tiles: accuracy, top-5 where there are more classes, macro F1, calibration, size."""
    tiles = [
        ("Accuracy", percent(float(data["accuracy"])), _with_interval(data, "accuracy")),
        (
            "Macro F1",
            percent(float(data["macro_f1"])),
            "each class counts the same; " + _with_interval(data, "macro_f1"),
        ),
        ("Calibration error", percent(float(data["calibration_error"])), _calibration_tile(data)),
        ("Samples", f"{data.sizes['sample']:,}", _samples_tile(data)),
    ]
    if not math.isnan(float(data["top5_accuracy"])):
        value = percent(float(data["top5_accuracy"]))
        detail = f"the true class is among the first {TOP} answers"
        tiles.insert(1, (f"Top-{TOP} accuracy", value, detail))
    return tiles


def calibration_verdict(data: xr.Dataset) -> str:
    """Say "fair", "over", "under", "uneven" or "unclear": how confidence compares with accuracy.

    Fair is an error that a perfectly calibrated model could show by chance on as many samples, or
    unclear where chance alone may make it large; uneven is one that is not explained by being too
    sure, or too unsure, throughout.
    """
    error = float(data["calibration_error"])
    gap = float(data["mean_confidence"]) - float(data["accuracy"])
    by_chance = float(data["calibration_error_by_chance"])
    if error <= by_chance:
        return "fair" if by_chance <= MOST_BY_CHANCE else "unclear"
    if abs(gap) < error / 2:
        return "uneven"
    return "over" if gap > 0 else "under"


def calibration_words(data: xr.Dataset) -> str:
    """Say in a sentence or two whether the stated confidence can be believed."""
    sure = percent(float(data["mean_confidence"]))
    right = percent(float(data["accuracy"]))
    error = percent(float(data["calibration_error"]))
    return {
        "fair": (
            f"Its confidence can be taken at face value: on average it is {sure} sure and "
            f"right in {right}, and the calibration error of {error} is no more than chance "
            f"would give on {counted(data.sizes['sample'], 'sample')}."
        ),
        "over": (
            f"It is over-confident: on average it is {sure} sure, but right in {right} "
            f"(calibration error {error})."
        ),
        "under": (
            f"It is under-confident: on average it is only {sure} sure, but right in {right} "
            f"(calibration error {error})."
        ),
        "unclear": (
            f"{counted(data.sizes['sample'], 'sample')} are too few to judge its confidence: on "
            f"average it is {sure} sure and right in {right} (calibration error {error})."
        ),
        "uneven": (
            f"Its confidence is uneven: right on average ({sure} sure, {right} right), but too "
            f"high for some answers and too low for others (calibration error {error})."
        ),
    }[calibration_verdict(data)]


def _accuracy(data: xr.Dataset) -> str:
    right, total = int(data["correct"].sum()), data.sizes["sample"]
    ends = interval(float(data["accuracy_low"]), float(data["accuracy_high"]))
    return (
        f"The model is right on {right:,} of {counted(total, 'sample')}: "
        f"{percent(float(data['accuracy']))} (95 % interval {ends})."
    )


def _unseen(data: xr.Dataset) -> str:
    unseen = int((~data["in_training"]).sum())
    if not unseen:
        return "None was new to the model, so nothing is said here about new samples."
    ends = interval(float(data["accuracy_unseen_low"]), float(data["accuracy_unseen_high"]))
    return (
        f"On the {counted(unseen, 'other sample')} it is right in "
        f"{percent(float(data['accuracy_unseen']))} (95 % interval {ends})."
    )


def _baseline(data: xr.Dataset) -> str:
    label = str(data["label"].values[int(data["majority_label"])])
    share = float(data["majority_accuracy"])
    if float(data["accuracy_low"]) > share:
        return f"Always answering {label!r} would be right in {percent(share)}."
    if float(data["accuracy_high"]) < share:
        return f"That is worse than always answering {label!r}, right in {percent(share)}."
    return (
        f"Always answering {label!r} would be right in {percent(share)}, "
        "so these samples do not show that it has learned anything."
    )


def _best_and_worst(data: xr.Dataset) -> str:
    recall, labels = data["recall"].values, data["label"].values
    if np.isfinite(recall).sum() < 2:
        return ""
    best, worst = int(np.nanargmax(recall)), int(np.nanargmin(recall))
    if recall[best] == recall[worst]:
        return f"It finds {percent(recall[best])} of the samples of every class."
    return (
        f"It recognises {labels[best]!s} best ({percent(recall[best])} of its samples found) "
        f"and {labels[worst]!s} worst ({percent(recall[worst])})."
    )


def _confusion(data: xr.Dataset) -> str:
    counts = data["confusion"].values.copy()
    np.fill_diagonal(counts, 0)
    if not counts.any():
        return "It made no mistake here."
    true, answered = np.unravel_index(counts.argmax(), counts.shape)
    labels, number = data["label"].values, int(counts[true, answered])
    return (
        f"Its most frequent mistake is to take {labels[true]!s} for {labels[answered]!s}: "
        f"{number:,} of {counted(int(data['support'][true]), 'sample')} of {labels[true]!s}."
    )


def _with_interval(data: xr.Dataset, name: str) -> str:
    low, high = float(data[f"{name}_low"]), float(data[f"{name}_high"])
    if math.isnan(low):
        return "no interval, since there is no mistake to resample"
    return f"95 % interval {interval(low, high)}"


def _calibration_tile(data: xr.Dataset) -> str:
    return {
        "fair": "its confidence can be taken at face value",
        "over": "over-confident: right less often than it is sure",
        "under": "under-confident: right more often than it is sure",
        "unclear": "too few samples to judge its confidence",
        "uneven": "too sure of some answers, too unsure of others",
    }[calibration_verdict(data)]


def _samples_tile(data: xr.Dataset) -> str:
    empty = int((data["support"] == 0).sum())
    leaked = int(data["in_training"].sum())
    parts = [
        f"{data.sizes['label'] - empty:,} of {data.sizes['label']:,} classes"
        if empty
        else f"{data.sizes['label']:,} classes",
        f"{leaked:,} used in training: the figures are too good" if leaked else "",
    ]
    return "; ".join(part for part in parts if part)
