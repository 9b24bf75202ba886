"""What there is to see in a model's weights."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from pellucid.inside.weights.filters import filter_pixels
from pellucid.inside.weights.pooling import heat_map
from pellucid.inside.weights.tables import dead_table, duplicate_table, tensor_table
from pellucid.inside.weights.words import rank_shares
from pellucid.views import Axis, ImageGrid, Lines, Matrix, Picture, Series, View
from pellucid.views.wording import formatted

MOST_ROWS = 60
MOST_SPECTRA = 6
SPREADS = (("1–99 % of the weights", 1, 7), ("the middle half", 3, 5))


def weight_views(data: xr.Dataset) -> list[View]:
    """First filters, spread, shape, spectra, ranks, heat maps, odd filters, and all figures."""
    weights = matrices(data)
    ranked = np.flatnonzero(data["full_rank"].values > 1)
    return [
        *([filters_view(data)] if "filters" in data else []),
        *([spread_view(data, weights)] if len(weights) > 1 else []),
        *([shape_view(data, weights)] if len(weights) else []),
        *([rank_view(data, ranked)] if len(ranked) > 1 else []),
        *([spectrum_view(data, ranked)] if len(ranked) else []),
        *map_views(data),
        *([dead_table(data)] if data.sizes["dead"] else []),
        *([duplicate_table(data)] if data.sizes["duplicate"] else []),
        tensor_table(data),
    ]


def matrices(data: xr.Dataset) -> NDArray[np.int64]:
    """Places of the weight matrices; of all weights where none is a matrix.

    Scales of normalizations and biases, which differ in kind, would hide what matrices have in
    common.
    """
    weights = data["role"].values == "weight"
    chosen = weights & (data["num_rows"].values > 0)
    return np.flatnonzero(chosen if chosen.any() else weights).astype(np.int64)


def filters_view(data: xr.Dataset) -> ImageGrid:
    """The filters that look at the picture itself."""
    weights, total = data["filters"].values, int(data["num_filters"])
    pixels = filter_pixels(weights)
    shown = f"the {len(pixels)} strongest of {total:,}" if total > len(pixels) else f"all {total:,}"
    colour = (
        "Colours are those of the picture that a filter answers to most, grey is zero"
        if weights.shape[-1] == 3
        else "White asks for bright pixels, black for dark ones, grey is zero"
    )
    return ImageGrid(
        title="What the first layer looks for",
        caption=(
            f"Filters of {data['filter_parameter'].item()}, {shown}, the strongest first. {colour}; "
            "all share one scale, so that faint filters look faint. Edges, colours and stripes are "
            "the mark of training, noise that of too little of it."
        ),
        pictures=tuple(
            Picture(pixels=one, label=f"filter {index}")
            for one, index in zip(pixels, data["filter_index"].values, strict=True)
        ),
    )


def spread_view(data: xr.Dataset, chosen: NDArray[np.int64]) -> Lines:
    """How far the weights of each tensor spread, by depth."""
    places = np.arange(1, len(chosen) + 1, dtype=np.float64)
    quantiles = data["quantiles"].values[chosen]
    bands = tuple(
        Series(
            name=name,
            x=places,
            y=quantiles[:, 4],
            low=quantiles[:, low],
            high=quantiles[:, high],
        )
        for name, low, high in SPREADS
    )
    return Lines(
        title="How large the weights are, from input to output",
        caption=(
            "Each place along the axis is one weight matrix, in the order of the model's layers "
            f"({first_and_last(data, chosen)}). The line is the median; the bands hold half and "
            "98 % of its weights. A layer far wider than its neighbours rules what follows; one "
            "as thin as a line does next to nothing."
        ),
        series=bands,
        x=Axis(label="weight matrix, by depth", limits=(1, len(chosen))),
        y=Axis(label="weight"),
    )


def shape_view(data: xr.Dataset, chosen: NDArray[np.int64]) -> Matrix:
    """The shape of each tensor's distribution, all on one scale."""
    return distribution(
        data,
        chosen,
        title="How the weights of each matrix are distributed",
        noun="weight",
        caption=(
            "A bell around 0 is usual. A dark middle with wide arms means that few weights matter; "
            "two humps, or a dark column at the edge, are worth a look."
        ),
    )


