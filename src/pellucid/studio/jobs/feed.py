"""Changes for those who listen: whoever comes late, or comes back, gets what it has missed."""

from __future__ import annotations

import threading
import time
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

    def publish(self, key: str, item: Item) -> None:
        """Tell of a change, from any thread."""
        with self._lock:
            self._number += 1
            self._latest[key] = self._number, item

    def since(self, number: int) -> list[tuple[int, Item]]:
        """What changed after `number`, in order; each thing once, as it is now."""
        with self._lock:
            return sorted(
                (entry for entry in self._latest.values() if entry[0] > number),
                key=lambda entry: entry[0],
            )
