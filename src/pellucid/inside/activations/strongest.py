"""The samples to which each unit responds most, and where in them."""

from __future__ import annotations

from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pellucid.inside.activations.layout import Layer, Response


@final
class Strongest:
    """The `top` largest responses of each unit, at most one per sample: arrays (units, top).

    `place` is the position in the layer's output, beginning at the first cell of a grid or the
    first token that counts; `y` and `x` are the middle of the cell as parts of the picture's sides,
    NaN where there is no grid. Where there are fewer samples than `top`, values are −∞.
    """

    def __init__(self, layer: Layer, top: int) -> None:
        shape = (layer.units, top)
        self.top = top
        self.value = torch.full(shape, -torch.inf)
        self.sample = torch.full(shape, -1, dtype=torch.int64)
        self.place = torch.full(shape, -1, dtype=torch.int64)
        self.y, self.x = torch.full(shape, torch.nan), torch.full(shape, torch.nan)

    def update(self, response: Response, samples: Tensor) -> None:
        """Add a batch whose samples have these positions (n,) in the data."""
        value, place = (each.T.cpu() for each in response.peaks())
        # Stable, so that of equal responses the first sample stays.
        value, chosen = value.sort(dim=1, descending=True, stable=True)
        value, chosen = value[:, : self.top], chosen[:, : self.top]
        place = place.gather(1, chosen)
        y, x = _middles(place, response)
        self._merge(value, samples[chosen], place, y, x)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What was found, by name."""
        return {
            "top_value": self.value.numpy(),
            "top_sample": self.sample.numpy(),
            "top_place": self.place.numpy(),
            "top_y": self.y.numpy().astype(np.float32),
            "top_x": self.x.numpy().astype(np.float32),
        }

    def _merge(self, value: Tensor, *others: Tensor) -> None:
        mine = (self.sample, self.place, self.y, self.x)
        both = torch.cat([self.value, value], 1)
        kept = both.sort(dim=1, descending=True, stable=True).indices[:, : self.top]
        self.value = both.gather(1, kept)
        self.sample, self.place, self.y, self.x = (
            torch.cat([old, new], 1).gather(1, kept) for old, new in zip(mine, others, strict=True)
        )


def _middles(place: Tensor, response: Response) -> tuple[Tensor, Tensor]:
    if not response.height:
        nowhere = torch.full(place.shape, torch.nan)
        return nowhere, nowhere
    row, column = place // response.width, place % response.width
    return (row + 0.5) / response.height, (column + 0.5) / response.width
