"""What a model costs per sample: multiplications, parameters and memory, operator by operator.

FLOPs are those of PyTorch's own counter: 2 per multiply-add of matrix products, convolutions and
attention. All else (activations, norms, sums, pooling) counts 0 FLOPs; `elements` says how many
numbers an operator gives. Only what the logits depend on is counted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch._ops import OpOverload
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode

from pellucid.graph.trace import ROOT, batch_of

CALL = re.compile(r"@\d+")


@dataclass(frozen=True, kw_only=True)
class OperatorCost:
    """One call of an operator, for one sample; `module` is the innermost module that makes it.

    `parameters` counts those that it is the first to use; `bytes` is the size of its output.
    """

    name: str
    module: str
    operator: str
    flops: int
    elements: int
    parameters: int
    bytes: int
    shape: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class ModuleCost:
    """All operators inside a module and its children; the model itself is named ""."""

    name: str
    type: str
    flops: int
    elements: int
    parameters: int
    bytes: int


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What one sample costs, per operator in the order of calls and per module."""

    operators: tuple[OperatorCost, ...]
    modules: tuple[ModuleCost, ...]

    @property
    def flops(self) -> int:
        return sum(row.flops for row in self.operators)

    @property
    def parameters(self) -> int:
        return self.modules[0].parameters

    @property
    def bytes(self) -> int:
        """Sum of the sizes of all values, an upper bound of what a forward pass holds."""
        return sum(row.bytes for row in self.operators)


def cost_of(program: fx.GraphModule, module: nn.Module) -> Cost:
    """Count a recorded program on one sample of the example's shape, without computing it."""
    first = batch_of(program)
    # A program that was recorded for a fixed batch is counted as it is, and divided by its size.
    size = first if isinstance(first, int) else 1
    counter = _Counter(program, size)
    counter.run(*counter.samples(str(first)))
    operators = tuple(counter.rows)
    parts = module.named_modules()
    return Cost(operators=operators, modules=tuple(_total(n, m, operators) for n, m in parts))


class _Counter(fx.Interpreter):
    """Runs a program on tensors that have a shape but no values, and writes down each call."""

    def __init__(self, program: fx.GraphModule, size: int) -> None:
        super().__init__(program, graph=program.graph)
        self.size = size
        self.rows: list[OperatorCost] = []
        self._fakes = FakeTensorMode(allow_non_fake_inputs=True)
        self._seen: set[int] = set()

    def samples(self, batch: str) -> list[Tensor]:
        """An empty tensor for each input: one sample where the batch is free."""
        values = [n.meta["val"] for n in self.graph.nodes if n.op == "placeholder"]
        with self._fakes:
            return [
                torch.empty(
                    [self.size if str(length) == batch else hint(length) for length in v.shape],
                    dtype=v.dtype,
                    device=v.device,
                )
                for v in values
            ]

    def fetch_attr(self, target: str) -> Any:
        found = super().fetch_attr(target)
        return self._fakes.from_tensor(found) if isinstance(found, Tensor) else found

    def run_node(self, n: fx.Node) -> Any:
        with torch.no_grad(), self._fakes, FlopCounterMode(display=False) as counter:
            result = super().run_node(n)
        tensors = [t for t in _listed(result) if isinstance(t, Tensor)]
        if isinstance(n.target, OpOverload) and tensors:
            self.rows.append(self._row(n, tensors, counter.get_total_flops()))
        return result

    def _row(self, node: fx.Node, tensors: list[Tensor], flops: int) -> OperatorCost:
        assert isinstance(node.target, OpOverload)
        is_view = any(result.alias_info for result in node.target._schema.returns)  # noqa: SLF001
        held = 0 if is_view else sum(t.numel() * t.element_size() for t in tensors)
        return OperatorCost(
            name=node.name,
            module=module_of(node),
            operator=str(node.target),
            flops=flops // self.size,
            elements=tensors[0].numel() // self.size,
            parameters=self._parameters(node),
            bytes=held // self.size,
            shape=tuple(tensors[0].shape),
        )

    def _parameters(self, node: fx.Node) -> int:
        count = 0
        for source in node.all_input_nodes:
            found = super().fetch_attr(str(source.target)) if source.op == "get_attr" else None
            if isinstance(found, nn.Parameter) and id(found) not in self._seen:
                self._seen.add(id(found))
                count += found.numel()
        return count


def module_of(node: fx.Node) -> str:
    """Dotted name of the innermost module that a node was recorded in; "" is the model itself."""
    stack = node.meta.get("nn_module_stack") or {}
    path = [str(path) for path, _ in stack.values()][-1] if stack else ROOT
    return CALL.sub("", path).removeprefix(ROOT).removeprefix(".")


def hint(length: int | torch.SymInt) -> int:
    """The length that the example had."""
    return length if isinstance(length, int) else int(str(length.node.hint))


def _listed(result: Any) -> list[Any]:
    return list(result) if isinstance(result, (tuple, list)) else [result]


def _total(name: str, part: nn.Module, rows: tuple[OperatorCost, ...]) -> ModuleCost:
    inside = [r for r in rows if not name or r.module == name or r.module.startswith(f"{name}.")]
    return ModuleCost(
        name=name,
        type=type(part).__name__,
        flops=sum(row.flops for row in inside),
        elements=sum(row.elements for row in inside),
        parameters=sum(parameter.numel() for parameter in part.parameters()),
        bytes=sum(row.bytes for row in inside),
    )
