"""One pass over the data: everything that is gathered of each layer, in bounded memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pellucid.data.loading import Batch
from pellucid.inside.activations.forward import refuse_not_finite
from pellucid.inside.activations.gates import GateStatistics, unroll
from pellucid.inside.activations.heads import HeadStatistics
from pellucid.inside.activations.layout import Layer, Response
from pellucid.inside.activations.redundancy import Covariance
from pellucid.inside.activations.selectivity import ClassMeans
from pellucid.inside.activations.statistics import LayerStatistics, count_ends
from pellucid.inside.activations.strongest import Strongest
from pellucid.inside.activations.survey import BOUNDS, first_tensor

MOST_POINTS = 2000


@final
class OfLayer:
    """All that is gathered of one layer."""

    def __init__(self, layer: Layer, num_classes: int, top: int, seed: int) -> None:
        self.layer = layer
        self.statistics = LayerStatistics(layer)
        self.strongest = Strongest(layer, top)
        self.classes = ClassMeans(layer, num_classes)
        self.covariance = Covariance(layer, seed)


@final
class Points:
    """Pooled activations of a bounded number of samples, for scatter plots: (points, units)."""

    def __init__(self, num_samples: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        chosen = rng.permutation(num_samples)[:MOST_POINTS]
        self.chosen = np.zeros(num_samples, dtype=bool)
        self.chosen[chosen] = True
        self.samples: list[NDArray[np.int64]] = []
        self.targets: list[NDArray[np.int64]] = []
        self.values: dict[str, list[NDArray[np.float32]]] = {}

    def rows(self, positions: Tensor) -> Tensor:
        """Which rows of a batch are kept."""
        return torch.from_numpy(np.flatnonzero(self.chosen[positions.numpy()]))


@dataclass(kw_only=True)
class Collector:
    """Gathers what layers, heads, gates and bounded activations give, batch by batch."""

    layers: Sequence[Layer]
    ids: Sequence[str]
    num_classes: int
    top: int
    seed: int
    scattered: dict[str, NDArray[np.int64] | None]
    heads: HeadStatistics | None = None
    gates: GateStatistics = field(default_factory=GateStatistics)
    ends: dict[str, list[int]] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    num_samples: int = 0

    def __post_init__(self) -> None:
        self.found = {
            layer.name: OfLayer(layer, self.num_classes, self.top, self.seed)
            for layer in self.layers
        }
        self.points = Points(len(self.ids), self.seed)
        self._pooled: dict[str, tuple[Tensor, Tensor]] = {}
        self._batch: Batch | None = None

    def begin(self, batch: Batch) -> None:
        """Prepare for a batch."""
        self._batch = batch
        self._pooled.clear()

    def respond(self, layer: Layer, response: Response) -> None:
        """Add what a layer gave for the running batch."""
        assert self._batch is not None
        positions = self._batch.positions
        refuse_not_finite(layer, response, [self.ids[place] for place in positions.tolist()])
        found = self.found[layer.name]
        found.statistics.update(response)
        found.strongest.update(response, positions)
        self._pooled[layer.name] = (response.pooled, response.rates)

    def called(self, name: str, part: nn.Module, given: tuple[Any, ...], output: Any) -> None:
        """Add a call of a recurrent layer or a bounded activation."""
        if isinstance(part, nn.RNNBase):
            mask = self._batch.inputs.get("attention_mask") if self._batch else None
            self.gates.update(unroll(part, given, name), mask)
            return
        tensor = first_tensor(output)
        if tensor is not None:
            low, high = count_ends(tensor, BOUNDS[type(part).__name__])
            before = self.ends.get(name, [0, 0, 0])
            counts = zip(before, (low, high, tensor.numel()), strict=True)
            self.ends[name] = [old + new for old, new in counts]
            self.kinds[name] = type(part).__name__

    def end(self, targets: Tensor) -> None:
        """Finish a batch, whose samples have these classes (n,), −1 where none is known."""
        assert self._batch is not None
        rows = self.points.rows(self._batch.positions)
        for name, (pooled, rates) in self._pooled.items():
            self.found[name].classes.update(pooled, rates, targets)
            self.found[name].covariance.update(pooled)
            if name in self.scattered and len(rows):
                units = self.scattered[name]
                kept = pooled.cpu()[rows].numpy()
                kept = kept if units is None else kept[:, units]
                self.points.values.setdefault(name, []).append(kept)
        self.points.samples.append(self._batch.positions[rows].numpy())
        self.points.targets.append(targets[rows].numpy())
        self.num_samples += len(targets)
        self._pooled.clear()
