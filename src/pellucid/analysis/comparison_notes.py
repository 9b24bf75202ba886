"""What to beware of in a comparison."""

from __future__ import annotations

import numpy as np
import xarray as xr

from pellucid.analysis.comparison_arrays import MODELS
from pellucid.analysis.comparison_predictions import Pair, PairedPredictions
from pellucid.analysis.comparison_words import training_warning
from pellucid.attribution.explanation import Explanation
from pellucid.model import ImageInput, Model
from pellucid.model.labels import has_names
from pellucid.views.prose import counted, listed

NOTHING_SHARED = (
    "A and B share no class by name, so their answers cannot be compared; compared are how sure "
    "each is of its own answer, and what it looks at for that."
)


def comparison_notes(
    models: Pair,
    predicted: PairedPredictions,
    arrays: xr.Dataset,
    pair: tuple[Explanation, Explanation] | None,
) -> tuple[str, ...]:
    """One sentence or two for each thing that limits what the figures say."""
    unlabelled = int((arrays["target"].values < 0).sum())
    total = arrays.sizes["sample"]
    found = (
        "The weights of A and B are the same."
        if models[0].identity.weights == models[1].identity.weights
        else "",
        training_warning(arrays),
        *_class_notes(models, predicted),
        f"{counted(predicted.num_unreadable, 'sample')} could not be read and did not count."
        if predicted.num_unreadable
        else "",
        f"{counted(unlabelled, 'sample')} without a label did not count for right and wrong."
        if 0 < unlabelled < total
        else "",
        *(_map_notes(models, arrays) if pair else ()),
        *(
            f"{name}: {note}"
            for name, each in zip(MODELS, pair or (), strict=False)
            for note in each.meta.notes
        ),
    )
    return tuple(note for note in found if note)


def _class_notes(models: Pair, predicted: PairedPredictions) -> list[str]:
    classes = predicted.classes
    names = np.array(classes.labels)
    if not len(classes.shared):
        return [NOTHING_SHARED]
    notes = []
    if classes.by_position:
        silent = [n for n, model in zip(MODELS, models, strict=True) if not has_names(model.labels)]
        verb = "does not name its" if len(silent) == 1 else "do not name their"
        notes.append(f"{listed(silent)} {verb} classes: they were matched by their order.")
    for name, own, other in (
        ("A", classes.outputs_a, classes.outputs_b),
        ("B", classes.outputs_b, classes.outputs_a),
    ):
        alone = np.setdiff1d(own, other)
        if len(alone):
            notes.append(f"Only {name} knows {listed([str(label) for label in names[alone]])}.")
    return notes


def _map_notes(models: Pair, arrays: xr.Dataset) -> list[str]:
    notes = []
    views = [_field_of_view(model) for model in models]
    if views[0] != views[1]:
        notes.append(
            "A and B cut out or stretch pictures differently, so places in their maps agree only "
            "roughly."
        )
    if arrays["rank_correlation"].isnull().all():
        notes.append(
            "The maps could not be compared place by place: they are constant, or the models take "
            "their input apart differently."
        )
    return notes


def _field_of_view(model: Model) -> tuple[float, ...]:
    """What part of a picture a model sees: sides of the cut-out as shares of the resized side."""
    if not isinstance(model.input, ImageInput) or model.input.resize is None:
        return ()
    return tuple(round(side / model.input.resize, 2) for side in model.input.size)
