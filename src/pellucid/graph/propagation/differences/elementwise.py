"""Rescale: a pointwise function sends the slope of the line through both points."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.graph.propagation.differences.table import rules
from pellucid.graph.propagation.rules import Curve, Step, bend


@rules.pointwise
def rescale(step: Step, curve: Curve) -> Tensor:
    """Send Δy / Δx. Shrikumar et al., 2017, eq. 6."""
    value, point = step.value(), curve.root.detach()

    def pull(sent: Tensor) -> tuple[Tensor]:
        change = value - step.base
        return (sent * slope(point, curve.base, change, curve.function, smooth=curve.smooth),)

    return bend(value, [curve.root], pull)


def slope(
    point: Float[Tensor, " *shape"],
    base: Float[Tensor, " *shape"],
    change: Float[Tensor, " *shape"],
    function: Callable[[Tensor], Tensor],
    *,
    smooth: bool,
) -> Float[Tensor, " *shape"]:
    """Slope of the line through two points of a function; half-way's derivative if they are close.

    Close means nearer than rounding allows to divide by: for smooth functions ε^0.4 of the values'
    size or of 1, whichever is less; a function with kinks is divided unless both points are equal.
    """
    step = point - base
    if smooth:
        size = torch.maximum(point.abs(), base.abs()).clamp(max=1)
        close = step.abs() <= torch.finfo(step.dtype).eps ** 0.4 * size
    else:
        close = step == 0
    if not close.any():
        return change / step
    halfway = derivative(function, (point + base) / 2)
    return torch.where(close, halfway.where(halfway.isfinite(), 0), change / step)


def derivative(
    function: Callable[[Tensor], Tensor], point: Float[Tensor, " *shape"]
) -> Float[Tensor, " *shape"]:
    """Derivative of a pointwise function."""
    with torch.enable_grad():
        leaf = point.detach().requires_grad_()
        (found,) = torch.autograd.grad(function(leaf).sum(), leaf)
    return found
