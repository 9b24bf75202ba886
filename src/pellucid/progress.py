"""Progress of long work: a bar with time left on a terminal, nothing elsewhere, or a listener."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

Advance = Callable[..., None]


@dataclass(frozen=True)
class Step:
    """How far one piece of work is: `done` of `total` steps, and what was last said about it."""

    description: str
    done: int
    total: int
    note: str = ""


Listener = Callable[[Step], None]
_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Tell `listener` of every step inside the block, as a `Step`; no bar is shown unless asked for.

    It is called by the work itself, often, and should return at once.
    """
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


@contextmanager
def progress(description: str, total: int, *, show: bool | None = None) -> Iterator[Advance]:
    """Show a bar over `total` steps; yields `advance(steps=1, note="")`.

    `show=None` shows it when standard error is a terminal or a notebook and nobody is `listening`.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    shown = _listener.get() is None and (console.is_terminal or console.is_jupyter)
    visible = shown if show is None else show
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    tell = _teller(description, total)
    with Progress(*columns, console=console, transient=True, disable=not visible) as bar:
        task = bar.add_task(description, total=total, note="")

        def advance(steps: int = 1, note: str = "") -> None:
            bar.advance(task, steps)
            if note:
                bar.update(task, note=note)
            tell(steps, note)

        yield advance


def _teller(description: str, total: int) -> Callable[[int, str], None]:
    """What tells the listener, if there is one, how far the work is; it begins by saying so."""
    listener, done, said = _listener.get(), 0, ""

    def tell(steps: int, note: str) -> None:
        nonlocal done, said
        done, said = done + steps, note or said
        if listener is not None:
            listener(Step(description, done, total, said))

    tell(0, "")
    return tell
