"""Propagation: run a recorded model forward so that the way back follows rules, not derivatives.

The operators are run one by one. Each gives its value, and a rule says what is sent back through
it: a multiplier (DeepLIFT), relevance (LRP), a bent gradient (guided backpropagation). What is
linear sends its derivative, so the whole costs little more than a gradient of the model, and the
way back is walked by autograd.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import Any

import torch
from torch import Tensor, fx, nn

from pellucid.graph.propagation.kinds import FILLS
from pellucid.graph.propagation.operate import operate
from pellucid.graph.propagation.pointwise import Part, pointwise_parts
from pellucid.graph.propagation.rules import Curve, Rules, Step, moves


@dataclass(frozen=True, kw_only=True)
class Propagation:
    """A recorded model, ready to be run under a table of rules.

    `module` holds the tensors that `graph` names; `fixed` gives the values of the other inputs;
    `start` is the node that is explained. All is computed in `dtype`.
    """

    module: nn.Module
    graph: fx.Graph
    start: fx.Node
    fixed: Mapping[fx.Node, Tensor]
    rules: Rules
    dtype: torch.dtype

    @cached_property
    def parts(self) -> dict[fx.Node, Part]:
        """Pointwise parts by their last node."""
        return pointwise_parts(self.graph, self.dependent)

    @cached_property
    def dependent(self) -> set[fx.Node]:
        """All nodes that depend on what is explained."""
        return following(self.start)

    def run(self, point: Tensor, base: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The output at a point that requires gradients, and at a baseline; no gradients there.

        Without a baseline, the output is given twice. Raises MethodError for operators that the
        rules are not defined for.
        """
        walk = _Walk(self, point.to(self.dtype), None if base is None else base.to(self.dtype))
        (last,) = self.graph.output_node().all_input_nodes
        for node in self.graph.nodes:
            if node.op != "output":
                walk.visit(node)
        return walk.values[last], walk.bases[last]

    def operate(self, node: fx.Node, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run one node on given arguments."""
        return operate(node, args, kwargs, self.dtype)

    @cached_property
    def ends(self) -> dict[fx.Node, list[fx.Node]]:
        """For each node, what is not needed any more once it was computed."""
        last: dict[fx.Node, fx.Node] = {}
        for node in self.graph.nodes:
            for source in self._needs(node):
                if source in self.dependent:
                    last[source] = node
        ends: dict[fx.Node, list[fx.Node]] = {}
        for source, node in last.items():
            if node.op != "output":
                ends.setdefault(node, []).append(source)
        return ends

    def _needs(self, node: fx.Node) -> Iterator[fx.Node]:
        yield from node.all_input_nodes
        if node in self.parts:
            yield self.parts[node].root


class _Walk:
    """One run: values at the point and at the baseline, kept as long as they are needed."""

    def __init__(self, plan: Propagation, point: Tensor, base: Tensor | None) -> None:
        self.plan = plan
        self.values: dict[fx.Node, Any] = {}
        self.bases: dict[fx.Node, Any] = {}
        self.paired = base is not None
        self.given = (point, point if base is None else base)

    def visit(self, node: fx.Node) -> None:
        if node is self.plan.start:
            self.values[node], self.bases[node] = self.given
        elif node.op == "placeholder":
            self._keep(node, self._cast(self.plan.fixed[node]))
        elif node.op == "get_attr":
            self._keep(node, self._cast(attrgetter(str(node.target))(self.plan.module)))
        else:
            self._compute(node)
        for ended in self.plan.ends.get(node, ()):
            del self.values[ended], self.bases[ended]

    def _compute(self, node: fx.Node) -> None:
        args, kwargs = _filled(node, self.values)
        base_args, base_kwargs = _filled(node, self.bases)
        differs = any(self.values[i] is not self.bases[i] for i in node.all_input_nodes)
        depends = differs or moves(args) or moves(list(kwargs.values()))
        if node.target in FILLS or not depends:
            with torch.no_grad():
                self._keep(node, self.plan.operate(node, args, kwargs))
            return
        base = None
        if self.paired:
            with torch.no_grad():
                base = self.plan.operate(node, base_args, base_kwargs)
        step = Step(
            node=node,
            dtype=self.plan.dtype,
            args=args,
            kwargs=kwargs,
            base_args=base_args,
            base=base,
        )
        value = self._value(step)
        same = not self.paired or (_is_discrete(value) and _equal(value, base))
        self.values[node], self.bases[node] = value, value if same else base

    def _value(self, step: Step) -> Any:
        recorded = step.node.meta.get("val") if step.base is None else step.base
        if _is_discrete(recorded):
            return step.value()
        curve = self._curve(step.node)
        if curve is None or curve.num_operators == 1:
            self._check_same_way(step.node)
        return self.plan.rules.find(step.node, curve)(step)

    def _curve(self, node: fx.Node) -> Curve | None:
        part = self.plan.parts.get(node)
        if part is None or not moves(self.values[part.root]):
            return None
        return Curve(
            root=self.values[part.root],
            base=self.bases[part.root],
            function=part.function(self.values, self.plan.operate),
            num_operators=len(part.nodes),
            smooth=part.smooth,
        )

    def _check_same_way(self, node: fx.Node) -> None:
        """Refuse operators that choose by the numbers, and choose otherwise at the baseline."""
        for source in node.all_input_nodes:
            value = self.values[source]
            if value is not self.bases[source] and _is_discrete(value):
                why = "it takes another way for the input than for its baseline"
                self.plan.rules.refuse(node, why)

    def _cast(self, value: Any) -> Any:
        floating = isinstance(value, Tensor) and value.is_floating_point()
        return value.detach().to(self.plan.dtype) if floating else value

    def _keep(self, node: fx.Node, value: Any) -> None:
        self.values[node] = self.bases[node] = value


def following(start: fx.Node) -> set[fx.Node]:
    """A node and all that depend on it."""
    found = {start}
    pending = [start]
    while pending:
        new = [user for user in pending.pop().users if user not in found]
        found.update(new)
        pending.extend(new)
    return found


def _filled(node: fx.Node, values: Mapping[fx.Node, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    args, kwargs = fx.node.map_arg((node.args, node.kwargs), values.__getitem__)
    return tuple(args), dict(kwargs)


def _is_discrete(value: Any) -> bool:
    """Whether a value is of whole numbers or truth values, which nothing is sent back to."""
    if isinstance(value, tuple | list):
        return False
    return not (isinstance(value, Tensor) and value.is_floating_point())


def _equal(value: Any, base: Any) -> bool:
    return torch.equal(value, base) if isinstance(value, Tensor) else bool(value == base)
