"""Recording: a model's call, written down as operators."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor, fx, nn

from pellucid.errors import ModelError
from pellucid.graph.trace import Logits, unchanged_buffers
from pellucid.model import Inputs, Model

How = Literal["export", "dispatch", "hooks"]
Example = tuple[torch.dtype, tuple[int | None, ...]]
TOLERANCE = 1e-3


@dataclass(frozen=True, kw_only=True, eq=False)
class Recording:
    """A recorded call, without a reference to the module it was recorded from.

    `examples` has the type and shape of each input, with None for axes whose length is free.
    `layers` gives the node of each module's last output. `parts` holds what was cut out of it.
    """

    how: How
    examples: dict[str, Example]
    program: fx.GraphModule | None = None
    why: str = ""
    layers: dict[str, fx.Node] = field(default_factory=dict)
    parts: dict[Any, Any] = field(default_factory=dict)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs, in the order in which the program takes them."""
        return tuple(self.examples)

    def holds_for(self, inputs: Inputs) -> bool:
        """Whether inputs are such as the recording was made with."""
        return set(inputs) == set(self.examples) and all(
            _fits(tensor, self.examples[name]) for name, tensor in inputs.items()
        )

    def check(self, inputs: Inputs) -> None:
        """Raise ModelError unless the recording holds for these inputs."""
        for name, tensor in inputs.items():
            if not _fits(tensor, self.examples[name]):
                dtype, shape = self.examples[name]
                expected = ", ".join("any" if n is None else str(n) for n in shape)
                raise ModelError(
                    f"input {name!r} is {tuple(tensor.shape)} of {tensor.dtype}; the graph was "
                    f"recorded for ({expected}) of {dtype}. Record it again with these inputs."
                )


def examples_of(inputs: Inputs, axes: dict[str, list[int]]) -> dict[str, Example]:
    """Types and shapes of inputs, with None for the free `axes` of each."""
    return {
        name: (t.dtype, tuple(None if i in axes[name] else n for i, n in enumerate(t.shape)))
        for name, t in inputs.items()
    }


def _fits(tensor: Tensor, example: Example) -> bool:
    dtype, shape = example
    return (
        tensor.dtype == dtype
        and len(tensor.shape) == len(shape)
        and all(
            expected in (None, length) for length, expected in zip(tensor.shape, shape, strict=True)
        )
    )


def holds(model: Model, program: fx.GraphModule, inputs: Inputs) -> bool:
    """Whether a program that was read from elsewhere runs and gives the model's own logits."""
    try:
        compare(model, program, inputs)
    except (ModelError, RuntimeError, TypeError, ValueError, IndexError):
        return False
    return True


def compare(model: Model, program: fx.GraphModule, inputs: Inputs) -> None:
    """Raise ModelError unless the program gives the model's own logits on the example."""
    placed = tuple(tensor.to(model.device) for tensor in inputs.values())
    with torch.no_grad(), unchanged_buffers(model.module):
        own, traced = Logits(model.module, tuple(inputs))(*placed), program(*placed)
    if own.shape != traced.shape:
        raise ModelError(f"the trace gives {tuple(traced.shape)}, the model {tuple(own.shape)}.")
    scale, error = float(own.abs().max()), float((own - traced).abs().max())
    allowed = max(TOLERANCE, 16 * torch.finfo(own.dtype).eps) * max(scale, TOLERANCE)
    if own.isfinite().all() and not error <= allowed:
        raise ModelError(
            f"{type(model.module).__name__} cannot be traced: the trace differs from the model by "
            f"{error:.2g} at logits up to {scale:.2g}."
        )


def tensors_of(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Parameters and buffers by name, shared ones under each of their names."""
    yield from module.named_parameters(remove_duplicate=False)
    yield from module.named_buffers(remove_duplicate=False)
