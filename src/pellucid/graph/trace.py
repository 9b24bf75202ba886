"""Trace a module once to ATen operators, with a dynamic batch dimension.

`torch.export` records the call as a flat graph whose parameters and buffers are those of the
module itself, not copies: training a part of the graph trains the module.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, fx, nn

from pellucid.errors import ModelError
from pellucid.model import Inputs, Model, call

ROOT = "module"


@dataclass(frozen=True)
class Trace:
    """One recorded call: `program` maps the inputs, in the order of `inputs`, to the logits."""

    program: fx.GraphModule
    inputs: tuple[str, ...]

    @property
    def batch(self) -> torch.SymInt | int:
        """The batch size, a symbol where it is dynamic."""
        first = next(node for node in self.program.graph.nodes if node.op == "placeholder")
        size: torch.SymInt | int = first.meta["val"].shape[0]
        return size


class Logits(nn.Module):
    """Takes the inputs by position and returns the logits, whatever the model's own signature."""

    def __init__(self, module: nn.Module, names: tuple[str, ...]) -> None:
        super().__init__()
        self.module = module
        self.names = names

    def forward(self, *tensors: Tensor) -> Tensor:
        return call(self.module, dict(zip(self.names, tensors, strict=True)))


def trace(model: Model, inputs: Inputs) -> Trace:
    """Trace a model in its present training modes on an example batch of at least two samples.

    Raises ModelError with the exporter's reason where the model cannot be traced. The model is
    left as it was: buffers that a training-mode call would change are put back.
    """
    names = tuple(inputs)
    tensors = tuple(inputs[name].to(model.device) for name in names)
    free = torch.export.Dim.DYNAMIC
    shapes = tuple(dict.fromkeys(_dynamic_axes(name, t), free) for name, t in inputs.items())
    with unchanged_buffers(model.module), _quiet():
        try:
            program = torch.export.export(
                Logits(model.module, names), tensors, dynamic_shapes=(shapes,), strict=False
            )
        except Exception as error:
            reason = str(error).strip().partition("\n")[0]
            raise ModelError(
                f"{type(model.module).__name__} cannot be traced: {type(error).__name__}: {reason}"
            ) from error
    return Trace(program.module(check_guards=False), names)


def _dynamic_axes(name: str, tensor: Tensor) -> list[int]:
    """Axes whose size may change: the batch, and the length of a text."""
    is_text = bool(name) and tensor.ndim == 2 and not tensor.is_floating_point()
    return [0, 1] if is_text else [0]


@contextmanager
def unchanged_buffers(module: nn.Module) -> Iterator[None]:
    """Put buffers (running statistics) back to what they were before the block."""
    kept = {name: buffer.clone() for name, buffer in module.named_buffers()}
    try:
        yield
    finally:
        with torch.no_grad():
            for name, buffer in module.named_buffers():
                buffer.copy_(kept[name])


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's chatter off the user's terminal; what matters is raised."""
    loggers = [logging.getLogger(name) for name in ("torch.export", "torch.fx", "torch._dynamo")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
