"""A ranking of methods in plain words: which to trust here, and which not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from pellucid.analysis.method_ranking_arrays import (
    BETTER,
    FEW,
    FEWEST_SAMPLES,
    STAYS,
    UNCLEAR,
    WORSE,
)
from pellucid.views.prose import counted, interval, listed, percent
from pellucid.views.wording import formatted

MOST_NAMED = 8
VERDICTS = {
    BETTER: "better than every control",
    UNCLEAR: "not better than every control",
    WORSE: "worse than every control",
    FEW: "too few samples to say",
    "control": "control",
}


def summary(data: xr.Dataset, notes: Sequence[str]) -> str:
    """What was compared; which to trust; which not to, and why; what to beware of: a line each."""
    lines = [_compared(data), _trusted(data), _not_better(data), _unmoved(data), _refused(data)]
    return "\n".join([*filter(None, lines), *notes])


def headline(data: xr.Dataset) -> list[tuple[str, str, str]]:
    """Give the figures to show first: (label, value, detail)."""
    methods = data.isel(entry=np.flatnonzero(~data["is_control"].values))
    better = int((methods["verdict"] == BETTER).sum())
    best = methods.isel(entry=0)
    number = methods.sizes["entry"]
    return [
        ("Best method", str(best["title"].item()), f"won {_won(best)} of its comparisons"),
        ("Better than controls", f"{better} of {number}", "methods that know more than nothing"),
        ("Samples", f"{data.sizes['sample']:,}", f"by {_measures(data)}"),
    ]


def names(data: xr.Dataset) -> list[str]:
    """Titles of the entries; those of controls in brackets."""
    return [
        f"[{title}]" if control else str(title)
        for title, control in zip(data["title"].values, data["is_control"].values, strict=True)
    ]


def table(data: xr.Dataset) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Column names, and one row of words per entry: rank with interval, cost, verdict."""
    rows: list[tuple[str, ...]] = []
    for row, name in enumerate(names(data)):
        entry = data.isel(entry=row)
        low, high = float(entry["mean_rank_low"]), float(entry["mean_rank_high"])
        rows.append(
            (
                name,
                f"{float(entry['mean_rank']):.1f}",
                f"{low:.1f}–{high:.1f}",
                formatted(float(entry["seconds"]), ".2g"),
                formatted(float(entry["forwards"] + entry["backwards"]), ".0f"),
                explained(data, str(entry["entry"].item())),
            )
        )
    return ("method", "rank", "interval", "seconds", "passes", "verdict"), rows


def explained(data: xr.Dataset, name: str) -> str:
    """Verdict on one entry, for a table."""
    entry = data.sel(entry=name)
    return VERDICTS[str(entry["verdict"].item())]


def after_randomisation(data: xr.Dataset) -> list[str]:
    """What each map does when the weights are drawn anew: "changes", "stays", or "" if unknown."""
    return [
        "" if np.isnan(share) else ("stays" if share > STAYS else "changes")
        for share in _randomised(data)
    ]


def _compared(data: xr.Dataset) -> str:
    number = int((~data["is_control"].values).sum())
    controls = [str(t).lower() for t in data["title"].values[data["is_control"].values]]
    return (
        f"{counted(number, 'method')} ranked on {counted(data.sizes['sample'], 'sample')} by "
        f"{_measures(data)}, beside {counted(len(controls), 'control')} that know nothing of the "
        f"model: {listed(controls, most=4)}."
    )


def _trusted(data: xr.Dataset) -> str:
    if data.sizes["sample"] < FEWEST_SAMPLES:
        return (
            f"{counted(data.sizes['sample'], 'sample')} cannot tell methods apart; take at least "
            f"{FEWEST_SAMPLES}, better 32."
        )
    fit = (data["verdict"].values == BETTER) & ~(_randomised(data) > STAYS)
    if not fit.any():
        return (
            "None of the methods is surely better than the controls: do not take any of these maps "
            "for the reasons of this model."
        )
    chosen = data.isel(entry=np.flatnonzero(fit))
    first = chosen.isel(entry=0)
    said = f"Trust {first['title'].item()} most: it won {_won(first)} of its comparisons."
    others = chosen.isel(entry=slice(1, None))
    equal = others["title"].values[others["with_best"].values]
    after = others["title"].values[~others["with_best"].values]
    if len(equal):
        said += f" Not to be told apart from it: {listed(list(equal), MOST_NAMED)}."
    if len(after):
        said += f" Behind, but better than every control: {listed(list(after), MOST_NAMED)}."
    return said


def _not_better(data: xr.Dataset) -> str:
    control = str(data["title"].values[data["best_control"].values][0]).lower()
    unsure = (
        "Not surely better than a map that knows nothing of the model, so not to be relied on here "
        f"(the best control is {control})"
    )
    said = []
    for verdict, words in (
        (UNCLEAR, unsure),
        (WORSE, "Worse than every map that knows nothing of the model"),
    ):
        names = list(data["title"].values[data["verdict"].values == verdict])
        if names:
            said.append(f"{words}: {listed(names, MOST_NAMED)}.")
    return " ".join(said)


def _unmoved(data: xr.Dataset) -> str:
    names = list(data["title"].values[_randomised(data) > STAYS])
    if not names:
        return ""
    verb = "shows" if len(names) == 1 else "show"
    return (
        f"{listed(names, MOST_NAMED)} {verb} much the same map when the weights are drawn anew, so "
        "what is seen is the input more than what the model has learned."
    )


def _refused(data: xr.Dataset) -> str:
    names = [str(name) for name in data["refused"].values]
    return f"Not defined here: {listed(names, MOST_NAMED)}." if names else ""


def _measures(data: xr.Dataset) -> str:
    return listed([str(t).lower() for t in data["measure_title"].values[data["ranks"].values]], 4)


def _won(entry: xr.Dataset) -> str:
    share = percent(float(entry["won"]), 0)
    return f"{share} ({interval(float(entry['won_low']), float(entry['won_high']), 0)})"


def _randomised(data: xr.Dataset) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Similarity after new weights, of each entry; NaN where that was not measured."""
    if "randomisation" not in data["measure"].values:
        return np.full(data.sizes["entry"], np.nan)
    return np.asarray(data["mean"].sel(measure="randomisation").values, dtype=np.float64)
