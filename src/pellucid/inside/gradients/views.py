"""What there is to see in a model's gradients."""

from __future__ import annotations

import numpy as np
import xarray as xr

from pellucid.inside.gradients.flow import flow_ratio, relative_flow
from pellucid.inside.weights.pooling import heat_map
from pellucid.inside.weights.tables import gaps, numbers, percents, strings
from pellucid.inside.weights.views import distribution, first_and_last, matrices
from pellucid.views import Axis, Bars, BarSeries, Column, Lines, Matrix, Series, Table, View
from pellucid.views.prose import counted

MOST_BARS = 20


def gradient_views(data: xr.Dataset) -> list[View]:
    """Flow, importance, norms, signal and noise, shapes, heat maps, and all figures."""
    chosen = matrices(data)
    return [
        *([flow_view(data)] if np.isfinite(flow_ratio(data)) else []),
        *([group_view(data)] if data.sizes["group"] > 1 else []),
        importance_view(data),
        *([norm_view(data), noise_view(data)] if len(chosen) > 1 else []),
        *(
            [
                distribution(
                    data,
                    chosen,
                    title="How the gradients of each matrix are distributed",
                    noun="gradient",
                    caption="A dark middle with wide arms means that the loss pulls at few weights.",
                )
            ]
            if len(chosen)
            else []
        ),
        *map_views(data),
        *([row_table(data)] if data.sizes["top"] else []),
        tensor_table(data),
    ]


def flow_view(data: xr.Dataset) -> Lines:
    """How much of the gradient reaches each layer on its way from the loss to the input."""
    beside = relative_flow(data)
    places = np.arange(1, beside.shape[1] + 1, dtype=np.float64)
    low, middle, high = np.quantile(beside, (0.05, 0.5, 0.95), axis=0)
    names, several = data["layer_output"].values, len(beside) > 1
    band = "; the band holds nine in ten of them" if several else ""
    return Lines(
        title="How the gradient flows from the loss to the input",
        caption=(
            "Length of the loss's gradient at the output of each layer, in multiples of that at "
            f"the last, on a logarithmic scale: the median over {counted(len(beside), 'sample')}"
            f"{band}. Read it from right (near the loss: {names[-1]}) to left (near the input: "
            f"{names[0]}). A line that keeps its height is healthy. One that falls by orders of "
            "magnitude to the left vanishes, so that early layers hardly learn; one that climbs "
            "explodes."
        ),
        series=(
            Series(
                name="gradient at the layer's output",
                x=places,
                y=_positive(middle),
                low=_positive(low) if several else None,
                high=_positive(high) if several else None,
            ),
        ),
        x=Axis(label="layer, from input to output", limits=(1, len(places))),
        y=Axis(label="length beside the last layer's", scale="log"),
    )


def group_view(data: xr.Dataset) -> Bars:
    """Which part of the network matters most to the loss."""
    return Bars(
        title="Which part of the network matters most to the loss",
        caption=(
            "From input to output. First order: how much the loss would change if weights were "
            "taken away, Σ|weight × mean gradient|. Fisher: how sensitive the single answers are, "
            "the mean of squared gradients. Each in percent of the whole."
        ),
        categories=strings(data["group"]),
        series=(
            BarSeries(name="first order", values=_shares(data["group_taylor"].values)),
            BarSeries(name="Fisher", values=_shares(data["group_fisher"].values)),
        ),
        value=Axis(label="importance", unit="%"),
    )


def importance_view(data: xr.Dataset) -> Bars:
    """The tensors that matter most, per entry, so that size alone does not win."""
    sizes = data["num_entries"].values
    taylor, fisher = data["taylor"].values, data["fisher"].values
    order = np.argsort(-np.nan_to_num(taylor), kind="stable")[:MOST_BARS]
    some = f" The first {len(order)} of {len(taylor)}." if len(order) < len(taylor) else ""
    return Bars(
        title="Which tensors matter most to the loss",
        caption=(
            "Importance to first order and by the Fisher information, in percent of the whole, "
            "beside the share of all parameters that the tensor holds. Where importance is far "
            f"above size, few numbers decide much.{some}"
        ),
        categories=tuple(str(name) for name in data["tensor"].values[order]),
        series=(
            BarSeries(name="first order", values=_shares(taylor)[order]),
            BarSeries(name="Fisher", values=_shares(fisher)[order]),
            BarSeries(name="size", values=_shares(sizes.astype(np.float64))[order]),
        ),
        value=Axis(label="share", unit="%"),
    )


