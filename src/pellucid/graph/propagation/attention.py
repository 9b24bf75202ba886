"""Attention-aware relevance propagation (AttnLRP), as coefficients: relevance is value · coefficient.

With R = x · c for every value x, the rules of AttnLRP become bent derivatives, and none divides:

| operator | what is sent back |
|---|---|
| linear, batch norm, softmax | the derivative (softmax: its Taylor expansion, eq. 13) |
| layer of weights | the derivative, damped by z / (z ± ε) |
| pointwise | (f(x) − f(0)) / x: all relevance to the input, but for what is there at 0 |
| product of two | half the derivative to each factor (eq. 15) |
| layer norm, RMS norm, other norms | the derivative with the scale held fixed |

Achtibat et al., 2024, propositions 3.1–3.4.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.graph.propagation.canonical import BATCH_NORM
from pellucid.graph.propagation.differences.elementwise import slope
from pellucid.graph.propagation.kinds import (
    DIVISIONS,
    EXTREMES,
    LAYER_NORMS,
    LAYERS,
    LOG_SOFTMAXES,
    MOVES,
    NORMALIZERS,
    PRODUCTS,
    SOFTMAXES,
    SUMS,
    WINNERS,
    aten,
)
from pellucid.graph.propagation.relevance import fixed_scale, fixed_scale_of_groups
from pellucid.graph.propagation.rules import Curve, Rules, Step, bend, moves
from pellucid.graph.propagation.weighted import stabilized


def attention_rules(epsilon: float) -> Rules:
    """The table of AttnLRP; `epsilon` damps layers of weights."""
    linear = MOVES | SUMS | WINNERS | EXTREMES | {BATCH_NORM}
    rules = Rules("attn_lrp", plain=linear | SOFTMAXES | LOG_SOFTMAXES)
    rules.pointwise(from_zero)
    rules.rule(*NORMALIZERS)(Step.value)
    rules.rule(*LAYER_NORMS)(fixed_scale)
    rules.rule(aten.native_group_norm.default)(fixed_scale_of_groups)
    rules.rule(*(PRODUCTS - LAYERS))(halved)
    rules.rule(*DIVISIONS)(division)

    @rules.rule(*LAYERS)
    def layer_of_weights(step: Step) -> Tensor:
        if len(step.moving()) > 1:
            return halved(step)
        output: Tensor = step.plain()
        total = output.detach()
        damping = total / stabilized(total, epsilon) if epsilon else torch.ones_like(total)
        return bend(total, [output], lambda sent: (sent * damping,))

    return rules


def from_zero(step: Step, curve: Curve) -> Float[Tensor, " *shape"]:
    """Send the slope of the line from 0 to the input's value."""
    value, point = step.value(), curve.root.detach()

    def pull(sent: Tensor) -> tuple[Tensor]:
        origin = torch.zeros_like(point)
        change = value - curve.function(origin)
        found = slope(point, origin, change, curve.function, smooth=curve.smooth)
        return (sent * found.where(found.isfinite(), 0),)

    return bend(value, [curve.root], pull)


def halved(step: Step) -> Tensor:
    """Send half the derivative to each of two factors that move, or all of it to one."""
    places = step.moving()
    output: Tensor = step.plain()
    if len(places) < 2:
        return output
    return bend(output.detach(), [output], lambda sent: (sent / 2,))


def division(step: Step) -> Any:
    """Send the numerator its derivative; a denominator is a scale, and fixed."""
    top, bottom = step.args[:2]
    return step.run(top, bottom.detach(), *step.args[2:]) if moves(bottom) else step.plain()
