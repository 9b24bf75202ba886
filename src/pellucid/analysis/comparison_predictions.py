"""Two models run over the same samples."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.analysis.comparison_classes import UNKNOWN, Classes, match_classes
from pellucid.analysis.intervals import Counts
from pellucid.analysis.predictions import predict_all
from pellucid.data import UNLABELLED, Data
from pellucid.errors import DataError, ModelError
from pellucid.model import Model

Pair = tuple[Model, Model]


@dataclass(frozen=True, kw_only=True)
class PairedPredictions:
    """`logits` of both models, (n, outputs) each, for the samples at `positions` (n,) of `data`."""

    data: Data
    positions: Counts
    logits: tuple[NDArray[np.float32], NDArray[np.float32]]
    classes: Classes

    @property
    def sample_ids(self) -> list[str]:
        return [self.data.ids[position] for position in self.positions]

    @property
    def target(self) -> Counts:
        """Place of each sample's true class in `classes.labels`, −1 without a label: (n,) int64."""
        places = np.append(self.classes.true, UNKNOWN)
        return np.asarray(places[self.data.targets[self.positions]], dtype=np.int64)

    @property
    def num_unreadable(self) -> int:
        return len(self.data) - len(self.positions)


def predict_pair(
    models: Pair, data: Data, *, batch_size: int = 32, show: bool | None = None
) -> PairedPredictions:
    """Compute the logits of both models for all samples that can be read.

    Raises DataError for targets that have no class, and what `predict_all` raises.
    """
    found = [
        predict_all(
            model,
            data,
            batch_size=batch_size,
            show=show,
            check=functools.partial(_refuse_other_number, model),
        )
        for model in models
    ]
    common = np.intersect1d(found[0].positions, found[1].positions)
    first, second = (each.logits[np.isin(each.positions, common)] for each in found)
    classes = match_classes(
        models[0].labels, models[1].labels, data.labels, (first.shape[1], second.shape[1])
    )
    highest = int(data.targets.max(initial=UNLABELLED))
    if highest >= len(classes.true):
        raise DataError(
            f"{data.source}: a sample has class {highest}, but there are only "
            f"{len(classes.true)} classes, counted from 0. Correct the targets."
        )
    return PairedPredictions(data=data, positions=common, logits=(first, second), classes=classes)


def _refuse_other_number(model: Model, num_outputs: int) -> None:
    if model.labels and len(model.labels) != num_outputs:
        raise ModelError(
            f"{model.source} names {len(model.labels)} classes, but gives {num_outputs} outputs. "
            "Give it one label per output, in their order."
        )
