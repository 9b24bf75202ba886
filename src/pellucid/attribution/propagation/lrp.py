"""Layer-wise relevance propagation: the score is shared out, layer by layer, down to the input.

    R_i = Σ_j z_ij / Σ_i' z_i'j · R_j

with z_ij what input i contributed to output j, by the rule of the layer. Conserving: with the rule
"0" and without biases, the relevance of the input adds up to the score.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated

import torch
from jaxtyping import Float, Int
from torch import Tensor, fx

from pellucid.attribution.call import EVERY, Attribution, Call
from pellucid.attribution.propagation.passes import Passes, as_table, operators_of
from pellucid.attribution.registry import Bounds, method
from pellucid.errors import MethodError, closest
from pellucid.graph.propagation.attention import attention_rules
from pellucid.graph.propagation.canonical import batch_norms_merged
from pellucid.graph.propagation.kinds import LAYERS, aten
from pellucid.graph.propagation.machine import following
from pellucid.graph.propagation.relevance import TINY, relevance_rules
from pellucid.graph.propagation.weighted import (
    Share,
    by_alpha_beta,
    by_box,
    by_count,
    by_epsilon,
    by_gamma,
)
from pellucid.model import ImageInput

RULES = (
    "0",
    "epsilon",
    "gamma",
    "alpha_beta",
    "flat",
    "epsilon_plus",
    "epsilon_gamma_box",
    "epsilon_plus_flat",
)


@method(
    title="Layer-wise relevance propagation",
    family="propagation",
    paper="Bach et al., 2015, eq. 56–60",
    about=(
        "Relevance propagation shares the answer's score out among the parts of the input, layer "
        "by layer: red spoke for the answer, blue against it. What the network adds on its own "
        "account, its biases, keeps a part of the score to itself."
    ),
    kinds=("image", "text", "array"),
    needs=("gradient",),
    per_pixel=True,
    cost="as long as five to fifteen predictions",
    passes="1 forward, 1 backward; 4 each for the rules gamma and alpha_beta",
)
def lrp(
    call: Call,
    *,
    rule: str = "epsilon_plus",
    epsilon: Annotated[float, Bounds(0, 1e3)] = 1e-6,
    gamma: Annotated[float, Bounds(0, 1e3)] = 0.25,
    alpha: Annotated[float, Bounds(1, 1e3)] = 2.0,
) -> Attribution:
    """How much of the score does each value account for? Signed, of the input's shape.

    `rule` is one for all layers of weights ("0", "epsilon", "gamma", "alpha_beta", "flat"), or a
    composite: "epsilon_plus" has z⁺ (α = 1) for convolutions and ε for linear layers (Kohlbrenner
    et al., 2020), "epsilon_plus_flat" also flat at the first layer, "epsilon_gamma_box" γ for
    convolutions, ε for linear layers and the box rule for layers right at the input (Montavon et al.,
    2019); the box is the range of pixel values, or of the sample if that is not known. `epsilon`, `gamma`
    and `alpha` (β = α − 1) are the rules' own numbers. Operators without weights: see
    `pellucid.graph.propagation.relevance`. Raises MethodError for an operator without a rule.
    Bach et al., 2015, eq. 56–60.
    """
    if rule not in RULES:
        raise MethodError(f"rule={rule!r} was given. {closest(str(rule), RULES)}")
    canonical = batch_norms_merged(operators_of(call, "lrp"))
    shares = {
        "0": by_epsilon(TINY),
        "epsilon": by_epsilon(epsilon or TINY),
        "gamma": by_gamma(gamma),
        "alpha_beta": by_alpha_beta(alpha),
        "plus": by_alpha_beta(1.0),
        "flat": by_count,
    }
    passes = Passes(call, relevance_rules({}), canonical)
    rows = torch.arange(call.size, device=call.explained.device)
    values = []
    for piece in passes.pieces(rows):
        assigned = _assigned(passes, rule, shares | {"box": by_box(*_box(call, piece))})
        values.append(_sent(replace(passes, rules=relevance_rules(assigned)), piece, True))
    return _attribution(call, torch.cat(values))


@method(
    title="Attention-aware relevance propagation",
    family="propagation",
    paper="Achtibat et al., 2024, propositions 3.1–3.4",
    about=(
        "Attention-aware relevance propagation shares the answer's score out among the parts of "
        "the input, and also follows how attention chose where to look. Made for transformers. "
        "What the network adds on its own account, its biases, keeps a part of the score."
    ),
    kinds=("image", "text", "array"),
    needs=("gradient",),
    per_pixel=True,
    cost="as long as four predictions",
    passes="1 forward, 1 backward",
)
def attn_lrp(call: Call, *, epsilon: Annotated[float, Bounds(0, 1e3)] = 1e-6) -> Attribution:
    """How much of the score does each value account for, attention included? Signed, as the input.

    `epsilon` damps layers of weights whose contributions contradict each other. Raises MethodError
    for an operator without a rule. Achtibat et al., 2024, propositions 3.1–3.4.
    """
    passes = Passes.of(call, attention_rules(epsilon))
    rows = torch.arange(call.size, device=call.explained.device)
    values = [call.explained[piece] * _sent(passes, piece, False) for piece in passes.pieces(rows)]
    return _attribution(call, torch.cat(values))


def _assigned(passes: Passes, rule: str, shares: Mapping[str, Share]) -> dict[fx.Node, Share]:
    """The rule of each layer of weights that works on what is explained."""
    start, graph = passes.start, passes.canonical.graph
    dependent, later = following(start), set[fx.Node]()
    layers = [node for node in graph.nodes if node in dependent and node.target in LAYERS]
    assigned = {}
    for node in layers:
        assigned[node] = shares[_named(rule, node, node not in later, start)]
        later |= following(node)
    return assigned


def _named(rule: str, node: fx.Node, first: bool, start: fx.Node) -> str:
    """The name of a layer's own rule; `first` if no other layer comes before it."""
    convolves = node.target is aten.convolution.default
    if rule == "epsilon_plus_flat" and first:
        return "flat"
    if rule == "epsilon_gamma_box" and start in node.all_input_nodes:
        return "box"
    if rule == "epsilon_gamma_box":
        return "gamma" if convolves else "epsilon"
    if rule in ("epsilon_plus", "epsilon_plus_flat"):
        return "plus" if convolves else "epsilon"
    return rule


