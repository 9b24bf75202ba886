"""Maps whose weights come from forward passes alone: channels taken away, or shown alone.

    Ablation-CAM  ReLU( Σ_k w_k A_k ),  w_k = (y − y_k) / |y|,  y_k the score with A_k set to 0
    Score-CAM     ReLU( Σ_k w_k A_k ),  w = softmax over k of f(x ⊙ H_k),   H_k = A_k as a mask

H_k is stretched to the picture and scaled to 0 … 1. Where only linear layers follow, the drop
y − y_k is Σ_ij ∂y/∂A_kij A_kij exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pellucid.attribution.call import Attribution, Call
from pellucid.attribution.cam.fusing import (
    Fuse,
    fused,
    output_on_grid,
    picture_of,
    precise,
    stretched,
)
from pellucid.attribution.freezing import intercepted
from pellucid.attribution.layers import Grid, Layers
from pellucid.attribution.registry import Bounds, method
from pellucid.errors import ModelError
from pellucid.graph.addressing import find_layer
from pellucid.graph.suffix import Suffix

ROWS_AT_ONCE = 32
SMALLEST_SCORE = 1e-6
EVERY_CHANNEL = 65_536
Rerun = Callable[[Tensor, Tensor], Tensor]


@method(
    title="Ablation-CAM",
    family="cam",
    paper="Desai and Ramaswamy, 2020, section 3",
    about=(
        "Ablation-CAM switches off one feature of a layer after another and watches the score: "
        "bright areas hold the features that the answer needs. It uses no gradients, and is as "
        "coarse as the layer's grid."
    ),
    kinds=("image",),
    needs=("layer",),
    signed=False,
    cost="little for a late layer, up to one prediction for each channel for an early one",
    passes="2 forward, and for each channel one from the layer on",
)
def ablation_cam(
    call: Call, *, layer: Layers = None, fuse: Fuse = "mean", upsample: bool = True
) -> Attribution:
    """Which areas hold the features that the score needs? (n, y, x), zero or more.

    `layer`, `fuse` and `upsample` as in `grad_cam`. Only what follows the layer is run again, once
    for each channel that is not zero already; all of the model where it cannot be traced, and no channel
    where only sums and linear layers follow, whose falls are read off the weights. The
    paper divides by y; here it is |y|, so that a negative score does not turn the map around. A
    channel's cells are set to zero, whatever the range of its activations; class tokens stay.
    Desai and Ramaswamy, 2020, section 3.
    """

    def draw(name: str) -> Float[Tensor, "n height width"]:
        output, grid = output_on_grid(call, name)
        weights = _drops(call, name, output, grid)
        return torch.einsum("nk,nkyx->nyx", weights, precise(grid.of(output))).relu()

    return fused(call, layer, fuse, upsample, draw)


@method(
    title="Score-CAM",
    family="cam",
    paper="Wang et al., 2020, eq. 3–5 and algorithm 1",
    about=(
        "Score-CAM shows the model only what one feature of a layer reacts to, for one feature "
        "after another, and gives most weight to those that score best. It uses no gradients. It "
        "is slow, and often a few features decide the whole map."
    ),
    kinds=("image",),
    needs=("layer",),
    signed=False,
    cost="one prediction for each channel of the layer",
    passes="1 forward for each channel, and 1",
)
def score_cam(
    call: Call,
    *,
    layer: Layers = None,
    channels: Annotated[int, Bounds(1, EVERY_CHANNEL)] = EVERY_CHANNEL,
    fuse: Fuse = "mean",
    upsample: bool = True,
) -> Attribution:
    """Which areas score best when they alone are shown? (n, y, x), zero or more.

    `layer`, `fuse` and `upsample` as in `grad_cam`. `channels` keeps those with the largest
    activations only; all there are by default, as in the paper. Channels that are the same in all
    cells make no mask and are left out.
    Wang et al., 2020, eq. 3–5 and algorithm 1. One forward pass per channel.
    """

    def draw(name: str) -> Float[Tensor, "n height width"]:
        output, grid = output_on_grid(call, name)
        activation = precise(grid.of(output))
        scores = _confidence(call, activation, channels)
        unseen = (scores == -torch.inf).all(1, keepdim=True)
        weights = torch.where(unseen, 0, scores.softmax(1))
        return torch.einsum("nk,nkyx->nyx", weights, activation).relu()

    return fused(call, layer, fuse, upsample, draw)


def _drops(
    call: Call, layer: str, output: Float[Tensor, " n *shape"], grid: Grid
) -> Float[Tensor, "n channels"]:
    """How far the score falls, relative to its size, when a channel's cells are set to zero."""
    suffix = _suffix(call, layer)
    if suffix is not None and suffix.is_affine and call.explains_logits:
        shares = _shares(call, suffix, output, grid)
        return shares / precise(call.own_scores).abs().clamp(min=SMALLEST_SCORE)[:, None]
    own = precise(call.own_scores)
    used = grid.of(output).flatten(2).any(2)
    drops = torch.zeros_like(used, dtype=own.dtype)
    samples, channels = used.nonzero(as_tuple=True)
    rerun = _from_layer_on(call, layer, suffix)
    for part in torch.split(torch.arange(len(samples)), ROWS_AT_ONCE):
        rows, taken = samples[part], channels[part]
        changed = output[rows]
        grid.channels(changed)[taken, torch.arange(len(part), device=taken.device)] = 0
        drops[rows, taken] = own[rows] - precise(call.score(rerun(changed, rows), rows))
    return drops / own.abs().clamp(min=SMALLEST_SCORE)[:, None]


