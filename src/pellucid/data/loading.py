"""Batches of prepared samples; samples that cannot be read are skipped and reported."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from pellucid.data.protocol import Data
from pellucid.data.report import DataReport
from pellucid.errors import DataError, PellucidError, UnreadableSample

Inputs = dict[str, Tensor]
Prepare = Callable[[Sequence[Any]], Inputs]
MOST_UNREADABLE = 0.1


class Batch(NamedTuple):
    """`positions` (n,) int64 into the Data, prepared `inputs`, `targets` (n,) int64."""

    positions: Tensor
    inputs: Inputs
    targets: Tensor
    unreadable: tuple[tuple[str, str], ...] = ()


class _Samples(Dataset[Any]):
    """Raw samples by position; what cannot be read comes back as its error."""

    def __init__(self, data: Data, augment: Callable[[Any, int], Any] | None) -> None:
        self.data, self.augment = data, augment

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, key: tuple[int, int]) -> Any:
        index, seed = key
        try:
            raw = self.data.read(index)
        except UnreadableSample as error:
            return index, error
        return index, self.augment(raw, seed) if self.augment else raw


class _Collate:
    def __init__(self, prepare: Prepare, targets: np.ndarray[Any, np.dtype[np.int64]]) -> None:
        self.prepare, self.targets = prepare, targets

    def __call__(
        self, samples: list[tuple[int, Any]]
    ) -> Batch | tuple[tuple[str, str], ...] | PellucidError:
        lost = tuple((e.sample, e.reason) for _, e in samples if isinstance(e, UnreadableSample))
        kept = [pair for pair in samples if not isinstance(pair[1], UnreadableSample)]
        if not kept:
            return lost
        positions = torch.tensor([position for position, _ in kept])
        targets = torch.from_numpy(self.targets[positions.numpy()])
        try:
            inputs = self.prepare([raw for _, raw in kept])
        except PellucidError as error:
            return error
        return Batch(positions, inputs, targets, lost)


class Batches(Iterable[Batch]):
    """Iterate over `data` in the given batches of positions, prepared for a model.

    `order` lists the positions of each batch; `augment(raw, seed)` changes a raw sample with a
    seed from `seeds` (one per sample, in the order's layout), so that every worker layout yields
    the same pictures. Raises DataError once more than a tenth of the data cannot be read.
    """

    def __init__(
        self,
        data: Data,
        prepare: Prepare,
        order: Sequence[Sequence[int]],
        *,
        augment: Callable[[Any, int], Any] | None = None,
        seeds: Sequence[Sequence[int]] | None = None,
        workers: int = 0,
    ) -> None:
        self.data = data
        keys = [
            [(int(i), int(s)) for i, s in zip(batch, row, strict=True)]
            for batch, row in zip(order, seeds or [[0] * len(b) for b in order], strict=True)
        ]
        self._loader = DataLoader(
            _Samples(data, augment),
            batch_sampler=keys,
            collate_fn=_Collate(prepare, data.targets),
            num_workers=workers,
            generator=torch.Generator(),  # keeps the user's own random state out of it
        )

    def __len__(self) -> int:
        return len(self._loader)

    def __iter__(self) -> Iterator[Batch]:
        for item in self._loader:
            if isinstance(item, PellucidError):
                raise item
            lost = item.unreadable if isinstance(item, Batch) else item
            for sample, reason in lost:
                self.data.report.add(sample, reason)
            if lost:
                refuse_if_mostly_unreadable(self.data)
            if isinstance(item, Batch):
                yield item


def refuse_if_mostly_unreadable(data: Data) -> None:
    """Raise DataError once more than a tenth of the samples of `data`, and at least two, were lost.

    What a source left out when it was opened does not count, nor do losses in other parts of it.
    """
    ids = set(data.ids)
    lost = DataReport([p for p in data.report.problems if p.action == "skipped" and p.what in ids])
    count = len(lost.problems)
    if count > max(1, MOST_UNREADABLE * len(data)):
        raise DataError(
            f"{data.source}: {count} of {len(data)} samples cannot be read ({lost.summary()}); "
            "more than one in ten. Repair or remove them, then try again.",
            problems=lost.to_json(),
        )


def in_order(size: int, batch_size: int) -> list[list[int]]:
    """Positions 0 … size - 1 in batches, as they come."""
    return [list(range(i, min(i + batch_size, size))) for i in range(0, size, batch_size)]
