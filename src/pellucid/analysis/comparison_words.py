"""A comparison in plain words."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import xarray as xr

from pellucid.analysis.comparison_arrays import MODELS, SIDES
from pellucid.result.provenance import called
from pellucid.views.prose import counted, interval, percent
from pellucid.views.wording import MINUS, MISSING

CHANCE, SMALLEST = 0.05, 0.001
MOST_NAME = 40


def summary(data: xr.Dataset, notes: Sequence[str]) -> str:
    """Which model is better and whether by chance; what changed in answers and maps; warnings."""
    lines = (
        "A is {}; B is {}.".format(*model_titles(data)),
        " ".join(filter(None, (_accuracies(data), flips_words(data), chance_words(data)))),
        training_warning(data),
        " ".join(filter(None, (_answers(data), _probabilities(data), _calibration(data)))),
        maps_words(data),
        *(note for note in notes if note != training_warning(data)),
    )
    return "\n".join(filter(None, lines))


def training_warning(data: xr.Dataset) -> str:
    """Say how many samples a model has seen in training; "" if none."""
    seen, total = int(data["in_training"].sum()), data.sizes["sample"]
    if not seen:
        return ""
    return (
        f"{seen:,} of {counted(total, 'sample')} {'was' if seen == 1 else 'were'} used in training "
        "by at least one of the models: its figures are too good."
    )


def headline(data: xr.Dataset) -> list[tuple[str, str, str]]:
    """Give the tiles: same answers, accuracies, flips, how alike the maps are, size."""
    tiles = [("Samples", f"{data.sizes['sample']:,}", "seen by both models")]
    if not math.isnan(float(data["same_answer"])):
        low, high = float(data["same_answer_low"]), float(data["same_answer_high"])
        detail = f"95 % interval {interval(low, high)}"
        tiles.append(("Same answer", percent(float(data["same_answer"])), detail))
    for row, name in enumerate(MODELS):
        if data["num_judged"].values[row]:
            low, high = (float(data[f"accuracy_{end}"].values[row]) for end in ("low", "high"))
            value = percent(float(data["accuracy"].values[row]))
            tiles.append((f"Accuracy of {name}", value, f"95 % interval {interval(low, high)}"))
    if num_pairs(data):
        only_a, only_b = flips(data)
        detail = f"{only_b:,} put right and {only_a:,} lost by B; {p_words(data)}"
        tiles.append(("Flips", f"{only_a + only_b:,}", detail))
    if "top_overlap" in data and data["top_overlap"].notnull().any():
        shared = percent(float(data["top_overlap"].mean()), 0)
        known = int(data["top_overlap"].notnull().any("method").sum())
        detail = f"of the strongest tenth in common, on {counted(known, 'sample')}; 10 % by chance"
        tiles.append(("Maps alike", shared, detail))
    return tiles


def model_name(data: xr.Dataset, row: int) -> str:
    """``model A`` with where it comes from, where that tells the two apart."""
    titles = model_titles(data)
    told = f" ({_shortened(titles[row])})" if titles[0] != titles[1] else ""
    return f"model {MODELS[row]}{told}"


def model_titles(data: xr.Dataset) -> tuple[str, str]:
    """What to call the models: where they lie is told only where nothing else tells them apart."""
    a, b = (str(source) for source in data["model_source"].values)
    return (a, b) if a != b and called(a) == called(b) else (called(a), called(b))


def num_pairs(data: xr.Dataset) -> int:
    """How many samples both models can be judged on."""
    return int(data["agreement_matrix"].sum())


def flips(data: xr.Dataset) -> tuple[int, int]:
    """How many samples only A, and only B, got right."""
    counts = data["agreement_matrix"].values
    return int(counts[0, 1]), int(counts[1, 0])


def points(share: float) -> str:
    """Write a difference of shares in percentage points: ``+1.8``, ``−0.4``."""
    return MISSING if math.isnan(share) else f"{100 * share:+.1f}".replace("-", MINUS)


def p_words(data: xr.Dataset) -> str:
    """The p value of McNemar's test: ``p = 0.031``, ``p < 0.001``."""
    value = float(data["mcnemar_p"])
    return "p < 0.001" if value < SMALLEST else f"p = {value:.3f}"


def flips_words(data: xr.Dataset) -> str:
    """Say how many samples B put right, and how many it lost."""
    if not num_pairs(data):
        return ""
    only_a, only_b = flips(data)
    if not only_a + only_b:
        return "No sample flipped: both are right and wrong on the same ones."
    return (
        f"B is right on {counted(only_b, 'sample')} that A got wrong, and wrong on "
        f"{only_a:,} that A got right."
    )


def chance_words(data: xr.Dataset) -> str:
    """Say whether the difference in accuracy may be chance."""
    if not num_pairs(data) or not sum(flips(data)):
        return ""
    gain, low, high = (float(data[f"accuracy_gain{end}"]) for end in ("", "_low", "_high"))
    size = points(abs(gain)).removeprefix("+")
    where = f"{size} points {'above' if gain > 0 else 'below'}" if gain else "the same as"
    said = (
        f"B's accuracy is {where} A's (95 % interval {points(low)} to "
        f"{points(high)}; McNemar's exact test: {p_words(data)})"
    )
    if float(data["mcnemar_p"]) < CHANCE:
        return f"{said}: hardly by chance, so B is {'better' if gain > 0 else 'worse'} here."
    return f"{said}: that can be chance, so these samples do not show which one is better."


