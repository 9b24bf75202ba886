"""How the loss would move each parameter: how much, how surely, and which matter most?"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from torch import Tensor, nn

from pellucid.analysis.predictions import refuse_other_kind
from pellucid.attribution.targets import true_classes
from pellucid.data import Batches, Data
from pellucid.data.loading import Batch
from pellucid.data.splits import spread
from pellucid.errors import DataError, LayerError, SpecError
from pellucid.inside.choosing import choose_layers
from pellucid.inside.gradients.arrays import gradient_arrays
from pellucid.inside.gradients.passes import (
    Watch,
    backward,
    differentiable,
    layers_with_weights,
    one_of,
    watching,
)
from pellucid.inside.gradients.tally import Tally
from pellucid.inside.gradients.views import gradient_views
from pellucid.inside.gradients.words import gradients_json, headline, summary, table
from pellucid.inside.weights.tensors import Part, choose_parts
from pellucid.model import Model
from pellucid.progress import Advance, progress
from pellucid.result import Provenance, Result
from pellucid.views import View
from pellucid.views.prose import counted, listed

FEWEST_BATCHES = 4  # that are made of few samples, so that noise can be told


@dataclass(frozen=True, kw_only=True)
class Gradients(Result):
    """Gradients of the loss by parameter and by layer, over samples.

    `data` holds by tensor the mean gradient's `l2`, `rms`, `quantiles`, `counts` in bins of width
    rms/8 and size `relative` to the weights; its signal-to-noise ratio over batches (`snr`: the
    median over entries); importance for the loss to first order (`taylor`, Σ|w·g|) and by the
    diagonal of the empirical Fisher information (`fisher`, Σ of mean squared per-sample gradients);
    `sample_norm` (sample, tensor). By layer: `flow` (sample, layer_output), the length of the
    gradient at its output. Further the most important rows and pooled |mean gradient| (`map`).
    """

    kind: ClassVar[str] = "gradients"

    def views(self) -> list[View]:
        """Flow, norms, importance, signal and noise, heat maps, and every tensor's figures."""
        return gradient_views(self.data)

    def summary(self) -> str:
        """Say in a paragraph how the gradient flows and what matters most."""
        return summary(self.data, self.meta.notes)

    def headline(self) -> list[tuple[str, str, str]]:
        """Give the figures to show first: (label, value, detail)."""
        return headline(self.data)

    def table(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        """Give column names, and a row of words for each tensor."""
        return table(self.data)

    def to_json(self) -> dict[str, Any]:
        """Give the figures of every tensor, and the flow by layer, as JSON values."""
        return gradients_json(self.data) | {
            "summary": self.summary(),
            "provenance": self.meta.to_json(),
        }


@dataclass
class Gathered:
    """What the passes leave behind, besides the running sums."""

    positions: list[int] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    targets: list[int] = field(default_factory=list)
    predicted: list[int] = field(default_factory=list)
    norms: list[list[float]] = field(default_factory=list)
    flow: list[dict[str, float]] = field(default_factory=list)
    stopped: bool = False


def inspect_gradients(
    model: Model,
    data: Data,
    *,
    layers: str | Sequence[str] | None = None,
    limit: int | None = 64,
    batch_size: int = 8,
    num_maps: int = 4,
    workers: int = 0,
    seed: int = 0,
    show: bool | None = None,
) -> Gradients:
    """Differentiate the cross-entropy of samples for every parameter and layer output.

    `limit` samples are drawn with `seed`, in the proportions of the classes. Samples whose label
    the model does not know are taken as what it predicts itself. Each has a backward pass of its
    own, in evaluation mode, so that the Fisher information is exact. `batch_size` is that of the
    batches between which noise is measured; fewer where there would be less than four of them.
    `layers` are names, shorthands, globs or kinds, what they contain included.

    The model is left as it was, gradients that it holds included. Ctrl-C keeps the batches that
    are done. Raises LayerError for unknown layers and those that are never reached, ModelError for
    a model without parameters or without finite logits, DataError where nothing can be read.
    """
    started = time.perf_counter()
    if batch_size < 1 or num_maps < 0:
        raise SpecError(
            f"batch_size={batch_size} and num_maps={num_maps} were given; expected at least 1 "
            "sample in a batch and no fewer than 0 maps."
        )
    refuse_other_kind(model, data)
    parts, _ = choose_parts(model, layers, buffers=False)
    chosen = data if limit is None else spread(data, limit, seed)
    classes = true_classes(chosen, model)
    order = _order(len(chosen), batch_size, seed)
    within = None if layers is None else choose_layers(model.module, layers)
    watched = layers_with_weights(model.module, within)
    gathered = Gathered()
    with (
        differentiable(model, seed) as parameters,
        watching(model.module, watched) as watch,
        progress("Differentiating", len(chosen), show=show) as advance,
    ):
        held: dict[str, Tensor] = {part.parameter: parameters[part.parameter] for part in parts}
        tally = Tally(held)
        batches = Batches(chosen, model.prepare, order, workers=workers)
        work = _Work(model, chosen, classes, parts, parameters, tally, watch)
        _pass_all(work, batches, gathered, advance)
    _refuse_unreached(watched, within, gathered)
    arrays = gradient_arrays(
        parts,
        held,
        tally,
        norms=np.array(gathered.norms),
        flow=gathered.flow,
        samples=_samples(gathered, chosen, classes),
        num_maps=num_maps,
    )
    meta = Provenance(
        kind=Gradients.kind,
        model=model.identity,
        data=chosen.identity,
        parameters={
            "layers": [layers] if isinstance(layers, str) else list(layers or []),
            "limit": limit,
            "batch_size": max(map(len, order)),
            "fisher": "exact, one backward pass per sample",
        },
        target="true class, or the predicted one without a label",
        seed=seed,
        seconds=time.perf_counter() - started,
        notes=_notes(model, parts, gathered, classes, len(chosen)),
    )
    return Gradients(data=arrays, meta=meta)


@dataclass(frozen=True)
class _Work:
    model: Model
    data: Data
    classes: Any
    parts: Sequence[Part]
    parameters: dict[str, nn.Parameter]
    tally: Tally
    watch: Watch


def _order(size: int, batch_size: int, seed: int) -> list[list[int]]:
    """Mixed positions in batches of nearly one size, as many as there are, at least four."""
    mixed = np.random.default_rng(seed).permutation(size)
    count = max(-(-size // batch_size), min(size, FEWEST_BATCHES))
    return [part.tolist() for part in np.array_split(mixed, count) if len(part)]


def _pass_all(work: _Work, batches: Batches, gathered: Gathered, advance: Advance) -> None:
    try:
        for batch in batches:
            _pass_batch(work, batch, gathered, advance)
            work.tally.end_batch()
    except KeyboardInterrupt:
        work.tally.end_batch()
        if not gathered.losses:
            raise
        gathered.stopped = True
    if not gathered.losses:
        raise DataError(
            f"{work.data.source}: none of its {len(work.data)} samples can be read. "
            f"{work.data.report.summary().capitalize()}."
        )


def _pass_batch(work: _Work, batch: Batch, gathered: Gathered, advance: Advance) -> None:
    model, size = work.model, len(batch.positions)
    for row, position in enumerate(batch.positions.tolist()):
        known = int(work.classes[position])
        found = backward(
            model,
            one_of(batch.inputs, row, size, model.device),
            known if known >= 0 else None,
            work.parameters,
            work.watch,
            work.data.ids[position],
        )
        work.tally.add(found.gradients)
        norms = [float(part.of(found.gradients[part.parameter]).norm()) for part in work.parts]
        gathered.positions.append(position)
        gathered.losses.append(found.loss)
        gathered.targets.append(found.target)
        gathered.predicted.append(found.predicted)
        gathered.norms.append(norms)
        gathered.flow.append(found.flow)
        advance()


def _samples(gathered: Gathered, data: Data, classes: Any) -> dict[str, Any]:
    rows = np.array(gathered.positions, dtype=np.int64)
    return {
        "sample_id": ("sample", np.array([data.ids[row] for row in rows], dtype=np.str_)),
        "loss": ("sample", np.array(gathered.losses)),
        "target": ("sample", np.array(gathered.targets, dtype=np.int64)),
        "predicted": ("sample", np.array(gathered.predicted, dtype=np.int64)),
        "labelled": ("sample", classes[rows] >= 0),
    }


def _refuse_unreached(
    watched: Sequence[str], within: Sequence[str] | None, gathered: Gathered
) -> None:
    seen = {name for record in gathered.flow for name in record}
    if within and watched and not seen:
        raise LayerError(
            f"{listed([repr(name) for name in within])} took no part in the model's answers, so "
            "there is no gradient to look at. Choose layers that are called in `forward`."
        )


def _notes(
    model: Model, parts: Sequence[Part], gathered: Gathered, classes: Any, total: int
) -> tuple[str, ...]:
    done = len(gathered.positions)
    unlabelled = int((classes[gathered.positions] < 0).sum())
    names = {part.parameter for part in parts}
    frozen = [n for n, p in model.module.named_parameters() if n in names and not p.requires_grad]
    unused = [
        part.name for part, lengths in zip(parts, zip(*gathered.norms, strict=True), strict=True)
        if not any(lengths)
    ]  # fmt: skip
    notes = (
        gathered.stopped and f"Stopped by Ctrl-C after {done} of {total} samples.",
        not gathered.stopped
        and done < total
        and f"{total - done} of {total} samples could not be read and were left out.",
        unlabelled
        and f"{counted(unlabelled, 'sample')} of {done} "
        f"{'has' if unlabelled == 1 else 'have'} no label that the model knows: what it predicts "
        "itself was taken for the truth, so its gradients show how it would grow surer.",
        frozen
        and f"{counted(len(frozen), 'parameter tensor')} of {len(names)} are frozen "
        "(requires_grad is off): training would not use their gradients.",
        unused and f"The loss does not depend on {listed(unused)} in any of these samples.",
        done < 2 * FEWEST_BATCHES
        and f"{counted(done, 'sample')} say little about noise: take more for a figure to rely on.",
    )
    return tuple(note for note in notes if isinstance(note, str) and note)
