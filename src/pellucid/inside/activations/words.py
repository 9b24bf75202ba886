"""Activations in plain words: summary, key figures, and rows for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from pellucid.inside.activations.naming import class_name, layer_names, unit_name, units_of
from pellucid.inside.activations.preference import preference
from pellucid.views.prose import counted, listed, percent
from pellucid.views.wording import formatted

SILENT = 0.02
NEARLY_SHUT = 0.5


def summary(data: xr.Dataset, notes: Sequence[str] = ()) -> str:
    """What the layers do: dead units, dimensions, redundancy, selectivity, heads and gates."""
    said = [
        _scope(data),
        _dead(data),
        _dimensions(data),
        _superfluous(data),
        _selective(data),
        _saturated(data),
        _heads(data),
        _gates(data),
        *notes,
    ]
    return " ".join(sentence for sentence in said if sentence)


def headline(data: xr.Dataset) -> list[tuple[str, str, str]]:
    """Layers, dead units, effective dimensions, superfluous units, and the most selective unit."""
    last = data.sizes["layer"] - 1
    total, dead = int(data["num_units"].sum()), int(data["num_dead"].sum())
    number, few = int(data["num_measured"][last]), float(data["num_superfluous"][last])
    found = [
        ("Layers watched", str(last + 1), f"{total:,} units"),
        ("Dead units", f"{dead:,}", f"of {total:,}: they never respond"),
        (
            "Dimensions of the last layer",
            str(int(data["dimensions_90"][last])),
            f"hold 90 % of what its {int(data['num_units'][last]):,} units say",
        ),
    ]
    if np.isfinite(few):
        found.append(("Superfluous units", f"{few:,.0f}", f"of {number:,} in the last layer"))
    best = _most_selective(data)
    if best is not None:
        label = class_name(data, int(data["selective_class"].values[best]))
        where = f"of {layer_names(data)[-1]}, for {label}"
        found.append(("Most selective unit", f"{data['unit_index'].values[best]}", where))
    return found


def table(data: xr.Dataset) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Column names, and a row of words for each layer."""
    columns = (
        "layer", "kind", "units", "mean", "std", "zero", "dead", "dims 90 %", "superfluous"
    )  # fmt: skip
    rows: list[tuple[str, ...]] = []
    for place, name in enumerate(layer_names(data)):
        layer = data.isel(layer=place)
        rows.append(
            (
                name,
                str(layer["layer_kind"].item()),
                f"{int(layer['num_units']):,}",
                formatted(float(layer["mean"]), ".3g"),
                formatted(float(np.sqrt(layer["variance"])), ".3g"),
                percent(float(layer["share_zero"])),
                f"{int(layer['num_dead']):,}",
                str(int(layer["dimensions_90"])),
                formatted(float(layer["num_superfluous"]), "d"),
            )
        )
    return columns, rows


def _scope(data: xr.Dataset) -> str:
    names = layer_names(data)
    ends = f"from {names[0]} to {names[-1]}" if len(names) > 1 else names[0]
    return (
        f"{counted(len(names), 'layer')} watched ({ends}), {int(data['num_units'].sum()):,} units."
    )


def _dead(data: xr.Dataset) -> str:
    dead, units = data["num_dead"].values, data["num_units"].values
    if not dead.any():
        return "Every unit responds to something."
    names = layer_names(data)
    worst = [int(place) for place in np.argsort(-dead, kind="stable") if dead[place]]
    said = [f"{dead[place]:,} of {units[place]:,} units of {names[place]}" for place in worst[:2]]
    more = f" ({counted(len(worst) - 2, 'more layer has', 'more layers have')} some)"
    verb = "never responds" if len(worst) == 1 and dead[worst[0]] == 1 else "never respond"
    return f"{' and '.join(said)} {verb}{more if len(worst) > 2 else ''}."


def _dimensions(data: xr.Dataset) -> str:
    last = data.isel(layer=-1)
    number = int(last["dimensions_90"])
    if not number:
        return ""
    verb = "holds" if number == 1 else "hold"
    return (
        f"{counted(number, 'dimension')} {verb} 90 % of what the {int(last['num_units']):,} units "
        f"of {layer_names(data)[-1]} say."
    )


def _superfluous(data: xr.Dataset) -> str:
    last = data.isel(layer=-1)
    few, number = float(last["num_superfluous"]), int(last["num_measured"])
    if not few > 0:
        return ""
    return f"{few:,.0f} of {number:,} there can be predicted to 95 % from the others."


def _most_selective(data: xr.Dataset) -> int | None:
    inside = units_of(data, data.sizes["layer"] - 1)
    score = preference(data, inside)
    if not np.isfinite(score).any():
        return None
    return int(inside[np.nanargmax(score)])


def _selective(data: xr.Dataset) -> str:
    best = _most_selective(data)
    if best is None:
        return ""
    label = class_name(data, int(data["selective_class"].values[best]))
    prime = float(data["d_prime"].values[best])
    index = formatted(float(data["selectivity"].values[best]), ".2f")
    how = f"d′ {formatted(prime, '.2f')}" if np.isfinite(prime) else f"index {index}"
    return f"The unit that tells a class best is {unit_name(data, best)}, for {label!r} ({how})."


def _saturated(data: xr.Dataset) -> str:
    if "bounded" not in data.sizes:
        return ""
    high = data["share_at_high_end"].values
    worst = int(high.argmax())
    if high[worst] < SILENT:
        return "Bounded activations hardly saturate at their upper end."
    name = str(data["bounded_layer"].values[worst])
    return f"{percent(float(high[worst]), 0)} of the values of {name} are at their upper end."


def _heads(data: xr.Dataset) -> str:
    if "head" not in data.sizes:
        return ""
    entropy, names = data["head_entropy"].values, data["head_layer"].values
    sharp, wide = int(np.nanargmin(entropy)), int(np.nanargmax(entropy))
    index = data["head_index"].values
    return (
        f"Of {counted(data.sizes['head'], 'attention head')}, head {index[sharp]} of "
        f"{names[sharp]} looks most narrowly (about {2 ** entropy[sharp]:.1f} tokens), head "
        f"{index[wide]} of {names[wide]} most widely (about {2 ** entropy[wide]:.0f})."
    )


def _gates(data: xr.Dataset) -> str:
    if "gate" not in data.sizes:
        return ""
    stuck = np.maximum(data["share_closed"].values, data["share_open"].values)
    names = [
        f"the {gate} of {layer}"
        for layer, gate, share in zip(
            data["gate_layer"].values, data["gate_name"].values, stuck, strict=True
        )
        if share > NEARLY_SHUT
    ]
    if not names:
        return "No gate is shut or wide open most of the time."
    return f"Shut or wide open most of the time: {listed(names)}."
