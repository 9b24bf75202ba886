"""How good is a model on labelled data, where does it fail, and can its confidence be believed?"""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from pellucid.analysis.evaluation_arrays import measure
from pellucid.analysis.evaluation_json import evaluation_json
from pellucid.analysis.evaluation_views import evaluation_views
from pellucid.analysis.evaluation_words import headline, summary, training_warning
from pellucid.analysis.intervals import CONFIDENCE, NUM_DRAWS, Counts
from pellucid.analysis.labels import match_labels
from pellucid.analysis.predictions import Predictions, predict_all
from pellucid.analysis.shown import choose, read_again, snippet, thumbnail
from pellucid.data import UNLABELLED, Data
from pellucid.errors import DataError
from pellucid.model import Model
from pellucid.model.labels import class_names, has_names
from pellucid.result import Provenance, Result
from pellucid.views import View
from pellucid.views.prose import counted, listed

FEW_SAMPLES = 10


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """Samples that did not count: those that could not be read, and those without a label."""

    num_unreadable: int
    num_unlabelled: int


@dataclass(frozen=True, kw_only=True)
class Evaluation(Result):
    """Figures of a classifier over a data set, with the samples it got wrong.

    `data` holds each sample's target, prediction and probabilities (dimensions sample, label), the
    confusion matrix (label, label_predicted), figures per class and over all with 95 % intervals
    (`…_low`, `…_high`), ROC and PR curves on a common grid, calibration bins, and small pictures
    (`thumbnails`) or starts of texts (`snippets`) of the samples `shown_sample`. What is not
    defined, such as the recall of a class without samples, is NaN.
    """

    kind: ClassVar[str] = "evaluation"

    def views(self) -> list[View]:
        """Confusion, classes, calibration, curves, and the most confident mistakes."""
        return evaluation_views(self.data)

    def summary(self) -> str:
        """Say in a paragraph how good the model is, and what to beware of."""
        return summary(self.data, self.meta.notes)

    def headline(self) -> list[tuple[str, str, str]]:
        """Give the figures to show first: (label, value, detail)."""
        return headline(self.data)

    def to_json(self) -> dict[str, Any]:
        """Give all figures, the classes, the confusion matrix and the provenance as JSON values."""
        return evaluation_json(self.data) | {"provenance": self.meta.to_json()}


def evaluate(
    model: Model,
    data: Data,
    *,
    batch_size: int = 32,
    workers: int = 0,
    num_bins: int = 15,
    seed: int = 0,
    show: bool | None = None,
    training_ids: Collection[str] = (),
) -> Evaluation:
    """Run a classifier over labelled data and measure it.

    Labels of model and data are matched by name. Samples without a label, and those that cannot be
    read, are left out and counted. `num_bins` is the number of calibration bins; `seed` drives the
    bootstrap. `training_ids` are ids, in this data's source, of samples that the model was
    fine-tuned on; the figures are marked as too good if any is among the evaluated ones.
    Raises DataError for data without labels or with other classes, ModelError for a model that
    gives no finite logits.
    """
    started = time.perf_counter()
    labelled = _labelled(data)

    def outputs(num_logits: int) -> Counts:
        return _target_outputs(model, labelled, num_logits)

    predictions = predict_all(
        model, labelled, batch_size=batch_size, workers=workers, show=show, check=outputs
    )
    sample_ids = [labelled.ids[position] for position in predictions.positions]
    known = frozenset(training_ids)
    num_logits = predictions.logits.shape[1]
    arrays = measure(
        logits=predictions.logits,
        target=outputs(num_logits)[predictions.positions],
        labels=class_names(model.labels, labelled.labels, num_logits),
        sample_ids=sample_ids,
        in_training=np.array([sample in known for sample in sample_ids]),
        num_bins=num_bins,
        seed=seed,
    )
    arrays = arrays.assign(_shown(model, labelled, predictions, arrays))
    left_out = LeftOut(
        num_unreadable=predictions.num_unreadable, num_unlabelled=len(data) - len(labelled)
    )
    meta = Provenance(
        kind=Evaluation.kind,
        model=model.identity,
        data=data.identity,
        parameters={
            "batch_size": batch_size,
            "num_bins": num_bins,
            "confidence": CONFIDENCE,
            "num_draws": NUM_DRAWS,
            **asdict(left_out),
        },
        seed=seed,
        seconds=time.perf_counter() - started,
        notes=_notes(model, data, arrays, left_out),
    )
    return Evaluation(data=arrays, meta=meta)


def _labelled(data: Data) -> Data:
    rows = np.flatnonzero(data.targets != UNLABELLED)
    if not len(rows):
        raise DataError(
            f"{data.source} has no labels on its {len(data)} samples. An evaluation compares the "
            "model's answers with the true classes: use data with labels, such as one folder per "
            "class or a table with a label column."
        )
    return data if len(rows) == len(data) else data.subset(rows)


def _target_outputs(model: Model, data: Data, num_logits: int) -> Counts:
    """Index of the true output for each sample of `data`: (n,) int64."""
    outputs = match_labels(model.labels, data.labels, num_logits)
    if data.targets.max() >= len(outputs):
        raise DataError(
            f"{data.source}: a sample has class {data.targets.max()}, but there are only "
            f"{len(outputs)} classes, counted from 0. Correct the targets."
        )
    return np.asarray(outputs[data.targets], dtype=np.int64)


def _shown(
    model: Model, data: Data, predictions: Predictions, arrays: xr.Dataset
) -> dict[str, tuple[Any, ...]]:
    """Read the chosen samples again; arrays that are no pictures have nothing to show."""
    pictures = data.kind == "image" or model.input.kind == "image"
    if not pictures and data.kind != "text":
        return {}
    chosen = choose(
        arrays["target"].values, arrays["predicted"].values, arrays["confidence"].values
    )
    kept, raws = read_again(data, predictions.positions[chosen].tolist())
    found: dict[str, tuple[Any, ...]] = {"shown_sample": ("shown", chosen[kept])}
    if pictures and raws:
        pixels = np.stack([thumbnail(raw) for raw in raws])
        found["thumbnails"] = (("shown", "y", "x", "channel"), pixels)
    elif raws:
        found["snippets"] = ("shown", np.array([snippet(raw) for raw in raws], dtype=np.str_))
    return found


def _notes(model: Model, data: Data, arrays: xr.Dataset, left_out: LeftOut) -> tuple[str, ...]:
    support, labels = arrays["support"].values, arrays["label"].values
    empty = [str(label) for label in labels[support == 0]]
    few = [str(label) for label in labels[(support > 0) & (support < FEW_SAMPLES)]]
    found = (
        training_warning(arrays),
        left_out.num_unreadable
        and f"{counted(left_out.num_unreadable, 'sample')} could not be read and did not count.",
        left_out.num_unlabelled
        and f"{counted(left_out.num_unlabelled, 'sample')} without a label did not count.",
        data.labels
        and not has_names(model.labels)
        and "The model does not name its classes: its outputs were taken for the data's classes "
        f"in their order, beginning with {labels[0]!s}.",
        empty
        and f"The data has no samples of {listed(empty)}: averages over the classes do not "
        "count such classes.",
        few
        and f"There are fewer than {FEW_SAMPLES} samples of {listed(few)}: take the figures of "
        "such classes as rough.",
    )
    return tuple(note for note in found if isinstance(note, str) and note)
