"""Recurrent layers: hidden states and gates over time, and how often gates are shut or open."""

from __future__ import annotations

import numpy as np
import xarray as xr

from pellucid.views import Axis, Bars, BarSeries, Lines, Matrix, Series, View
from pellucid.views.wording import readable_tokens

MOST_LAYERS, MOST_SAMPLES = 4, 3
HIDDEN = "hidden state"


def state_views(data: xr.Dataset) -> list[View]:
    """Gates over the data; each layer's hidden state and gates over time, for the first sample.

    Of the last layer the states of the other samples are shown too, and every gate unit by unit.
    """
    views: list[View] = [_gates(data)] if "gate" in data.sizes else []
    if "state" not in data:
        return views
    number = data.sizes["recurrent"]
    for layer in range(max(0, number - MOST_LAYERS), number):
        is_last = layer == number - 1
        views += [_heat(data, layer, HIDDEN, 0), *_gates_over_time(data, layer, whole=is_last)]
        others = range(1, min(data.sizes["shown"], MOST_SAMPLES)) if is_last else ()
        views += [_heat(data, layer, HIDDEN, sample) for sample in others]
    return views


def _gates_over_time(data: xr.Dataset, layer: int, *, whole: bool) -> list[View]:
    """How far the first sample's gates open on average; as a `whole` also unit by unit."""
    names = [str(name) for name in data["quantity_name"].values]
    known = [
        name
        for place, name in enumerate(names)
        if np.isfinite(data["state"].values[layer, place, 0]).any() and name != HIDDEN
    ]
    gates = [name for name in known if name.endswith("gate")]
    maps = [_heat(data, layer, name, 0) for name in known if whole and name != "candidate"]
    return [*([_openness(data, layer, gates)] if gates else []), *maps]


def _gates(data: xr.Dataset) -> Bars:
    layers, gates = data["gate_layer"].values, data["gate_name"].values
    return Bars(
        title="Gates that are shut or wide open",
        caption=(
            "Share of values below 0.1 and above 0.9, over all samples, steps and units. A gate "
            "that is always shut or always open decides nothing."
        ),
        categories=tuple(f"{layer}: {gate}" for layer, gate in zip(layers, gates, strict=True)),
        series=(
            BarSeries(name="shut (below 0.1)", values=data["share_closed"].values),
            BarSeries(name="open (above 0.9)", values=data["share_open"].values),
        ),
        value=Axis(label="share", limits=(0.0, 1.0)),
    )


def _openness(data: xr.Dataset, layer: int, gates: list[str]) -> Lines:
    names = [str(name) for name in data["quantity_name"].values]
    series = []
    for gate in gates:
        values = data["state"].values[layer, names.index(gate), 0]
        steps = np.flatnonzero(np.isfinite(values).any(1))
        mean = np.nanmean(values[steps], 1).astype(np.float64)
        series.append(Series(name=gate, x=steps + 1.0, y=mean))
    return Lines(
        title=f"How far the gates of {data['recurrent_name'].values[layer]} open over time",
        caption=f"Mean over the shown units, for {data['shown_id'].values[0]}. 0 is shut, 1 open.",
        series=tuple(series),
        x=Axis(label="step"),
        y=Axis(label="mean of the gate", limits=(0.0, 1.0)),
    )


def _heat(data: xr.Dataset, layer: int, name: str, sample: int) -> Matrix:
    names = [str(each) for each in data["quantity_name"].values]
    values = data["state"].values[layer, names.index(name), sample]
    steps = np.flatnonzero(np.isfinite(values).any(1))
    units = data["state_unit"].values[layer]
    rows = np.flatnonzero((units >= 0) & np.isfinite(values[steps[:1]]).any(0))
    recurrent = str(data["recurrent_name"].values[layer])
    shown = str(data["shown_id"].values[sample])
    title = f"{name.capitalize()} of {recurrent}" + (f" in {shown}" if name == HIDDEN else "")
    gate = name.endswith("gate")
    scale = " Red is more open than half, blue more shut." if gate else ""
    return Matrix(
        title=title,
        caption=(
            f"One row per unit, one column per step, for {shown}: the {len(rows)} units whose "
            f"hidden state varies most, by when they are strongest.{scale}"
        ),
        values=values[np.ix_(steps, rows)].T.astype(np.float64) - (0.5 if gate else 0.0),
        rows=tuple(str(units[row]) for row in rows),
        columns=tuple(_steps(data, sample, steps)),
        x=Axis(label="step"),
        y=Axis(label="unit"),
        value=Axis(label=f"{name}, less one half" if gate else name),
        format=".2f",
        signed=True,
    )


def _steps(
    data: xr.Dataset, sample: int, steps: np.ndarray[tuple[int, ...], np.dtype]
) -> list[str]:
    """What the steps are called: by the tokens of a text, else by number."""
    tokens = [str(token) for token in data["token"].values[sample]] if "token" in data else []
    tokens = [token for token in tokens if token]
    if len(tokens) == len(steps):
        return [text for text, _ in readable_tokens(tokens)]
    return [str(step + 1) for step in steps]
