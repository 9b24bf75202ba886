"""Integrated gradients: the gradient, averaged on the straight path from a baseline.

    attribution_i = (x_i − b_i) · ∫₀¹ ∂f(b + α (x − b))/∂x_i dα

Complete: the attributions add up to f(x) − f(b). The nodes of the integral are placed where the
sum is most wrong (`pellucid.attribution.quadrature`), until it is right; how far it stays from
f(x) − f(b) tells whether the steps were enough.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pellucid.attribution.baselines import Baseline, make_baseline
from pellucid.attribution.call import EVERY, Attribution, Call
from pellucid.attribution.gradient import per_value, precise
from pellucid.attribution.inner_layer import Unit
from pellucid.attribution.quadrature import Integral, Plan, Seen, integrate
from pellucid.attribution.registry import Bounds, method

Steps = Annotated[int, Bounds(1, 512)]
MaxSteps = Annotated[int, Bounds(1, 4096)]
Tolerance = Annotated[float, Bounds(0, 1)]
Objective = Call | Unit
PASSES = "steps × (1 forward, 1 backward), one by one more until the sum is right; and 2 forwards"


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
    passes=PASSES,
)
def integrated_gradients(
    call: Call,
    *,
    baseline: Baseline = None,
    steps: Steps = 8,
    max_steps: MaxSteps = 256,
    tolerance: Tolerance = 0.01,
) -> Attribution:
    """How much did each value add to the score? Signed, of the input's shape; (n, tokens) for text.

    `baseline` is the neutral input (`pellucid.attribution.baselines`). Samples whose completeness
    error |Σ − (f(x) − f(b))| / |f(x) − f(b)| exceeds `tolerance` after `steps` gradients get more,
    up to `max_steps`, one by one where the sum is most wrong; `max_steps=steps` keeps to the
    first, nodes of Gauss and Legendre that lie closer near the baseline. For a smooth model and a
    small tolerance, start with more `steps`: they converge faster than those that are added.
    Sundararajan, Taly and Yan, 2017, eq. 1–3.
    """
    start = make_baseline(call, baseline, words=("pad", "mask", "unk"))
    plan = Plan(steps=steps, most=max(steps, max_steps), tolerance=tolerance, straight=True)
    found = along_straight_line(call, call, start, plan)
    return Attribution(
        values=per_value(call, found.values),
        resolution=EVERY[call.kind],
        completeness_error=found.errors,
    )


def along_straight_line(
    call: Call, objective: Objective, start: Float[Tensor, " n *shape"], plan: Plan
) -> Integral:
    """Integrate gradients of the score, or of a unit, on straight paths that end at the samples.

    The gradients are multiplied by x − b beforehand, so that y(α) = α.
    """
    change = precise(call.explained) - precise(start)
    everyone = torch.arange(call.size, device=change.device)
    ends_known = torch.stack([objective.scores(start, everyone), objective.own_scores])

    def ends(rows: Tensor, places: Tensor) -> Seen:
        found = ends_known[places.long(), rows.to(change.device)]
        return Seen(found, places.to(change), None)

    def inside(rows: Tensor, places: Tensor) -> Seen:
        scores, gradients = [], []
        for points, own in straight_line(call, start, rows, places):
            score, gradient = objective.scores_and_gradients(points, own)
            scores.append(score)
            gradients.append(precise(gradient) * change[own])
        return Seen(torch.cat(scores), places.to(change), torch.cat(gradients))

    return integrate(ends, inside, call.size, change[0].nbytes, plan)


def straight_line(
    call: Call,
    start: Float[Tensor, " n *shape"],
    rows: Int[Tensor, " m"],
    places: Float[Tensor, " m"],
) -> Iterator[tuple[Float[Tensor, " p *shape"], Int[Tensor, " p"]]]:
    """Points at places α = 0 … 1 between a start and the samples, and their rows, in pieces."""
    begin, end = precise(start), precise(call.explained)
    rows, alpha = rows.to(begin.device), places.to(begin).view(-1, *(1,) * (begin.ndim - 1))
    for part in call.chunks(len(rows)):
        own = rows[part]
        points = begin[own] + alpha[part] * (end[own] - begin[own])
        yield points.to(call.explained), own
