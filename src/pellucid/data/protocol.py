"""Data: an indexed collection of samples, whatever it was read from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pellucid.data.report import DataReport
from pellucid.errors import DataError
from pellucid.result import DataIdentity

InputKind = Literal["image", "text", "array"]
UNLABELLED = -1


@dataclass(frozen=True)
class Sample:
    """One sample: `input` is a PIL picture (RGB), a string or an array; `label` a class index."""

    id: str
    input: Any
    label: int


@dataclass(frozen=True, kw_only=True)
class Data:
    """Samples of one kind with their labels, read one at a time.

    `read(i)` returns the raw input of sample i and raises UnreadableSample where it can't; it must
    be picklable, since loaders may call it in other processes. `targets` (n,) int64 are class
    indices into `labels`, or -1 without a label. `report` names everything that was wrong.
    """

    source: str
    split: str
    kind: InputKind
    labels: tuple[str, ...]
    ids: tuple[str, ...]
    targets: NDArray[np.int64]
    read: Callable[[int], Any]
    report: DataReport = field(default_factory=DataReport)

    def __post_init__(self) -> None:
        if len(self.ids) != len(self.targets):
            raise DataError(
                f"{self.source}: {len(self.ids)} ids for {len(self.targets)} targets; "
                "every sample needs one of each (use -1 where there is no label)."
            )

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int) -> Sample:
        if not -len(self) <= index < len(self):
            raise IndexError(f"sample {index} of {len(self)}")
        index %= len(self)
        return Sample(self.ids[index], self.read(index), int(self.targets[index]))

    def __iter__(self) -> Iterator[Sample]:
        return (self[index] for index in range(len(self)))

    def subset(self, indices: Sequence[int] | NDArray[np.int64], *, split: str = "") -> Data:
        """Take the samples at `indices`, in that order."""
        chosen = np.asarray(indices, dtype=np.int64)
        return replace(
            self,
            split=split or self.split,
            ids=tuple(self.ids[index] for index in chosen),
            targets=self.targets[chosen],
            read=_Chosen(self.read, chosen),
        )

    @property
    def identity(self) -> DataIdentity:
        """Spec, split, size, and a hash of ids and targets."""
        digest = hashlib.sha256("\0".join(self.ids).encode())
        digest.update(self.targets.tobytes())
        return DataIdentity(
            source=self.source,
            split=self.split,
            num_samples=len(self),
            samples=digest.hexdigest()[:16],
        )

    def __str__(self) -> str:
        counts = np.bincount(self.targets[self.targets >= 0], minlength=len(self.labels))
        parts = [f"{self.source} [{self.split or 'all'}]: {len(self)} {self.kind} samples"]
        if self.labels:
            parts.append(
                f"{len(self.labels)} classes, {counts.min()} to {counts.max()} samples each"
            )
        if self.report.problems:
            parts.append(self.report.summary())
        return "; ".join(parts)


@dataclass(frozen=True)
class _Chosen:
    read: Callable[[int], Any]
    indices: NDArray[np.int64]

    def __call__(self, index: int) -> Any:
        return self.read(int(self.indices[index]))
