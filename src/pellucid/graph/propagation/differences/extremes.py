"""Maxima and minima: the winner that explains the change is sent Δy / Δx.

If a maximum rose, that is the winner at the input, if it fell, the one at the baseline; its own
change is then at least that of the maximum, so that 0 ≤ Δy / Δx ≤ 1. Among equals, one that wins at
both points is taken.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pellucid.graph.propagation.differences.table import rules
from pellucid.graph.propagation.kinds import aten
from pellucid.graph.propagation.rules import Step, bend

SMALLEST = ("aten.amin", "aten.min.", "aten.minimum")


@rules.rule(aten.max_pool2d_with_indices.default, aten.max_pool3d_with_indices.default)
def max_pool(step: Step) -> tuple[Tensor, Tensor]:
    """The maximum of each window; winners come with the values."""
    x, axes = step.args[0], 3 if "3d" in str(step.node.target) else 2
    value, places = step.value()
    here, base, top, base_top = (
        tensor.flatten(-axes) for tensor in (x.detach(), step.base_args[0], value, step.base[0])
    )
    winners = Winners(places.flatten(-axes), step.base[1].flatten(-axes))
    picked = winners.explaining(here, base, top, base_top)

    def pull(sent: Tensor) -> tuple[Tensor]:
        return (picked.placed(sent.flatten(-axes), here).view(x.shape),)

    return bend(value, [x], pull), places


@rules.rule(aten.amax.default, aten.amin.default)
def extreme(step: Step) -> Tensor:
    """The maximum or minimum over axes."""
    x, base = step.args[0], step.base_args[0]
    given = step.args[1] if len(step.args) > 1 else ()
    axes = sorted({axis % x.ndim for axis in given}) or list(range(x.ndim))
    rest = [axis for axis in range(x.ndim) if axis not in axes]
    flat, base_flat = (t.permute(*rest, *axes).flatten(len(rest)) for t in (x, base))
    return _over_last(step, flat, base_flat, step.value())


@rules.rule(aten.max.dim, aten.min.dim)
def extreme_and_place(step: Step) -> tuple[Tensor, Tensor]:
    """The maximum or minimum over one axis, and where it is."""
    axis = step.args[1]
    value, places = step.value()
    x, base = (t.movedim(axis, -1) for t in (step.args[0], step.base_args[0]))
    return _over_last(step, x, base, value), places


@rules.rule(aten.maximum.default, aten.minimum.default)
def of_two(step: Step) -> Tensor:
    """The greater, or the smaller, of two tensors."""
    shape = step.base.shape
    pair, base_pair = (
        torch.stack([tensor.expand(shape) for tensor in args], -1)
        for args in (step.args, step.base_args)
    )
    return _over_last(step, pair, base_pair, step.value())


def _over_last(step: Step, x: Tensor, base: Tensor, value: Tensor) -> Tensor:
    sign = -1 if str(step.node.target).startswith(SMALLEST) else 1
    here, there = sign * x.detach(), sign * base
    winners = Winners(here.argmax(-1, keepdim=True), there.argmax(-1, keepdim=True))
    top, base_top = here.gather(-1, winners.places), there.gather(-1, winners.base_places)
    picked = winners.explaining(here, there, top, base_top)

    def pull(sent: Tensor) -> tuple[Tensor]:
        return (picked.placed(sent.reshape(top.shape), here),)

    return bend(value, [x], pull)


@dataclass(frozen=True)
class Picked:
    """For each window the place that is sent something, and the share of it."""

    place: Int[Tensor, " *rest windows"]
    share: Float[Tensor, " *rest windows"]

    def placed(
        self, sent: Float[Tensor, " *rest windows"], like: Float[Tensor, " *rest values"]
    ) -> Float[Tensor, " *rest values"]:
        """What each value is sent."""
        return torch.zeros_like(like).scatter_add_(-1, self.place, sent * self.share)


@dataclass(frozen=True)
class Winners:
    """Where the maxima of windows over the last axis are, at the input and at the baseline."""

    places: Int[Tensor, " *rest windows"]
    base_places: Int[Tensor, " *rest windows"]

    def explaining(
        self,
        x: Float[Tensor, " *rest values"],
        base: Float[Tensor, " *rest values"],
        top: Float[Tensor, " *rest windows"],
        base_top: Float[Tensor, " *rest windows"],
    ) -> Picked:
        """The place that explains the change of each maximum, and Δy / Δx there."""
        change = top - base_top
        also_here = x.gather(-1, self.base_places) == top
        also_there = base.gather(-1, self.places) == base_top
        both = also_here | also_there
        place = self.places.where(also_there | (~also_here & (change > 0)), self.base_places)
        step = x.gather(-1, place) - base.gather(-1, place)
        share = torch.where(both | (step == 0), both.to(step), change / step)
        return Picked(place, share)
