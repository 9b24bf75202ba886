"""Products, quotients and what is quadratic, split evenly between the two points."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from pellucid.graph.propagation.differences.table import rules
from pellucid.graph.propagation.kinds import DIVISIONS, PRODUCTS, aten
from pellucid.graph.propagation.rules import Step, bend, moves


@rules.rule(*PRODUCTS)
def product(step: Step) -> Any:
    """Send each factor the mean of the other: Δ(ab) = Δa mean(b) + mean(a) Δb."""
    if len(step.moving()) < 2:
        return step.plain()
    return half_way(step)


def half_way(step: Step) -> Any:
    """Send the derivative half-way between the points: exact for what is quadratic in all inputs."""
    places = step.moving()
    means = tuple(
        (argument.detach() + base) / 2 if moves(argument) else argument
        for argument, base in zip(step.args, step.base_args, strict=True)
    )

    def pull(sent: Tensor) -> tuple[Tensor, ...]:
        with torch.enable_grad():
            leaves = {place: means[place].requires_grad_() for place in places}
            value = step.run(*(leaves.get(i, mean) for i, mean in enumerate(means)))
            return torch.autograd.grad(value, list(leaves.values()), sent)

    return bend(step.value(), [step.args[place] for place in places], pull)


rules.rule(aten.var.correction, aten.var.dim)(half_way)


@rules.rule(*DIVISIONS)
def division(step: Step) -> Any:
    """Send (Δa − mean(a / b) Δb) / mean(b); by a denominator that changes its sign, differently."""
    top, bottom = step.args[:2]
    if not moves(bottom):
        return step.plain()
    base_top, base_bottom = step.base_args[:2]
    value, below = step.value(), bottom.detach()
    mean, ratio = (below + base_bottom) / 2, (value + step.base) / 2
    inverse = (1 / below + 1 / base_bottom) / 2
    numerator = (top.detach() if isinstance(top, Tensor) else top) + base_top
    same_sign = below * base_bottom > 0
    of_top = torch.where(same_sign, 1 / mean, inverse)
    of_bottom = torch.where(same_sign, -ratio / mean, -numerator / (2 * below * base_bottom))

    def pull(sent: Tensor) -> tuple[Tensor, ...]:
        of_bottom_sent = (sent * of_bottom).sum_to_size(bottom.shape)
        if not moves(top):
            return (of_bottom_sent,)
        return (sent * of_top).sum_to_size(top.shape), of_bottom_sent

    return bend(value, [top, bottom] if moves(top) else [bottom], pull)
