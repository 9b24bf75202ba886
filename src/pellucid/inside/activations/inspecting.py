"""Watch the activations of a model over a data set."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor

from pellucid.analysis.predictions import refuse_other_kind
from pellucid.data import UNLABELLED, Batches, Data, in_order
from pellucid.data.splits import spread
from pellucid.errors import DataError, SpecError
from pellucid.inside.activations.arrays import layer_arrays
from pellucid.inside.activations.collect import Collector
from pellucid.inside.activations.forward import Forward
from pellucid.inside.activations.heads import HeadStatistics, watching_heads
from pellucid.inside.activations.plan import Plan, make_plan
from pellucid.inside.activations.result import Activations
from pellucid.inside.activations.shown import shown_arrays
from pellucid.inside.activations.shown_units import unit_cards
from pellucid.model import Model
from pellucid.model.labels import class_names, has_names
from pellucid.progress import progress
from pellucid.result import Provenance
from pellucid.views.prose import counted

STOPPED = "stopped"
FEW_SAMPLES, FEW_PER_CLASS = 100, 10
MOST_TOP = 100


def inspect_activations(
    model: Model,
    data: Data,
    *,
    layers: str | Sequence[str] | None = None,
    limit: int | None = None,
    batch_size: int = 32,
    top: int = 9,
    shown: int | Sequence[int | str] = 3,
    pair: tuple[str, str] | None = None,
    seed: int = 0,
    show: bool | None = None,
) -> Activations:
    """Watch what layers of a model give over a data set, in one pass, and in full for a few samples.

    `layers` are names, shorthands, globs or kinds; the blocks of the network and the layer before
    its head if None. `limit` samples are drawn with `seed`, in the proportions of the classes. Of
    each unit the `top` samples with the strongest responses are found. `shown` says of how many
    samples, or of which by position or id, feature maps, attention and hidden states are kept.
    `pair` names two units to plot against each other: ``("layer4:7", "layer4:12")``.

    The memory taken does not grow with the data. Without labels, the model's own answers are taken
    for classes. Ctrl-C keeps the batches that are done; the result's notes say so. Raises
    LayerError for layers that are unknown, never reached or change their units, and for units out
    of range; ModelError for activations that are not finite; DataError when nothing can be read.

    >>> found = inspect_activations(model, data, layers="layer4.*", limit=1000)  # doctest: +SKIP
    """
    started = time.perf_counter()
    refuse_other_kind(model, data)
    for name, value, most in (("top", top, MOST_TOP), ("batch_size", batch_size, 2**20)):
        if not 1 <= value <= most:
            raise SpecError(f"{name}={value} was given; expected 1 to {most:,}.")
    chosen = data if limit is None else spread(data, limit, seed)
    plan = make_plan(model, chosen, layers, pair)
    classes = _Classes(model, chosen)
    collector = _collector(plan, chosen, classes, top, seed)
    stopped = _collect(model, chosen, plan, collector, classes, batch_size, show)
    arrays = layer_arrays(plan, collector, classes.names, chosen)
    arrays = arrays.assign(shown_arrays(model, data, plan, arrays, shown, seed))
    arrays = arrays.assign(unit_cards(model, chosen, arrays))
    meta = Provenance(
        kind=Activations.kind,
        model=model.identity,
        data=chosen.identity,
        parameters={
            "layers": [layer.name for layer in plan.layers],
            "limit": limit,
            "batch_size": batch_size,
            "top": top,
            "num_samples": collector.num_samples,
            "classes": classes.origin,
            STOPPED: stopped,
        },
        seed=seed,
        seconds=time.perf_counter() - started,
        notes=_notes(plan, collector, chosen, classes, stopped=stopped),
    )
    return Activations(data=arrays, meta=meta)


class _Classes:
    """The classes of samples: those of the data, else the model's own answers, else none."""

    def __init__(self, model: Model, data: Data) -> None:
        labelled = bool((data.targets != UNLABELLED).any())
        self.targets = torch.from_numpy(data.targets) if labelled else None
        named = model.task == "classification" and has_names(model.labels)
        self.origin = "labels" if labelled else "answers" if named else ""
        num = int(data.targets.max()) + 1 if labelled else len(model.labels) if named else 0
        own = data.labels if labelled else model.labels
        self.names = class_names(own, (), max(num, len(own))) if self.origin else ()

    def of(self, positions: Tensor, logits: Tensor) -> Tensor:
        """Class of each sample of a batch (n,), −1 where none is known."""
        if self.targets is not None:
            return self.targets[positions]
        if self.origin and logits.ndim == 2 and logits.shape[1] == len(self.names):
            return logits.argmax(1).cpu()
        return torch.full_like(positions, UNLABELLED)


