"""What can be opened, and what an opened model is."""

from __future__ import annotations

import importlib
from typing import Any

from pellucid.errors import MissingDependency
from pellucid.plugins import require
from pellucid.studio.workers.opening import Opening
from pellucid.studio.workers.warm import Warm


def warm_up(warm: Warm) -> None:  # noqa: ARG001 - all tasks take it
    """Import what answers take, so that the first one does not wait for it."""
    importlib.import_module("pellucid.studio.asking.explaining")


def describe(warm: Warm, *, model: Opening) -> dict[str, Any]:
    """Open a model; returns what `ModelDetail` of the API holds but reference and title."""
    from pellucid.model import ImageInput

    opened = warm.model(model)
    read = opened.input
    return {
        "kind": read.kind,
        "labels": list(opened.labels),
        "num_parameters": sum(p.numel() for p in opened.module.parameters()),
        "layers": [name for name, _ in opened.module.named_modules() if name],
        "input_size": list(read.size) if isinstance(read, ImageInput) else [],
        "notes": list(opened.notes),
    }


def known_names(warm: Warm) -> dict[str, list[str]]:  # noqa: ARG001 - all tasks take it
    """Names that the sources of models know by themselves: those with trained weights."""
    from torchvision import models

    found = {"torchvision": sorted(models.list_models(module=models))}
    try:
        timm = require("timm", extra="timm", why="to list its models")
    except MissingDependency:
        return found
    return found | {"timm": sorted(timm.list_pretrained())}
