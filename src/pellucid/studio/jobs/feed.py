"""Changes for those who listen: whoever comes late, or comes back, gets what it has missed."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Feed(Generic[Item]):
    """The latest state of each thing, by its key, numbered in the order of changes.

    Numbers go on growing over a restart of the server, so that one heard before means the past.
    """

    def __init__(self) -> None:
        self._number = time.time_ns() // 1000
        self._latest: dict[str, tuple[int, Item]] = {}
        self._lock = threading.Lock()
        self._listeners: dict[asyncio.Event, asyncio.AbstractEventLoop] = {}

    def publish(self, key: str, item: Item) -> None:
        """Tell of a change, from any thread."""
        with self._lock:
            self._number += 1
            self._latest[key] = self._number, item
            listeners = list(self._listeners.items())
        for event, loop in listeners:
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)

    def since(self, number: int) -> list[tuple[int, Item]]:
        """What changed after `number`, in order; each thing once, as it is now."""
        with self._lock:
            return sorted(
                (entry for entry in self._latest.values() if entry[0] > number),
                key=lambda entry: entry[0],
            )

    async def follow(self, number: int, every: float) -> AsyncIterator[tuple[int, Item] | None]:
        """Give changes after `number` as they come, and None when there was none for `every` seconds."""
        event = asyncio.Event()
        with self._lock:
            self._listeners[event] = asyncio.get_running_loop()
        try:
            while True:
                event.clear()
                for changed in self.since(number):
                    number = changed[0]
                    yield changed
                try:
                    await asyncio.wait_for(event.wait(), every)
                except TimeoutError:
                    yield None
        finally:
            with self._lock:
                del self._listeners[event]
