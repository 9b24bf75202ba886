"""Units: the parts of an input that are hidden together, so that fine and coarse maps compare.

A picture is hidden in square cells, all channels together, as single pixels that go at random
break the picture like noise, which no map could match (Samek et al., 2017, hide regions too). A
text is hidden token by token, an array value by value. Special tokens and padding always stay.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from pellucid.attribution.baselines import special_tokens
from pellucid.attribution.call import Call
from pellucid.attribution.faithfulness.subject import plane


@dataclass(frozen=True)
class Units:
    """`label` is the unit of each position of the plane; `free` units may be hidden."""

    label: Int[Tensor, " positions"]
    free: Bool[Tensor, "n units"]
    shape: tuple[int, ...]

    def sums(self, maps: Float[Tensor, "rows n positions"]) -> Float[Tensor, "rows n units"]:
        """Add up a map inside each unit, in float64."""
        totals = maps.new_zeros(*maps.shape[:2], self.free.shape[1], dtype=torch.float64)
        return totals.index_add_(2, self.label, maps.double())

    def ranks(self, maps: Float[Tensor, "rows n positions"]) -> Int[Tensor, "rows n units"]:
        """Rank the units by the mean of a map, 0 the most important; ties in reading order."""
        sizes = torch.bincount(self.label, minlength=self.free.shape[1])
        strength = (self.sums(maps) / sizes).masked_fill(~self.free, -torch.inf)
        order: Tensor = strength.argsort(dim=-1, descending=True, stable=True)
        return order.argsort(-1)

    def over_input(self, hidden: Bool[Tensor, "m units"]) -> Bool[Tensor, " m *shape"]:
        """Give a choice of units a shape that broadcasts to the explained tensor."""
        return hidden[:, self.label].reshape(-1, *self.shape)


def units_of(call: Call, cells: int) -> Units:
    """Divide the inputs of a call; pictures into at most `cells` × `cells` cells."""
    size = plane(call)
    device = call.explained.device
    if call.kind == "image":
        down, across = (_cells(side, cells, device) for side in size)
        label = down[:, None] * (int(across[-1]) + 1) + across
        free = torch.ones(call.size, int(label.max()) + 1, dtype=torch.bool, device=device)
        return Units(label.flatten(), free, (1, *size))
    label = torch.arange(size.numel(), device=device)
    if call.kind == "array":
        free = torch.ones(call.size, size.numel(), dtype=torch.bool, device=device)
        return Units(label, free, tuple(size))
    return Units(label, _free_tokens(call), (*size, 1))


def _cells(side: int, cells: int, device: torch.device) -> Int[Tensor, " side"]:
    """Cell of each pixel along a side."""
    return torch.arange(side, device=device) * min(cells, side) // side


def _free_tokens(call: Call) -> Bool[Tensor, "n tokens"]:
    indices = call.inputs[call.name]
    used = call.inputs.get("attention_mask", torch.ones_like(indices)) > 0
    tokenizer = getattr(call.model.input, "tokenizer", None)
    return used if tokenizer is None else used & ~special_tokens(tokenizer, indices)
