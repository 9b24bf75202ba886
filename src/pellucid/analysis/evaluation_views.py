"""What there is to see in an evaluation."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from pellucid.analysis.evaluation_samples import mistakes_view, samples_views
from pellucid.analysis.evaluation_words import calibration_words
from pellucid.analysis.intervals import Counts
from pellucid.views import (
    Axis,
    Bars,
    BarSeries,
    Column,
    Histogram,
    Lines,
    Matrix,
    Series,
    Table,
    View,
)
from pellucid.views.prose import counted, interval

MOST_CLASSES = 40
MOST_MEMBERS = 1_000
MOST_CURVES = 5
NUM_CONFIDENCE_BINS = 20
SHARE = (0.0, 1.0)


def evaluation_views(data: xr.Dataset) -> list[View]:
    """Confusion, mistakes, classes, calibration, curves, and the samples behind the confusion."""
    return [
        confusion_view(data),
        mistakes_view(data),
        class_table(data),
        recall_view(data),
        reliability_view(data),
        confidence_view(data),
        *([roc_view(data), precision_recall_view(data)] if data["auc"].notnull().any() else []),
        *samples_views(data),
    ]


def confusion_view(data: xr.Dataset) -> Matrix:
    """Which class was taken for which, with the ids of the samples behind each cell."""
    confusion, support = data["confusion"].values, data["support"].values
    mistakes = confusion.sum(0) + confusion.sum(1) - 2 * confusion.diagonal()
    chosen = _most(mistakes, (support > 0) | (data["num_predicted"].values > 0))
    names = _names(data, chosen)
    left_out = int(confusion.sum() - confusion[np.ix_(chosen, chosen)].sum())
    return Matrix(
        title="Which class is taken for which",
        caption=(
            "Each row holds the samples of one true class, each column those that got one answer. "
            "Right answers lie on the diagonal; every other cell is a kind of mistake."
            + _choice(data, chosen, "most mixed up")
            + (f" {counted(left_out, 'sample')} lie outside." if left_out else "")
        ),
        values=confusion[np.ix_(chosen, chosen)].astype(np.float64),
        rows=names,
        columns=names,
        x=Axis(label="answer of the model"),
        y=Axis(label="true class"),
        value=Axis(label="samples"),
        members=_members(data, chosen),
    )


def class_table(data: xr.Dataset) -> Table:
    """Every class with its figures, the worst F1 first."""
    f1, support = data["f1"].values, data["support"].values
    known = np.flatnonzero((support > 0) | (data["num_predicted"].values > 0))
    order = known[np.argsort(f1[known], kind="stable")]
    columns = [
        Column(name="class", values=_names(data, order)),
        Column(name="samples", values=tuple(support[order].tolist()), format=",d"),
    ]
    for name, title in (("f1", "F1"), ("precision", "precision"), ("recall", "recall")):
        low, high = data[f"{name}_low"].values[order], data[f"{name}_high"].values[order]
        ends = tuple(interval(*pair, sign="") for pair in zip(low, high, strict=True))
        share = tuple((100 * data[name].values[order]).tolist())
        columns += [
            Column(name=title, values=share, format=".1f", unit="%"),
            Column(name=f"{title} range", values=ends, unit="%"),
        ]
    remarks = _remarks(data, order)
    if any(remarks):
        columns.append(Column(name="remark", values=remarks))
    return Table(
        title="Each class by itself",
        caption=(
            "Recall: of all samples of the class, how many were found. Precision: of all samples "
            "given this answer, how many belong there. F1 is high only where both are. A range (95 % "
            "interval) says how far a figure may be off with so few samples. The weakest class "
            "comes first."
        ),
        columns=tuple(columns),
    )


def recall_view(data: xr.Dataset) -> Bars:
    """How much of each class is found, the least first."""
    recall = data["recall"].values
    present = np.flatnonzero(np.isfinite(recall))
    order = present[np.argsort(recall[present], kind="stable")][:MOST_CLASSES]
    return Bars(
        title="How much of each class is found",
        caption=(
            "Of the samples of each class, the share that the model recognised (recall), the "
            "lowest first. The thin lines are 95 % intervals: short ones mean many samples."
            + _choice(data, order, "least recognised")
        ),
        categories=_names(data, order),
        series=(
            BarSeries(
                name="recall",
                values=recall[order],
                low=data["recall_low"].values[order],
                high=data["recall_high"].values[order],
            ),
        ),
        value=Axis(label="share found", limits=SHARE),
    )


def reliability_view(data: xr.Dataset) -> Lines:
    """Confidence against accuracy, bin by bin."""
    full = np.flatnonzero(data["bin_count"].values > 0)
    observed = Series(
        name="the model",
        x=data["bin_confidence"].values[full],
        y=data["bin_accuracy"].values[full],
        low=data["bin_accuracy_low"].values[full],
        high=data["bin_accuracy_high"].values[full],
        style="points",
    )
    return Lines(
        title="Can its confidence be believed?",
        caption=(
            "Answers are grouped by how sure the model was. On the diagonal, 80 % sure means "
            "right in 80 % of the cases; below it the model is too sure of itself, above it not "
            f"sure enough. The ranges are 95 % intervals. {calibration_words(data)}"
        ),
        series=(_diagonal("confidence equals accuracy"), observed),
        x=Axis(label="how sure the model was", limits=SHARE),
        y=Axis(label="how often it was right", limits=SHARE),
    )


def confidence_view(data: xr.Dataset) -> Histogram:
    """How sure the model was when right, and when wrong."""
    confidence, correct = data["confidence"].values, data["correct"].values
    edges = np.linspace(0, 1, NUM_CONFIDENCE_BINS + 1)
    counts = {
        name: np.histogram(confidence[chosen], edges)[0].astype(np.float64)
        for name, chosen in (("right", correct), ("wrong", ~correct))
    }
    return Histogram(
        title="How sure it was, when right and when wrong",
        caption=(
            "Good to see: wrong answers further left than right ones, so that doubtful cases can "
            "be handed to a person. Wrong answers at the right end are mistakes made with full "
            "confidence."
        ),
        edges=edges,
        counts=counts,
        x=Axis(label="how sure the model was", limits=SHARE),
    )


def roc_view(data: xr.Dataset) -> Lines:
    """Hits against false alarms, on average and for the worst classes.

    The curves of two classes mirror each other and have the same area, so their average stands for
    both.
    """
    curves = _curves(data, "auc", "true_positive_rate", "false_positive_rate", "AUC")
    return Lines(
        title="Hits against false alarms (ROC)",
        caption=(
            "Each class against all others, as the threshold for saying yes is lowered. The closer "
            "a curve comes to the top left corner, the better; the diagonal is guessing. The area "
            "under the curve (AUC) is 1 at best and 0.5 for guessing." + _shown_curves(data, "auc")
        ),
        series=(
            _diagonal("guessing"),
            *(curves if data.sizes["label"] > 2 else curves[:1]),
        ),
        x=Axis(label="false alarms: share of other samples given this answer", limits=SHARE),
        y=Axis(label="hits: share of the class found", limits=SHARE),
    )


def precision_recall_view(data: xr.Dataset) -> Lines:
    """Precision against recall, on average and for the worst classes."""
    return Lines(
        title="How clean are the finds (precision and recall)",
        caption=(
            "Each class against all others, as the threshold for saying yes is lowered: the more "
            "of a class is found, the more others slip in. The longer a curve stays at the top, "
            "the better. AP, the average precision, is the area under the curve."
            + _shown_curves(data, "average_precision")
        ),
        series=_curves(data, "average_precision", "precision_at_recall", "recall_level", "AP"),
        x=Axis(label="recall: share of the class found", limits=SHARE),
        y=Axis(label="precision: share of finds that are right", limits=SHARE),
    )


def _most(score: Counts, eligible: NDArray[np.bool_]) -> Counts:
    """Choose at most 40 eligible classes, those of the highest score; in the classes' order."""
    known = np.flatnonzero(eligible)
    highest = known[np.argsort(-score[known], kind="stable")][:MOST_CLASSES]
    return np.sort(highest)


