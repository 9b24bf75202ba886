"""Rules: what a method sends back through each operator.

    rules = Rules("deeplift", plain=MOVES | SUMS)

    @rules.rule(torch.ops.aten.relu.default)
    def relu(step: Step) -> Tensor:
        slope = …
        return bend(step.value(), step.args[:1], lambda sent: (sent * slope,))

A rule computes the operator's value, and gives it a way back. What is plain sends its derivative. An
operator without a rule that is not plain raises MethodError, instead of giving a wrong map.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from operator import getitem
from typing import Any, NoReturn, cast, final

import torch
from torch import Tensor, fx

from pellucid.errors import MethodError
from pellucid.graph.propagation.kinds import Operator
from pellucid.graph.propagation.operate import detached, operate

Pull = Callable[[Tensor], Sequence[Tensor | None]]


@dataclass(frozen=True, kw_only=True)
class Step:
    """One operator at work. Tensors that depend on what is explained require gradients.

    `args` are at the point, `base_args` at the baseline (the same without one), `base` is the
    operator's value there.
    """

    node: fx.Node
    dtype: torch.dtype
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    base_args: tuple[Any, ...]
    base: Any = None

    def run(self, *args: Any) -> Any:
        """The operator at other positional arguments; gradients are its derivative."""
        return operate(self.node, args, self.kwargs, self.dtype)

    def plain(self) -> Any:
        """The operator's value, with its derivative as the way back."""
        return self.run(*self.args)

    def value(self) -> Any:
        """The operator's value, with no way back."""
        with torch.no_grad():
            return detached(self.plain())

    def moving(self) -> list[int]:
        """Positions of the arguments that depend on what is explained."""
        return [place for place, argument in enumerate(self.args) if moves(argument)]


@dataclass(frozen=True, kw_only=True)
class Curve:
    """A pointwise part at work: `function` maps `root` to the step's value, `base` to its base."""

    root: Tensor
    base: Tensor
    function: Callable[[Tensor], Tensor]
    num_operators: int
    smooth: bool


Rule = Callable[[Step], Any]
PointwiseRule = Callable[[Step, Curve], Any]


@final
class Rules:
    """The table of a method, by operator; anyone can add to it.

    `plain` operators send their derivative, `unknown` is the rule of all that have none.
    """

    def __init__(
        self, name: str, *, plain: Collection[Operator] = (), unknown: Rule | None = None
    ) -> None:
        self.name = name
        self._rules: dict[Operator, Rule] = dict.fromkeys([getitem, *plain], Step.plain)
        self._pointwise: PointwiseRule | None = None
        self._unknown = unknown

    def rule(self, *operators: Operator) -> Callable[[Rule], Rule]:
        """Make a function the rule of operators."""

        def add(function: Rule) -> Rule:
            self._rules |= dict.fromkeys(operators, function)
            return function

        return add

    def pointwise(self, function: PointwiseRule) -> PointwiseRule:
        """Make a function the rule of pointwise parts whose last operator has none of its own."""
        self._pointwise = function
        return function

    def find(self, node: fx.Node, curve: Curve | None) -> Rule:
        """The rule of a node, which may end a pointwise part. Raises MethodError without one."""
        own, pointwise = self._rules.get(node.target), self._pointwise
        if curve and pointwise and (own is None or curve.num_operators > 1):
            return lambda step: pointwise(step, curve)
        return own or self._unknown or self.refuse(node, "it has no rule there")

    def refuse(self, node: fx.Node, why: str) -> NoReturn:
        """Raise MethodError for an operator that the method is not defined for."""
        raise MethodError(
            f"{self.name!r} is not defined for the operator {str(node.target)!r}{_where(node)}: "
            f"{why}. 'integrated_gradients' and 'occlusion' work without rules for operators; a "
            "rule can be added to the table in pellucid.graph.propagation."
        )


class _Bend(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: Tensor, pull: Pull, *_sources: Tensor) -> Tensor:
        ctx.pull = pull
        return value

    @staticmethod
    def backward(ctx: Any, *sent: Any) -> Any:
        return None, None, *ctx.pull(sent[0])


def bend(value: Tensor, sources: Sequence[Tensor], pull: Pull) -> Tensor:
    """Give a value a way back: `pull` turns what is sent to it into what each source is sent."""
    return cast("Tensor", _Bend.apply(value, pull, *sources))


def moves(value: Any) -> bool:
    """Tell whether a value depends on what is explained, and something can be sent back to it."""
    if isinstance(value, tuple | list):
        return any(moves(item) for item in value)
    return isinstance(value, Tensor) and value.requires_grad


def _where(node: fx.Node) -> str:
    stack = list((node.meta.get("nn_module_stack") or {}).values())
    path = str(stack[-1][0]).partition(".")[2] if stack else ""
    return f" in layer {path!r}" if path else ""
