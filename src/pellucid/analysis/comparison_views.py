"""What there is to see in a comparison."""

from __future__ import annotations

import numpy as np
import xarray as xr

from pellucid.analysis.comparison_arrays import BOTH, MODELS, NEITHER, NOT_JUDGED, ONLY_A, ONLY_B
from pellucid.analysis.comparison_samples import (
    explained_views,
    flips_view,
    maps_table,
    samples_views,
)
from pellucid.analysis.comparison_words import (
    chance_words,
    flips_words,
    model_name,
    model_titles,
    num_pairs,
    points,
)
from pellucid.views import Axis, Column, Matrix, Scatter, Table, View
from pellucid.views.prose import counted, interval, percent
from pellucid.views.wording import MINUS, MISSING

MOST_MEMBERS = 1_000
MOST_PAIRS = 20
SHARE = (0.0, 1.0)
OUTCOMES = {
    BOTH: "both right",
    ONLY_A: "only A right",
    ONLY_B: "only B right",
    NEITHER: "both wrong",
    NOT_JUDGED: "",
}


def comparison_views(data: xr.Dataset) -> list[View]:
    """Figures, who is right where, how sure each is, the flips, both explanations in step."""
    paired = [agreement_view(data)] if num_pairs(data) else []
    flips = [flips_view(data)] if data["shared"].any() else []
    differ = (data["predicted"].values[0] != data["predicted"].values[1]).any()
    return [
        figures_view(data),
        *paired,
        probability_view(data),
        *flips,
        *([answers_view(data)] if differ else []),
        *explained_views(data),
        *([maps_table(data)] if "explained" in data.dims else []),
        *samples_views(data),
    ]


def figures_view(data: xr.Dataset) -> Table:
    """The figures of both models beside each other, and the change from A to B."""
    rows: list[tuple[str, ...]] = [("model", *model_titles(data), "")]
    accuracy = data["accuracy"].values
    if data["num_judged"].values.any():
        rows += [
            ("accuracy", *map(percent, accuracy.tolist()), _change(accuracy)),
            ("accuracy, 95 % interval", *_intervals(data), _gain(data)),
            ("right answers", *_right(data), _difference(data)),
        ]
    sure, error = data["mean_confidence"].values, data["calibration_error"].values
    rows.append(("how sure of its answers", *map(percent, sure.tolist()), _change(sure)))
    if np.isfinite(error).any():
        rows.append(("calibration error", *map(percent, error.tolist()), _change(error)))
    names, first, second, change = zip(*rows, strict=True)
    return Table(
        title="A and B side by side",
        caption=(
            "Both models on the same samples. Changes are B less A, in percentage points where the "
            f"figures are shares. {chance_words(data)}".strip()
        ),
        columns=(
            Column(name="figure", values=names),
            Column(name="A", values=first),
            Column(name="B", values=second),
            Column(name="change", values=change),
        ),
    )


def agreement_view(data: xr.Dataset) -> Matrix:
    """Where both, one or none of the models are right, with the ids of the samples."""
    outcome = data["outcome"].values
    cells = {(0, 0): BOTH, (0, 1): ONLY_A, (1, 0): ONLY_B, (1, 1): NEITHER}
    ids = data["sample_id"].values
    members = {
        cell: tuple(str(sample) for sample in ids[outcome == value][:MOST_MEMBERS])
        for cell, value in cells.items()
        if (outcome == value).any()
    }
    return Matrix(
        title="Who is right where",
        caption=(
            "Each sample is in one cell. Above left both models are right, below right both are "
            "wrong; the other two cells hold the samples that flipped. " + flips_words(data)
        ),
        values=data["agreement_matrix"].values.astype(np.float64),
        rows=("A right", "A wrong"),
        columns=("B right", "B wrong"),
        x=Axis(label=model_name(data, 1)),
        y=Axis(label=model_name(data, 0)),
        value=Axis(label="samples"),
        members=members,
    )


