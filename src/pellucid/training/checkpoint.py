"""Checkpoints: weights and optimizer state as safetensors, the rest as JSON, whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from pellucid.files import recovered, replacing


@dataclass
class TrainingState:
    """Where a training is: the next step to take, and what it has found so far."""

    phase: int = 0
    epoch: int = 0
    step_in_epoch: int = 0
    step: int = 0
    best_loss: float | None = None
    best_accuracy: float | None = None
    best_epoch: int = 0
    epochs_without_gain: int = 0
    phase_epoch: int = 0
    seconds: float = 0.0
    totals: dict[str, float] = field(default_factory=dict)


def save_checkpoint(
    folder: Path,
    weights: Mapping[str, Tensor],
    state: TrainingState,
    optimizer: Mapping[str, Any] | None = None,
) -> None:
    """Write weights.safetensors, state.json and, if given, optimizer.safetensors into `folder`."""
    with replacing(folder) as temporary:
        temporary.mkdir(parents=True)
        save_file(_contiguous(weights), temporary / "weights.safetensors")
        record: dict[str, Any] = {"state": asdict(state)}
        if optimizer is not None:
            tensors, record["optimizer"] = flatten(optimizer)
            save_file(_contiguous(tensors), temporary / "optimizer.safetensors")
        (temporary / "state.json").write_text(json.dumps(record), "utf-8")


def load_checkpoint(folder: Path) -> tuple[dict[str, Tensor], TrainingState, dict[str, Any] | None]:
    """Read weights, state, and the optimizer's state dict if one was saved."""
    record = json.loads((recovered(folder) / "state.json").read_text("utf-8"))
    weights = load_file(folder / "weights.safetensors")
    optimizer = None
    if "optimizer" in record:
        optimizer = unflatten(load_file(folder / "optimizer.safetensors"), record["optimizer"])
    return weights, TrainingState(**record["state"]), optimizer


def flatten(optimizer: Mapping[str, Any]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Split an optimizer's state dict into named tensors and a JSON record of the rest."""
    tensors: dict[str, Tensor] = {}
    rest: dict[str, dict[str, Any]] = {}
    for number, entry in optimizer["state"].items():
        for name, value in entry.items():
            if isinstance(value, Tensor):
                tensors[f"{number}.{name}"] = value
            else:
                rest.setdefault(str(number), {})[name] = value
    return tensors, {"groups": optimizer["param_groups"], "rest": rest}


def unflatten(tensors: Mapping[str, Tensor], record: Mapping[str, Any]) -> dict[str, Any]:
    """Put an optimizer's state dict together again."""
    state: dict[int, dict[str, Any]] = {int(n): dict(entry) for n, entry in record["rest"].items()}
    for key, tensor in tensors.items():
        number, _, name = key.partition(".")
        state.setdefault(int(number), {})[name] = tensor
    return {"state": state, "param_groups": record["groups"]}


def _contiguous(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Copies that share no memory, as the format asks."""
    return {name: t.detach().to("cpu", copy=True).contiguous() for name, t in tensors.items()}


@torch.no_grad()
def restore(target: Mapping[str, Tensor], saved: Mapping[str, Tensor]) -> None:
    """Copy saved tensors into those of the same name."""
    for name, tensor in saved.items():
        target[name].copy_(tensor)
