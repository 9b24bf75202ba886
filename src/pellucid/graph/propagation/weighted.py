"""LRP's rules for layers of weights: how a layer's relevance is shared among its inputs.

All share the relevance R_j of an output among inputs i by what they contributed,

    R_i = Σ_j z_ij / Σ_i' z_i'j · R_j

and differ in what counts as a contribution z_ij (w the weights, + and − their signed parts):

| rule | z_ij | source |
|---|---|---|
| zero | x_i w_ij | Bach et al., 2015, eq. 56 |
| epsilon | x_i w_ij, with ± ε added to the sum | Bach et al., 2015, eq. 58 |
| gamma | x_i (w_ij + γ w_ij⁺) | Montavon et al., 2019, section 10.2.1 |
| alpha_beta | α times the positive x_i w_ij, β = α − 1 times the negative | Bach et al., 2015, eq. 60 |
| flat | 1 | Lapuschkin et al., 2019 |
| box | x_i w_ij − low w_ij⁺ − high w_ij⁻ | Montavon et al., 2017, eq. 20 |

Biases take their share in the sum and keep it, except under flat and box, where they have none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.graph.propagation.kinds import aten
from pellucid.graph.propagation.rules import Step

STABILIZER = 1e-6


@dataclass(frozen=True)
class Layer:
    """A layer of weights at work: `run(x, weight, bias)` is its linear function."""

    x: Tensor
    weight: Tensor
    bias: Tensor | None
    run: Callable[[Tensor, Tensor, Tensor | None], Tensor]

    @classmethod
    def of(cls, step: Step) -> Layer:
        """The layer of a step whose input alone depends on what is explained."""
        if step.node.target is aten.addmm.default:
            bias, x, weight = step.args[:3]
            return cls(x.detach(), weight, bias, lambda x, w, b: x @ w if b is None else b + x @ w)
        x, weight, *rest = step.args
        bias, *options = rest or [None]

        def run(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
            output: Tensor = step.run(x, weight, bias, *options)
            return output

        return cls(x.detach(), weight, bias, run)


Share = Callable[[Layer, Tensor], Tensor]


@dataclass(frozen=True)
class Term:
    """Part of the contributions: sign · x w, and the same of a bias."""

    x: Tensor
    weight: Tensor
    bias: Tensor | None = None
    sign: int = 1


def shared(
    layer: Layer,
    terms: Sequence[Term],
    relevance: Float[Tensor, " *out"],
    epsilon: float = STABILIZER,
) -> Float[Tensor, " *shape"]:
    """Share relevance by contributions: the sum of the terms is the denominator of each."""
    with torch.enable_grad():
        leaves = [term.x.detach().clone().requires_grad_() for term in terms]
        parts = [
            term.sign * layer.run(leaf, term.weight, term.bias)
            for term, leaf in zip(terms, leaves, strict=True)
        ]
        total = torch.stack(parts).sum(0) if len(parts) > 1 else parts[0]
        sent = relevance / stabilized(total.detach(), epsilon)
        found = torch.autograd.grad(total, leaves, sent)
    products = [leaf.detach() * gradient for leaf, gradient in zip(leaves, found, strict=True)]
    return torch.stack(products).sum(0)


def stabilized(total: Float[Tensor, " *shape"], epsilon: float) -> Float[Tensor, " *shape"]:
    """A denominator, moved away from 0 by ε."""
    return total + torch.where(total < 0, -epsilon, epsilon)


def by_epsilon(epsilon: float = STABILIZER) -> Share:
    """By contributions, with ε to damp what is contradictory; the rule zero for a tiny ε."""

    def share(layer: Layer, relevance: Tensor) -> Tensor:
        return shared(layer, [Term(layer.x, layer.weight, layer.bias)], relevance, epsilon)

    return share


def by_alpha_beta(alpha: float) -> Share:
    """By positive contributions, α times, less negative ones, α − 1 times."""

    def share(layer: Layer, relevance: Tensor) -> Tensor:
        found = alpha * shared(layer, _signed(layer, 0, positive=True), relevance)
        if alpha == 1:
            return found
        return found - (alpha - 1) * shared(layer, _signed(layer, 0, positive=False), relevance)

    return share


def by_gamma(gamma: float) -> Share:
    """By contributions, those of the output's own sign weighted 1 + γ times."""

    def share(layer: Layer, relevance: Tensor) -> Tensor:
        output = layer.run(layer.x, layer.weight, layer.bias)
        above, below = relevance * (output > 0), relevance * (output < 0)
        return shared(layer, _signed(layer, gamma, positive=True), above) + shared(
            layer, _signed(layer, gamma, positive=False), below
        )

    return share


def by_count(layer: Layer, relevance: Float[Tensor, " *out"]) -> Float[Tensor, " *shape"]:
    """To all inputs of an output alike."""
    even = replace(layer, x=torch.ones_like(layer.x), weight=torch.ones_like(layer.weight))
    return shared(even, [Term(even.x, even.weight)], relevance)


def by_box(low: Tensor, high: Tensor) -> Share:
    """By contributions against the lowest and the highest value that an input can have."""

    def share(layer: Layer, relevance: Tensor) -> Tensor:
        weight = layer.weight
        terms = [
            Term(layer.x, weight),
            Term(low.to(layer.x).expand_as(layer.x), weight.clamp(min=0), sign=-1),
            Term(high.to(layer.x).expand_as(layer.x), weight.clamp(max=0), sign=-1),
        ]
        return shared(layer, terms, relevance)

    return share


def _signed(layer: Layer, gamma: float, *, positive: bool) -> list[Term]:
    """Contributions of one sign: alone if γ is 0, else on top of all, γ times."""
    x, weight, bias = layer.x, layer.weight, layer.bias

    def part(tensor: Tensor, above: bool) -> Tensor:
        signed = tensor.clamp(min=0) if above else tensor.clamp(max=0)
        return tensor + gamma * signed if gamma else signed

    of_bias = None if bias is None else part(bias, positive)
    return [
        Term(x.clamp(min=0), part(weight, positive), of_bias),
        Term(x.clamp(max=0), part(weight, not positive)),
    ]
