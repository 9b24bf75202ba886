"""Optimizers, learning-rate schedules and mixed precision."""

from __future__ import annotations

import math
from typing import Any

import torch

from pellucid.errors import SpecError
from pellucid.training.config import TrainingConfig

MOMENTUM = 0.9


def make_optimizer(config: TrainingConfig, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
    """Make the optimizer over parameter groups that carry their `scale`."""
    if config.optimizer == "sgd":
        return torch.optim.SGD(
            groups, lr=config.rate, momentum=MOMENTUM, weight_decay=config.weight_decay
        )
    return torch.optim.AdamW(groups, lr=config.rate, weight_decay=config.weight_decay)


def learning_rate(config: TrainingConfig, step: int, total: int) -> float:
    """Rate at a step of a phase: a linear warm-up, then the schedule down to zero."""
    warmup = round(config.warmup * total)
    if step < warmup:
        return config.rate * (step + 1) / warmup
    share = (step - warmup) / max(1, total - warmup)
    if config.schedule == "cosine":
        return config.rate * 0.5 * (1 + math.cos(math.pi * share))
    return config.rate * (1 - share if config.schedule == "linear" else 1.0)


def choose_precision(precision: str, device: torch.device) -> str:
    """Accelerate's name for a precision; "auto" is bf16 where the device computes it natively.

    Raises SpecError for half precision on a CPU, where it is slower and fp16 overflows.
    """
    if precision == "auto":
        native = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
        return "bf16" if native else "no"
    if precision == "fp16" and device.type == "cpu":
        raise SpecError("precision='fp16' needs a GPU; use 'fp32' or 'auto' on a CPU.")
    return "no" if precision == "fp32" else precision


def make_accelerator(precision: str, device: torch.device) -> Any:
    """Make Accelerate's Accelerator for this device and precision.

    Accelerate keeps one state per process; a second training may ask for another precision.
    """
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState

    mixed = choose_precision(precision, device)
    if AcceleratorState._shared_state:  # noqa: SLF001
        AcceleratorState._reset_state(reset_partial_state=True)  # noqa: SLF001
    return Accelerator(mixed_precision=mixed, cpu=device.type == "cpu")
