"""Give a graph that was read from disk the shapes of its values again, free lengths as symbols."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx.experimental.symbolic_shapes import DimDynamic, ShapeEnv, StatelessSymbolicContext


@dataclass(frozen=True)
class Symbols:
    """Types and shapes of the inputs, free lengths by name, and their lengths in the example."""

    inputs: tuple[tuple[str, tuple[int | str, ...]], ...]
    hints: dict[str, int]

    @classmethod
    def of(cls, program: fx.GraphModule) -> Symbols:
        """Read them off a recorded program."""
        inputs: list[tuple[str, tuple[int | str, ...]]] = []
        hints: dict[str, int] = {}
        for node in program.graph.find_nodes(op="placeholder"):
            value = node.meta["val"]
            shape = tuple(n if isinstance(n, int) else str(n) for n in value.shape)
            inputs.append((str(value.dtype).removeprefix("torch."), shape))
            hints |= {str(n): int(n.node.hint) for n in value.shape if not isinstance(n, int)}
        return cls(tuple(inputs), hints)

    def to_json(self) -> dict[str, Any]:
        return {"inputs": self.inputs, "hints": self.hints}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Symbols:
        return cls(tuple((t, tuple(shape)) for t, shape in record["inputs"]), record["hints"])


def with_values(program: fx.GraphModule, symbols: Symbols, device: torch.device) -> None:
    """Run a program on shapes alone and keep each node's value in `meta["val"]`."""
    mode = FakeTensorMode(shape_env=ShapeEnv(), allow_non_fake_inputs=True)
    free: StatelessSymbolicContext[Any, Any] = StatelessSymbolicContext(
        dynamic_sizes=[DimDynamic.DYNAMIC]
    )
    lengths: dict[int | str, Any] = {
        name: mode.from_tensor(torch.empty(hint), symbolic_context=free).shape[0]
        for name, hint in symbols.hints.items()
    }
    with mode:
        inputs = [
            torch.empty(
                [lengths.get(n, n) for n in shape],
                dtype=getattr(torch, dtype),
                device=device,
            )
            for dtype, shape in symbols.inputs
        ]
    with torch.no_grad(), mode:
        _Shapes(program, mode).run(*inputs)


class _Shapes(fx.Interpreter):
    def __init__(self, program: fx.GraphModule, mode: FakeTensorMode) -> None:
        super().__init__(program, graph=program.graph)
        self.mode = mode

    def fetch_attr(self, target: str) -> Any:
        found = super().fetch_attr(target)
        if isinstance(found, Tensor):
            return self.mode.from_tensor(found, static_shapes=True)
        return found

    def run_node(self, n: fx.Node) -> Any:
        n.meta["val"] = super().run_node(n)
        return n.meta["val"]