def norm_view(data: xr.Dataset) -> Lines:
    """How long the gradient of each matrix is: of one sample, and of all together."""
    chosen = matrices(data)
    places = np.arange(1, len(chosen) + 1, dtype=np.float64)
    single = np.sqrt(np.square(data["sample_norm"].values[:, chosen]).mean(0))
    return Lines(
        title="How long each matrix's gradient is",
        caption=(
            "One sample: the root mean square over all of them. Samples that pull in different "
            "directions cancel out, so that the mean gradient is shorter; where both lines meet, "
            f"all want the same change. {first_and_last(data, chosen)}."
        ),
        series=(
            Series(name="one sample", x=places, y=_positive(single)),
            Series(name="mean over all samples", x=places, y=_positive(data["l2"].values[chosen])),
        ),
        x=Axis(label="weight matrix, by depth", limits=(1, len(places))),
        y=Axis(label="length of the gradient", scale="log"),
    )


def noise_view(data: xr.Dataset) -> Lines:
    """How surely the batches agree on each matrix's gradient."""
    chosen = matrices(data)
    places = np.arange(1, len(chosen) + 1, dtype=np.float64)
    chance = np.full(len(places), float(data["snr_by_chance"]))
    return Lines(
        title="Signal and noise of the gradient",
        caption=(
            f"|mean| ÷ standard deviation of each entry's gradient between "
            f"{int(data['num_batches'])} batches; the median over a matrix's entries. Near the "
            "dotted line, where pure noise would lie, batches do not agree and a step in training "
            "is mostly luck; higher up they do."
        ),
        series=(
            Series(name="signal to noise", x=places, y=data["snr"].values[chosen]),
            Series(name="by chance", x=places, y=chance, style="reference"),
        ),
        x=Axis(label="weight matrix, by depth", limits=(1, len(places))),
        y=Axis(label="signal ÷ noise"),
    )


def map_views(data: xr.Dataset) -> list[Matrix]:
    """Size of the mean gradient of some weight matrices."""
    return [
        heat_map(
            f"Gradient of {data['tensor'].values[place]}",
            data["map"].values[index],
            (int(data["map_num_rows"][index]), int(data["map_num_columns"][index])),
            value="|mean gradient|",
            caption="Dark rows are outputs, dark columns inputs, that the loss pulls at.",
            signed=False,
        )
        for index, place in enumerate(data["map_tensor"].values)
    ]


def row_table(data: xr.Dataset) -> Table:
    """The filters, units and words that matter most."""
    names = data["tensor"].values
    whole = float(np.nansum(data["taylor"].values)) or 1.0
    fisher = float(np.nansum(data["fisher"].values)) or 1.0
    return Table(
        title="Filters and units that matter most",
        caption=(
            "Rows of the weight matrices, each what one filter, unit or class reads, by their part "
            "in the importance of all parameters. Rows count from 0."
        ),
        columns=(
            Column(name="tensor", values=tuple(str(names[p]) for p in data["top_tensor"].values)),
            Column(name="row", values=numbers(data["top_row"]), format="d"),
            Column(
                name="first order", values=percents(data["top_taylor"] / whole), format=".2f",
                unit="% of all",
            ),
            Column(
                name="Fisher", values=percents(data["top_fisher"] / fisher), format=".2f",
                unit="% of all",
            ),
        ),
    )  # fmt: skip


def tensor_table(data: xr.Dataset) -> Table:
    """Every tensor with the figures of its gradient."""
    known = np.ones(data.sizes["tensor"], dtype=bool)
    single = np.sqrt(np.square(data["sample_norm"].values).mean(0))
    return Table(
        title="Every tensor",
        caption=(
            "Sort by any column. Length is that of the mean gradient; “of weights” compares it with "
            "the length of the weights themselves."
        ),
        columns=(
            Column(name="no.", values=tuple(range(1, len(known) + 1)), format="d"),
            Column(name="tensor", values=strings(data["tensor"])),
            Column(name="kind of layer", values=strings(data["layer_kind"])),
            Column(name="shape", values=tuple(s or "scalar" for s in strings(data["shape"]))),
            Column(name="length", values=numbers(data["l2"]), format=".3g"),
            Column(name="of one sample", values=tuple(single.tolist()), format=".3g"),
            Column(name="RMS", values=numbers(data["rms"]), format=".3g"),
            Column(name="largest", values=numbers(data["max_abs"]), format=".3g"),
            Column(name="of weights", values=gaps(data["relative"].values, known), format=".3g"),
            Column(name="zero", values=percents(data["zero_share"]), format=".1f", unit="%"),
            Column(name="signal ÷ noise", values=gaps(data["snr"].values, known), format=".2f"),
            Column(
                name="first order",
                values=tuple(_shares(data["taylor"].values).tolist()),
                format=".2f",
                unit="%",
            ),
            Column(
                name="Fisher",
                values=tuple(_shares(data["fisher"].values).tolist()),
                format=".2f",
                unit="%",
            ),
        ),
    )


def _shares(
    values: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    whole = float(np.nansum(values))
    return np.asarray(100 * values / whole if whole > 0 else np.zeros_like(values))


def _positive(
    values: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """What a logarithmic scale can show; the rest is a gap."""
    return np.where(values > 0, values, np.nan)
