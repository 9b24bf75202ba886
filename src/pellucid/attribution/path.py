"""Integrated gradients: the gradient, averaged on the straight path from a baseline.

    attribution_i = (x_i − b_i) · ∫₀¹ ∂f(b + α (x − b))/∂x_i dα

Complete: the attributions add up to f(x) − f(b). The integral is taken by Gauss–Legendre
quadrature, and how far the sum is from that difference tells whether the steps were enough.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from pellucid.attribution.baselines import Baseline, make_baseline
from pellucid.attribution.call import EVERY, Attribution, Call
from pellucid.attribution.registry import Bounds, method

SMALLEST_CHANGE = 1e-6


@method(
    title="Integrated gradients",
    family="path",
    paper="Sundararajan, Taly and Yan, 2017, eq. 1–3",
    about=(
        "Integrated gradients splits the answer's score among the single values of the input: red "
        "raised it, blue lowered it, in comparison with a neutral input. It is exact in sum, but "
        "single values are noisy, and parts that look like the neutral input get nothing."
    ),
    kinds=("image", "text", "array"),
    needs=("gradient", "baseline"),
    per_pixel=True,
    cost="as long as tens to hundreds of predictions",
    passes="steps × (1 forward, 1 backward), doubled until the sum is right",
)
def integrated_gradients(
    call: Call,
    *,
    baseline: Baseline = None,
    steps: Annotated[int, Bounds(1, 4096)] = 32,
    max_steps: Annotated[int, Bounds(1, 4096)] = 256,
    tolerance: Annotated[float, Bounds(0, 1)] = 0.05,
) -> Attribution:
    """How much did each value add to the score? Signed, of the input's shape; (n, tokens) for text.

    `baseline` is the neutral input (`pellucid.attribution.baselines`). `steps` are doubled for
    the samples whose completeness error |Σ − (f(x) − f(b))| / |f(x) − f(b)| exceeds `tolerance`,
    up to `max_steps`; `max_steps=steps` keeps them fixed.
    Sundararajan, Taly and Yan, 2017, eq. 1–3.
    """
    start = make_baseline(call, baseline, words=("pad", "mask", "unk"))
    before = torch.cat([call.scores(start[rows], rows) for rows in call.chunks(call.size)])
    change = call.own_scores.float() - before.float()
    scale = change.abs().clamp(min=SMALLEST_CHANGE)
    values = torch.zeros_like(call.explained, dtype=_precise(call.explained))
    error = torch.full_like(change, torch.inf)
    rows, most = torch.arange(call.size, device=change.device), max(steps, max_steps)
    while len(rows):
        values[rows] = _integral(call, start, rows, steps)
        error[rows] = (values[rows].flatten(1).sum(1).float() - change[rows]).abs() / scale[rows]
        rows = rows[error[rows] > tolerance] if steps < most else rows[:0]
        steps = min(2 * steps, most)
    if call.kind == "text":
        values = values.sum(-1)
    return Attribution(values=values, resolution=EVERY[call.kind], completeness_error=error)


def _integral(
    call: Call, start: Tensor, samples: Int[Tensor, " m"], steps: int
) -> Float[Tensor, " m *shape"]:
    """Attributions of some samples, with so many nodes on the path."""
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    change = call.explained - start
    total = torch.zeros_like(change[samples], dtype=_precise(change))
    alphas = torch.tensor((1 + nodes) / 2).to(change)
    portions = torch.tensor(weights / 2).to(total)
    one_each = (-1,) + (1,) * (change.ndim - 1)
    for pairs in call.chunks(len(samples) * steps):
        places, node = pairs // steps, pairs % steps
        rows = samples[places]
        points = start[rows] + alphas[node].view(one_each) * change[rows]
        gradients = call.gradients(points, rows).to(total)
        total.index_add_(0, places, portions[node].view(one_each) * gradients)
    return total * change[samples]


def _precise(tensor: Tensor) -> torch.dtype:
    return torch.promote_types(tensor.dtype, torch.float32)
