"""Which samples excite the chosen units of one layer most, and where, in one pass over data.

Memory is bounded by units × k, whatever the size of the data.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(kw_only=True)
class TopSamples:
    """The `k` highest activations of each unit so far, at most one per sample, highest first.

    `values` (units, k) are -inf where there is none yet; `positions` (units, k) index the data, and
    `cells` (units, k) count the places of the layer's output row by row.
    """

    values: Float[Tensor, "units k"]
    positions: Int[Tensor, "units k"]
    cells: Int[Tensor, "units k"]

    @classmethod
    def none(cls, num_units: int, k: int) -> TopSamples:
        """Begin without any sample."""
        return cls(
            values=torch.full((num_units, k), -torch.inf),
            positions=torch.full((num_units, k), -1),
            cells=torch.full((num_units, k), -1),
        )

    def add(
        self, activations: Float[Tensor, "n units *places"], positions: Int[Tensor, " n"]
    ) -> None:
        """Take in a batch; of equal activations, the sample that came first stays."""
        places = activations.detach().float().cpu().reshape(*activations.shape[:2], -1)
        highest, cells = places.max(2)
        values = torch.cat([self.values, highest.T], 1)
        k = self.values.shape[1]
        order = values.argsort(dim=1, descending=True, stable=True)[:, :k]
        found = positions.cpu().expand(len(values), -1)
        self.values = values.gather(1, order)
        self.positions = torch.cat([self.positions, found], 1).gather(1, order)
        self.cells = torch.cat([self.cells, cells.T], 1).gather(1, order)