def calibration_words(data: xr.Dataset) -> str:
    """The calibration error of A and B: ``3.0 % → 5.1 %``."""
    first, second = data["calibration_error"].values
    return f"{percent(float(first))} → {percent(float(second))}"


def maps_words(data: xr.Dataset) -> str:
    """Say by each method how alike the maps of both models are on average; "" without any."""
    if "rank_correlation" not in data:
        return ""
    said = [_similarity(data, row) for row in range(data.sizes["method"])]
    return (
        f"How alike the maps of A and B are, on average (10 % in common would be by chance). "
        f"{' '.join(said)}"
    )


def sample_maps_words(data: xr.Dataset, sample: int, row: int | None = None) -> str:
    """Say how alike the two maps of one explained sample are, by one method or each."""
    rows = range(data.sizes["method"]) if row is None else [row]
    return " ".join(_sample_similarity(data, sample, method) for method in rows)


def _similarity(data: xr.Dataset, row: int) -> str:
    title, overlap = str(data["title_a"].values[row]), data["top_overlap"].values[row]
    correlation = data["rank_correlation"].values[row]
    known, total = int(np.isfinite(overlap).sum()), len(overlap)
    if not known:
        return f"{title}: the maps cannot be compared on any of {counted(total, 'sample')}."
    told = (
        f", rank correlation {_number(float(np.nanmean(correlation)))}"
        if np.isfinite(correlation).any()
        else ""
    )
    where = (
        f"{known:,} of {counted(total, 'sample')}" if known < total else counted(total, "sample")
    )
    shared = percent(float(np.nanmean(overlap)), 0)
    return f"{title}: {shared} of the strongest tenth in common{told}, on {where}."


def _sample_similarity(data: xr.Dataset, sample: int, row: int) -> str:
    title, overlap = (
        str(data["title_a"].values[row]),
        float(data["top_overlap"].values[row, sample]),
    )
    correlation = float(data["rank_correlation"].values[row, sample])
    if math.isnan(overlap):
        return f"{title} of A and B: {_why_not(data, sample, row)}."
    told = "" if math.isnan(correlation) else f", rank correlation {_number(correlation)}"
    return (
        f"{title} of A and B: {percent(overlap, 0)} of the strongest tenth in common (10 % by "
        f"chance){told}."
    )


def _why_not(data: xr.Dataset, sample: int, row: int) -> str:
    for name, side in zip(MODELS, SIDES, strict=True):
        if not np.nan_to_num(data[f"attribution_{side}"].values[row, sample]).any():
            return f"that of {name} marks nothing, so there is nothing to compare"
    return "the models take this sample apart differently, so the maps cannot be compared"


def _accuracies(data: xr.Dataset) -> str:
    judged = data["num_judged"].values
    if not judged.any():
        return "No sample has a label that either model knows, so nothing is right or wrong here."
    numbers = [counted(int(number), "sample") for number in judged]
    if judged[0] == judged[1]:
        return f"A is right on {_accuracy(data, 0, numbers[0])}, B on {_accuracy(data, 1)}."
    parts = [
        f"{name} is right on {_accuracy(data, row, numbers[row])}."
        if judged[row]
        else f"{name} knows none of the samples' classes."
        for row, name in enumerate(MODELS)
    ]
    return " ".join(parts)


def _accuracy(data: xr.Dataset, row: int, number: str = "") -> str:
    low, high = (float(data[f"accuracy_{end}"].values[row]) for end in ("low", "high"))
    of = f" of {number}" if number else ""
    value = percent(float(data["accuracy"].values[row]))
    return f"{value}{of} (95 % interval {interval(low, high)})"


def _answers(data: xr.Dataset) -> str:
    same = float(data["same_answer"])
    if math.isnan(same):
        return ""
    return f"Both give the same answer on {percent(same)} of {counted(data.sizes['sample'], 'sample')}."


def _probabilities(data: xr.Dataset) -> str:
    known = data["compared_class"].values >= 0
    true = (data["compared_class"].values == data["target"].values) & known
    if not known.any():
        first, second = (float(value) for value in data["mean_confidence"].values)
        return f"On average A is {percent(first)} sure of its answer, and B {percent(second)}."
    what = "the true class" if true[known].all() else "the class compared"
    change = float(data["mean_change"])
    size = percent(float(data["mean_absolute_change"]))
    return (
        f"The probability of {what} changes by {points(change)} points from A to B on average "
        f"({size.removesuffix(' %')} up or down)."
    )


def _calibration(data: xr.Dataset) -> str:
    if not data["num_judged"].values.all():
        return ""
    return f"Calibration error: {calibration_words(data)}."


def _number(value: float) -> str:
    return MISSING if math.isnan(value) else f"{value:.2f}".replace("-", MINUS)


def _shortened(source: str) -> str:
    """The end of a long spec tells more than its beginning."""
    return source if len(source) <= MOST_NAME else "…" + source[-MOST_NAME + 1 :]
