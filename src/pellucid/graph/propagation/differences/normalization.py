"""Layer norm, group norm and Euclidean length.

With c the centred input, σ its deviation and y = c / σ,

    Δy = (Δc − mean(y) Δσ) / mean(σ),   Δσ = mean(mean(c) Δc) / mean(σ)

exactly, with means over both points, or over the axes for Δσ. Nothing is divided by the deviation
of the baseline alone, which may be 0.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from pellucid.graph.propagation.differences.table import rules
from pellucid.graph.propagation.kinds import LAYER_NORMS, aten
from pellucid.graph.propagation.rules import Step, bend

WHY = "only the Euclidean length has an exact rule"


@rules.rule(*LAYER_NORMS)
def layer_norm(step: Step) -> Any:
    """Standardise over the last axes, then scale and shift."""
    x, shape = step.args[0], step.args[1]
    weight = step.args[2] if len(step.args) > 2 else None
    bias = step.args[3] if len(step.args) > 3 else None
    epsilon = step.args[4] if len(step.args) > 4 else 1e-5
    dims = tuple(range(-len(shape), 0))
    scaled = standardised(x, step.base_args[0], dims, epsilon)
    scaled = scaled if weight is None else scaled * weight
    scaled = scaled if bias is None else scaled + bias
    return scaled if step.node.target is aten.layer_norm.default else (scaled, None, None)


@rules.rule(aten.native_group_norm.default)
def group_norm(step: Step) -> tuple[Tensor, None, None]:
    """Standardise groups of channels, then scale and shift each channel."""
    x, weight, bias, _, channels, _, groups, epsilon = step.args
    size = len(x)
    scaled = standardised(
        x.reshape(size, groups, -1), step.base_args[0].reshape(size, groups, -1), (-1,), epsilon
    ).reshape(x.shape)
    per_channel = (1, channels) + (1,) * (x.ndim - 2)
    scaled = scaled if weight is None else scaled * weight.view(per_channel)
    return scaled if bias is None else scaled + bias.view(per_channel), None, None


def standardised(x: Tensor, base: Tensor, dims: tuple[int, ...], epsilon: float) -> Tensor:
    """(x − mean) / σ over some axes, sending (Δc − mean(y) Δσ) / mean(σ) with Δc the change of x − mean."""
    centred, base_centred = (t - t.mean(dims, keepdim=True) for t in (x, base))
    here = centred.detach()
    deviation, base_deviation = (
        (c.square().mean(dims, keepdim=True) + epsilon).sqrt() for c in (here, base_centred)
    )
    value = here / deviation
    sigma = (deviation + base_deviation) / 2
    middle = (here + base_centred) / 2
    mean = (value + base_centred / base_deviation) / 2

    def pull(sent: Tensor) -> tuple[Tensor]:
        of_sigma = (sent * mean).mean(dims, keepdim=True) / sigma
        return ((sent - middle * of_sigma) / sigma,)

    return bend(value, [centred], pull)


@rules.rule(aten.linalg_vector_norm.default)
def length(step: Step) -> Tensor:
    """Send Σ mean(x) Δx / mean(length); only the Euclidean length has an exact rule."""
    x, base = step.args[0], step.base_args[0]
    if len(step.args) > 1 and step.args[1] != 2:
        return rules.refuse(step.node, WHY)
    dims = step.args[2] if len(step.args) > 2 else None
    kept = len(step.args) > 3 and step.args[3]
    value, middle = step.value(), (x.detach() + base) / 2
    mean = (value + step.base) / 2

    def pull(sent: Tensor) -> tuple[Tensor]:
        ratio = torch.where(mean > 0, sent / mean, 0)
        if not kept:
            ratio = _unsqueezed(ratio, dims, x.ndim)
        return (ratio * middle,)

    return bend(value, [x], pull)


def _unsqueezed(reduced: Tensor, dims: Any, ndim: int) -> Tensor:
    """Put back the axes that a reduction took out."""
    taken = range(ndim) if dims is None else sorted(dim % ndim for dim in dims)
    for dim in taken:
        reduced = reduced.unsqueeze(dim)
    return reduced
