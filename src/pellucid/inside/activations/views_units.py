"""Single units: what they respond to, which class they prefer, and two of them side by side."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from pellucid.inside.activations.naming import class_name, layer_names, unit_name, units_of
from pellucid.inside.activations.preference import preference
from pellucid.views import (
    Axis,
    Column,
    ImageGrid,
    Lines,
    Picture,
    Scatter,
    Series,
    Table,
    View,
)
from pellucid.views.wording import formatted, shorten

MOST_CLASSES = 24
MOST_NAMED = 3


def unit_views(data: xr.Dataset) -> list[View]:
    """Cards of units, the deepest layer first; selectivity; the scatter of two units."""
    return [*_cards(data), *_strongest(data), *_selectivity(data), *_scatter(data)]


def _cards(data: xr.Dataset) -> list[View]:
    if "card_picture" not in data:
        return []
    units = data["card_unit"].values
    layers = data["unit_layer"].values[units]
    last = data.sizes["layer"] - 1
    groups = [np.flatnonzero(layers == last), np.flatnonzero(layers != last)[::-1]]
    return [_grid(data, rows) for rows in groups if len(rows)]


def _grid(data: xr.Dataset, rows: NDArray[np.int64]) -> ImageGrid:
    units = data["card_unit"].values
    layers = np.unique(data["unit_layer"].values[units[rows]])
    one = len(layers) == 1
    what = "Pieces of the pictures around the place of the strongest response"
    if not data["grid_height"].values[layers].any():
        what = "The pictures with the strongest response"
    name = layer_names(data)[layers[0]] if one else "earlier layers"
    order = "" if one else ", from the deepest layer on"
    preferred = ", and the class that it prefers" if "label" in data.coords else ""
    return ImageGrid(
        title=f"What units of {name} respond to",
        caption=f"{what}, one tile per unit, strongest first{order}. Under each: the "
        f"{'unit' if one else 'layer and unit'}{preferred}.",
        pictures=tuple(
            Picture(
                pixels=data["card_picture"].values[row],
                label=_card_label(data, int(units[row]), with_layer=not one),
            )
            for row in rows
        ),
    )


def _card_label(data: xr.Dataset, unit: int, *, with_layer: bool) -> str:
    name = unit_name(data, unit) if with_layer else str(data["unit_index"].values[unit])
    preferred = class_name(data, int(data["selective_class"].values[unit]))
    return f"{name} {preferred}" if preferred else f"unit {name}" if not with_layer else name


def _strongest(data: xr.Dataset) -> list[View]:
    """The samples behind the cards, or the words in their context, as a table."""
    cards = np.zeros(0, dtype=np.int64)
    if "card_unit" in data:
        cards = np.argsort(-data["unit_layer"].values[data["card_unit"].values], kind="stable")
        units = data["card_unit"].values[cards]
    else:
        inside = units_of(data, data.sizes["layer"] - 1)
        units = inside[np.argsort(-data["unit_std"].values[inside], kind="stable")[:12]]
    if not len(units):
        return []
    peaks = tuple(data["top_value"].values[units, 0].tolist())
    return [
        Table(
            title="Samples with the strongest response",
            caption=_which(data),
            columns=(
                Column(name="unit", values=tuple(unit_name(data, int(unit)) for unit in units)),
                *_preferences(data, units),
                Column(name="response", values=peaks, format=".3g"),
                *_where(data, units, cards),
            ),
        )
    ]


def _which(data: xr.Dataset) -> str:
    if "card_picture" in data:
        return "Of the units that are shown above."
    if "card_text" in data:
        return "Of some units of several layers; the word of the strongest response in ‹ ›."
    return "Of the units of the last layer that vary most."


def _where(data: xr.Dataset, units: NDArray[np.int64], cards: NDArray[np.int64]) -> list[Column]:
    if "card_text" not in data:
        samples = tuple(_samples(data, int(unit)) for unit in units)
        return [Column(name="strongest samples", values=samples)]
    texts = data["card_text"].values[cards]
    names = ("strongest in", "then in")[: texts.shape[1]]
    return [
        Column(name=name, values=tuple(map(str, texts[:, rank]))) for rank, name in enumerate(names)
    ]


def _samples(data: xr.Dataset, unit: int) -> str:
    ids, values = data["met_id"].values, data["top_value"].values[unit]
    places = data["top_sample"].values[unit]
    known = [
        str(ids[place]) for place, value in zip(places, values, strict=True) if np.isfinite(value)
    ]
    return ", ".join(shorten(name, 28) for name in known[:MOST_NAMED])


def _preferences(data: xr.Dataset, units: NDArray[np.int64]) -> list[Column]:
    if "label" not in data.coords:
        return []
    classes = data["selective_class"].values[units]
    names = tuple(class_name(data, int(label)) or None for label in classes)
    prime = data["d_prime"].values[units]
    known = np.isfinite(prime).any()
    return [
        Column(name="preferred class", values=names),
        Column(
            name="selectivity",
            values=tuple(data["selectivity"].values[units].tolist()),
            format=".2f",
        ),
        *([Column(name="d′", values=tuple(prime.tolist()), format=".2f")] if known else []),
    ]


def _selectivity(data: xr.Dataset) -> list[View]:
    index = data["selectivity"].values
    if not np.isfinite(index).any():
        return []
    rows = [index[units_of(data, layer)] for layer in range(data.sizes["layer"])]
    found: list[View] = [_per_class(data)]
    if len(rows) > 1:
        low, middle, high = (
            np.array([np.nanquantile(row, part) for row in rows]) for part in (0.1, 0.5, 0.9)
        )
        depth = np.arange(1, len(rows) + 1, dtype=np.float64)
        found.append(
            Lines(
                title="Class selectivity through the network",
                caption=(
                    "Median over the units of a layer; the band holds eight in ten. 0: answers all "
                    "classes alike, 1: answers one class only. With few samples per class, part of "
                    "it is chance."
                ),
                series=(Series(name="median unit", x=depth, y=middle, low=low, high=high),),
                x=Axis(label="layer, counted from the input"),
                y=Axis(label="selectivity index", limits=(0.0, 1.0)),
            )
        )
    return found


def _per_class(data: xr.Dataset) -> Table:
    """The most selective unit of the last layer for each of the classes with most samples."""
    inside = units_of(data, data.sizes["layer"] - 1)
    score = preference(data, inside)
    classes = data["selective_class"].values[inside]
    counts = data["class_count"].values
    order = [c for c in np.argsort(-counts, kind="stable")[:MOST_CLASSES] if counts[c]]
    rows = [(int(c), inside[_best(score, classes == c)]) for c in order if (classes == c).any()]
    units = np.array([unit for _, unit in rows], dtype=np.int64)
    number = {int(c): int((classes == c).sum()) for c in order}
    return Table(
        title="Most selective unit per class",
        caption=(
            f"Of {layer_names(data)[-1]}. Selectivity compares the mean response to the class with "
            "that to the others: 0 alike, 1 only this class. d′ is their distance in standard "
            "deviations: at 2, about one in six samples is on the wrong side."
        ),
        columns=(
            Column(name="class", values=tuple(class_name(data, c) for c, _ in rows)),
            Column(name="samples", values=tuple(int(counts[c]) for c, _ in rows), format="d"),
            Column(name="units that prefer it", values=tuple(number[c] for c, _ in rows)),
            Column(name="most selective", values=tuple(unit_name(data, int(u)) for u in units)),
            *_preferences(data, units)[1:],
        ),
    )


def _best(score: NDArray[np.float64], inside: NDArray[np.bool_]) -> int:
    return int(np.where(inside, np.nan_to_num(score), -np.inf).argmax())


def _scatter(data: xr.Dataset) -> list[View]:
    if "scatter_value" not in data:
        return []
    x, y = data["scatter_value"].values
    names = [
        f"{layer}:{unit}"
        for layer, unit in zip(
            data["scatter_layer"].values, data["scatter_unit"].values, strict=True
        )
    ]
    moving = len(x) > 2 and x.std() > 0 and y.std() > 0
    found = formatted(float(np.corrcoef(x, y)[0, 1]), ".2f") if moving else ""
    together = f" Their correlation is {found}." if found else ""
    reason = str(data["scatter_reason"].item())
    return [
        Scatter(
            title=f"{names[0]} against {names[1]}",
            caption=f"One point per sample, averaged over positions: {reason}.{together}",
            x_values=x,
            y_values=y,
            samples=tuple(map(str, data["scatter_id"].values)),
            groups=tuple(class_name(data, int(c)) for c in data["scatter_class"].values)
            if "label" in data.coords
            else (),
            x=Axis(label=names[0]),
            y=Axis(label=names[1]),
        )
    ]
