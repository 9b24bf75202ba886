"""A model's sensitivity in plain words, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from pellucid.inside.weights.json import plain, records
from pellucid.views.prose import counted, interval, listed, percent
from pellucid.views.wording import formatted

FEW_SAMPLES = 10
LEAST_DIFFERENCE = 0.02  # of probability, between what changes leave


def summary(data: xr.Dataset, notes: Sequence[str]) -> str:
    """What it is most and least sensitive to, and where half of the predictions have changed."""
    lines = (
        (_samples(data), _ranking(data)),
        (half_words(data),),
        (_few(data),),
        tuple(notes),
    )
    return "\n".join(" ".join(filter(None, line)) for line in lines if any(line))


def headline(data: xr.Dataset) -> list[tuple[str, str, str]]:
    """Give the tiles: what hurts most, and the half-way strength of each change."""
    order = np.argsort(data["mean_kept"].values, kind="stable")
    first = order[0]
    tiles = [
        (
            "Most sensitive to",
            str(data["change"].values[first]),
            (
                f"{percent(float(data['mean_kept'][first]), 0)} of the probability is left on average "
                "over the range tried"
            ),
        )
    ]
    for place in order[:4]:
        half = float(data["half_strength"][place])
        name = str(data["change"].values[place]).capitalize()
        detail = f"{data['unit'].values[place]}, where half of the predictions have changed"
        if np.isnan(half):
            value = f"> {formatted(float(np.abs(data['strength'][place]).max()), '.2g')}"
        else:
            value = _strength(half, signed=_is_signed(data, place))
        tiles.append((name, value, detail))
    return [*tiles, ("Samples", f"{data.sizes['sample']:,}", "each its own control")]


def table(data: xr.Dataset) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """One row per change, as words for a terminal, the most harmful first."""
    columns = (
        "change",
        "unit",
        "up to",
        "half changed at",
        "unchanged at most",
        "probability kept",
    )
    rows: list[tuple[str, ...]] = []
    for place in np.argsort(data["mean_kept"].values, kind="stable"):
        one = data.isel(change=place)
        half = float(one["half_strength"])
        rows.append(
            (
                str(one["change"].item()),
                str(one["unit"].item()),
                formatted(float(np.abs(one["strength"]).max()), ".3g"),
                "never" if np.isnan(half) else _strength(half, signed=_is_signed(data, place)),
                percent(float(one["share_unchanged"][-1]), 0),
                (
                    f"{percent(float(one['mean_kept']), 0)} "
                    f"({interval(float(one['mean_kept_low']), float(one['mean_kept_high']), 0)})"
                ),
            )
        )
    return columns, rows


def sensitivity_json(data: xr.Dataset) -> dict[str, Any]:
    """Give the averaged curves, with bands, of every change, and each sample's first change."""
    curves = [
        f"{name}{end}"
        for name in ("mean_probability", "mean_logit", "share_unchanged")
        for end in ("", "_low", "_high")
    ]
    names = ["unit", "about", "mean_kept", "mean_kept_low", "mean_kept_high", "half_strength"]
    changes = records(data, "change", names)
    for place, record in enumerate(changes):
        record["strength"] = [plain(value) for value in data["strength"].values[place]]
        for name in curves:
            record[name] = [plain(value) for value in data[name].values[place]]
        record["first_change"] = {
            str(sample): plain(value)
            for sample, value in zip(
                data["sample_id"].values, data["first_change"].values[place], strict=True
            )
        }
    return {
        "kind": "sensitivity",
        "num_samples": data.sizes["sample"],
        "changes": changes,
        "samples": records(data, "sample", ["sample_id", "original_label"]),
    }


def half_words(data: xr.Dataset) -> str:
    """At which strength half of the predictions have changed, for each change."""
    said, never = [], []
    for place, name in enumerate(data["change"].values):
        half, unit = float(data["half_strength"][place]), data["unit"].values[place]
        if np.isnan(half):
            most = formatted(float(np.abs(data["strength"][place]).max()), ".3g")
            never.append(f"{name} (up to {most} {unit})")
        else:
            said.append(f"{name} of {_strength(half, signed=_is_signed(data, place))} {unit}")
    words = f"Half of the predictions have changed at {listed(said, 9)}." if said else ""
    if never:
        words += f" They never do for {listed(never, 9)}."
    return words.strip()


def _strength(value: float, *, signed: bool) -> str:
    text = formatted(value, ".0f" if abs(value) >= 10 else ".1f")
    return f"+{text}" if signed and value > 0 else text


def _is_signed(data: xr.Dataset, place: int) -> bool:
    return bool(data["strength"].values[place, 0] < 0)


def _samples(data: xr.Dataset) -> str:
    sure = float(data["mean_probability"].values[0][data["strength"].values[0] == 0][0])
    return (
        f"{counted(data.sizes['sample'], 'sample')} {'was' if data.sizes['sample'] == 1 else 'were'} "
        f"changed in {counted(data.sizes['change'], 'way')}; unchanged, the model is "
        f"{percent(sure, 0)} sure of its predictions on average."
    )


def _ranking(data: xr.Dataset) -> str:
    kept, names = data["mean_kept"].values, data["change"].values
    if len(kept) < 2:
        return ""
    order = np.argsort(kept, kind="stable")
    first, last = order[0], order[-1]
    if kept[last] - kept[first] < LEAST_DIFFERENCE:
        return (
            "Over the ranges tried no change hurts more than another: each leaves about "
            f"{percent(float(kept[first]), 0)} on average."
        )
    return (
        f"Over the ranges tried it is most sensitive to {names[first]}, which leaves "
        f"{percent(float(kept[first]), 0)} on average, and least to {names[last]} "
        f"({percent(float(kept[last]), 0)})."
    )


def _few(data: xr.Dataset) -> str:
    size = data.sizes["sample"]
    if size >= FEW_SAMPLES:
        return ""
    return (
        f"{counted(size, 'sample')} {'is' if size == 1 else 'are'} few: take the curves as rough."
    )