def _collector(plan: Plan, data: Data, classes: _Classes, top: int, seed: int) -> Collector:
    return Collector(
        layers=plan.layers,
        ids=data.ids,
        num_classes=len(classes.names),
        top=top,
        seed=seed,
        scattered=plan.scattered,
        heads=HeadStatistics(plan.picture) if plan.has_heads else None,
    )


def _collect(
    model: Model,
    data: Data,
    plan: Plan,
    collector: Collector,
    classes: _Classes,
    batch_size: int,
    show: bool | None,
) -> bool:
    """Run all batches; says whether Ctrl-C ended it before the last."""
    listening = Forward(
        model=model,
        layers=plan.layers,
        respond=collector.respond,
        listen_to=(*plan.recurrent, *plan.bounded),
        called=collector.called,
    )
    batches = Batches(data, model.prepare, in_order(len(data), batch_size))
    try:
        with progress("Watching layers", len(data), show=show) as advance, listening.ready():
            for batch in batches:
                collector.begin(batch)
                listening.begin(batch.inputs)
                logits = _run(model, listening, collector, batch.inputs)
                collector.end(classes.of(batch.positions, logits))
                advance(len(batch.positions))
    except KeyboardInterrupt:
        if not collector.num_samples:
            raise
        return True
    if not collector.num_samples:
        raise DataError(f"{data.source}: none of its {len(data)} samples can be read.")
    return False


def _run(model: Model, listening: Forward, collector: Collector, inputs: dict[str, Any]) -> Tensor:
    with ExitStack() as watching:
        if collector.heads is not None:
            collector.heads.begin(listening.size, listening.mask)
            watching.enter_context(watching_heads(model.module, collector.heads.receive))
        return listening.run(inputs)


def _notes(
    plan: Plan, collector: Collector, data: Data, classes: _Classes, *, stopped: bool
) -> tuple[str, ...]:
    number = collector.num_samples
    repeated = [layer.name for layer in plan.layers if layer.calls > 1]
    drawn = [
        name
        for name, found in collector.found.items()
        if len(found.covariance.units) < found.layer.units
    ]
    counts = next(iter(collector.found.values())).classes.counts
    few_per_class = float(counts[counts > 0].median()) if bool((counts > 0).any()) else 0.0
    notes = (
        stopped and f"Stopped by Ctrl-C after {number} of {len(data)} samples.",
        not stopped
        and number < len(data)
        and f"{counted(len(data) - number, 'sample')} could not be read and did not count.",
        number < FEW_SAMPLES
        and f"Only {counted(number, 'sample')}: units that seem alike or dead may differ on others.",
        number <= plan.layers[-1].units
        and f"On {counted(number, 'sample')} a layer cannot show more than "
        f"{counted(max(number - 1, 1), 'dimension')}.",
        classes.origin == "answers"
        and "The data has no labels: the classes are the model's own answers.",
        classes.origin
        and few_per_class < FEW_PER_CLASS
        and f"Half of the classes have fewer than {FEW_PER_CLASS} samples: part of the selectivity "
        "is chance.",
        drawn
        and f"Correlations of {', '.join(drawn)} are those of "
        f"{len(collector.found[drawn[0]].covariance.units):,} units drawn at random.",
        repeated and f"{', '.join(repeated)} ran more than once per prediction: the last counts.",
    )
    return tuple(note for note in notes if isinstance(note, str) and note)