def _choice(data: xr.Dataset, chosen: Counts, which: str) -> str:
    known = int(((data["support"] > 0) | (data["num_predicted"] > 0)).sum())
    if len(chosen) == known:
        return ""
    return f" Shown are the {len(chosen)} classes of {known:,} that are {which}."


def _names(data: xr.Dataset, chosen: Counts) -> tuple[str, ...]:
    return tuple(str(label) for label in data["label"].values[chosen])


def _members(data: xr.Dataset, chosen: Counts) -> dict[tuple[int, int], tuple[str, ...]]:
    place = np.full(data.sizes["label"], -1)
    place[chosen] = np.arange(len(chosen))
    rows, columns = place[data["target"].values], place[data["predicted"].values]
    found: dict[tuple[int, int], list[str]] = {}
    for row, column, sample in zip(rows, columns, data["sample_id"].values, strict=True):
        cell = found.setdefault((int(row), int(column)), [])
        if len(cell) < MOST_MEMBERS:
            cell.append(str(sample))
    return {cell: tuple(ids) for cell, ids in found.items() if min(cell) >= 0}


def _remarks(data: xr.Dataset, order: Counts) -> tuple[str, ...]:
    empty = data["support"].values[order] == 0
    silent = data["num_predicted"].values[order] == 0
    reasons = (
        np.where(empty, "no samples: no recall", ""),
        np.where(silent, "never answered: no precision", ""),
    )
    return tuple("; ".join(filter(None, map(str, pair))) for pair in zip(*reasons, strict=True))


def _diagonal(name: str) -> Series:
    ends = np.array(SHARE)
    return Series(name=name, x=ends, y=ends, style="reference")


def _curves(data: xr.Dataset, score: str, curve: str, over: str, short: str) -> tuple[Series, ...]:
    """Trace the average of all defined classes, then the worst classes by `score`."""
    values, rows = data[score].values, data[curve].values.astype(np.float64)
    defined = np.flatnonzero(np.isfinite(values))
    x = data[over].values
    mean = Series(
        name=f"average of all classes ({short} {values[defined].mean():.3f})",
        x=x,
        y=rows[defined].mean(0),
    )
    worst = defined[np.argsort(values[defined], kind="stable")][:MOST_CURVES]
    labels = data["label"].values
    return (
        mean,
        *(Series(name=f"{labels[i]!s} ({short} {values[i]:.3f})", x=x, y=rows[i]) for i in worst),
    )


def _shown_curves(data: xr.Dataset, score: str) -> str:
    defined = int(np.isfinite(data[score].values).sum())
    if defined <= MOST_CURVES:
        return ""
    return f" Shown are the average and the {MOST_CURVES} weakest of {defined:,} classes."
