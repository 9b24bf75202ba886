"""Feature images in plain words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from pellucid.inside.features.reading import keeps_contrast
from pellucid.views.prose import counted, listed, percent
from pellucid.views.wording import formatted

MOST_NAMED = 4
KINDS = {
    "class": ("class", "classes"),
    "contrast": ("difference of two classes", "differences of two classes"),
    "channel": ("channel", "channels"),
    "neuron": ("neuron", "neurons"),
    "direction": ("direction", "directions"),
    "layer": ("layer", "layers"),
}
METHODS = {
    "fourier": "waves in natural colours",
    "pixels": "pixels",
    "maco": "phases of waves whose strength is that of photographs",
}
KNOWN = 0.5


def summary(data: xr.Dataset, parameters: Mapping[str, Any], notes: Sequence[str]) -> str:
    """What was made; whether it is recognised; its contrast; what to beware of: a line each."""
    lines = [_made(data, parameters), _recognised(data), _excited(data), _contrast(data)]
    return "\n".join([*filter(None, lines), *notes])


def headline(data: xr.Dataset) -> list[tuple[str, str, str]]:
    """Give the figures to show first: (label, value, detail)."""
    pictures = data.sizes["objective"] * data.sizes["image"]
    found = [("Pictures", f"{pictures:,}", f"for {_kinds(data)}")]
    top5 = _known_top5(data)
    if np.isfinite(top5).any():
        number = int(np.nansum(top5 >= KNOWN))
        detail = "class among the model's first five answers, over random views of the picture"
        found.append(("Recognised", f"{number} of {int(np.isfinite(top5).sum())}", detail))
    elif "natural_percentile" in data:
        least = float(data["natural_percentile"].min())
        detail = f"of {int(data['num_natural']):,} natural samples excite less than any picture"
        found.append(("Stronger than", percent(least / 100, 0), detail))
    natural = keeps_contrast(data["channel_std"].values, data["saturated"].values)
    detail = "with the contrast of photographs"
    found.append(("Natural contrast", f"{int(natural.sum())} of {natural.size}", detail))
    return found


def rows(data: xr.Dataset) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Column names, and a row of words for each picture."""
    columns = table_columns(data)
    entries = [[formatted(value, spec) for value in values] for _, values, spec in columns]
    return tuple(name for name, _, _ in columns), list(zip(*entries, strict=True))


def table_columns(data: xr.Dataset) -> list[tuple[str, tuple[Any, ...], str]]:
    """Name, values and format of each column, one row per picture."""
    several = data.sizes["image"] > 1
    titles = [
        f"{title} ({image + 1})" if several else str(title)
        for title in data["title"].values
        for image in range(data.sizes["image"])
    ]
    columns: list[tuple[str, tuple[Any, ...], str]] = [
        ("objective", tuple(titles), ""),
        ("score", _flat(data["read_score"]), ".3g"),
    ]
    for name, title in (("read_top1", "first"), ("read_top5", "first five")):
        if np.isfinite(data[name].values).any():
            columns.append((title, _flat(data[name]), ".0%"))
    if np.isfinite(data["read_probability"].values).any():
        columns.append(("sure", _flat(data["read_probability"]), ".0%"))
    if "natural_percentile" in data:
        columns.append(("above natural", _flat(data["natural_percentile"] / 100), ".0%"))
    columns.append(("contrast", _flat(data["channel_std"].mean("channel")), ".2f"))
    columns.append(("saturated", _flat(data["saturated"]), ".1%"))
    return columns


def safe_name(name: str) -> str:
    """Make a name fit for a file."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:80]


def _made(data: xr.Dataset, parameters: Mapping[str, Any]) -> str:
    number = data.sizes["image"]
    each = "a picture was" if number == 1 else f"{counted(number, 'picture')} each were"
    begin = "a photograph" if parameters.get("dream") else "noise"
    names = listed([str(title) for title in data["title"].values], MOST_NAMED)
    return (
        f"For {_kinds(data)} ({names}) {each} made by gradient ascent from {begin}, "
        f"{counted(data.sizes['step'], 'step')}, each shown to the model in random views. They show "
        "what excites it most, which need not be what it meets in photographs."
    )


def _recognised(data: xr.Dataset) -> str:
    top5 = _known_top5(data)
    if not np.isfinite(top5).any():
        return ""
    lost = [
        str(title)
        for title, shares in zip(data["title"].values, top5, strict=True)
        if np.isfinite(shares).any() and np.nanmin(shares) < KNOWN
    ]
    mean = percent(float(np.nanmean(top5)), 0)
    said = f"Shown again in random views, they have their class among the first five in {mean}."
    return f"{said} Not recognised: {listed(lost, MOST_NAMED)}." if lost else said


def _excited(data: xr.Dataset) -> str:
    if "natural_percentile" not in data:
        return ""
    values = data["natural_percentile"].values
    number = counted(int(data["num_natural"]), "natural sample")
    if values.min() >= 100:
        return f"Every picture excites its objective more than any of {number}."
    least = percent(float(values.min()) / 100, 0)
    return f"Of {number}, every picture excites its objective more than {least}, most of them more."


def _contrast(data: xr.Dataset) -> str:
    natural = keeps_contrast(data["channel_std"].values, data["saturated"].values)
    low, high = data["natural_std"].values
    bounds = f"standard deviation of each colour from {low:.2f} to {high:.2f}, not clipped"
    if natural.all():
        return f"All have the contrast of photographs ({bounds})."
    return f"{int(natural.sum())} of {natural.size} have the contrast of photographs ({bounds})."


def _known_top5(data: xr.Dataset) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Share of views with the class among the first five, of single classes; else NaN."""
    single = (data["aim"].values == "class")[:, None]
    return np.where(single, data["read_top5"].values, np.nan)


def _kinds(data: xr.Dataset) -> str:
    kinds = [str(kind) for kind in data["aim"].values]
    found = [counted(kinds.count(kind), *KINDS[kind]) for kind in dict.fromkeys(kinds)]
    return listed(found, len(found))


def _flat(values: xr.DataArray) -> tuple[float, ...]:
    return tuple(float(value) for value in values.values.reshape(-1))
