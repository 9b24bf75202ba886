"""What is different between two models: their answers, their mistakes, and their reasons?"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from pellucid.analysis.comparison_arrays import (
    MODELS,
    choose_explained,
    choose_shown,
    measure_pair,
)
from pellucid.analysis.comparison_explained import explain_both, explained_arrays
from pellucid.analysis.comparison_json import comparison_json
from pellucid.analysis.comparison_notes import comparison_notes
from pellucid.analysis.comparison_predictions import Pair, PairedPredictions, predict_pair
from pellucid.analysis.comparison_views import comparison_views
from pellucid.analysis.comparison_words import headline, summary
from pellucid.analysis.intervals import CONFIDENCE, Counts
from pellucid.analysis.predictions import refuse_other_kind
from pellucid.analysis.shown import read_again, snippet, thumbnail
from pellucid.attribution.explanation import Explanation
from pellucid.attribution.registry import find_method
from pellucid.data import Data
from pellucid.data.splits import spread
from pellucid.model import Model
from pellucid.result import Provenance, Result
from pellucid.views import View

EXPLAINED_AT_ONCE = 8
TARGET = "the true class, else an answer that both models know"


@dataclass(frozen=True, kw_only=True)
class Comparison(Result):
    """Two models, A and B, on the same samples in step.

    `data` holds, for each model and sample, the answer (`predicted`, a place in `label`), its
    `confidence`, the `probability` of the `compared_class` (the true one where both models know
    it, else an answer that both know), whether the model can be `judged` and is `correct`; for each
    sample its `outcome` and the `change` of that probability from A to B; over all, `accuracy` and
    `calibration_error` of each model, `agreement_matrix` (right or wrong of A, of B),
    `accuracy_gain`, `same_answer` and `mcnemar_p`, with 95 % intervals (`…_low`, `…_high`).

    Of the samples `explained_sample` it holds both explanations under their names with `_a` and
    `_b` (`attribution_a`, …), and how alike the maps are (`rank_correlation`, `top_overlap`); of
    the samples `shown_sample` small pictures (`thumbnails`) or starts of texts (`snippets`). What
    is not defined is NaN.
    """

    kind: ClassVar[str] = "comparison"

    def views(self) -> list[View]:
        """Both models' figures, who is right where, the flips, and both explanations in step."""
        return comparison_views(self.data)

    def summary(self) -> str:
        """Say in a few sentences which model is better, whether by chance, and what changed."""
        return summary(self.data, self.meta.notes)

    def headline(self) -> list[tuple[str, str, str]]:
        """Give the figures to show first: (label, value, detail)."""
        return headline(self.data)

    def to_json(self) -> dict[str, Any]:
        """Give figures, flips, explained samples and provenance as JSON values, without maps."""
        return comparison_json(self.data) | {"provenance": self.meta.to_json()}


def compare(
    model_a: Model,
    model_b: Model,
    data: Data,
    *,
    methods: str | Sequence[str] | None = None,
    limit: int | None = None,
    num_explained: int = 8,
    layer: str | None = None,
    batch_size: int = 32,
    seed: int = 0,
    show: bool | None = None,
    training_ids: Collection[str] = (),
) -> Comparison:
    """Run two models on the same samples and tell where their answers and reasons differ.

    Classes are matched by name, so the heads may differ; models that share no class are compared
    by how sure they are and by their maps alone. `limit` samples are drawn with `seed`, in the
    proportions of the classes. `num_explained` of them are explained for both models by the same
    `methods` (by default grad_cam for pictures, else integrated_gradients), for the same class
    where both know it: flips first, then the largest changes. `layer` goes to methods that take
    one. `training_ids` are ids of samples that either model was fine-tuned on; the result says if
    any is among those compared.

    Raises DataError for data of another kind than a model's or without a readable sample, SpecError
    or MethodError for an unknown method or one that is not defined for the models, ModelError for
    a model that gives no finite logits.
    """
    started = time.perf_counter()
    models = model_a, model_b
    names = _methods(models, data, methods)
    chosen = data if limit is None else spread(data, limit, seed)
    predicted = predict_pair(models, chosen, batch_size=batch_size, show=show)
    arrays = _measure(models, predicted, frozenset(training_ids), seed)
    pair = explain_both(
        models,
        predicted,
        arrays,
        choose_explained(arrays, num_explained),
        methods=names,
        layer=layer,
        batch_size=min(batch_size, EXPLAINED_AT_ONCE),
        seed=seed,
        show=show,
    )
    if pair:
        arrays = arrays.assign(explained_arrays(pair, predicted.sample_ids))
    parameters = {
        "model_a": asdict(model_a.identity),
        "limit": limit,
        "num_explained": num_explained,
        "batch_size": batch_size,
        "confidence": CONFIDENCE,
        "num_unreadable": predicted.num_unreadable,
        "explanation": _settings(pair),
    }
    meta = Provenance(
        kind=Comparison.kind,
        model=model_b.identity,
        data=chosen.identity,
        method=", ".join(names) if pair else "",
        parameters=parameters,
        target=TARGET if pair else "",
        seed=seed,
        seconds=time.perf_counter() - started,
        notes=comparison_notes(models, predicted, arrays, pair),
    )
    return Comparison(data=arrays, meta=meta)


def _methods(models: Pair, data: Data, given: str | Sequence[str] | None) -> list[str]:
    """Names of the methods; refuses what is unknown or does not fit, before any work."""
    default = "grad_cam" if models[0].input.kind == "image" else "integrated_gradients"
    names = [given] if isinstance(given, str) else list(given or [default])
    for model in models:
        refuse_other_kind(model, data)
        for name in names:
            card = find_method(name).card
            if model.input.kind != "array":  # arrays may be pictures, which shows later
                card.check_kind(model.input.kind)
    return names


def _measure(
    models: Pair, predicted: PairedPredictions, training_ids: frozenset[str], seed: int
) -> xr.Dataset:
    ids = predicted.sample_ids
    arrays = measure_pair(
        logits=predicted.logits,
        classes=predicted.classes,
        target=predicted.target,
        sample_ids=ids,
        in_training=np.array([sample in training_ids for sample in ids]),
        seed=seed,
    )
    sources = np.array([model.source for model in models], dtype=np.str_)
    shown = _shown(models, predicted, choose_shown(arrays))
    return arrays.assign(model_source=("model", sources), **shown)


def _shown(models: Pair, predicted: PairedPredictions, chosen: Counts) -> dict[str, Any]:
    """Read the chosen samples again; arrays that are no pictures have nothing to show."""
    data = predicted.data
    pictures = "image" in (data.kind, *(model.input.kind for model in models))
    if not pictures and data.kind != "text":
        return {}
    kept, raws = read_again(data, predicted.positions[chosen].tolist())
    found: dict[str, Any] = {"shown_sample": ("shown", chosen[kept])}
    if pictures and raws:
        pixels = np.stack([thumbnail(raw) for raw in raws])
        found["thumbnails"] = (("shown", "y", "x", "channel"), pixels)
    elif raws:
        found["snippets"] = ("shown", np.array([snippet(raw) for raw in raws], dtype=np.str_))
    return found


def _settings(pair: tuple[Explanation, Explanation] | None) -> dict[str, Any]:
    """The parameters of the methods for each model."""
    return {name: each.meta.parameters for name, each in zip(MODELS, pair or (), strict=False)}
