"""What does a model answer for one input?"""

from __future__ import annotations

import math
import time
from typing import Any

import torch
from torch import Tensor

from pellucid.attribution.registry import PLURALS
from pellucid.errors import DataError
from pellucid.model import Inputs, Model
from pellucid.model.labels import class_names
from pellucid.studio.asking.inputs import Given
from pellucid.studio.workers.opening import Opening
from pellucid.studio.workers.warm import Warm

NUM_ANSWERS = 10


def predict(warm: Warm, *, model: Opening, given: Given) -> dict[str, Any]:
    """Ask a model about one input; returns what `Predictions` of the API holds."""
    opened, inputs = prepared(warm, model, given)
    started = time.perf_counter()
    with opened.evaluating(), torch.inference_mode():
        logits = opened.logits(inputs)[0].float().cpu()
    return predictions(opened, logits, time.perf_counter() - started)


def prepared(warm: Warm, opening: Opening, given: Given) -> tuple[Model, Inputs]:
    """Open the model, and prepare the input for it. Raises DataError where they do not fit."""
    model = warm.model(opening)
    if model.input.kind != given.kind:
        raise DataError(
            f"{model.source} takes {PLURALS[model.input.kind]}, but {given.title!r} is "
            f"{'a text' if given.kind == 'text' else 'a picture'}. Choose another input or model."
        )
    return model, model.prepare([warm.raw(given)])


def predictions(model: Model, logits: Tensor, seconds: float) -> dict[str, Any]:
    """The most probable answers of logits (classes,), as the API gives them."""
    order = logits.argsort(descending=True, stable=True)[:NUM_ANSWERS].tolist()
    return {
        "answers": [answer(model, logits, index) for index in order],
        "num_classes": len(logits),
        "seconds": seconds,
    }


def answer(model: Model, logits: Tensor, index: int) -> dict[str, Any]:
    """One class with its logit and probability; null where they are not finite."""
    names = class_names(model.labels, (), len(logits))
    return {
        "label": str(names[index]),
        "index": index,
        "logit": _finite(float(logits[index])),
        "probability": _finite(float(logits.softmax(0)[index])),
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
