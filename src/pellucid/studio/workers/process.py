"""The worker's own side: take tasks from the pipe, do them one by one, and say how it goes.

A thread listens to the pipe, so that a task can be cancelled: the main thread is interrupted as by
Ctrl-C, which all long work in Pellucid is made for. What would leave the process useless if it were
cut short (an import, a trace, a message) is finished first. When the server has gone, the task at
hand is interrupted likewise, and the process ends.
"""

from __future__ import annotations

import _thread
import importlib
import logging
import os
import queue
import signal
import threading
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from types import FrameType
from typing import TYPE_CHECKING, Any

from pellucid.errors import PellucidError
from pellucid.progress import Step, listening
from pellucid.studio.workers.messages import (
    Cancel,
    Cancelled,
    Done,
    Failed,
    Limits,
    Progressed,
    Question,
    Reply,
    Task,
)

if TYPE_CHECKING:
    from pellucid.studio.workers.warm import Warm

SECONDS_BETWEEN = 0.2
SECONDS_TO_LEAVE = 10.0
SECONDS_TO_TRY_AGAIN = 0.05
# Modules whose calls are never cut short: half an import, or half a trace, stays in the process.
UNBROKEN = ("importlib._bootstrap", "torch.export")
LOG = logging.getLogger("pellucid.studio")


def serve(connection: Connection, limits: Limits) -> None:
    """Do tasks until the pipe is closed."""
    Serving(connection).run(limits)


class Serving:
    """One worker process at work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._current: int | None = None
        self._unwanted: set[int] = set()
        self._left = False
        self._sending = False
        self._main = threading.main_thread().ident or 0

    def run(self, limits: Limits) -> None:
        """Listen, and do what comes."""
        # Ctrl-C in the terminal reaches all processes; the server tells its workers what to do.
        signal.signal(signal.SIGINT, self._interrupted)
        threading.Thread(target=self._listen, daemon=True).start()
        if limits.catalogue:
            os.environ["PELLUCID_CATALOGUE"] = limits.catalogue
        from pellucid.studio.workers.warm import Warm

        warm = Warm(limits)
        while (task := self._tasks.get()) is not None:
            self._send(self._outcome(task, warm))

    def _listen(self) -> None:
        try:
            while True:
                while self._is_unwanted() and not self._connection.poll(SECONDS_TO_TRY_AGAIN):
                    self._interrupt()
                message: Question = self._connection.recv()
                if isinstance(message, Cancel):
                    self._unwanted.add(message.id)
                    self._interrupt()
                else:
                    self._tasks.put(message)
        except (EOFError, OSError):
            self._leave()

    def _leave(self) -> None:
        self._left = True
        self._tasks.put(None)
        timer = threading.Timer(SECONDS_TO_LEAVE, os._exit, (1,))
        timer.daemon = True
        timer.start()
        if (task := self._current) is not None:
            self._unwanted.add(task)
        while self._is_unwanted():
            self._interrupt()
            time.sleep(SECONDS_TO_TRY_AGAIN)

    def _is_unwanted(self) -> bool:
        """Whether the task at hand is to be interrupted, and has not been."""
        return self._current in self._unwanted

    def _interrupt(self) -> None:
        if hasattr(signal, "pthread_kill"):
            signal.pthread_kill(self._main, signal.SIGINT)  # wakes the main thread where it waits
        else:
            _thread.interrupt_main()

    def _interrupted(self, _signal: int, frame: FrameType | None) -> None:
        """Runs in the main thread: interrupts the task at hand if it is unwanted, once."""
        if self._is_unwanted() and not self._sending and not _is_unbroken(frame):
            self._current = None
            raise KeyboardInterrupt

    def _outcome(self, task: Task, warm: Warm) -> Reply:
        if self._left or task.id in self._unwanted:
            return Cancelled(task.id)
        try:
            try:
                self._current = task.id
                if task.id in self._unwanted:
                    return Cancelled(task.id)
                value = self._done(task, warm)
            finally:
                self._current = None
        except KeyboardInterrupt:
            warm.forget_changed()
            return Cancelled(task.id)
        except Exception as error:
            if not isinstance(error, PellucidError):
                LOG.exception("%s failed", task.home)
            return Failed.of(task.id, error)
        stopped = task.id in self._unwanted
        if stopped:
            warm.forget_changed()
        return Done(task.id, value, cancelled=stopped)

    def _done(self, task: Task, warm: Warm) -> Any:
        module, _, name = task.home.partition(":")
        function = getattr(importlib.import_module(module), name)
        with listening(_Throttled(lambda step: self._send(Progressed(task.id, step)))):
            return function(warm, **task.arguments)

    def _send(self, reply: Reply) -> None:
        self._sending = True
        with suppress(BrokenPipeError):  # nobody is left to hear it, and the listener will see that
            self._connection.send(reply)
        self._sending = False


def _is_unbroken(frame: FrameType | None) -> bool:
    """Whether the frame stands within a call that must be finished."""
    while frame is not None:
        if frame.f_globals.get("__name__", "").startswith(UNBROKEN):
            return True
        frame = frame.f_back
    return False


class _Throttled:
    """Passes on beginnings, ends, and else what comes after a while."""

    def __init__(self, send: Any) -> None:
        self._send, self._said, self._what = send, 0.0, ""

    def __call__(self, step: Step) -> None:
        now = time.monotonic()
        new = step.description != self._what or step.done >= step.total
        if new or now - self._said >= SECONDS_BETWEEN:
            self._said, self._what = now, step.description
            self._send(step)
