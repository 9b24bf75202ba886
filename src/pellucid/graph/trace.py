"""Trace a module once to ATen operators, with a dynamic batch dimension.

`torch.export` records the call as a flat graph whose parameters and buffers are those of the
module itself, not copies: training a part of the graph trains the module.
"""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
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
        return batch_of(self.program)


def batch_of(program: fx.GraphModule) -> torch.SymInt | int:
    """Length of the first input's first axis in a recorded program."""
    first = program.graph.find_nodes(op="placeholder")[0]
    size: torch.SymInt | int = first.meta["val"].shape[0]
    return size


class Logits(nn.Module):
    """Takes the inputs by position and returns the logits, whatever the model's own signature.

    The model gets copies, since some change their inputs in place.
    """

    def __init__(self, module: nn.Module, names: tuple[str, ...]) -> None:
        super().__init__()
        self.module = module
        self.names = names

    def forward(self, *tensors: Tensor) -> Tensor:
        copies = (tensor.clone() for tensor in tensors)
        return call(self.module, dict(zip(self.names, copies, strict=True)))


def trace(model: Model, inputs: Inputs) -> Trace:
    """Trace a model in its present training modes on an example batch of at least two samples.

    Raises ModelError with the exporter's reason where the model cannot be traced. The model is
    left as it was: buffers that a training-mode call would change are put back.
    """
    program = export(model, inputs, {name: dynamic_axes(name, t) for name, t in inputs.items()})
    return Trace(program.module(check_guards=False), tuple(inputs))


def export(
    model: Model, inputs: Inputs, axes: dict[str, list[int]]
) -> torch.export.ExportedProgram:
    """Export a model with axes of free length. Raises ModelError with the exporter's reason."""
    names = tuple(inputs)
    tensors = tuple(inputs[name].to(model.device) for name in names)
    shapes = tuple(dict.fromkeys(axes[name], torch.export.Dim.DYNAMIC) for name in names)
    with unchanged_buffers(model.module), quiet():
        try:
            return torch.export.export(
                Logits(model.module, names), tensors, dynamic_shapes=(shapes,), strict=False
            )
        except Exception as error:
            raise ModelError(
                f"{type(model.module).__name__} cannot be traced: {type(error).__name__}: "
                f"{first_line(error)}"
            ) from error


def first_line(error: Exception) -> str:
    """The first line of an error's message, or what it means where that is not enough."""
    if "Constraints violated" in str(error):
        return (
            "its call fixes the batch size or text length, as len(x) does and x.shape[0] does not"
        )
    return str(error).strip().partition("\n")[0]


def dynamic_axes(name: str, tensor: Tensor) -> list[int]:
    """Axes whose size may change: the batch, and the length of a text."""
    if tensor.ndim == 0:
        return []
    is_text = bool(name) and tensor.ndim == 2 and not tensor.is_floating_point()
    return [0, 1] if is_text else [0]


def place(model: Model, names: tuple[str, ...], inputs: Inputs) -> tuple[Tensor, ...]:
    """Inputs on the model's device, in the order of `names`. Raises ModelError for other names."""
    if set(inputs) != set(names):
        raise ModelError(
            f"inputs {sorted(inputs)} were given to a graph that was recorded with "
            f"{sorted(names)}. Record it again with these inputs."
        )
    return tuple(inputs[name].to(model.device) for name in names)


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
def quiet() -> Iterator[None]:
    """Keep the exporter's chatter off the user's terminal; what matters is raised."""
    loggers = [logging.getLogger(name) for name in ("torch.export", "torch.fx", "torch._dynamo")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        # A failed export writes the unfinished graph to the error stream.
        with warnings.catch_warnings(), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
