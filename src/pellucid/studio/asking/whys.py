"""What was explained last, kept in memory until its views are fetched."""

from __future__ import annotations

import threading
import uuid
from collections import OrderedDict

from pellucid.studio.problems import NotThere

MOST_BYTES = 256 * 2**20


class Whys:
    """Packed views by the id of the question; the oldest go when they take too much memory."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._kept: OrderedDict[str, list[bytes]] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, packed: list[bytes]) -> str:
        """Keep the views of one answer; returns its id."""
        why = uuid.uuid4().hex[:16]
        with self._lock:
            self._kept[why] = packed
            while len(self._kept) > 1 and self._held() > self._most:
                self._kept.popitem(last=False)
        return why

    def view(self, why: str, index: int) -> bytes:
        """One packed view. Raises NotThere for one that is gone."""
        with self._lock:
            packed = self._kept.get(why, [])
            if not 0 <= index < len(packed):
                raise NotThere("this explanation is not kept any more. Ask again.")
            return packed[index]

    def _held(self) -> int:
        return sum(len(view) for views in self._kept.values() for view in views)
