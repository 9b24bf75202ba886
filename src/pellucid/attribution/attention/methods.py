"""Attention itself, rolled out through the layers, and weighed by its gradient.

With Aₗ the attention of layer l, heads averaged by E, and q the tokens that the answer is read from:

    attention            mean over q of A_L[q]
    attention_rollout    mean over q of R[q],   R = Ã_L … Ã_1,   Ãₗ = (Aₗ + I) / 2
    attention_gradient   mean over q of (R − I)[q],   R ← R + E[(∂score/∂Aₗ ⊙ Aₗ)⁺] R,   R = I first

Rows of the first two add up to one, over all tokens: class tokens, and those that a tokenizer
added, take a share. None is complete: the values do not add up to a change of the score.
"""

from __future__ import annotations

from functools import reduce
from typing import Annotated

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.attribution.attention.maps import to_map
from pellucid.attribution.attention.matrices import attention_matrices, require_layer
from pellucid.attribution.attention.mixing import fuse_heads, with_residual
from pellucid.attribution.call import Attribution, Call
from pellucid.attribution.registry import Bounds, method
from pellucid.errors import MethodError


@method(
    title="Attention",
    family="attention",
    paper="Bahdanau, Cho and Bengio, 2015, eq. 6; Vaswani et al., 2017, eq. 1",
    about=(
        "Attention shows how strongly the model's last layer looks at each part of the input. "
        "It is the same for all classes but for who is asked, and what is looked at need not "
        "matter for the answer: compare it with a method that uses gradients."
    ),
    kinds=("image", "text"),
    needs=("gradient",),
    signed=False,
    cost="about three predictions",
    passes="2 forwards, 1 backward",
)
def attention(
    call: Call,
    *,
    layer: str | None = None,
    head: Annotated[int, Bounds(-1, 1023)] = -1,
    upsample: bool = True,
) -> Attribution:
    """How strongly do the tokens that the answer is read from look at each token?

    `layer` is a module with self-attention in it; the last if None. `head` is one of its heads,
    counted from 0; −1 is the mean over all. `upsample` stretches the patch grid to the picture;
    the grid itself if False. Gives (n, y, x), or (n, tokens), zero or more. Raises LayerError for
    a layer without attention, MethodError for a model without one attention over all tokens.
    Vaswani et al., 2017, eq. 1.
    """
    require_layer(call, layer)
    found = attention_matrices(call, lambda weights, _: _head(weights, head))
    if not found.layers and layer is None:
        return to_map(call, found.readers, upsample=upsample)
    position = found.find(layer)
    values = _read(found.readers, found.matrices[position])
    return to_map(call, values, upsample=upsample, layer=found.layers[position])


@method(
    title="Attention rollout",
    family="attention",
    paper="Abnar and Zuidema, 2020, eq. 1",
    about=(
        "Attention rollout follows attention back through all layers, to show which parts of the "
        "input could reach the answer, and how easily. It knows nothing of what the layers do with "
        "them, so it looks much the same for every class."
    ),
    kinds=("image", "text"),
    needs=("gradient",),
    signed=False,
    cost="about three predictions",
    passes="2 forwards, 1 backward",
)
def attention_rollout(
    call: Call,
    *,
    head_fusion: str = "mean",
    discard_ratio: Annotated[float, Bounds(0, 0.99)] = 0.0,
    upsample: bool = True,
) -> Attribution:
    """How much of each input token is mixed into those that the answer is read from?

    `head_fusion` is "mean", "max" or "min" over heads. `discard_ratio` sets that share of each
    row's weights, its smallest, to zero first. `upsample` as for `attention`. Gives (n, y, x), or
    (n, tokens), zero or more.
    Abnar and Zuidema, 2020, eq. 1, with residual connections as half of each layer.
    """
    fuse = fuse_heads(head_fusion)
    found = attention_matrices(call, lambda weights, _: fuse(weights))
    layers = with_residual(call, found.matrices, discard_ratio)
    values = reduce(_read, reversed(layers), found.readers)
    return to_map(call, values, upsample=upsample)


@method(
    title="Gradient × attention",
    family="attention",
    paper="Chefer, Gur and Wolf, 2021 (generic attention explainability), eq. 5–6",
    about=(
        "Gradient × attention follows attention back through all layers, but only where more of it "
        "would raise the score of the explained class. It shows which parts mattered for that class, "
        "at times also one that spoke against it, and is as coarse as the model's patches or words."
    ),
    kinds=("image", "text"),
    needs=("gradient",),
    signed=False,
    cost="about three predictions",
    passes="2 forwards, 1 backward",
)
def attention_gradient(call: Call, *, upsample: bool = True) -> Attribution:
    """Which tokens reach the answer through attention that raises the score?

    `upsample` as for `attention`. Gives (n, y, x), or (n, tokens), zero or more. The relevance
    that each token has for itself from the start, R = I, is left out at the end: it tells nothing
    of the input.
    Chefer, Gur and Wolf, 2021, eq. 5–6, for self-attention.
    """
    found = attention_matrices(call, _rising)
    readers = found.readers
    passed = [matrix + _identity(matrix) for matrix in found.matrices]
    values = reduce(_read, reversed(passed), readers)
    return to_map(call, values - readers if passed else values, upsample=upsample)


def _head(weights: Float[Tensor, "n heads queries keys"], head: int) -> Tensor:
    if head >= weights.shape[1]:
        raise MethodError(
            f"head {head} was given, but there are {weights.shape[1]} heads; expected 0 to "
            f"{weights.shape[1] - 1}, or -1 for their mean."
        )
    return weights.mean(1) if head < 0 else weights[:, head]


def _rising(
    weights: Float[Tensor, "n heads queries keys"], slopes: Float[Tensor, "n heads queries keys"]
) -> Float[Tensor, "n queries keys"]:
    """Attention that raises the score, mean over heads: eq. 5."""
    return (slopes * weights).clamp(min=0).mean(1)


def _read(
    readers: Float[Tensor, "n tokens"], matrix: Float[Tensor, "n tokens tokens"]
) -> Float[Tensor, "n tokens"]:
    return (readers[:, None] @ matrix)[:, 0]


def _identity(matrix: Tensor) -> Tensor:
    return torch.eye(matrix.shape[-1], dtype=matrix.dtype, device=matrix.device)