def _box(call: Call, rows: Int[Tensor, " m"]) -> tuple[Tensor, Tensor]:
    """The lowest and the highest value of an input: of its pixels, or of each sample."""
    record = call.model.input
    if call.kind == "image" and isinstance(record, ImageInput):
        mean, std = (torch.tensor(t)[:, None, None] for t in (record.mean, record.std))
        return -mean / std, (1 - mean) / std
    samples = call.explained[rows]
    shape = (-1,) + (1,) * (samples.ndim - 1)
    flat = samples.flatten(1)
    return flat.amin(1).view(shape), flat.amax(1).view(shape)


def _sent(passes: Passes, rows: Tensor, of_relevance: bool) -> Float[Tensor, " m *shape"]:
    """What reaches the explained tensor, of relevance or of coefficients."""
    point = passes.call.explained[rows].detach().to(passes.dtype).requires_grad_()
    output, _ = passes.propagation(rows, passes.dtype).run(point)
    logits = as_table(output)
    passes.count(rows, forwards=1)
    leaf = logits.detach().requires_grad_()
    (weights,) = torch.autograd.grad(passes.call.score(leaf, rows).sum(), leaf)
    sent = weights * leaf.detach() if of_relevance else weights
    (found,) = torch.autograd.grad(logits, point, sent, materialize_grads=True)
    return found


def _attribution(call: Call, values: Float[Tensor, " n *shape"]) -> Attribution:
    summed = values.sum(-1) if call.kind == "text" else values
    return Attribution(values=summed, resolution=EVERY[call.kind])