def distribution(
    data: xr.Dataset, chosen: NDArray[np.int64], *, title: str, noun: str, caption: str
) -> Matrix:
    """Histograms of the chosen tensors, one a row, in units of each tensor's root mean square."""
    shown = evenly(chosen, MOST_ROWS)
    counts = data["counts"].values[shown].astype(np.float64)
    pairs = counts.reshape(len(shown), -1, 2).sum(2)
    shares = 100 * pairs / np.maximum(pairs.sum(1, keepdims=True), 1)
    some = f", {len(shown)} of {len(chosen)}, evenly chosen" if len(shown) < len(chosen) else ""
    return Matrix(
        title=title,
        caption=(
            f"Each row is the histogram of one tensor{some}, in units of its own root mean "
            f"square, so that shapes can be compared; the outermost columns hold all beyond. {caption}"
        ),
        values=shares,
        rows=tuple(str(name) for name in data["tensor"].values[shown]),
        columns=tuple(formatted(edge, "+.3g") for edge in data["edge"].values[::2][:-1]),
        x=Axis(label=f"{noun}, from", unit="root mean squares"),
        y=Axis(label="tensor"),
        value=Axis(label=f"{noun}s", unit="% of the tensor"),
        format=".1f",
    )


def rank_view(data: xr.Dataset, chosen: NDArray[np.int64]) -> Lines:
    """How many directions each matrix uses, by depth."""
    places = np.arange(1, len(chosen) + 1, dtype=np.float64)
    full = data["full_rank"].values[chosen]
    lines = (
        ("numerical rank", data["rank"].values[chosen] / full),
        ("effective rank", rank_shares(data)[chosen]),
        ("stable rank", data["stable_rank"].values[chosen] / full),
    )
    return Lines(
        title="How many directions each matrix uses",
        caption=(
            "Three ways to count the independent directions of a weight matrix, in parts of the "
            "most it could have. Numerical: all that are not lost to rounding. Effective: weighed "
            "by their strength. Stable: how many as strong as the strongest would be as large "
            "together. Low values mean that a smaller layer would do. "
            f"{first_and_last(data, chosen)}."
        ),
        series=tuple(
            Series(name=name, x=places, y=100 * values)
            for name, values in lines
            if np.isfinite(values).any()
        ),
        x=Axis(label="weight matrix, by depth", limits=(1, len(chosen))),
        y=Axis(label="of the full rank", unit="%", limits=(0, 100)),
    )


def spectrum_view(data: xr.Dataset, chosen: NDArray[np.int64]) -> Lines:
    """How fast the singular values of some matrices fall."""
    large = chosen[data["full_rank"].values[chosen] >= min(8, data["full_rank"].values.max())]
    shown = evenly(large, MOST_SPECTRA)
    return Lines(
        title="Singular values",
        caption=(
            "How strong each direction of a matrix is beside its strongest, from the first to the "
            "last. A line that falls early belongs to a matrix with few directions. "
            f"{len(shown)} of {len(chosen)} matrices, spread over the depth."
        ),
        series=tuple(_spectrum(data, place) for place in shown),
        x=Axis(label="direction", unit="% of the full rank", limits=(0, 100)),
        y=Axis(label="strength beside the strongest", scale="log", limits=(1e-4, 1.2)),
    )


def map_views(data: xr.Dataset) -> list[Matrix]:
    """Some weight matrices as heat maps."""
    return [
        heat_map(
            f"Weights of {data['tensor'].values[place]}",
            data["map"].values[index],
            (int(data["map_num_rows"][index]), int(data["map_num_columns"][index])),
            value="weight",
            caption="Red weights are above zero, blue ones below.",
            signed=True,
        )
        for index, place in enumerate(data["map_tensor"].values)
    ]


def evenly(chosen: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """At most `most` of the chosen, evenly spaced, the first and the last among them."""
    if len(chosen) <= most:
        return chosen
    steps = np.round(np.linspace(0, len(chosen) - 1, most)).astype(np.int64)
    return np.asarray(chosen[steps], dtype=np.int64)


def _spectrum(data: xr.Dataset, place: int) -> Series:
    values = data["singular_values"].values[place].astype(np.float64)
    values = values[np.isfinite(values)]
    full = max(int(data["full_rank"].values[place]), 1)
    strongest = values.max(initial=0) or 1.0
    return Series(
        name=str(data["tensor"].values[place]),
        x=100 * np.arange(1, len(values) + 1) / full,
        y=np.where(values > 0, values / strongest, np.nan),
        style="line",
    )


def first_and_last(data: xr.Dataset, chosen: NDArray[np.int64]) -> str:
    """Say which tensors the ends of an axis by depth stand for."""
    names = data["tensor"].values
    return f"1 is {names[chosen[0]]}, {len(chosen)} is {names[chosen[-1]]}"
