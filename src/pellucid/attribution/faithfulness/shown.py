"""Faithfulness in an explanation: its arrays, what is said about it, and how it is shown.

Arrays: `faithfulness` (measure, method, sample) and `faithfulness_control` (measure, control,
sample) in the same units, and of each measure with a curve `deletion_curve` (method, point) and
`deletion_control_curve` (control, point), means over the samples.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from pellucid.attribution.faithfulness.controls import TITLES
from pellucid.attribution.faithfulness.measures import MEASURES, Faithfulness
from pellucid.views import Axis, Column, Lines, Series, Table, View

ARROWS = {"higher": " ↑", "lower": " ↓", "neither": ""}
CURVES = {
    "deletion": ("Hiding what matters first", "share hidden", "falls"),
    "insertion": ("Showing what matters first", "share shown", "rises"),
}
SURE = 2.0  # standard errors
Floats = NDArray[np.float64]


def faithfulness_arrays(found: Faithfulness) -> dict[str, tuple[tuple[str, ...], NDArray[Any]]]:
    """Variables and coordinates of what was measured, for the methods in their order."""
    number = len(found.entries)
    values = np.stack(list(found.values.values()))
    arrays: dict[str, tuple[tuple[str, ...], NDArray[Any]]] = {
        "faithfulness": (("measure", "method", "sample"), values[:, :number]),
        "faithfulness_control": (("measure", "control", "sample"), values[:, number:]),
        "measure": (("measure",), np.array(list(found.values), dtype=np.str_)),
        "control": (("control",), np.array(found.controls, dtype=np.str_)),
    }
    for name, curves in found.curves.items():
        means = _mean(curves.astype(np.float64), 1).astype(np.float32)
        arrays[f"{name}_curve"] = (("method", f"{name}_point"), means[:number])
        arrays[f"{name}_control_curve"] = (("control", f"{name}_point"), means[number:])
    return arrays


def faithfulness_words(data: xr.Dataset, row: int) -> str:
    """Compare what one method marks with a random order, in a sentence; "" if not measured."""
    if "faithfulness" not in data or "random" not in data["control"].values:
        return ""
    for name in ("deletion", "insertion"):
        if name in data["measure"].values:
            return _compared(data.sel(measure=name), name, row)
    return ""


def faithfulness_views(data: xr.Dataset) -> list[View]:
    """A table of what was measured beside the controls, and the curves; none if not measured."""
    if "faithfulness" not in data:
        return []
    return [_table(data), *(_curve(data, name) for name in CURVES if f"{name}_curve" in data)]


def faithfulness_json(data: xr.Dataset, sample: int, row: int) -> dict[str, dict[str, float]]:
    """Each measure of one map, with the controls' values of the same sample."""
    if "faithfulness" not in data:
        return {}
    own, others = data["faithfulness"].values, data["faithfulness_control"].values
    controls = [str(name) for name in data["control"].values]
    return {
        str(name): {
            "value": float(own[place, row, sample]),
            **{c: float(others[place, i, sample]) for i, c in enumerate(controls)},
        }
        for place, name in enumerate(data["measure"].values)
    }


def _compared(data: xr.Dataset, name: str, row: int) -> str:
    own = data["faithfulness"].values[row].astype(np.float64)
    random = data["faithfulness_control"].sel(control="random").values.astype(np.float64)
    known = np.isfinite(own) & np.isfinite(random)
    if not known.any():
        return ""
    own, random = own[known], random[known]
    lower = name == "deletion"
    gain = random - own if lower else own - random
    doing, moving = ("Removing", "lowers") if lower else ("Showing only", "raises")
    speed = {1: "faster than", 0: "no faster than", -1: "more slowly than"}[_sign(gain)]
    title = str(data["title"].values[row])
    said = (
        f"{doing} what {title} marks {moving} the probability {speed} "
        f"{'removing' if lower else 'showing parts'} at random: mean on the way "
        f"{own.mean():.2f} against {random.mean():.2f}"
    )
    return (
        f"{said}, and {(gain > 0).sum()} of {len(gain)} samples agree."
        if len(gain) > 1
        else f"{said}."
    )


def _sign(gain: Floats) -> int:
    """Whether the mean gain is surely above 0, or surely below; 0 if it is not sure."""
    error = gain.std(ddof=1) / np.sqrt(len(gain)) if len(gain) > 1 else 0.0
    return int(np.sign(gain.mean())) if abs(gain.mean()) > SURE * error else 0


def _table(data: xr.Dataset) -> Table:
    titles = [str(title) for title in data["title"].values]
    titles += [f"[{TITLES[str(name)]}]" for name in data["control"].values]
    values = np.concatenate(
        [data["faithfulness"].values, data["faithfulness_control"].values], axis=1
    ).astype(np.float64)
    means = _mean(values, 2)
    cards = [MEASURES[str(name)].card for name in data["measure"].values]
    return Table(
        title="How faithful the maps are",
        caption=(
            "Means over the samples. Entries in brackets are controls that know nothing of the "
            "model: a map should do better. ↓ marks measures of which less is better, ↑ those of "
            f"which more is. {' '.join(f'{card.title}: {card.about}' for card in cards)}"
        ),
        columns=(
            Column(name="map", values=tuple(titles)),
            *(
                Column(
                    name=card.title.lower() + ARROWS[card.better],
                    values=tuple(means[place]),
                    format=".2f",
                )
                for place, card in enumerate(cards)
            ),
        ),
    )


def _curve(data: xr.Dataset, name: str) -> Lines:
    title, label, moves = CURVES[name]
    own, others = data[f"{name}_curve"].values, data[f"{name}_control_curve"].values
    shares = np.linspace(0, 1, own.shape[1])
    methods = [
        Series(name=str(title), x=shares, y=own[row])
        for row, title in enumerate(data["title"].values)
    ]
    controls = [
        Series(
            name=f"[{TITLES[str(control)]}]",
            x=shares,
            y=others[row],
            style="reference" if control == "random" else "line",
        )
        for row, control in enumerate(data["control"].values)
    ]
    return Lines(
        title=title,
        caption=(
            f"The curve of a map that knows what the answer hangs on {moves} earlier than those of "
            "the controls, which are in brackets. Means over the samples."
        ),
        series=(*methods, *controls),
        x=Axis(label=label, limits=(0.0, 1.0)),
        y=Axis(label="mean probability of the explained class"),
    )


def _mean(values: Floats, axis: int) -> Floats:
    """Mean of what is defined; NaN where nothing is."""
    known = np.isfinite(values)
    total = np.where(known, values, 0).sum(axis)
    number = known.sum(axis)
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)
