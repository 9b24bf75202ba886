"""Deconvnet and guided backpropagation: the gradient, with only what is positive let through rectifiers.

    deconvnet:  sent back = max(0, sent)
    guided:     sent back = max(0, sent) · f'(x)

at every rectifier f (ReLU, ReLU6, leaky ReLU, GELU, SiLU, …, however it is written); the derivative
elsewhere. Zeiler and Fergus, 2014; Springenberg et al., 2015, section 3.4.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, fx

from pellucid.graph.propagation.differences.elementwise import derivative
from pellucid.graph.propagation.kinds import is_relu
from pellucid.graph.propagation.rules import Curve, Rules, Step, bend

FAR = 50.0


def bent_gradient_rules(name: str, found: Callable[[], None], *, masked: bool) -> Rules:
    """The table: `masked` multiplies by the rectifier's derivative; `found` is told of each one."""
    rules = Rules(name, unknown=Step.plain)

    @rules.pointwise
    def rectifier(step: Step, curve: Curve) -> Any:
        if not _rectifies(step.node, curve):
            return step.plain()
        found()
        point = curve.root.detach()

        def pull(sent: Tensor) -> tuple[Tensor]:
            positive = sent.clamp(min=0)
            return (positive * derivative(curve.function, point) if masked else positive,)

        return bend(step.value(), [curve.root], pull)

    return rules


def _rectifies(node: fx.Node, curve: Curve) -> bool:
    """Whether a pointwise part is a rectifier: small far below 0, and growing evenly far above."""
    if curve.num_operators == 1:
        return is_relu(node)
    with torch.no_grad():
        below, above, further = (
            curve.function(torch.full_like(curve.root, value)) for value in (-FAR, FAR, 2 * FAR)
        )
    grows = (above > 0) & (further > 1.5 * above) & (further < 3 * above)
    return bool((grows & (below.abs() < above / 4)).all())
