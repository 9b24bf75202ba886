"""Small tasks that a worker is tried with."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from typing import Any

from pellucid.errors import LayerError
from pellucid.progress import progress


def count(_warm: Any, *, number: int) -> int:
    with progress("Counting", number) as advance:
        for _ in range(number):
            advance()
    return number


def fail(_warm: Any, *, kind: str) -> float:
    if kind:
        raise LayerError("no such layer", known=["a"])
    return 1 / 0


def sleep(_warm: Any, *, seconds: float) -> None:
    time.sleep(seconds)


def count_on(_warm: Any) -> str:
    """Keeps what it has when it is interrupted, as some verbs do."""
    with progress("Counting", 1000) as advance, suppress(KeyboardInterrupt):
        while True:
            advance()
            time.sleep(0.01)
    return "so far"


def ignore(_warm: Any) -> None:
    with progress("Ignoring", 1000) as advance:
        advance()
        while True:
            with suppress(KeyboardInterrupt):
                time.sleep(60)


def import_slowly(_warm: Any) -> None:
    with progress("Importing", 1):
        import slow_import  # noqa: F401
    time.sleep(60)


def is_imported(_warm: Any) -> bool:
    return "slow_import" in sys.modules


def own_pid(_warm: Any) -> int:
    return os.getpid()
