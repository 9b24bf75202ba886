"""Keeping a model in a folder, so that `run:DIR` opens it again without network.

model.safetensors   every parameter and buffer
model.json          source, architecture, head, labels, task, input, notes, package versions
config.json         of a Hugging Face model, beside tokenizer/ if it reads texts
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from torch import Tensor, nn

from pellucid.files import replacing, write_json
from pellucid.model.protocol import Model
from pellucid.result.provenance import package_versions

WEIGHTS = "model.safetensors"
RECORD = "model.json"


def save_model(model: Model, folder: Path) -> None:
    """Write the model into `folder`, whole or not at all; what was there before is replaced."""
    with replacing(folder) as temporary:
        temporary.mkdir()
        _save_weights(model.module, temporary / WEIGHTS)
        config: Any = getattr(model.module, "config", None)
        if hasattr(config, "save_pretrained"):
            config.save_pretrained(temporary)
        write_json(temporary / RECORD, _record(model, temporary))


def _save_weights(module: nn.Module, path: Path) -> None:
    """Save a tensor that several names share once; the metadata gives the others' kept name."""
    state: dict[str, Tensor] = {}
    kept: dict[Any, str] = {}
    aliases: dict[str, str] = {}
    for name, tensor in module.state_dict().items():
        if not isinstance(tensor, Tensor):
            continue
        memory = (tensor.device, tensor.data_ptr(), tuple(tensor.shape), tensor.stride())
        if tensor.numel() and memory in kept:
            aliases[name] = kept[memory]
        else:
            kept[memory] = name
            state[name] = tensor.detach().cpu().contiguous().clone()
    save_file(state, path, metadata={"format": "pt", **aliases})


def _record(model: Model, folder: Path) -> dict[str, Any]:
    return {
        "source": model.source,
        "architecture": model.architecture,
        "head": model.head,
        "labels": list(model.labels),
        "task": model.task,
        "input": model.input.to_json(folder),
        "notes": list(model.notes),
        "versions": package_versions(),
    }
