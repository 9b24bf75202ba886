"""Layer-wise relevance propagation: relevance is shared out, operator by operator, and kept.

What is sent back is the relevance R itself; the sum over a layer's inputs is that over its
outputs, up to what biases keep.

| operator | rule |
|---|---|
| layer of weights | one of `pellucid.graph.propagation.weighted`; batch norm after it is part of it |
| sum, mean, average pooling, other batch norm | by contributions |
| pointwise, product with a fixed factor | all relevance goes to the input |
| maximum | all to the winner |
| softmax, norms, 1/√ | fixed: attention is a fixed average, layer norm a fixed scale |
| product with a gate (sigmoid) of its own size | all to the signal that is let through |
| other product of two, squeeze-and-excitation among them | half to each |

Bach et al., 2015; gates after Arras et al., 2017; fixed norms and attention after Ali et al., 2022.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from operator import getitem
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, fx

from pellucid.graph.propagation.canonical import BATCH_NORM
from pellucid.graph.propagation.kinds import (
    DIVISIONS,
    EXTREMES,
    GATES,
    LAYER_NORMS,
    LAYERS,
    MOVES,
    NORMALIZERS,
    PRODUCTS,
    SOFTMAXES,
    SUMS,
    WINNERS,
    aten,
    producer,
)
from pellucid.graph.propagation.rules import Curve, Rules, Step, bend, moves
from pellucid.graph.propagation.weighted import Layer, Share, stabilized

TINY = 1e-9


def relevance_rules(shares: Mapping[fx.Node, Share]) -> Rules:
    """The table of LRP, with a rule for each layer of weights of a graph."""
    rules = Rules("lrp", plain=MOVES | WINNERS | EXTREMES)
    rules.pointwise(passed_on)
    rules.rule(*SUMS, BATCH_NORM)(by_contribution)
    rules.rule(*NORMALIZERS, *SOFTMAXES)(Step.value)
    rules.rule(*LAYER_NORMS)(layer_norm)
    rules.rule(aten.native_group_norm.default)(group_norm)
    rules.rule(*(PRODUCTS - LAYERS))(product)
    rules.rule(*DIVISIONS)(division)

    @rules.rule(*LAYERS)
    def layer_of_weights(step: Step) -> Any:
        if len(step.moving()) > 1 or step.node not in shares:
            return product(step)
        share = shares[step.node]
        layer = Layer.of(step)
        source = step.args[step.moving()[0]]
        return bend(step.value(), [source], lambda sent: (share(layer, sent),))

    return rules


def passed_on(step: Step, curve: Curve) -> Tensor:
    """Send all relevance to the input."""
    return bend(step.value(), [curve.root], lambda sent: (sent,))


def by_contribution(step: Step) -> Any:
    """Share relevance among the terms of a linear operator, as much as each contributed."""
    places = step.moving()
    leaves = {place: step.args[place].detach().requires_grad_() for place in places}
    with torch.enable_grad():
        output = step.run(*(leaves.get(i, argument) for i, argument in enumerate(step.args)))
    local = output[0] if isinstance(output, tuple) else output
    value = local.detach()
    factors = len(places) if step.node.target in PRODUCTS else 1

    def pull(sent: Tensor) -> list[Tensor]:
        weights = sent / stabilized(value, TINY) / factors
        found = torch.autograd.grad(local, list(leaves.values()), weights)
        return [leaf.detach() * part for leaf, part in zip(leaves.values(), found, strict=True)]

    bent = bend(value, [step.args[place] for place in places], pull)
    return (bent, *output[1:]) if isinstance(output, tuple) else bent


def layer_norm(step: Step) -> Any:
    """Share by contributions through layer norm, with its scale held fixed."""
    return _through(step, fixed_scale)


def group_norm(step: Step) -> Any:
    """Share by contributions through group norm, with its scale held fixed."""
    return _through(step, fixed_scale_of_groups)


def _through(step: Step, function: Callable[[Step], Any]) -> Any:
    leaf = step.args[0].detach().requires_grad_()
    with torch.enable_grad():
        output = function(replace(step, args=(leaf, *step.args[1:])))
    local = output[0] if isinstance(output, tuple) else output
    value = local.detach()

    def pull(sent: Tensor) -> tuple[Tensor]:
        (found,) = torch.autograd.grad(local, leaf, sent / stabilized(value, TINY))
        return (leaf.detach() * found,)

    bent = bend(value, [step.args[0]], pull)
    return (bent, *output[1:]) if isinstance(output, tuple) else bent


def fixed_scale(step: Step) -> Any:
    """Layer norm as a linear function: its scale is held fixed."""
    x, shape, *rest = step.args
    weight, bias, epsilon = (*rest, *(None, None, 1e-5)[len(rest) :])[:3]
    scaled = _standardized(x, tuple(range(-len(shape), 0)), epsilon)
    scaled = scaled if weight is None else scaled * weight
    scaled = scaled if bias is None else scaled + bias
    return scaled if step.node.target is aten.layer_norm.default else (scaled, None, None)


def fixed_scale_of_groups(step: Step) -> tuple[Tensor, None, None]:
    """Group norm as a linear function: its scale is held fixed."""
    x, weight, bias, _, channels, _, groups, epsilon = step.args
    scaled = _standardized(x.reshape(len(x), groups, -1), (-1,), epsilon).reshape(x.shape)
    per_channel = (1, channels) + (1,) * (x.ndim - 2)
    scaled = scaled if weight is None else scaled * weight.view(per_channel)
    return scaled if bias is None else scaled + bias.view(per_channel), None, None


def _standardized(
    x: Float[Tensor, " *shape"], dims: tuple[int, ...], epsilon: float
) -> Float[Tensor, " *shape"]:
    centred = x - x.mean(dims, keepdim=True)
    return centred / (centred.detach().square().mean(dims, keepdim=True) + epsilon).sqrt()


def product(step: Step) -> Any:
    """All to the one factor that moves, or to the signal of a gate; else half to each factor."""
    places = step.moving()
    value = step.value()
    if len(places) == 1:
        return _scaled(step, value, step.args[places[0]])
    if step.node.target is not aten.mul.Tensor:
        return by_contribution(step)
    gates = [is_gate(step.node, place) for place in (0, 1)]
    shares = (0.5, 0.5) if gates[0] == gates[1] else (float(gates[1]), float(gates[0]))
    factors = step.args[:2]
    return bend(
        value,
        factors,
        lambda sent: [
            (share * sent).sum_to_size(factor.shape)
            for share, factor in zip(shares, factors, strict=True)
        ],
    )


def is_gate(node: fx.Node, place: int) -> bool:
    """Tell whether a factor is a gate, between 0 and 1, for each value of its own."""
    factor = node.args[place]
    if not isinstance(factor, fx.Node) or _shape(factor) != _shape(node):
        return False
    source = producer(factor, MOVES | DIVISIONS | {getitem})
    bounded = source.target is aten.clamp.default and len(source.args) > 2
    return source.target in GATES or bounded


def _shape(node: fx.Node) -> tuple[str, ...]:
    return tuple(map(str, node.meta["val"].shape))


def _scaled(step: Step, value: Tensor, factor: Tensor) -> Any:
    if step.node.target is aten.mul.Tensor and value.shape == factor.shape:
        return bend(value, [factor], lambda sent: (sent,))
    return by_contribution(step)


def division(step: Step) -> Any:
    """All to the numerator; a denominator is a scale, and fixed."""
    top, value = step.args[0], step.value()
    if not moves(top):
        return value
    return bend(value, [top], lambda sent: (sent.sum_to_size(top.shape),))
