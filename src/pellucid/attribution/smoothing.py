"""Gradients in the neighbourhood of the input: averaged over noise, or how much they differ there.

    SmoothGrad   mean over z of g(x + z),   z ~ N(0, σ²),   σ = noise · (max x − min x)
    SmoothGrad²  mean over z of g(x + z)²
    VarGrad      variance over z of g(x + z)

with g = ∂f/∂x. For a linear model f = w·x they are w, w² and 0. The noise depends on the seed and
the shape of one sample alone, so that a sample's map does not depend on its batch.

In texts the noise is laid on the embeddings, and what a token gets is added up over their width:
the sizes |·| for SmoothGrad, so that it is saliency without noise. The standard errors are added up
too, which is the most that the error of the sum can be.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from pellucid.attribution.call import EVERY, Attribution, Call
from pellucid.attribution.gradient import per_value, precise
from pellucid.attribution.registry import Bounds, method

Samples = Annotated[int, Bounds(2, 10_000)]
Noise = Annotated[float, Bounds(0, 1)]
Seed = Annotated[int, Bounds(0, 2**31 - 1)]
COST = "as long as tens of predictions"
PASSES = "samples × (1 forward, 1 backward), and 1 of each"


@method(
    title="SmoothGrad",
    family="gradient",
    paper="Smilkov et al., 2017, section 3",
    about=(
        "SmoothGrad averages the gradients of many noisy copies of the input, so that the grain "
        "of single gradients falls away: red values raise the score when they grow, blue ones "
        "lower it. More noise gives calmer maps, but of inputs the model was not trained on."
    ),
    kinds=("image", "text", "array"),
    needs=("gradient", "input gradient"),
    per_pixel=True,
    cost=COST,
    passes=PASSES,
)
def smooth_grad(
    call: Call, *, samples: Samples = 25, noise: Noise = 0.15, seed: Seed = 0
) -> Attribution:
    """How does the score react to each value, on average near the input? Signed, input's shape.

    Texts give (n, tokens), zero or more: the sizes add up over the embedding's width.
    `samples` noisy copies are taken; `noise` is the standard deviation, as a share of the range
    of the sample's values. The standard error of the average is reported.
    Smilkov et al., 2017, section 3.
    """
    own = precise(call.own_gradients())
    first, second = _moments(call, own, lambda found: found, 2, samples, noise, seed)
    mean = own + first
    return Attribution(
        values=per_value(call, mean.abs() if call.kind == "text" else mean),
        resolution=EVERY[call.kind],
        standard_error=per_value(call, _root((second - first**2) / (samples - 1))),
    )


@method(
    title="SmoothGrad squared",
    family="gradient",
    paper="Hooker et al., 2019, section 4.2",
    about=(
        "SmoothGrad squared averages the squared gradients of many noisy copies of the input: "
        "large where the answer's score reacts strongly, whatever the direction. Strong places "
        "stand out more than with SmoothGrad."
    ),
    kinds=("image", "text", "array"),
    needs=("gradient", "input gradient"),
    signed=False,
    per_pixel=True,
    cost=COST,
    passes=PASSES,
)
def smooth_grad_squared(
    call: Call, *, samples: Samples = 25, noise: Noise = 0.15, seed: Seed = 0
) -> Attribution:
    """How strongly does the score react to each value near the input? Zero or more, input's shape.

    `samples`, `noise` and the standard error as in `smooth_grad`.
    Hooker et al., 2019, section 4.2.
    """
    own = precise(call.own_gradients()) ** 2
    first, second = _moments(call, own, torch.square, 2, samples, noise, seed)
    return Attribution(
        values=per_value(call, own + first),
        resolution=EVERY[call.kind],
        standard_error=per_value(call, _root((second - first**2) / (samples - 1))),
    )


@method(
    title="VarGrad",
    family="gradient",
    paper="Adebayo et al., 2018, appendix, VarGrad",
    about=(
        "VarGrad shows where the gradient changes most when the input is disturbed by noise: "
        "where the model's reaction is anything but simple. Values whose influence is always the "
        "same get nothing, however strong it is."
    ),
    kinds=("image", "text", "array"),
    needs=("gradient", "input gradient"),
    signed=False,
    per_pixel=True,
    cost=COST,
    passes=PASSES,
)
def var_grad(
    call: Call, *, samples: Samples = 25, noise: Noise = 0.15, seed: Seed = 0
) -> Attribution:
    """How much does the reaction to each value vary near the input? Zero or more, input's shape.

    The unbiased variance of `samples` gradients; `noise` as in `smooth_grad`. The standard error
    is that of a variance, from the fourth moment. Adebayo et al., 2018.
    """
    own = precise(call.own_gradients())
    m1, m2, m3, m4 = _moments(call, own, lambda found: found, 4, samples, noise, seed)
    spread = (m2 - m1**2).clamp(min=0)
    fourth = m4 - 4 * m1 * m3 + 6 * m1**2 * m2 - 3 * m1**4
    return Attribution(
        values=per_value(call, spread * samples / (samples - 1)),
        resolution=EVERY[call.kind],
        standard_error=per_value(call, _root((fourth - spread**2) / samples)),
    )


def draws(seed: int, index: Int[Tensor, " m"], shape: torch.Size) -> Float[Tensor, " m *shape"]:
    """Standard normal numbers of one sample's shape for each index; equal ones for equal indices."""
    known = {
        draw: torch.from_numpy(np.random.default_rng([seed, draw]).standard_normal(shape))
        for draw in dict.fromkeys(index.tolist())
    }
    return torch.stack([known[draw] for draw in index.tolist()])


def _moments(
    call: Call,
    own: Float[Tensor, " n *shape"],
    of: Callable[[Tensor], Tensor],
    most: int,
    samples: int,
    noise: float,
    seed: int,
) -> Float[Tensor, "most n *shape"]:
    """Averages over noise of what `of` makes of the gradient, less `own`, to the powers 1 … most."""
    explained = call.explained
    width = noise * _range(call).view(-1, *(1,) * (explained.ndim - 1))
    total = torch.zeros_like(own).expand(most, *own.shape).clone()
    for pairs in call.chunks(samples * call.size):
        rows = pairs % call.size
        disturbed = draws(seed, pairs // call.size, explained.shape[1:]).to(explained) * width[rows]
        gradients = precise(call.gradients(explained[rows] + disturbed, rows))
        difference = of(gradients) - own[rows]
        for power in range(most):
            total[power].index_add_(0, rows, difference ** (power + 1))
    return total / samples


def _range(call: Call) -> Float[Tensor, " n"]:
    """From the smallest to the largest value of each sample, padding left out."""
    low = high = call.explained
    if call.kind == "text" and "attention_mask" in call.inputs:
        padding = (call.inputs["attention_mask"] == 0)[..., None]
        low, high = low.masked_fill(padding, torch.inf), high.masked_fill(padding, -torch.inf)
    return high.flatten(1).amax(1) - low.flatten(1).amin(1)


def _root(variance: Tensor) -> Tensor:
    return variance.clamp(min=0).sqrt()
