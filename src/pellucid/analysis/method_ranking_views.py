"""How a ranking of methods is shown: who wins, the figures, and the curves behind them."""

from __future__ import annotations

import numpy as np
import xarray as xr

from pellucid.analysis.method_ranking_words import after_randomisation, explained, names
from pellucid.views import Axis, Bars, BarSeries, Column, Lines, Series, Table, Text, View

SHARE = (0.0, 1.0)
MOST_CURVES = 4
CURVES = ("deletion", "insertion")
ARROWS = {"higher": " ↑", "lower": " ↓", "neither": ""}


def ranking_views(data: xr.Dataset) -> list[View]:
    """Shares of comparisons won, verdicts, figures, curves, and what was not defined."""
    views: list[View] = [won_view(data), verdict_view(data), measure_view(data)]
    views += [curve_view(data, name) for name in CURVES if f"{name}_curve" in data]
    views.append(meaning_view(data))
    return [*views, refused_view(data)] if data.sizes["refused"] else views


def won_view(data: xr.Dataset) -> Bars:
    """How often each map ranked before another, controls among them."""
    return Bars(
        title="Which maps tell most about this model",
        caption=(
            "Each map was compared with every other one, on each sample and by each measure that "
            "ranks; the bars are the shares of comparisons that it won, with 95 % intervals over "
            "the samples. Entries in brackets are controls, which know nothing of the model: a "
            "method that does not stand clear of them is not worth more than they are."
        ),
        categories=tuple(names(data)),
        series=(
            BarSeries(
                name="comparisons won",
                values=data["won"].values,
                low=data["won_low"].values,
                high=data["won_high"].values,
            ),
        ),
        value=Axis(label="comparisons won", limits=SHARE),
    )


def verdict_view(data: xr.Dataset) -> Table:
    """Rank, verdict and cost of each map."""
    means, low, high = (data[f"mean_rank{end}"].values for end in ("", "_low", "_high"))
    return Table(
        title="Ranks, verdicts and cost",
        caption=(
            "Mean rank 1 would be the best on every sample by every measure; the range is its 95 % "
            "interval. Verdicts compare with each control on the same samples. Seconds and "
            "passes, forward and backward, are for one sample. A map that stays as it is when the "
            "weights are drawn anew shows the input more than the model."
        ),
        columns=(
            Column(name="method", values=tuple(names(data))),
            Column(
                name="verdict",
                values=tuple(explained(data, str(name)) for name in data["entry"].values),
            ),
            Column(name="mean rank", values=tuple(means), format=".1f"),
            Column(
                name="range",
                values=tuple(f"{a:.1f}–{b:.1f}" for a, b in zip(low, high, strict=True)),
            ),
            Column(name="seconds", values=tuple(data["seconds"].values), format=".2g"),
            Column(
                name="passes",
                values=tuple(data["forwards"].values + data["backwards"].values),
                format=".0f",
            ),
            Column(name="with new weights", values=tuple(after_randomisation(data))),
            Column(name="family", values=tuple(map(str, data["family"].values))),
        ),
    )


def measure_view(data: xr.Dataset) -> Table:
    """Means of the measures, of each map."""
    return Table(
        title="What was measured",
        caption=(
            "Means over the samples. ↓ marks measures of which less is better, ↑ those of which "
            "more is."
        ),
        columns=(
            Column(name="method", values=tuple(names(data))),
            *(_measure_column(data, row) for row in range(data.sizes["measure"])),
        ),
    )


def meaning_view(data: xr.Dataset) -> Text:
    """What each measure asks."""
    return Text(
        title="What the measures ask",
        paragraphs=tuple(
            f"{title}. {about}"
            for title, about in zip(
                data["measure_title"].values, data["measure_about"].values, strict=True
            )
        ),
    )


def curve_view(data: xr.Dataset, name: str) -> Lines:
    """The mean curve of the best methods and of the controls."""
    curves = data[f"{name}_curve"].values
    controls, random = data["is_control"].values, data["entry"].values == "random"
    beside = np.flatnonzero(controls & (random | data["best_control"].values))
    shown = [*np.flatnonzero(~controls)[:MOST_CURVES], *beside]
    shares = np.linspace(0, 1, curves.shape[1])
    hidden = name == "deletion"
    caption = (
        "The most important parts of the input are hidden first. A curve that falls early belongs "
        "to a map that knows what the answer hangs on."
        if hidden
        else "The most important parts of the input are shown first, on an empty or blurred input. "
        "A curve that rises early belongs to a map that knows what is enough for the answer."
    )
    return Lines(
        title="Hiding what matters first" if hidden else "Showing what matters first",
        caption=f"{caption} Means over the samples of the best methods, of the best control, and of a random order.",
        series=tuple(
            Series(
                name=names(data)[row],
                x=shares,
                y=curves[row],
                style="reference" if random[row] else "line",
            )
            for row in shown
        ),
        x=Axis(label="share hidden" if hidden else "share shown", limits=SHARE),
        y=Axis(label="mean probability of the explained class"),
    )


def refused_view(data: xr.Dataset) -> Table:
    """The methods that are not defined for this model or data."""
    return Table(
        title="Not defined here",
        caption="These methods could not be tried on this model and data, for the reasons given.",
        columns=(
            Column(name="method", values=tuple(map(str, data["refused"].values))),
            Column(name="reason", values=tuple(map(str, data["refused_reason"].values))),
        ),
    )


def _measure_column(data: xr.Dataset, row: int) -> Column:
    better = str(data["measure_better"].values[row])
    return Column(
        name=str(data["measure_title"].values[row]).lower() + ARROWS[better],
        values=tuple(data["mean"].values[row]),
        format=".2f",
    )
