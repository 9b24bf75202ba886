"""A comparison in plain words."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import xarray as xr

from pellucid.analysis.comparison_arrays import MODELS
from pellucid.views.prose import counted, interval, listed, percent
from pellucid.views.wording import MINUS, MISSING

CHANCE = 0.05
MOST_NAME = 40


def summary(data: xr.Dataset, notes: Sequence[str]) -> str:
    """Which model is better and whether by chance; what changed in answers and maps; warnings."""
    lines = (
        f"A is {data['model_source'].values[0]!s}; B is {data['model_source'].values[1]!s}.",
        " ".join(filter(None, (_accuracies(data), flips_words(data), chance_words(data)))),
        " ".join(filter(None, (_answers(data), _probabilities(data), _calibration(data)))),
        maps_words(data),
        *notes,
    )
    return "\n".join(filter(None, lines))


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
        detail = f"{only_b:,} put right and {only_a:,} lost by B; p = {p_words(data)}"
        tiles.append(("Flips", f"{only_a + only_b:,}", detail))
    if "top_overlap" in data and data["top_overlap"].notnull().any():
        shared = percent(float(data["top_overlap"].mean()), 0)
        detail = f"of the strongest tenth in common, on {_explained(data)}; 10 % by chance"
        tiles.append(("Maps alike", shared, detail))
    return tiles


def model_name(data: xr.Dataset, row: int) -> str:
    """``model A`` with where it comes from, where that tells the two apart."""
    sources = [str(source) for source in data["model_source"].values]
    told = f" ({_shortened(sources[row])})" if sources[0] != sources[1] else ""
    return f"model {MODELS[row]}{told}"


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
    """The p value of McNemar's test: ``0.031``, ``<0.001``."""
    value = float(data["mcnemar_p"])
    return "<0.001" if value < 0.001 else f"{value:.3f}"


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
    said = (
        f"B's accuracy is {points(gain)} points from A's (95 % interval {points(low)} to "
        f"{points(high)}; McNemar's exact test p = {p_words(data)})"
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
    said = []
    for row, title in enumerate(data["title_a"].values):
        correlation = data["rank_correlation"].values[row]
        overlap = data["top_overlap"].values[row]
        if np.isfinite(correlation).any() and np.isfinite(overlap).any():
            said.append(
                f"{title!s}: rank correlation {_number(np.nanmean(correlation))}, "
                f"{percent(float(np.nanmean(overlap)), 0)} of the strongest tenth in common"
            )
    if not said:
        return ""
    return (
        f"How alike the maps of A and B are on {_explained(data)}, on average. "
        f"{'; '.join(said)} (10 % by chance)."
    )


def sample_maps_words(data: xr.Dataset, sample: int, row: int | None = None) -> str:
    """Say how alike the two maps of one explained sample are, by one method or each."""
    rows = range(data.sizes["method"]) if row is None else [row]
    said = []
    for method in rows:
        correlation = float(data["rank_correlation"].values[method, sample])
        overlap = float(data["top_overlap"].values[method, sample])
        title = str(data["title_a"].values[method])
        if math.isnan(correlation) and math.isnan(overlap):
            said.append(f"{title}: the maps of A and B cannot be compared place by place.")
            continue
        said.append(
            f"{title} of A and B: rank correlation {_number(correlation)}, "
            f"{percent(overlap, 0)} of the strongest tenth in common (10 % by chance)."
        )
    return " ".join(said)


def _accuracies(data: xr.Dataset) -> str:
    judged, accuracy = data["num_judged"].values, data["accuracy"].values
    parts = [
        f"{name} is right on {percent(float(accuracy[row]))} of "
        f"{counted(int(judged[row]), 'sample')} (95 % interval "
        f"{interval(*(float(data[f'accuracy_{end}'].values[row]) for end in ('low', 'high')))})"
        for row, name in enumerate(MODELS)
        if judged[row]
    ]
    unknown = [name for row, name in enumerate(MODELS) if not judged[row]]
    if len(unknown) == len(MODELS):
        return "No sample has a label that either model knows, so nothing is right or wrong here."
    said = f"{listed(parts)}."
    return said + (f" {unknown[0]} knows none of the samples' classes." if unknown else "")


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


def _explained(data: xr.Dataset) -> str:
    return counted(data.sizes["explained"], "sample")


def _number(value: float) -> str:
    return MISSING if math.isnan(value) else f"{value:.2f}".replace("-", MINUS)


def _shortened(source: str) -> str:
    """The end of a long spec tells more than its beginning."""
    return source if len(source) <= MOST_NAME else "…" + source[-MOST_NAME + 1 :]
