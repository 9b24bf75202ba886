"""What there is to see in a model's sensitivity."""

from __future__ import annotations

import numpy as np
import xarray as xr

from pellucid.views import (
    Axis,
    Bars,
    BarSeries,
    Column,
    ImageGrid,
    Lines,
    Matrix,
    Picture,
    Series,
    Table,
    View,
)
from pellucid.views.prose import percent
from pellucid.views.wording import formatted, shorten

MOST_SAMPLES = 40
MOST_BANDS = 3  # that can be told apart in one chart
SHARE = (0.0, 1.0)
BAND = "Bands are 95 % intervals: Wilson's for shares, a bootstrap over samples for means."


def sensitivity_views(data: xr.Dataset) -> list[View]:
    """What hurts most, one response curve per change, examples, logits, single samples, figures."""
    changes = range(data.sizes["change"])
    return [
        *([ranking_view(data)] if data.sizes["change"] > 1 else []),
        *(response_view(data, place) for place in changes),
        *example_views(data),
        logit_view(data),
        *(sample_view(data, place) for place in changes if data.sizes["sample"] > 1),
        change_table(data),
    ]


def ranking_view(data: xr.Dataset) -> Bars:
    """How much of the probability each change leaves, the most harmful first."""
    order = np.argsort(data["mean_kept"].values, kind="stable")
    return Bars(
        title="What the model is most sensitive to",
        caption=(
            "Mean probability of the original prediction over all strengths of a change. Low means "
            "that the change soon alters the answer. The name tells the strongest tried. Ranges differ in kind: compare with the "
            "curves below. Thin lines are 95 % bootstrap intervals over samples."
        ),
        categories=tuple(_range(data, place) for place in order),
        series=(
            BarSeries(
                name="probability kept",
                values=data["mean_kept"].values[order],
                low=data["mean_kept_low"].values[order],
                high=data["mean_kept_high"].values[order],
            ),
        ),
        value=Axis(label="mean probability of the original prediction", limits=SHARE),
    )


def response_view(data: xr.Dataset, place: int) -> Lines:
    """One change: probability of the original prediction, and share of predictions unchanged."""
    one = data.isel(change=place)
    name, half = str(one["change"].item()), float(one["half_strength"])
    turn = (
        f" Half of the predictions have changed at {formatted(half, '.3g')}."
        if np.isfinite(half)
        else " Half of the predictions never change in this range."
    )
    lines = (("unchanged predictions", "share_unchanged"), ("probability", "mean_probability"))
    return Lines(
        title=f"Response to {name}",
        caption=f"{_sentence(str(one['about'].item()))}{turn} {BAND}",
        series=(
            *(
                Series(
                    name=words,
                    x=one["strength"].values,
                    y=one[variable].values,
                    low=_band(one, variable, "low"),
                    high=_band(one, variable, "high"),
                )
                for words, variable in lines
            ),
            Series(
                name="half",
                x=one["strength"].values[[0, -1]],
                y=np.array([0.5, 0.5]),
                style="reference",
            ),
        ),
        x=_axis(one),
        y=Axis(label="share, or mean probability", limits=SHARE),
    )


def logit_view(data: xr.Dataset) -> Lines:
    """The logit of the original prediction, all changes on one scale of strength."""
    series = []
    few = data.sizes["change"] <= MOST_BANDS
    for place, name in enumerate(data["change"].values):
        one = data.isel(change=place)
        strength = one["strength"].values
        series.append(
            Series(
                name=str(name),
                x=100 * strength / np.abs(strength).max(),
                y=one["mean_logit"].values,
                low=_band(one, "mean_logit", "low") if few else None,
                high=_band(one, "mean_logit", "high") if few else None,
            )
        )
    return Lines(
        title="Logit of the original prediction",
        caption=(
            "The score before it becomes a probability, mean over samples. It still falls where "
            "probabilities are already near 0 or 1. The strength of each change is in percent of "
            "the strongest tried."
            + (" Bands are 95 % bootstrap intervals over samples." if few else "")
        ),
        series=tuple(series),
        x=Axis(label="strength", unit="% of the strongest"),
        y=Axis(label="logit"),
    )


def sample_view(data: xr.Dataset, place: int) -> Matrix:
    """The response of every sample to one change, the first to give way on top."""
    one = data.isel(change=place)
    kept = one["kept"].values
    order = np.argsort(kept, kind="stable")[:MOST_SAMPLES]
    some = f" The {len(order)} most affected of {len(kept)}." if len(order) < len(kept) else ""
    ids, names = one["sample_id"].values, one["original_label"].values
    return Matrix(
        title=f"Every sample under {one['change'].item()}",
        caption=(
            "Probability of the sample's original prediction, by strength from left to right. A row "
            f"that stays dark is a robust answer. The most affected come first.{some}"
        ),
        values=100 * one["probability"].values[:, order].T,
        rows=tuple(f"{shorten(str(ids[i]), 24)}: {shorten(str(names[i]), 20)}" for i in order),
        columns=tuple(formatted(float(s), ".3g") for s in one["strength"].values),
        x=_axis(one),
        y=Axis(label="sample and its original prediction"),
        value=Axis(label="probability", unit="%"),
        members={
            (row, column): (str(ids[i]),)
            for row, i in enumerate(order)
            for column in range(one.sizes["step"])
        },
    )


