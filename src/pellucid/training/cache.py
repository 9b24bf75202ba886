"""Activations at the cut, computed once: in memory while they fit, on disk when larger."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pellucid.data import Batches, Data, in_order
from pellucid.errors import TrainingError
from pellucid.graph.cut import Cut
from pellucid.model import Inputs, Model, pieces
from pellucid.progress import progress
from pellucid.training.augment import Augment
from pellucid.training.seeds import derive

SHARE_OF_DISK = 0.5


@dataclass(frozen=True)
class ActivationCache:
    """Frontier tensors of every sample: one array (num_views · n, …) each.

    View v of sample i is row v · n + i. View 0 is augmented too, unless there is only one view.
    `readable` lists the positions whose sample could be read. `where` is "in memory" or "on disk".
    """

    arrays: tuple[Tensor, ...]
    readable: NDArray[np.int64]
    num_views: int
    where: str

    @property
    def num_bytes(self) -> int:
        return sum(array.numel() * array.element_size() for array in self.arrays)

    def take(self, positions: Tensor, view: int) -> tuple[Tensor, ...]:
        """Rows of the given samples in one of their views."""
        rows = positions + view % self.num_views * (len(self.arrays[0]) // self.num_views)
        return tuple(array[rows] for array in self.arrays)


class Uncacheable(TrainingError):
    """The activations fit neither into memory nor onto the disk, or their shape varies."""


def fill(
    model: Model,
    cut: Cut,
    data: Data,
    *,
    augment: Augment | None,
    num_views: int,
    seed: int,
    batch_size: int,
    workers: int,
    memory: int,
    folder: Path,
    show: bool | None,
) -> ActivationCache:
    """Run the frozen half over all samples and views.

    Raises Uncacheable where there is no room, or where samples differ in shape (texts by length).
    """
    arrays: list[Tensor] = []
    readable: list[int] = []
    where = ""
    with progress(f"frozen part, {data.split or 'data'}", len(data) * num_views, show=show) as step:
        for view in range(num_views):
            order = in_order(len(data), batch_size)
            seeds = [[derive(seed, view, i) for i in batch] for batch in order]
            batches = Batches(
                data, model.prepare, order, augment=augment, seeds=seeds, workers=workers
            )
            for batch in batches:
                frontier = _frontier(model, cut, batch.inputs)
                if not arrays:
                    arrays, where = _allocate(frontier, len(data) * num_views, memory, folder)
                for array, tensor in zip(arrays, frontier, strict=True):
                    _check_shape(array, tensor)
                    array[view * len(data) + batch.positions] = tensor
                if view == 0:
                    readable += batch.positions.tolist()
                step(len(batch.positions))
    return ActivationCache(tuple(arrays), np.array(readable, dtype=np.int64), num_views, where)


def _frontier(model: Model, cut: Cut, inputs: Inputs) -> list[Tensor]:
    """Activations at the cut of one batch, on the CPU."""
    parts = [
        [tensor.cpu() for tensor in cut.frontier({n: t.to(model.device) for n, t in part.items()})]
        for part in pieces(inputs, model.device)
    ]
    return [torch.cat(tensors) for tensors in zip(*parts, strict=True)]


def _check_shape(array: Tensor, tensor: Tensor) -> None:
    if array.shape[1:] != tensor.shape[1:]:
        raise Uncacheable(
            f"samples differ in shape at the cut: {tuple(array.shape[1:])} and "
            f"{tuple(tensor.shape[1:])}."
        )


def _allocate(
    examples: list[Tensor], rows: int, memory: int, folder: Path
) -> tuple[list[Tensor], str]:
    """Make room for `rows` rows like those of the examples, in memory or as files."""
    needed = sum(rows * tensor[0].numel() * tensor.element_size() for tensor in examples)
    if needed <= memory:
        return [tensor.new_empty((rows, *tensor.shape[1:])) for tensor in examples], "in memory"
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if needed > SHARE_OF_DISK * free:
        raise Uncacheable(
            f"the activations need {needed / 2**30:.1f} GiB; {memory / 2**30:.1f} GiB of memory and "
            f"half of {free / 2**30:.1f} GiB of free disk are allowed."
        )
    return [
        torch.from_numpy(
            np.lib.format.open_memmap(
                folder / f"activations-{len(list(folder.iterdir()))}.npy",
                mode="w+",
                dtype=tensor.numpy().dtype,
                shape=(rows, *tensor.shape[1:]),
            )
        )
        for tensor in examples
    ], "on disk"
