"""How many dimensions the layers use, which units go together, and which are superfluous."""

from __future__ import annotations

import numpy as np
import xarray as xr

from pellucid.inside.activations.naming import layer_names, spread_evenly, unit_name, units_of
from pellucid.views import Axis, Bars, BarSeries, Column, Lines, Matrix, Series, Table, Text, View

MOST_CURVES = 4
MOST_LISTED = 20
MOST_BARS = 24


def redundancy_views(data: xr.Dataset) -> list[View]:
    """Dimensions, the clustered correlations and the superfluous units of the last layer."""
    if not (data["participation_ratio"].values > 0).any():
        return []
    last = data.sizes["layer"] - 1
    return [_dimensions(data), _curves(data), *_correlation(data, last), *_superfluous(data, last)]


def _dimensions(data: xr.Dataset) -> Bars:
    chosen = spread_evenly(data.sizes["layer"], MOST_BARS)
    names = layer_names(data)
    figures = {
        "hold 99 % of the variance": "dimensions_99",
        "hold 90 %": "dimensions_90",
        "effective (participation ratio)": "participation_ratio",
    }
    return Bars(
        title="Dimensions that the layers use",
        caption=(
            "How many directions hold what differs between samples, however many units there are. "
            "Each sample counts by its mean over positions."
        ),
        categories=tuple(f"{names[c]} ({data['num_units'].values[c]:,} units)" for c in chosen),
        series=tuple(
            BarSeries(name=name, values=data[key].values[chosen].astype(np.float64))
            for name, key in figures.items()
        ),
        value=Axis(label="dimensions"),
    )


def _curves(data: xr.Dataset) -> Lines:
    names = layer_names(data)
    series = []
    for layer in spread_evenly(data.sizes["layer"], MOST_CURVES):
        shares = data["explained_variance"].values[layer]
        known = np.flatnonzero(np.isfinite(shares))
        known = known[: int((shares[known] < 1 - 1e-4).sum()) + 1]
        x = (known + 1).astype(np.float64)
        series.append(Series(name=names[layer], x=x, y=shares[known]))
    ends = max(float(each.x[-1]) for each in series if len(each.x))
    level = Series(name="90 %", x=np.array([1.0, ends]), y=np.array([0.9, 0.9]), style="reference")
    return Lines(
        title="Variance held by the first dimensions",
        caption="Principal components of the units' responses. A steep curve: the layer says little "
        "with many units.",
        series=(*series, level),
        x=Axis(label="components", scale="log"),
        y=Axis(label="share of the variance", limits=(0.0, 1.0)),
    )


def _correlation(data: xr.Dataset, layer: int) -> list[View]:
    units = data["correlated_unit"].values[layer]
    known = np.flatnonzero(units >= 0)
    if len(known) < 2:
        return []
    values = data["correlation"].values[layer][np.ix_(known, known)]
    names = tuple(str(unit) for unit in units[known])
    number = int(data["num_units"].values[layer])
    which = "All units" if len(known) == number else f"The {len(known)} of {number:,} units that go"
    tail = " that move" if len(known) == number else " most with others"
    return [
        Matrix(
            title=f"Units of {layer_names(data)[layer]} that go together",
            caption=f"{which}{tail}, ordered so that alike ones are side by side. Red squares on "
            "the diagonal are groups that say the same; blue is one against the other.",
            values=values,
            rows=names,
            columns=names,
            x=Axis(label="unit"),
            y=Axis(label="unit"),
            value=Axis(label="correlation over samples"),
            format=".2f",
            signed=True,
        )
    ]


def _superfluous(data: xr.Dataset, layer: int) -> list[View]:
    inside = units_of(data, layer)
    found = inside[data["superfluous"].values[inside]]
    strength = np.abs(np.nan_to_num(data["partner_correlation"].values))
    order = found[np.argsort(-strength[found], kind="stable")][:MOST_LISTED]
    name, number = layer_names(data)[layer], int(data["num_measured"].values[layer])
    if not np.isfinite(data["num_superfluous"].values[layer]):
        return [
            Text(
                title="Superfluous units",
                paragraphs=(
                    (
                        f"Which of the {number:,} units of {name} are superfluous cannot be told from "
                        f"so few samples. Look at {2 * number:,} or more."
                    ),
                ),
            )
        ]
    caption = f"Every unit of {name} says something that the others do not."
    if len(found):
        caption = (
            f"{len(found):,} of {number:,} units of {name} can be predicted to 95 % or more from "
            f"the {number - len(found):,} others. Those most like a single other one first."
        )
    partner = data["partner"].values[order]
    return [
        Table(
            title="Superfluous units",
            caption=caption,
            columns=(
                Column(name="unit", values=tuple(unit_name(data, int(unit)) for unit in order)),
                Column(name="most like unit", values=tuple(partner.tolist()), format="d"),
                Column(
                    name="correlation",
                    values=tuple(data["partner_correlation"].values[order].tolist()),
                    format=".3f",
                ),
                Column(
                    name="predicted by all others (R²)",
                    values=tuple(data["r_squared"].values[order].tolist()),
                    format=".3f",
                ),
            ),
        )
    ]
