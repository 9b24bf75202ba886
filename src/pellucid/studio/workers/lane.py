"""A queue of tasks and the workers that take from it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

from pellucid.progress import Step
from pellucid.studio.workers.messages import Limits
from pellucid.studio.workers.ticket import Ticket
from pellucid.studio.workers.worker import Patience, Worker


class Lane:
    """Tasks are done in their order, each by the next free of `num_workers` processes."""

    def __init__(
        self,
        name: str,
        num_workers: int = 1,
        limits: Limits | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._queue: queue.SimpleQueue[Ticket | None] = queue.SimpleQueue()
        self._open: dict[int, Ticket] = {}
        self._lock = threading.Lock()
        names = [name if num_workers == 1 else f"{name} {i + 1}" for i in range(num_workers)]
        self.workers = [Worker(each, limits or Limits(), patience or Patience()) for each in names]
        self._threads = [
            threading.Thread(target=self._serve, args=(worker,), name=worker.name, daemon=True)
            for worker in self.workers
        ]
        for thread in self._threads:
            thread.start()

    def submit(
        self,
        home: str,
        arguments: dict[str, Any],
        *,
        on_start: Callable[[], None] | None = None,
        on_step: Callable[[Step], None] | None = None,
    ) -> Ticket:
        """Hand in a task: the function ``module:function`` is called in a worker.

        It is given the worker's `Warm` models first, and the arguments by name.
        """
        ticket = Ticket(home, arguments, on_start, on_step)
        with self._lock:
            self._open[ticket.id] = ticket
        ticket.future.add_done_callback(lambda _: self._close(ticket))
        self._queue.put(ticket)
        return ticket

    def close(self, wait: float) -> None:
        """Cancel what is there, wait so many seconds for it, and end the processes."""
        with self._lock:
            tickets = list(self._open.values())
        for ticket in tickets:
            ticket.cancel()
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join(wait)
        for worker in self.workers:
            worker.kill()

    def _close(self, ticket: Ticket) -> None:
        with self._lock:
            self._open.pop(ticket.id, None)

    def _serve(self, worker: Worker) -> None:
        while (ticket := self._queue.get()) is not None:
            try:
                if ticket.begin():
                    ticket.future.set_result(worker.run(ticket))
            except Exception as error:  # noqa: BLE001 - it is the task's, and raised where its outcome is asked for
                ticket.future.set_exception(error)
