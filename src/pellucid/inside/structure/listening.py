"""Models without a graph: what can be seen by listening to their modules."""

from __future__ import annotations

from contextlib import ExitStack
from time import perf_counter
from typing import Any

import torch
from torch import Tensor, nn

from pellucid.inside.structure.parts import UNKNOWN, Operator, Parts
from pellucid.inside.structure.reading import modules_of, path_of
from pellucid.model import Inputs, Model


def read_modules(model: Model, inputs: Inputs, why: str) -> Parts:
    """Innermost modules in the order of their calls, without edges; FLOPs are unknown."""
    size = next((len(tensor) for tensor in inputs.values() if tensor.ndim), 1)
    found: list[Operator] = []
    seen: set[int] = set()

    def note(name: str, part: nn.Module, output: Any, seconds: float) -> None:
        tensor = output[0] if isinstance(output, tuple | list) and output else output
        known = isinstance(tensor, Tensor)
        own = [p for p in part.parameters() if id(p) not in seen]
        seen.update(id(p) for p in own)
        found.append(
            Operator(
                name=f"{name} {len(found)}",
                operator=type(part).__name__,
                path=path_of(name),
                shape=_shape(tensor, size) if known else "",
                dtype=str(tensor.dtype).removeprefix("torch.") if known else "",
                parameters=sum(p.numel() for p in own),
                flops=UNKNOWN,
                bytes=tensor.numel() * tensor.element_size() / size if known else UNKNOWN,
                seconds=seconds,
            )
        )

    with ExitStack() as hooks, model.evaluating(), torch.no_grad():
        for name, part in model.module.named_modules():
            if not list(part.children()):
                _listen(hooks, name, part, note)
        model.logits(inputs)
    return Parts(operators=tuple(found), modules=modules_of(model.module), how="hooks", why=why)


def _listen(hooks: ExitStack, name: str, part: nn.Module, note: Any) -> None:
    starts: list[float] = []

    def before(_module: nn.Module, _arguments: Any) -> None:
        starts.append(perf_counter())

    def after(_module: nn.Module, _arguments: Any, output: Any) -> None:
        note(name, part, output, perf_counter() - starts.pop())

    hooks.callback(part.register_forward_pre_hook(before).remove)
    hooks.callback(part.register_forward_hook(after).remove)


def _shape(tensor: Tensor, size: int) -> str:
    lengths = ["n" if i == 0 and n == size else str(n) for i, n in enumerate(tensor.shape)]
    return " × ".join(lengths) or "one number"
