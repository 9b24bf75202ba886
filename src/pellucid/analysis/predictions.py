"""Run a model over a whole data set, and keep only its outputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pellucid.data import Batches, Data, in_order
from pellucid.data.loading import Batch
from pellucid.errors import DataError, ModelError
from pellucid.model import Model, pieces
from pellucid.progress import progress

MOST_NAMED = 3


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """`logits` (n, classes) float32 of the samples at `positions` (n,) int64, in data order.

    `num_unreadable` samples could not be read and have no row.
    """

    logits: NDArray[np.float32]
    positions: NDArray[np.int64]
    num_unreadable: int


def predict_all(
    model: Model,
    data: Data,
    *,
    batch_size: int = 32,
    workers: int = 0,
    show: bool | None = None,
    check: Callable[[int], object] | None = None,
) -> Predictions:
    """Compute the logits of every sample that can be read, `batch_size` samples at a time.

    `check` is called with the number of outputs after the first batch, so that a model that does
    not fit is refused before the long work. Raises DataError for data of another kind than the
    model's input or without a readable sample, ModelError for outputs that are no finite logits.
    """
    refuse_other_kind(model, data)
    kept: list[tuple[NDArray[np.float32], NDArray[np.int64]]] = []
    order = in_order(len(data), batch_size)
    with (
        progress("Predicting", len(data), show=show) as advance,
        model.evaluating(),
        torch.inference_mode(),
    ):
        for batch in Batches(data, model.prepare, order, workers=workers):
            logits = _finite(_class_logits(model, batch), batch, model, data)
            if check and not kept:
                check(logits.shape[1])
            kept.append((logits.numpy(), batch.positions.numpy()))
            advance(len(logits))
    return _joined(kept, data)


def refuse_other_kind(model: Model, data: Data) -> None:
    """Raise DataError where texts meet a model of pictures or arrays, or the other way round."""
    if (model.input.kind == "text") != (data.kind == "text"):
        raise DataError(
            f"{data.source} holds samples of kind {data.kind!r}, but {model.source} takes "
            f"{model.input.describe()}. Choose data of the kind that the model was made for."
        )


def _class_logits(model: Model, batch: Batch) -> Tensor:
    parts = pieces(batch.inputs, model.device)
    logits = torch.cat([model.logits(part).float().cpu() for part in parts])
    if logits.ndim != 2 or logits.shape[1] < 2:
        raise ModelError(
            f"{model.source} returned an output of shape {tuple(logits.shape)} for "
            f"{len(batch.positions)} samples; expected one row per sample with one logit for each "
            "of two or more classes. Only classification models can be evaluated."
        )
    return logits


def _finite(logits: Tensor, batch: Batch, model: Model, data: Data) -> Tensor:
    broken = batch.positions[~logits.isfinite().all(1)].tolist()
    if broken:
        shown = ", ".join(repr(data.ids[position]) for position in broken[:MOST_NAMED])
        more = f" and {len(broken) - MOST_NAMED} more" if len(broken) > MOST_NAMED else ""
        raise ModelError(
            f"{model.source} gave outputs that are not finite (NaN or infinity) for {shown}{more}. "
            "Look at these samples; if they are sound, the weights are damaged or the number "
            "format is too small (float16): run the model in float32.",
            samples=[data.ids[position] for position in broken],
        )
    return logits


def _joined(kept: list[tuple[NDArray[np.float32], NDArray[np.int64]]], data: Data) -> Predictions:
    if not kept:
        raise DataError(
            f"{data.source}: none of its {len(data)} samples can be read. "
            f"{data.report.summary().capitalize()}."
        )
    positions = np.concatenate([rows for _, rows in kept])
    return Predictions(
        logits=np.concatenate([logits for logits, _ in kept]),
        positions=positions,
        num_unreadable=len(data) - len(positions),
    )
