"""Integrated gradients along other ways: from the blurred picture, around noise, or sharpened.

    Blur IG    ∫ ∂f/∂z_i dz_i along z = x blurred with σ, from the largest σ to none
    Guided IG  the same along a way that changes, at each step, the values with the least |∂f/∂x_i|
    IDGI       Σ_k (f(z_{k+1}) − f(z_k)) · g_i² / Σ_j g_j²,  with g = ∂f/∂x at z_k, on a straight way

All are complete: their parts add up to f(x) − f(start); IDGI by construction, whatever the steps.
For a linear model f = w·x, the first two are w_i (x_i − start_i), and IDGI shares out the same sum
in proportion to w_i².
"""

from __future__ import annotations

import math
from typing import Annotated

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.attribution.baselines import Baseline, make_baseline
from pellucid.attribution.call import EVERY, Attribution, Call
from pellucid.attribution.gradient import per_value, precise, relative_error
from pellucid.attribution.path import PASSES, MaxSteps, Steps, Tolerance
from pellucid.attribution.quadrature import Plan, Seen, integrate
from pellucid.attribution.registry import Bounds, method

TINY = 1e-30
SHARPEST = 0.05
Share = Annotated[float, Bounds(0.001, 1)]


@method(
    title="Blur integrated gradients",
    family="path",
    paper="Xu, Venugopalan and Sundararajan, 2020, eq. 3",
    about=(
        "Blur integrated gradients starts from a blurred picture instead of a black one and adds "
        "up what each pixel contributes as the picture gets sharp: red raised the score, blue "
        "lowered it. What the model sees in the blurred picture already is not shown."
    ),
    kinds=("image",),
    needs=("gradient",),
    per_pixel=True,
    cost="as long as tens to hundreds of predictions",
    passes=PASSES,
)
def blur_ig(
    call: Call,
    *,
    blur: Share = 0.2,
    steps: Steps = 8,
    max_steps: MaxSteps = 256,
    tolerance: Tolerance = 0.01,
) -> Attribution:
    """What did each pixel add to the score as the picture became sharp? Signed, (n, c, y, x).

    `blur` is the standard deviation at the start, as a share of the shorter side; it falls
    linearly to zero. `steps`, `max_steps` and `tolerance` as in `integrated_gradients`.
    Xu, Venugopalan and Sundararajan, 2020, eq. 3.
    """
    pixels = precise(call.explained)
    most = blur * min(pixels.shape[2:])

    def points(rows: Tensor, places: Tensor) -> Tensor:
        sigma = most * (1 - places.to(pixels))
        down, across = (_blur_matrices(sigma, side) for side in pixels.shape[2:])
        return (down[:, None] @ pixels[rows] @ across[:, None].mT).to(call.explained)

    def ends(rows: Tensor, places: Tensor) -> Seen:
        rows = rows.to(pixels.device)
        found = points(rows, places)
        return Seen(call.scores(found, rows), precise(found), None)

    def inside(rows: Tensor, places: Tensor) -> Seen:
        parts = []
        for part in call.chunks(len(rows)):
            own = rows.to(part.device)[part]
            found = points(own, places[part.cpu()])
            score, gradient = call.scores_and_gradients(found, own)
            parts.append((score, precise(found), precise(gradient)))
        return Seen(*(torch.cat(column) for column in zip(*parts, strict=True)))

    plan = Plan(steps=steps, most=max(steps, max_steps), tolerance=tolerance)
    integral = integrate(ends, inside, call.size, 2 * pixels[0].nbytes, plan)
    return Attribution(
        values=integral.values, resolution=EVERY["image"], completeness_error=integral.errors
    )


@method(
    title="Guided integrated gradients",
    family="path",
    paper="Kapishnikov et al., 2021, algorithm 1",
    about=(
        "Guided integrated gradients goes from the neutral input to the input along a way that "
        "avoids noise: it first changes values that hardly move the score. Red values raised the "
        "score, blue ones lowered it, with less grain than plain integrated gradients."
    ),
    kinds=("image", "array"),
    needs=("gradient", "baseline"),
    per_pixel=True,
    cost="as long as a hundred predictions",
    passes="steps × (1 forward, 1 backward), and 2 forwards",
)
def guided_ig(
    call: Call,
    *,
    baseline: Baseline = None,
    steps: Steps = 64,
    share: Share = 0.25,
    max_distance: Annotated[float, Bounds(0, 1)] = 0.02,
) -> Attribution:
    """How much did each value add to the score on a quiet way? Signed, of the input's shape.

    At each step the `share` of the values with the least gradient moves on, more where that is
    not far enough. No value may run ahead of the straight line, nor fall behind it, by more than
    `max_distance` of its way. How far the parts are from f(x) − f(b) is reported; more `steps`
    bring them closer. Kapishnikov et al., 2021, algorithm 1.
    """
    start = make_baseline(call, baseline)
    begin, end = precise(start).flatten(1), precise(call.explained).flatten(1)
    everyone = torch.arange(call.size, device=begin.device)
    place, values = torch.zeros_like(begin), torch.zeros_like(begin)
    for step in range(1, steps + 1):
        points = torch.lerp(begin, end, place).view_as(call.explained).to(call.explained)
        gradients = precise(call.gradients(points, everyone)).flatten(1)
        mean = step / steps
        aim = (max(mean - max_distance, 0.0), mean, min(mean + max_distance, 1.0))
        moved = torch.stack(
            [
                _moved(place[i], (end[i] - begin[i]).abs(), gradients[i].abs(), share, aim)
                for i in range(call.size)
            ]
        )
        values += gradients * (moved - place) * (end - begin)
        place = moved
    return Attribution(
        values=values.view_as(call.explained),
        resolution=EVERY[call.kind],
        completeness_error=_error(call, values.sum(1), start),
    )


