"""The layers: a table of their figures, how their values are distributed, and how silent they are."""

from __future__ import annotations

import numpy as np
import xarray as xr

from pellucid.inside.activations.naming import layer_names, spread_evenly
from pellucid.views import Axis, Bars, BarSeries, Column, Histogram, Lines, Series, Table, View

MOST_HISTOGRAMS = 3
MOST_ENDS = 16
MOST_BARS = 24
SHARE = Axis(label="share", limits=(0.0, 1.0))


def layer_views(data: xr.Dataset) -> list[View]:
    """Table, scale over depth, histograms, silence and saturation."""
    chosen = spread_evenly(data.sizes["layer"], MOST_HISTOGRAMS)
    return [
        _table(data),
        *([_scale(data)] if data.sizes["layer"] > 1 else []),
        *(_histogram(data, layer) for layer in chosen),
        _silence(data),
        *_saturation(data),
    ]


def _table(data: xr.Dataset) -> Table:
    ends = data["share_high_end"].values + data["share_low_end"].values
    columns = [
        Column(name="layer", values=tuple(layer_names(data))),
        Column(name="units", values=tuple(data["num_units"].values.tolist()), format="d"),
        Column(name="positions", values=tuple(data["num_positions"].values.tolist()), format="d"),
        Column(name="mean", values=tuple(data["mean"].values.tolist()), format=".3g"),
        Column(name="std", values=tuple(np.sqrt(data["variance"].values).tolist()), format=".3g"),
        Column(name="zero", values=tuple(data["share_zero"].values.tolist()), format=".1%"),
        Column(name="near 0", values=tuple(data["share_near_zero"].values.tolist()), format=".1%"),
        Column(name="dead", values=tuple(data["num_dead"].values.tolist()), format="d"),
        Column(
            name="dims",
            values=tuple(data["dimensions_90"].values.tolist()),
            format="d",
        ),
        Column(
            name="superfluous",
            values=tuple(data["num_superfluous"].values.tolist()),
            format="d",
        ),
    ]
    if np.isfinite(ends).any():
        columns.insert(7, Column(name="saturated", values=tuple(ends.tolist()), format=".1%"))
    return Table(
        title="Layers",
        caption=(
            "In the order in which they run. Positions are the cells of a grid, the tokens or the "
            "steps at which each unit responds. Near zero is less than a hundredth of the layer's "
            "typical size. Dead units never respond; dims hold 90 % of the variance between "
            "samples; superfluous units can be predicted to 95 % from the others."
        ),
        columns=tuple(columns),
    )


def _scale(data: xr.Dataset) -> Lines:
    depth = np.arange(1, data.sizes["layer"] + 1, dtype=np.float64)
    mean, std = data["mean"].values, np.sqrt(data["variance"].values)
    first, last = layer_names(data)[0], layer_names(data)[-1]
    return Lines(
        title="Scale of the activations through the network",
        caption=(
            f"From {first} (1) to {last} ({len(depth)}): mean, with one standard deviation to "
            "both sides. A scale that grows without end, or shrinks to nothing, makes training hard."
        ),
        series=(Series(name="mean", x=depth, y=mean, low=mean - std, high=mean + std),),
        x=Axis(label="layer, counted from the input"),
        y=Axis(label="activation"),
    )


def _histogram(data: xr.Dataset, layer: int) -> Histogram:
    counts = data["histogram_count"].values[layer]
    edges = data["histogram_edge"].values[layer]
    zero = float(data["share_zero"].values[layer])
    said = f" {zero:.0%} of them are exactly zero." if zero >= 0.005 else ""
    return Histogram(
        title=f"Values of {layer_names(data)[layer]}",
        caption=f"All values over all samples, units and positions.{said} The scale is logarithmic.",
        edges=edges,
        counts={"values": counts},
        x=Axis(label="activation"),
        y=Axis(label="number of values", scale="log"),
    )


def _silence(data: xr.Dataset) -> Bars:
    chosen = spread_evenly(data.sizes["layer"], MOST_BARS)
    names = layer_names(data)
    dead = data["num_dead"].values / data["num_units"].values
    return Bars(
        title="Silence",
        caption=(
            "How many values are at most zero, and how many units never respond to any sample. Much "
            "silence is normal after a ReLU; a dead unit is of no use."
        ),
        categories=tuple(names[place] for place in chosen),
        series=(
            BarSeries(name="values not above zero", values=1 - data["share_active"].values[chosen]),
            BarSeries(name="dead units", values=dead[chosen]),
        ),
        value=SHARE,
    )


def _saturation(data: xr.Dataset) -> list[View]:
    if "bounded" not in data.sizes:
        return []
    low, high = data["share_at_low_end"].values, data["share_at_high_end"].values
    order = np.argsort(-(high if high.any() else low), kind="stable")[:MOST_ENDS]
    order = np.sort(order)
    names, kinds = data["bounded_layer"].values, data["bounded_kind"].values
    most = f" The {MOST_ENDS} with the most of {len(names)} are shown." * (len(names) > MOST_ENDS)
    return [
        Bars(
            title="Saturation",
            caption=(
                "How many values of bounded activations lie within a hundredth of their range from "
                f"an end, where they no longer tell differences and pass on no gradient.{most}"
            ),
            categories=tuple(f"{names[place]} ({kinds[place]})" for place in order),
            series=(
                BarSeries(name="at the lower end", values=low[order]),
                BarSeries(name="at the upper end", values=high[order]),
            ),
            value=SHARE,
        )
    ]
