"""Where batches come from: cached activations at the cut, or the samples themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pellucid.data import Batches, Data
from pellucid.model import Model
from pellucid.training.augment import Augment
from pellucid.training.cache import ActivationCache
from pellucid.training.seeds import derive


class Step(NamedTuple):
    """One batch for the network: positions (n,), its input tensors, targets (n,)."""

    positions: Tensor
    tensors: tuple[Tensor, ...]
    targets: Tensor


class Feed(Protocol):
    """Gives the batches of an order; `positions` are those that can be read."""

    @property
    def positions(self) -> NDArray[np.int64]: ...

    def batches(self, order: Sequence[Sequence[int]], epoch: int) -> Iterator[Step]: ...


@dataclass(frozen=True)
class CachedFeed:
    """Batches of cached activations; each epoch takes the samples' next view."""

    cache: ActivationCache
    targets: Tensor

    @property
    def positions(self) -> NDArray[np.int64]:
        return self.cache.readable

    def batches(self, order: Sequence[Sequence[int]], epoch: int) -> Iterator[Step]:
        for batch in order:
            positions = torch.tensor(batch)
            yield Step(positions, self.cache.take(positions, epoch), self.targets[positions])


@dataclass(frozen=True)
class LiveFeed:
    """Batches of prepared samples, augmented afresh in every epoch."""

    model: Model
    data: Data
    augment: Augment | None
    seed: int
    workers: int

    @property
    def positions(self) -> NDArray[np.int64]:
        return np.arange(len(self.data))

    def batches(self, order: Sequence[Sequence[int]], epoch: int) -> Iterator[Step]:
        seeds = [[derive(self.seed, epoch, i) for i in batch] for batch in order]
        for batch in Batches(
            self.data,
            self.model.prepare,
            order,
            augment=self.augment,
            seeds=seeds,
            workers=self.workers,
        ):
            yield Step(batch.positions, tuple(batch.inputs.values()), batch.targets)
