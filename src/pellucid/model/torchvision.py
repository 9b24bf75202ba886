"""Classifiers of torchvision: `torchvision:resnet18`."""

from __future__ import annotations

import contextlib
import sys
from typing import Any

from torchvision import models

from pellucid.errors import ModelError, closest
from pellucid.model.inputs import ImageInput
from pellucid.model.protocol import Model
from pellucid.model.request import LoadRequest
from pellucid.model.weights import read_state_dict

# These two train with auxiliary classifiers, which take no part in the logits, and read pictures
# in ImageNet's normalization only if told to.
AUXILIARY = ("googlenet", "inception_v3")


def load(rest: str, request: LoadRequest) -> Model:
    """Open a classifier of torchvision by name.

    Input and labels are those of its default weights. Raises ModelError for a name that is
    unknown or no classifier, and for weights that cannot be downloaded.
    """
    classifiers = models.list_models(module=models)
    if rest not in classifiers:
        known = rest in models.list_models()
        problem = "is not a classifier" if known else "is unknown"
        raise ModelError(f"torchvision:{rest} {problem}. {closest(rest, classifiers)}")
    weights = models.get_model_weights(rest).DEFAULT
    record = {"source": "torchvision", "name": rest} | _auxiliary(rest, request)
    options = _options(record, request)
    if request.pretrained:
        _download(rest, weights)
    return Model(
        module=models.get_model(rest, weights=weights if request.pretrained else None, **options),
        source=f"torchvision:{rest}",
        input=_input(weights.transforms()),
        labels=tuple(weights.meta["categories"]),
        device=request.device,
        architecture=record,
        notes=request.notes,
    )


def _auxiliary(name: str, request: LoadRequest) -> dict[str, bool]:
    """Say whether to build the auxiliary classifiers: only for weights that hold them."""
    if name not in AUXILIARY:
        return {}
    if request.weights is None:
        return {"aux_logits": bool(request.record.get("aux_logits", False))}
    held = read_state_dict(request.weights, trust=request.trust)
    return {"aux_logits": any("aux" in layer.lower() for layer in held)}


def _options(record: dict[str, Any], request: LoadRequest) -> dict[str, bool]:
    if "aux_logits" not in record:
        return {}
    overwritten = request.pretrained or request.weights is not None or bool(request.record)
    return {
        "aux_logits": record["aux_logits"],
        "transform_input": True,
        "init_weights": not overwritten,
    }


def _download(name: str, weights: Any) -> None:
    """Bring the weights into torch's cache, and make sure that they are nothing but tensors."""
    try:
        with contextlib.redirect_stdout(sys.stderr):
            weights.get_state_dict(progress=sys.stderr.isatty(), check_hash=True, weights_only=True)
    except Exception as error:
        raise ModelError(
            f"the weights of torchvision:{name} cannot be had from {weights.url}: {error}. "
            "Check the network, or pass weights=FILE, or weights=False for random ones."
        ) from error


def _input(preset: Any) -> ImageInput:
    (crop,), (resize,) = preset.crop_size, preset.resize_size
    return ImageInput(
        size=(crop, crop),
        resize=resize,
        interpolation=preset.interpolation.value,
        mean=tuple(preset.mean),
        std=tuple(preset.std),
    )