@method(
    title="IDGI",
    family="path",
    paper="Yang, Wang and Bilgic, 2023, algorithm 1",
    about=(
        "IDGI follows the same way as integrated gradients, but shares each change of the score "
        "among the values that drive it, and leaves out the rest, which is mostly noise. Parts "
        "that raised the score are red; blue ones belong to stretches where the score fell."
    ),
    kinds=("image", "text", "array"),
    needs=("gradient", "baseline"),
    per_pixel=True,
    cost="as long as a hundred predictions",
    passes="steps × (1 forward, 1 backward), and 1 forward",
)
def idgi(call: Call, *, baseline: Baseline = None, steps: Steps = 64) -> Attribution:
    """Which values drove the changes of the score? Of the input's shape; (n, tokens) for text.

    The parts add up to f(x) − f(b) except for steps at which the gradient vanishes, which is
    reported. Yang, Wang and Bilgic, 2023, algorithm 1, on the way of integrated gradients.
    """
    start = make_baseline(call, baseline)
    everyone = torch.arange(call.size, device=start.device)
    way = precise(call.explained) - precise(start)
    total = torch.zeros_like(way)
    shares, before = total, torch.zeros_like(precise(call.own_scores))
    for step in range(steps):
        points = (precise(start) + step / steps * way).to(start)
        found, gradients = call.scores_and_gradients(points, everyone)
        scores = precise(found)
        total += shares * _each(scores - before, total)
        shares, before = _shares(precise(gradients)), scores
    total += shares * _each(precise(call.own_scores) - before, total)
    return Attribution(
        values=per_value(call, total),
        resolution=EVERY[call.kind],
        completeness_error=_error(call, total.flatten(1).sum(1), start),
    )


def _shares(gradients: Float[Tensor, " n *shape"]) -> Float[Tensor, " n *shape"]:
    """Shares g² / Σ g² of a sample; zero where the gradient vanishes."""
    scaled = gradients / _each(gradients.flatten(1).abs().amax(1), gradients).clamp(min=TINY)
    squares = scaled**2
    return squares / _each(squares.flatten(1).sum(1), squares).clamp(min=TINY)


def _each(numbers: Float[Tensor, " n"], like: Tensor) -> Float[Tensor, " n *ones"]:
    return numbers.view(-1, *(1,) * (like.ndim - 1))


def _error(
    call: Call, sums: Float[Tensor, " n"], start: Float[Tensor, " n *shape"]
) -> Float[Tensor, " n"]:
    """How far sums are from f(x) − f(start)."""
    everyone = torch.arange(call.size, device=start.device)
    change = precise(call.own_scores) - precise(call.scores(start, everyone))
    return relative_error(sums, change)


def _moved(
    place: Float[Tensor, " i"],
    way: Float[Tensor, " i"],
    slope: Float[Tensor, " i"],
    share: float,
    aim: tuple[float, float, float],
) -> Float[Tensor, " i"]:
    """Where the values of one sample go next, as shares 0 … 1 of their ways.

    Those behind the lowest place catch up. Then those with the least slope go to the highest
    place, one share of all values after the other, until the mean place, weighed by the lengths
    of the ways, is reached; the last go only part of it.
    """
    lowest, mean, highest = aim
    place = place.clamp(min=lowest)
    missing = mean * way.sum() - (place * way).sum()
    done = (place >= highest) | (way == 0)
    order = slope.masked_fill(done, torch.inf).argsort(stable=True)
    free = (highest - place[order]).clamp(min=0) * way[order]
    group = max(1, math.ceil(share * len(place)))
    groups = torch.arange(len(place), device=place.device) // group
    room = torch.zeros(int(groups[-1]) + 1, device=place.device, dtype=free.dtype)
    room.index_add_(0, groups, free)
    before = room.cumsum(0) - room
    portion = ((missing - before) / room.clamp(min=TINY)).clamp(0, 1)[groups]
    result = place.clone()
    result[order] = torch.lerp(place[order], place[order].clamp(min=highest), portion)
    return result


def _blur_matrices(sigma: Float[Tensor, " m"], side: int) -> Float[Tensor, "m side side"]:
    """Matrices that blur a row of pixels with Gaussians; near the border, what is inside counts."""
    at = torch.arange(side, device=sigma.device, dtype=sigma.dtype)
    distance = (at[:, None] - at) ** 2
    weights = torch.exp(-distance / (2 * sigma.clamp(min=SHARPEST)[:, None, None] ** 2))
    return weights / weights.sum(2, keepdim=True)
