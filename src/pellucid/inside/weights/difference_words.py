"""The difference between two sets of weights in plain words, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from pellucid.inside.weights.json import plain, records
from pellucid.views.prose import counted, listed
from pellucid.views.wording import formatted

SMALLEST = 1e-3  # of a tensor's length; below this a part is said to be hardly changed
MOST_NAMED = 3


def change_words(relative: float) -> str:
    """Write a relative change: ``140 %``, ``3.2 %``, ``less than 0.1 %``, ``not at all``."""
    if np.isnan(relative):
        return "from zero"
    if relative == 0:
        return "not at all"
    if relative < SMALLEST:
        return f"less than {100 * SMALLEST:g} %"
    return f"{100 * relative:.0f} %" if relative >= 0.1 else f"{100 * relative:.1f} %"


def summary(data: xr.Dataset, notes: Sequence[str]) -> str:
    """Which parts changed most and least, which rows, and what is on one side only."""
    lines = (
        (_overall(data), _parts(data)),
        (_rows(data), _reversed(data)),
        (_mismatches(data),),
        tuple(notes),
    )
    return "\n".join(" ".join(filter(None, line)) for line in lines if any(line))


def headline(data: xr.Dataset) -> list[tuple[str, str, str]]:
    """Give the tiles: overall change, the part that changed most, untouched tensors."""
    relative = data["group_relative"].values
    still = int((data["num_changed"].values == 0).sum())
    tiles = [
        ("Change", change_words(overall(data)), "of all parameters together"),
        (
            "Unchanged",
            f"{still:,}",
            f"of {counted(data.sizes['tensor'], 'tensor')} are exactly as before",
        ),
    ]
    if np.isfinite(relative).any():
        most = int(np.nanargmax(relative))
        detail = f"by {change_words(float(relative[most]))}"
        tiles.insert(1, ("Changed most", str(data["group"].values[most]), detail))
    other = data.sizes["missing"] + data.sizes["extra"] + data.sizes["other_shape"]
    if other:
        tiles.append(("Not comparable", f"{other:,}", "tensors missing, added or of another shape"))
    return tiles


def table(data: xr.Dataset) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """One row per tensor, as words for a terminal."""
    columns = ("tensor", "shape", "change", "cosine", "largest change", "most changed rows")
    rows: list[tuple[str, ...]] = []
    for place in range(data.sizes["tensor"]):
        one = data.isel(tensor=place)
        top = [str(row) for row in one["top_row"].values if row >= 0]
        rows.append(
            (
                str(one["tensor"].item()),
                str(one["shape"].item()),
                change_words(float(one["relative"])),
                formatted(float(one["cosine"]), ".4f"),
                formatted(float(one["max_change"]), ".3g"),
                ", ".join(top[:MOST_NAMED]) or "–",
            )
        )
    return columns, rows


def difference_json(data: xr.Dataset) -> dict[str, Any]:
    """Give a record for each tensor and each group, and what could not be compared."""
    names = (
        *("shape", "num_entries", "num_changed", "norm_before", "norm_after", "norm_change"),
        *("relative", "cosine", "max_change", "is_buffer"),
    )
    tensors = records(data, "tensor", names)
    for record, rows, change in zip(
        tensors, data["top_row"].values, data["top_relative"].values, strict=True
    ):
        record["rows"] = [
            {"row": int(row), "relative": plain(float(part))}
            for row, part in zip(rows, change, strict=True)
            if row >= 0
        ]
    return {
        "kind": "weights_difference",
        "relative": plain(overall(data)),
        "tensors": tensors,
        "groups": records(data, "group", ["group_relative"]),
        "only_before": [str(name) for name in data["only_before"].values],
        "only_after": [str(name) for name in data["only_after"].values],
        "reshaped": records(data, "other_shape", ["reshaped", "reshaped_size"]),
    }


def overall(data: xr.Dataset) -> float:
    """Relative change of all parameters taken as one vector."""
    own = ~data["is_buffer"].values
    own = own if own.any() else ~own
    change = float(np.sqrt(np.square(data["norm_change"].values[own]).sum()))
    before = float(np.sqrt(np.square(data["norm_before"].values[own]).sum()))
    return change / before if before > 0 else float("nan") if change else 0.0


def _overall(data: xr.Dataset) -> str:
    still = data["num_changed"].values == 0
    if still.all():
        return f"Nothing changed: all {counted(data.sizes['tensor'], 'tensor')} are exactly equal."
    said = f"All parameters together changed by {change_words(overall(data))} of their length."
    if still.any():
        said += f" {counted(int(still.sum()), 'tensor')} of {len(still):,} did not change at all."
    return said


def _parts(data: xr.Dataset) -> str:
    """The parts that changed most, and those that hardly did, in depth order."""
    relative, names = data["group_relative"].values, data["group"].values
    if len(names) < 2 or not np.nan_to_num(relative, nan=1).any():
        return ""
    order = np.argsort(-np.nan_to_num(relative, nan=np.inf), kind="stable")
    most = [
        f"{names[place]} by {change_words(float(relative[place]))}"
        if not np.isnan(relative[place])
        else f"{names[place]}, which was zero before,"
        for place in order[:MOST_NAMED]
        if np.isnan(relative[place]) or relative[place] >= SMALLEST
    ]
    few = [str(names[place]) for place in np.flatnonzero(relative < SMALLEST)]
    said = f"Most changed {listed(most)}." if most else ""
    if few:
        said += (
            f" {counted(len(few), 'part')} changed by less than {100 * SMALLEST:g} %: "
            f"{listed(few)}."
        )
    elif len(order) > MOST_NAMED:
        least = int(order[-1])
        said += f" Least: {names[least]}, by {change_words(float(relative[least]))}."
    return said.strip()


def _rows(data: xr.Dataset) -> str:
    """The single rows that changed most, where a few stand out of their tensor."""
    relative = data["top_relative"].values
    if not relative.size or not np.isfinite(relative).any():
        return ""
    flat = np.argsort(-np.nan_to_num(relative, nan=-1), axis=None, kind="stable")[:MOST_NAMED]
    places = [divmod(int(place), relative.shape[1]) for place in flat]
    names = [
        f"{data['tensor'].values[t]} [{int(data['top_row'].values[t, k])}] by "
        f"{change_words(float(relative[t, k]))}"
        for t, k in places
        if np.isfinite(relative[t, k]) and relative[t, k] > 0
    ]
    return f"Single rows that changed most: {listed(names)}." if names else ""


def _reversed(data: xr.Dataset) -> str:
    names = data["tensor"].values[data["cosine"].values < 0.5]
    if not len(names):
        return ""
    return (
        f"{listed([str(name) for name in names])} point{'s' if len(names) == 1 else ''} another way "
        "than before (cosine below 0.5): learned anew, or drawn anew."
    )


def _mismatches(data: xr.Dataset) -> str:
    kinds = (
        ("Only in the first", data["only_before"].values),
        ("Only in the second", data["only_after"].values),
    )
    said = [f"{words}: {listed([str(n) for n in names])}." for words, names in kinds if len(names)]
    shapes = [
        f"{name} ({size})"
        for name, size in zip(data["reshaped"].values, data["reshaped_size"].values, strict=True)
    ]
    return " ".join([*said, *([f"Of another shape: {listed(shapes)}."] if shapes else [])])
