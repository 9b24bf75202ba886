"""The samples behind an evaluation's figures: its mistakes, and those kept with a picture."""

from __future__ import annotations

import numpy as np
import xarray as xr

from pellucid.analysis.intervals import Counts
from pellucid.analysis.shown import MOST_MISTAKES
from pellucid.views import Column, ImageGrid, Picture, Table, View
from pellucid.views.prose import percent

MISTAKES = "Most confident mistakes"
MISTAKES_CAPTION = (
    "Where the model was wrong and most sure of it. Look for a common cause: a wrong label, an "
    "unusual sample, two classes that are alike."
)
READING = "Under each picture: true class → answer, and how sure the model was."
NO_MISTAKES = "The model made no mistake on these samples."


def mistakes_view(data: xr.Dataset) -> View:
    """The most confident mistakes: as pictures where there are any, else as a table."""
    if "thumbnails" in data:
        wrong = ~data["correct"].values[data["shown_sample"].values]
        chosen = _most_confident(data, np.flatnonzero(wrong), data["shown_sample"].values)
        return ImageGrid(
            title=MISTAKES,
            caption=f"{MISTAKES_CAPTION} {READING}" if len(chosen) else NO_MISTAKES,
            pictures=_pictures(data, chosen),
        )
    wrong_samples = np.flatnonzero(~data["correct"].values)
    return _table(data, _most_confident(data, wrong_samples, np.arange(data.sizes["sample"])))


def samples_views(data: xr.Dataset) -> list[View]:
    """The pictures that were kept, cell by cell of the confusion matrix; none without pictures."""
    if "thumbnails" not in data:
        return []
    samples = data["shown_sample"].values
    target, predicted = data["target"].values[samples], data["predicted"].values[samples]
    order = np.lexsort(
        (-data["confidence"].values[samples], predicted, target, target == predicted)
    )
    return [
        ImageGrid(
            title="Samples behind the confusion matrix",
            caption=(
                f"{len(samples):,} of {data.sizes['sample']:,} samples: mistakes first, "
                f"then right answers, each by true class. {READING}"
            ),
            pictures=_pictures(data, order),
        )
    ]


def _most_confident(data: xr.Dataset, rows: Counts, samples: Counts) -> Counts:
    """Order `rows` of `samples` by falling confidence, and keep the first 24."""
    confidence = data["confidence"].values[samples[rows]]
    return rows[np.argsort(-confidence, kind="stable")][:MOST_MISTAKES]


def _pictures(data: xr.Dataset, rows: Counts) -> tuple[Picture, ...]:
    pixels, samples = data["thumbnails"].values, data["shown_sample"].values
    return tuple(_picture(data, pixels[row], int(samples[row])) for row in rows)


def _picture(
    data: xr.Dataset, pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], sample: int
) -> Picture:
    labels = data["label"].values
    true, answer = labels[data["target"].values[sample]], labels[data["predicted"].values[sample]]
    correct = bool(data["correct"].values[sample])
    sure = percent(float(data["confidence"].values[sample]), 0)
    return Picture(
        pixels=pixels,
        sample=str(data["sample_id"].values[sample]),
        label=f"{true!s}, {sure}" if correct else f"{true!s} → {answer!s}, {sure}",
        tone="good" if correct else "bad",
    )


def _table(data: xr.Dataset, rows: Counts) -> Table:
    labels = data["label"].values
    columns = [
        Column(name="sample", values=_strings(data["sample_id"].values[rows])),
        Column(name="true class", values=_strings(labels[data["target"].values[rows]])),
        Column(name="answer", values=_strings(labels[data["predicted"].values[rows]])),
        Column(
            name="how sure",
            values=tuple(percent(float(value)) for value in data["confidence"].values[rows]),
        ),
    ]
    if "snippets" in data:
        place = {int(sample): row for row, sample in enumerate(data["shown_sample"].values)}
        snippets = data["snippets"].values
        texts = tuple(str(snippets[place[row]]) if row in place else "" for row in rows.tolist())
        columns.append(Column(name="text", values=texts))
    return Table(
        title=MISTAKES,
        caption=MISTAKES_CAPTION if len(rows) else NO_MISTAKES,
        columns=tuple(columns),
    )


def _strings(values: np.ndarray[tuple[int, ...], np.dtype[np.str_]]) -> tuple[str, ...]:
    return tuple(str(value) for value in values)