def example_views(data: xr.Dataset) -> list[View]:
    """Some changed inputs, with what the model made of them."""
    if "example_picture" in data:
        samples = dict.fromkeys(data["example_sample"].values.tolist())
        return [_pictures(data, sample) for sample in samples]
    return [_texts(data)] if "example_text" in data else []


def change_table(data: xr.Dataset) -> Table:
    """Every change with its figures."""
    order = np.argsort(data["mean_kept"].values, kind="stable")
    one = data.isel(change=order)
    halves = one["half_strength"].values
    ends = 100 * np.stack(
        [one[f"share_unchanged{end}"].values[:, -1] for end in ("", "_low", "_high")]
    )
    return Table(
        title="Every change",
        caption=(
            "Half changed at: the smallest strength at which half of the predictions are others "
            "than for the unchanged input; a dash where that never happens. Unchanged at the end: "
            "at the highest strength, with its 95 % interval."
        ),
        columns=(
            Column(name="change", values=tuple(str(c) for c in one["change"].values)),
            Column(name="strength in", values=tuple(str(u) for u in one["unit"].values)),
            Column(
                name="up to",
                values=tuple(np.abs(one["strength"].values).max(1).tolist()),
                format=".3g",
            ),
            Column(
                name="half changed at",
                values=tuple(None if np.isnan(h) else float(h) for h in halves),
                format=".3g",
            ),
            Column(
                name="unchanged at the end", values=tuple(ends[0].tolist()), format=".0f", unit="%"
            ),
            Column(
                name="interval",
                values=tuple(f"{low:.0f}–{high:.0f}" for low, high in ends[1:].T),
                unit="%",
            ),
            Column(
                name="probability kept",
                values=tuple((100 * one["mean_kept"].values).tolist()),
                format=".1f",
                unit="%",
            ),
            Column(name="what is done", values=tuple(str(a) for a in one["about"].values)),
        ),
    )


def _pictures(data: xr.Dataset, sample: int) -> ImageGrid:
    chosen = np.flatnonzero(data["example_sample"].values == sample)
    name = str(data["sample_id"].values[sample])
    label = str(data["original_label"].values[sample])
    return ImageGrid(
        title=f"{name}, changed",
        caption=(
            f"The model takes the picture for {label!r}. Under each change: its strength, and the "
            "probability of that answer; orange where the model answers otherwise. This is what "
            "the model sees, shown smaller."
        ),
        pictures=tuple(_picture(data, int(place)) for place in chosen),
    )


def _picture(data: xr.Dataset, place: int) -> Picture:
    sample, change, step = (
        int(data[f"example_{what}"].values[place]) for what in ("sample", "change", "step")
    )
    likely = percent(float(data["probability"].values[change, step, sample]), 0)
    strength = float(data["strength"].values[change, step])
    words = f"{data['short'].values[change]} {_short(strength, str(data['unit'].values[change]))}"
    unchanged = bool(data["unchanged"].values[change, step, sample])
    return Picture(
        pixels=data["example_picture"].values[place],
        sample=str(data["sample_id"].values[sample]) if not strength else "",
        label=f"{words}: {likely}" if strength else f"original: {likely}",
        tone="neutral" if not strength else "good" if unchanged else "bad",
    )


def _short(strength: float, unit: str) -> str:
    """A strength with the sign of its unit, short enough to stand under a picture."""
    sign = {"degrees": "°", "pixels": " px"}.get(unit, " %" if unit.startswith("%") else "")
    return f"{formatted(strength, '.2g' if abs(strength) < 10 else '.0f')}{sign}"


def _texts(data: xr.Dataset) -> Table:
    rows = [
        tuple(int(data[f"example_{what}"].values[p]) for what in ("sample", "change", "step"))
        for p in range(data.sizes["example"])
    ]
    strengths = [float(data["strength"].values[change, step]) for _, change, step in rows]
    originals = [str(data["original_label"].values[sample]) for sample, _, _ in rows]
    return Table(
        title="Some texts, changed",
        caption="What the model read, and how likely it holds its first answer for it.",
        columns=(
            Column(
                name="change",
                values=tuple(
                    f"{data['change'].values[change]}, {formatted(s, '.0f')} %" if s else "none"
                    for (_, change, _), s in zip(rows, strengths, strict=True)
                ),
            ),
            Column(name="text", values=tuple(str(t) for t in data["example_text"].values)),
            Column(name="first answer", values=tuple(originals)),
            Column(
                name="probability",
                values=tuple(
                    100 * float(data["probability"].values[change, step, sample])
                    for sample, change, step in rows
                ),
                format=".0f",
                unit="%",
            ),
            Column(
                name="still its answer",
                values=tuple(
                    "yes" if data["unchanged"].values[change, step, sample] else "no"
                    for sample, change, step in rows
                ),
            ),
        ),
    )


def _band(
    one: xr.Dataset, variable: str, end: str
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]] | None:
    values = one[f"{variable}_{end}"].values
    return values if np.isfinite(values).all() else None


def _axis(one: xr.Dataset) -> Axis:
    return Axis(label=str(one["change"].item()), unit=str(one["unit"].item()))


def _range(data: xr.Dataset, place: int) -> str:
    most = formatted(float(np.abs(data["strength"].values[place]).max()), ".3g")
    unit = _short(0, str(data["unit"].values[place]))[1:]
    return f"{data['change'].values[place]} ≤ {most}{unit}"


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."
