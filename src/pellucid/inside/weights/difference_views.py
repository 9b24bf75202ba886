"""What there is to see in the difference between two sets of weights."""

from __future__ import annotations

import numpy as np
import xarray as xr

from pellucid.inside.weights.tables import numbers, strings
from pellucid.views import Axis, Bars, BarSeries, Column, Lines, Series, Table, View

MOST_ROWS = 50


def difference_views(data: xr.Dataset) -> list[View]:
    """Change by part, by tensor, of single rows, and all figures."""
    unmatched = data.sizes["missing"] + data.sizes["extra"] + data.sizes["other_shape"]
    return [
        group_view(data),
        *([depth_view(data)] if data.sizes["tensor"] > 2 else []),
        *([row_table(data)] if (data["top_row"].values >= 0).any() else []),
        change_table(data),
        *([unmatched_table(data)] if unmatched else []),
    ]


def group_view(data: xr.Dataset) -> Bars:
    """How much each part of the network changed, from input to output."""
    return Bars(
        title="Which part changed",
        caption=(
            "Length of the change of all parameters of a part, in percent of their length before. "
            "From the input to the output of the network. Fine-tuning as a rule moves the last "
            "parts most; over 100 %, little is left of what was there."
        ),
        categories=strings(data["group"]),
        series=(BarSeries(name="change", values=100 * data["group_relative"].values),),
        value=Axis(label="change", unit="%"),
    )


def depth_view(data: xr.Dataset) -> Lines:
    """How much each tensor changed and turned, by depth."""
    places = np.arange(1, data.sizes["tensor"] + 1, dtype=np.float64)
    relative = 100 * data["relative"].values
    buffers = data["is_buffer"].values
    parts = (("parameters", ~buffers), ("running statistics", buffers))
    return Lines(
        title="Change of every tensor, from input to output",
        caption=(
            "Each point is one tensor; the height, on a logarithmic scale, is its change in "
            "percent of its length before. Tensors that did not change at all are left out."
        ),
        series=tuple(
            Series(
                name=name,
                x=places[chosen],
                y=np.where(relative[chosen] > 0, relative[chosen], np.nan),
                style="points",
            )
            for name, chosen in parts
            if chosen.any()
        ),
        x=Axis(label="tensor, by depth"),
        y=Axis(label="change", unit="%", scale="log"),
    )


def row_table(data: xr.Dataset) -> Table:
    """The filters, units or words that changed most, of all tensors."""
    rows, change = data["top_row"].values, data["top_change"].values
    relative = data["top_relative"].values
    flat = np.argsort(-np.nan_to_num(relative, nan=-1), axis=None, kind="stable")
    places = [divmod(int(place), rows.shape[1]) for place in flat if rows.flat[place] >= 0]
    places = places[:MOST_ROWS]
    names = data["tensor"].values
    return Table(
        title="Filters and units that changed most",
        caption=(
            "Rows of the weight matrices, each what one filter, unit or class reads. Of every "
            "tensor the ten with the longest change were kept; rows count from 0. The change is in "
            "percent of the row's length before, or of the median row's where that is longer."
        ),
        columns=(
            Column(name="tensor", values=tuple(str(names[t]) for t, _ in places)),
            Column(name="row", values=tuple(int(rows[t, k]) for t, k in places), format="d"),
            Column(
                name="change",
                values=tuple(100 * float(relative[t, k]) for t, k in places),
                format=".1f",
                unit="% of the length",
            ),
            Column(
                name="length of the change",
                values=tuple(float(change[t, k]) for t, k in places),
                format=".3g",
            ),
        ),
    )


def change_table(data: xr.Dataset) -> Table:
    """Every tensor with the figures of its change."""
    return Table(
        title="Every tensor",
        caption=(
            "Sort by any column. Cosine: 1 where a tensor kept its direction, 0 where nothing is "
            "left of it. Entries changed: how many are not exactly as before."
        ),
        columns=(
            Column(name="no.", values=tuple(range(1, data.sizes["tensor"] + 1)), format="d"),
            Column(name="tensor", values=strings(data["tensor"])),
            Column(name="shape", values=strings(data["shape"])),
            Column(
                name="change",
                values=tuple((100 * data["relative"].values).tolist()),
                format=".3g",
                unit="% of its length",
            ),
            Column(name="cosine", values=numbers(data["cosine"]), format=".4f"),
            Column(name="largest change", values=numbers(data["max_change"]), format=".3g"),
            Column(name="length before", values=numbers(data["norm_before"]), format=".3g"),
            Column(name="length after", values=numbers(data["norm_after"]), format=".3g"),
            Column(
                name="entries changed",
                values=tuple(
                    (100 * data["num_changed"].values / data["num_entries"].values).tolist()
                ),
                format=".1f",
                unit="%",
            ),
        ),
    )


def unmatched_table(data: xr.Dataset) -> Table:
    """Tensors that could not be compared, and why."""
    rows = [
        *((str(name), "only in the first") for name in data["only_before"].values),
        *((str(name), "only in the second") for name in data["only_after"].values),
        *(
            (str(name), f"another shape: {size}")
            for name, size in zip(
                data["reshaped"].values, data["reshaped_size"].values, strict=True
            )
        ),
    ]
    return Table(
        title="Not to be compared",
        caption="Tensors that are on one side only, or have another shape there.",
        columns=(
            Column(name="tensor", values=tuple(name for name, _ in rows)),
            Column(name="why", values=tuple(why for _, why in rows)),
        ),
    )