def probability_view(data: xr.Dataset) -> Scatter:
    """How sure each model is of the same class, sample by sample."""
    first, second = data["probability"].values.astype(np.float64)
    compared, target = data["compared_class"].values, data["target"].values
    if not (compared >= 0).any():
        title, what = "How sure each is of its own answer", "of its own answer"
    elif (compared == target).all():
        title, what = "How sure each is of the true class", "of the true class"
    else:
        title, what = "How sure each is of the same class", "of the class compared"
    return Scatter(
        title=title,
        caption=(
            "Each point is a sample. On the diagonal nothing has changed; above it B is surer "
            f"{what} than A, below it less sure. {_reference(data)}".strip()
        ),
        x_values=first,
        y_values=second,
        samples=tuple(str(sample) for sample in data["sample_id"].values),
        x=Axis(label=f"probability by {model_name(data, 0)}", limits=SHARE),
        y=Axis(label=f"probability by {model_name(data, 1)}", limits=SHARE),
        groups=_groups(data),
    )


def answers_view(data: xr.Dataset) -> Table:
    """Which answers of A became which of B, the most frequent pairs first."""
    labels = data["label"].values
    first, second = data["predicted"].values
    differ = np.flatnonzero(first != second)
    pairs, place = np.unique(
        np.stack([first[differ], second[differ]], 1), axis=0, return_inverse=True
    )
    counts = np.bincount(place.ravel(), minlength=len(pairs))
    order = np.argsort(-counts, kind="stable")[:MOST_PAIRS]
    columns = [
        Column(name="answer of A", values=tuple(str(labels[pairs[row, 0]]) for row in order)),
        Column(name="answer of B", values=tuple(str(labels[pairs[row, 1]]) for row in order)),
        Column(name="samples", values=tuple(counts[order].tolist()), format=",d"),
    ]
    for row, name in enumerate(MODELS):
        if data["num_judged"].values[row]:
            right = np.bincount(
                place.ravel(), weights=data["correct"].values[row, differ], minlength=len(pairs)
            )
            values = tuple(right[order].astype(int).tolist())
            columns.append(Column(name=f"{name} right", values=values, format=",d"))
    cut = f" Shown are the {len(order)} most frequent of {len(pairs):,} pairs."
    shared = bool(data["shared"].any())
    said = (
        f"The models answer differently on {counted(len(differ), 'sample')}"
        if shared
        else "The models share no class; each row is what they answer to the same samples"
    )
    return Table(
        title=f"Which answers {'changed into' if shared else 'go with'} which",
        caption=(
            f"{said}; equal pairs of answers are counted together, the most frequent first."
            + (cut if len(pairs) > len(order) else "")
        ),
        columns=tuple(columns),
    )


def _groups(data: xr.Dataset) -> tuple[str, ...]:
    if num_pairs(data):
        return tuple(OUTCOMES[int(value)] for value in data["outcome"].values)
    if not data["shared"].any():
        return ()
    same = data["predicted"].values[0] == data["predicted"].values[1]
    return tuple("same answer" if each else "different answers" for each in same)


def _reference(data: xr.Dataset) -> str:
    """Which class it is, where it is not the true one throughout."""
    compared, target = data["compared_class"].values, data["target"].values
    if not (compared >= 0).any() or (compared == target).all():
        return ""
    true = "the true class where both models know it, else " if (compared == target).any() else ""
    return f"The class compared is {true}A's answer, or B's where B does not know that."


def _intervals(data: xr.Dataset) -> list[str]:
    lows, highs = data["accuracy_low"].values, data["accuracy_high"].values
    return [interval(float(low), float(high)) for low, high in zip(lows, highs, strict=True)]


def _right(data: xr.Dataset) -> list[str]:
    right, judged = data["correct"].values.sum(1), data["num_judged"].values
    return [
        f"{int(r):,} of {int(n):,}" if n else MISSING for r, n in zip(right, judged, strict=True)
    ]


def _change(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> str:
    return points(float(values[1] - values[0]))


def _gain(data: xr.Dataset) -> str:
    low, high = float(data["accuracy_gain_low"]), float(data["accuracy_gain_high"])
    return f"{points(low)} to {points(high)}" if num_pairs(data) else MISSING


def _difference(data: xr.Dataset) -> str:
    judged, right = data["num_judged"].values, data["correct"].values.sum(1)
    if judged[0] != judged[1]:
        return MISSING
    return f"{int(right[1]) - int(right[0]):+,}".replace("-", MINUS)
