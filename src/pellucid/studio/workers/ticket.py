"""A task that was handed in: its place in the queue, its progress, and its outcome."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Protocol

from pellucid.progress import Step

_numbers = itertools.count(1)


class TaskCancelled(Exception):
    """The task was cancelled before it gave anything."""


class Canceller(Protocol):
    """What can tell a running task to stop."""

    def cancel(self, task: int) -> None: ...


class Ticket:
    """One task: `future` holds what it returns, or raises its error or `TaskCancelled`.

    `on_start` and `on_step` are called in a thread of the lane.
    """

    def __init__(
        self,
        home: str,
        arguments: dict[str, Any],
        on_start: Callable[[], None] | None = None,
        on_step: Callable[[Step], None] | None = None,
    ) -> None:
        self.id = next(_numbers)
        self.home, self.arguments = home, arguments
        self.on_start, self.on_step = on_start, on_step
        self.future: Future[Any] = Future()
        self.cancelled_at: float | None = None
        self.stopped_early = False
        self._lock = threading.Lock()
        self._worker: Canceller | None = None

    def begin(self, worker: Canceller) -> bool:
        """Take the task up; False if it was cancelled while it waited."""
        with self._lock:
            if self.cancelled_at is None:
                self._worker = worker
        if self._worker is None:
            self.future.set_exception(TaskCancelled())
            return False
        if self.on_start:
            self.on_start()
        return True

    def cancel(self) -> None:
        """Stop the task, or never begin it; nothing happens to one that has ended."""
        with self._lock:
            if self.cancelled_at is not None or self.future.done():
                return
            self.cancelled_at = time.monotonic()
            worker = self._worker
        if worker is not None:
            worker.cancel(self.id)

    def overdue(self, grace: float) -> bool:
        """Whether the task was told to stop more than `grace` seconds ago."""
        return self.cancelled_at is not None and time.monotonic() - self.cancelled_at > grace
