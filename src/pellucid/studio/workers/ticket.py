"""A task that was handed in: its place in the queue, its progress, and its outcome."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from pellucid.progress import Step

_numbers = itertools.count(1)


class TaskCancelled(Exception):
    """The task was cancelled before it gave anything."""


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
        self.stopped_early = False
        self._unwanted_since: float | None = None
        self._lock = threading.Lock()

    def begin(self) -> bool:
        """Take the task up; False if it was cancelled while it waited."""
        with self._lock:
            # Whoever awaits the future may have cancelled it likewise.
            wanted = self.future.set_running_or_notify_cancel()
            if wanted and self._unwanted_since is not None:
                self.future.set_exception(TaskCancelled())
                wanted = False
        if wanted and self.on_start:
            self.on_start()
        return wanted

    def cancel(self) -> None:
        """Say that the task is not wanted: it is stopped, or never begun."""
        with self._lock:
            if self._unwanted_since is None:
                self._unwanted_since = time.monotonic()

    @property
    def seconds_unwanted(self) -> float:
        """How long ago the task was cancelled; below 0 if it is still wanted."""
        since = self._unwanted_since
        return -1.0 if since is None else time.monotonic() - since
