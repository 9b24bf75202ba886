"""A model's gradients in plain words, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from pellucid.inside.gradients.arrays import FIGURES, MEASURES
from pellucid.inside.gradients.flow import flow_ratio
from pellucid.inside.weights.json import plain, records
from pellucid.views.prose import counted, listed, percent
from pellucid.views.wording import formatted

VANISHING, EXPLODING = 1e-3, 1e3
NOISY = 1.25  # times what pure noise would give


def summary(data: xr.Dataset, notes: Sequence[str]) -> str:
    """How the gradient flows, what matters most, what is noise; a line each."""
    lines = (
        (_loss(data), flow_words(data)),
        (_importance(data), _rows(data)),
        (_noise(data), _broken(data)),
        tuple(notes),
    )
    return "\n".join(" ".join(filter(None, line)) for line in lines if any(line))


def headline(data: xr.Dataset) -> list[tuple[str, str, str]]:
    """Give the tiles: loss, flow, what matters most, signal to noise."""
    tiles = [
        ("Loss", formatted(float(data["loss"].mean()), ".3g"), "cross-entropy, mean over samples")
    ]
    reach = flow_ratio(data)
    if np.isfinite(reach):
        tiles.append(("Reaches the input", times(reach), _flow_detail(data)))
    taylor = data["group_taylor"].values
    if len(taylor) > 1 and taylor.sum() > 0:
        most = int(taylor.argmax())
        share = percent(float(taylor[most] / taylor.sum()), 0)
        tiles.append(
            ("Matters most", str(data["group"].values[most]), f"{share} of the loss's pull")
        )
    snr = data["snr"].values
    if np.isfinite(snr).any():
        chance = formatted(float(data["snr_by_chance"]), ".2f")
        tiles.append(
            (
                "Signal ÷ noise",
                formatted(float(np.nanmedian(snr)), ".2f"),
                f"median over the tensors; pure noise would give {chance}",
            )
        )
    return [*tiles, ("Samples", f"{data.sizes['sample']:,}", "a backward pass each")]


def table(data: xr.Dataset) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """One row per tensor, as words for a terminal."""
    columns = ("tensor", "shape", "length", "of weights", "signal/noise", "first order", "Fisher")
    taylor = float(np.nansum(data["taylor"].values)) or 1.0
    fisher = float(np.nansum(data["fisher"].values)) or 1.0
    rows: list[tuple[str, ...]] = []
    for place in range(data.sizes["tensor"]):
        one = data.isel(tensor=place)
        rows.append(
            (
                str(one["tensor"].item()),
                str(one["shape"].item()) or "scalar",
                formatted(float(one["l2"]), ".3g"),
                formatted(float(one["relative"]), ".3g"),
                formatted(float(one["snr"]), ".2f"),
                percent(float(one["taylor"]) / taylor),
                percent(float(one["fisher"]) / fisher),
            )
        )
    return columns, rows


def gradients_json(data: xr.Dataset) -> dict[str, Any]:
    """Give a record for each tensor, layer output and important row."""
    names = ["parameter", "layer", "layer_kind", "role", "shape", *FIGURES, *MEASURES]
    mean = data["flow"].values.mean(0)
    tensors = data["tensor"].values
    return {
        "kind": "gradients",
        "num_samples": data.sizes["sample"],
        "num_batches": int(data["num_batches"]),
        "loss": plain(float(data["loss"].mean())),
        "snr_by_chance": plain(float(data["snr_by_chance"])),
        "flow": [
            {"layer": str(name), "gradient": plain(float(length))}
            for name, length in zip(data["layer_output"].values, mean, strict=True)
        ],
        "tensors": records(data, "tensor", names),
        "groups": records(data, "group", ["group", "group_taylor", "group_fisher"]),
        "rows": [
            {"tensor": str(tensors[place]), "row": int(row), "taylor": plain(float(taylor))}
            for place, row, taylor in zip(
                data["top_tensor"].values,
                data["top_row"].values,
                data["top_taylor"].values,
                strict=True,
            )
        ],
    }


def flow_words(data: xr.Dataset) -> str:
    """Say whether the gradient vanishes, explodes or reaches the input."""
    ratio, names = flow_ratio(data), data["layer_output"].values
    if np.isnan(ratio):
        return ""
    ends = f"from {names[-1]} back to {names[0]}"
    if ratio == 0:
        return f"The gradient does not reach {names[0]} at all: layers before it cannot learn."
    if ratio < VANISHING:
        return (
            f"The gradient vanishes: {ends} it shrinks to {times(ratio)} its length, so the first "
            "layers hardly learn."
        )
    if ratio > EXPLODING:
        return (
            f"The gradient explodes: {ends} it grows to {times(ratio)} its length, so training is "
            "likely to be unstable."
        )
    return f"The gradient flows well: {ends} its length changes to {times(ratio)}."


def times(ratio: float) -> str:
    """Write a factor: ``12×``, ``0.3×``, ``2e−05×``."""
    return f"{formatted(ratio, '.2g')}×"


def _flow_detail(data: xr.Dataset) -> str:
    ratio = flow_ratio(data)
    state = "vanishes" if ratio < VANISHING else "explodes" if ratio > EXPLODING else "flows well"
    return f"the gradient's length at the first layer beside the last: it {state}"


def _loss(data: xr.Dataset) -> str:
    labelled = data["labelled"].values
    right = (data["predicted"].values == data["target"].values)[labelled]
    said = (
        f"Gradients of the cross-entropy of {counted(data.sizes['sample'], 'sample')}, on average "
        f"{formatted(float(data['loss'].mean()), '.3g')}"
    )
    return f"{said}, {percent(float(right.mean()), 0)} of them right." if len(right) else f"{said}."


def _importance(data: xr.Dataset) -> str:
    said = []
    for name, words in (("taylor", "to first order"), ("fisher", "by the Fisher information")):
        values = np.nan_to_num(data[name].values)
        if values.sum() <= 0:
            continue
        order = np.argsort(-values, kind="stable")[:2]
        most = [
            f"{data['tensor'].values[place]} ({percent(float(values[place] / values.sum()), 0)})"
            for place in order
            if values[place] > 0
        ]
        said.append(f"{words}, {listed(most)}")
    if not said:
        return "The loss does not depend on any of these parameters."
    return f"What matters most to the loss: {'; '.join(said)}."


def _rows(data: xr.Dataset) -> str:
    whole = float(np.nansum(data["taylor"].values))
    if not data.sizes["top"] or whole <= 0 or float(data["top_taylor"][0]) <= 0:
        return ""
    names = [
        f"{data['tensor'].values[place]} [{row}] ({percent(float(taylor) / whole)})"
        for place, row, taylor in zip(
            data["top_tensor"].values,
            data["top_row"].values,
            data["top_taylor"].values,
            strict=True,
        )
    ][:3]
    return f"Single filters or units in front: {listed(names)}."


def _noise(data: xr.Dataset) -> str:
    snr, chance = data["snr"].values, float(data["snr_by_chance"])
    known = np.isfinite(snr)
    if not known.any():
        return "Noise could not be told: that takes two batches or more."
    noisy = int((snr[known] < NOISY * chance).sum())
    return (
        f"Over {counted(int(data['num_batches']), 'batch', 'batches')} the gradient of "
        f"{noisy} of {counted(int(known.sum()), 'tensor')} is hardly more than noise (signal to noise "
        f"below {NOISY:g} × the {formatted(chance, '.2f')} of pure noise)."
    )


def _broken(data: xr.Dataset) -> str:
    broken = data["tensor"].values[(data["num_nan"].values + data["num_infinite"].values) > 0]
    if not len(broken):
        return ""
    return (
        f"The gradient of {listed([str(name) for name in broken])} is not finite in places; those "
        "were left out of its figures."
    )
