"""How many rows one pass may see: as many as fit, measured on one row, halved where memory ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, final

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from pellucid.errors import MethodError
from pellucid.model.pieces import SMALL_BYTES

DEFAULT_BYTES = 2**30
SHARE_OF_FREE = 0.5
MOST_PER_INPUT_BYTE = 300
ALLOCATORS = ("not enough memory", "can't allocate memory", "out of memory")


@final
class Budget:
    """The number of rows in one pass, bounded by a count and by bytes.

    Small passes are not measured: activations rarely take more than 300 times the bytes of the
    input. On CPUs no pass is larger than is quick there (`pellucid.model.pieces`). `explained` is
    the tensor whose rows are counted.
    """

    def __init__(self, rows: int | None, num_bytes: int | None, explained: Tensor) -> None:
        for name, value in (("max_batch", rows), ("max_batch_bytes", num_bytes)):
            if value is not None and value < 1:
                raise MethodError(f"{name}={value} was given; expected at least 1.")
        self._most = rows
        self._bytes = num_bytes or _affordable(explained.device)
        self._row_bytes = explained[0].numel() * explained.element_size() if len(explained) else 1
        self._quick = (
            SMALL_BYTES // max(1, self._row_bytes) if explained.device.type == "cpu" else None
        )
        self._measured: int | None = None

    def rows(self, total: int, measure: Callable[[], int], *, part: int | None = None) -> int:
        """Rows that a pass may see where `total` are wanted; `measure` gives the bytes of one.

        A pass that computes little of the network for each row, `part` bytes of it at a time, may
        be larger on CPUs.
        """
        quick = None if part else self._quick
        bounds = [bound for bound in (self._most, quick) if bound is not None]
        most = max(1, min([total, *bounds]))
        if part:
            return max(1, min(most, self._bytes // part))
        if most == 1 or most * self._row_bytes * MOST_PER_INPUT_BYTE <= self._bytes:
            return most
        if self._measured is None:
            self._measured = max(1, measure())
        return max(1, min(most, self._bytes // self._measured))

    def shrink(self, rows: int) -> None:
        """Allow no more than so many rows from now on."""
        self._most = max(1, rows)


@final
class _Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up the bytes of new tensors; views are not new."""

    bytes = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        output = func(*args, **(kwargs or {}))
        if not func.is_view:
            for made in output if isinstance(output, tuple | list) else (output,):
                if isinstance(made, Tensor):
                    self.bytes += made.numel() * made.element_size()
        return output


@contextmanager
def counting_bytes() -> Iterator[_Counter]:
    """Count the bytes of all tensors that are made inside the block."""
    with _Counter() as counter:  # type: ignore[no-untyped-call]
        yield counter


def out_of_memory(error: BaseException) -> bool:
    """Tell whether an error says that memory ran out, on any device."""
    return isinstance(error, torch.OutOfMemoryError) or any(
        words in str(error) for words in ALLOCATORS
    )


def _affordable(device: torch.device) -> int:
    if device.type != "cuda":
        return DEFAULT_BYTES
    free, _ = torch.cuda.mem_get_info(device)
    return int(SHARE_OF_FREE * free)
