"""What a model is, as JSON: what `str(model)` tells people."""

from __future__ import annotations

from typing import Any

from pellucid.model.protocol import Model

SHOWN_LABELS = 6


def describe(model: Model) -> dict[str, Any]:
    """Describe a model in JSON values: source, size, input, task, labels, head, device, notes.

    `labels` holds their `count` and the `first` few; `input` its kind and a sentence about it.
    """
    parameters = list(model.module.parameters())
    return {
        "source": model.source,
        "architecture": type(model.module).__name__,
        "parameters": sum(parameter.numel() for parameter in parameters),
        "trainable": sum(p.numel() for p in parameters if p.requires_grad),
        "input": {"kind": model.input.kind, "description": model.input.describe()},
        "task": model.task,
        "labels": {"count": len(model.labels), "first": list(model.labels[:SHOWN_LABELS])},
        "head": model.head,
        "device": str(model.device),
        "run": model.run,
        "notes": list(model.notes),
    }
