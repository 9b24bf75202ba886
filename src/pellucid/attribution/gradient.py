"""Gradients of the score at the input: how fast it changes when a value does.

    saliency          |∂f/∂x_i|
    input × gradient  x_i · ∂f/∂x_i

For a linear model f = w·x + c the first is |w_i|, and the second adds up to f(x) − c. Both take
one forward and one backward pass, which methods that are asked for together share.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.attribution.call import EVERY, Attribution, Call
from pellucid.attribution.registry import method

COST = "little more than one prediction"
PASSES = "1 forward, 1 backward"
SMALLEST_CHANGE = 1e-6


@method(
    title="Saliency",
    family="gradient",
    paper="Simonyan, Vedaldi and Zisserman, 2014, section 3.1",
    about=(
        "Saliency shows which values would change the answer's score most if they changed a "
        "little, without telling in which direction. Maps of pictures are noisy, and what has "
        "already convinced the model fully may get little."
    ),
    kinds=("image", "text", "array"),
    needs=("gradient", "input gradient"),
    signed=False,
    per_pixel=True,
    cost=COST,
    passes=PASSES,
)
def saliency(call: Call) -> Attribution:
    """How sensitive is the score to each value? Zero or more, of the input's shape.

    Texts give (n, tokens): the sizes add up over the embedding's width.
    Simonyan, Vedaldi and Zisserman, 2014, section 3.1, without the maximum over the colours.
    """
    return _of_every_value(call, precise(call.own_gradients()).abs())


@method(
    title="Input × gradient",
    family="gradient",
    paper="Shrikumar et al., 2016, section 2",
    about=(
        "Input × gradient multiplies each value with how much the answer's score reacts to it: "
        "red speaks for the answer, blue against it. It is quick but noisy, and values of zero "
        "(the mean colour, in pictures) always get nothing."
    ),
    kinds=("image", "text", "array"),
    needs=("gradient", "input gradient"),
    per_pixel=True,
    cost=COST,
    passes=PASSES,
)
def input_x_gradient(call: Call) -> Attribution:
    """What does each value add to the score, as far as the gradient tells? Signed, input's shape.

    Texts give (n, tokens): the products of embedding and gradient, summed over the width.
    Shrikumar et al., 2016, section 2.
    """
    return _of_every_value(call, precise(call.own_gradients()) * call.explained)


def per_value(call: Call, values: Float[Tensor, " n *shape"]) -> Float[Tensor, " n *values"]:
    """Values of the explained tensor's shape as they are; of texts, their sums over the width."""
    return values.sum(-1) if call.kind == "text" else values


def precise(tensor: Float[Tensor, " *shape"]) -> Float[Tensor, " *shape"]:
    """Turn half precision into float32; leave what is at least that."""
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))


def relative_error(
    total: Float[Tensor, " n"], expected: Float[Tensor, " n"]
) -> Float[Tensor, " n"]:
    """How far sums are from what they should be, in relation to it."""
    return ((total - expected).abs() / expected.abs().clamp(min=SMALLEST_CHANGE)).float()


def _of_every_value(call: Call, values: Float[Tensor, " n *shape"]) -> Attribution:
    return Attribution(values=per_value(call, values), resolution=EVERY[call.kind])