def _shares(
    call: Call, suffix: Suffix, output: Float[Tensor, " n *shape"], grid: Grid
) -> Float[Tensor, "n channels"]:
    """The same falls where the score is a weighted sum of the cells: each channel's part of it."""
    kept = suffix.prepare(call.inputs)
    found = []
    for rows in torch.split(torch.arange(len(output), device=output.device), ROWS_AT_ONCE):
        with torch.enable_grad():
            cells = output[rows].detach().requires_grad_()
            score = call.score(suffix(cells, kept, rows), rows)
            (slope,) = torch.autograd.grad(score.sum(), cells, materialize_grads=True)
        found.append(grid.of(precise(slope) * precise(cells.detach())).flatten(2).sum(2))
    return torch.cat(found)


def _suffix(call: Call, layer: str) -> Suffix | None:
    """The model from a layer's output on; None where it cannot be cut there."""
    try:
        return call.graph.suffix(layer)
    except ModelError:
        return None


def _from_layer_on(call: Call, layer: str, suffix: Suffix | None) -> Rerun:
    """The model from a layer's output on; all of it again where it cannot be cut there."""
    if suffix is None:
        return partial(_whole, call, find_layer(call.model.module, layer))
    with torch.no_grad():
        kept = suffix.prepare(call.inputs)

    def rest(output: Tensor, rows: Tensor) -> Tensor:
        with torch.no_grad():
            logits: Tensor = suffix(output, kept, rows)
            return logits

    return rest


def _whole(call: Call, layer: nn.Module, output: Tensor, rows: Tensor) -> Tensor:
    parts = []
    for piece in call.chunks(len(rows)):
        with torch.no_grad(), intercepted(layer, _replaced_by(output[piece])):
            parts.append(call.logits(call.explained[rows[piece]], rows[piece]))
    return torch.cat(parts)


def _replaced_by(output: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda _: output


def _confidence(
    call: Call, activation: Float[Tensor, "n channels height width"], most: int
) -> Float[Tensor, "n channels"]:
    """Scores of the pictures behind the mask of each channel; -inf for channels left out."""
    highest, lowest = activation.amax((2, 3)), activation.amin((2, 3))
    rank = torch.where(highest > lowest, highest, -torch.inf)
    rank = rank.argsort(dim=1, descending=True, stable=True).argsort(dim=1)
    samples, channels = ((rank < most) & (highest > lowest)).nonzero(as_tuple=True)
    scores = torch.full_like(highest, -torch.inf)
    for part in call.chunks(len(samples)) if len(samples) else ():
        rows, chosen = samples[part], channels[part]
        masks = _masks(activation[rows, chosen], picture_of(call))
        points = call.explained[rows] * masks[:, None].to(call.explained)
        scores[rows, chosen] = call.scores(points, rows).to(scores)
    return scores


def _masks(
    activation: Float[Tensor, "m height width"], size: tuple[int, int]
) -> Float[Tensor, "m y x"]:
    masks = stretched(activation, size)
    lowest = masks.amin((1, 2), keepdim=True)
    span = masks.amax((1, 2), keepdim=True) - lowest
    return (masks - lowest) / torch.where(span > 0, span, 1)
