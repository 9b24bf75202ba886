"""Softmax and its kin, without a denominator that could vanish.

With s = (p − q) / (ln p − ln q), the logarithmic mean of the softmaxes p and q of both points,

    Δsoftmax = s (Δx − Δlogsumexp),   Δlogsumexp = Σ s Δx / Σ s

exactly, because the changes of a softmax add up to 0.
"""

from __future__ import annotations

import torch
from torch import Tensor

from pellucid.graph.propagation.differences.table import rules
from pellucid.graph.propagation.kinds import LOG_SOFTMAXES, SOFTMAXES, aten
from pellucid.graph.propagation.rules import Step, bend

WHY = "only the sum over one axis has an exact rule"


@rules.rule(*SOFTMAXES)
def softmax(step: Step) -> Tensor:
    """Send s (m − Σ s m / Σ s), with s the logarithmic mean of both softmaxes."""
    x, dim = step.args[0], step.args[1]
    value, weights = step.value(), _weights(step)
    total = weights.sum(dim, keepdim=True)

    def pull(sent: Tensor) -> tuple[Tensor]:
        mean = (weights * sent).sum(dim, keepdim=True) / total
        return (weights * (sent - mean),)

    return bend(value, [x], pull)


@rules.rule(*LOG_SOFTMAXES)
def log_softmax(step: Step) -> Tensor:
    """Send m − w Σ m, with w the weights by which logsumexp follows its inputs."""
    dim, weights = step.args[1], _weights(step)
    shares = weights / weights.sum(dim, keepdim=True)

    def pull(sent: Tensor) -> tuple[Tensor]:
        return (sent - shares * sent.sum(dim, keepdim=True),)

    return bend(step.value(), [step.args[0]], pull)


@rules.rule(aten.logsumexp.default)
def logsumexp(step: Step) -> Tensor:
    """Send the weights by which logsumexp follows its inputs: Δlogsumexp = Σ w Δx, Σ w = 1."""
    dims = step.args[1] if isinstance(step.args[1], list | tuple) else [step.args[1]]
    kept = len(step.args) > 2 and step.args[2]
    if len(dims) > 1:
        return rules.refuse(step.node, WHY)
    weights = _weights(step, dims[0])
    shares = weights / weights.sum(dims[0], keepdim=True)

    def pull(sent: Tensor) -> tuple[Tensor]:
        return ((sent if kept else sent.unsqueeze(dims[0])) * shares,)

    return bend(step.value(), [step.args[0]], pull)


def _weights(step: Step, dim: int | None = None) -> Tensor:
    """Logarithmic mean (p − q) / (ln p − ln q) of the softmaxes at both points; 0 if both are 0."""
    axis = step.args[1] if dim is None else dim
    first = step.args[0].detach().log_softmax(axis)
    second = step.base_args[0].log_softmax(axis)
    p, q = first.exp(), second.exp()
    apart = first - second
    close = apart.abs() < torch.finfo(p.dtype).eps ** 0.25
    mean = torch.where(close, (p * q).sqrt() * (1 + apart * apart / 24), (p - q) / apart)
    return torch.where((p == 0) & (q == 0), 0, mean)
