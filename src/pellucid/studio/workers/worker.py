"""The server's side of one worker process: start it, hand it a task, hear how it goes, replace it."""

from __future__ import annotations

import multiprocessing
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from pellucid.errors import WorkerLost
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
from pellucid.studio.workers.process import serve
from pellucid.studio.workers.ticket import TaskCancelled, Ticket

LOOK = 0.1


@dataclass(frozen=True, kw_only=True)
class Patience:
    """What a cancelled task is given, in seconds: to end by itself, before it is interrupted; and
    then to write down what it has done, before its process is killed.
    """

    before_interrupt: float = 0.0
    before_kill: float = 20.0


class Worker:
    """One process at a time, started when it is needed and again when it has died.

    It is used by one thread.
    """

    def __init__(self, name: str, limits: Limits, patience: Patience) -> None:
        self.name, self._limits, self._patience = name, limits, patience
        self._connection: Connection | None = None
        self._process: Any = None

    @property
    def pid(self) -> int | None:
        """The process's number, if it runs."""
        process = self._process
        return process.pid if process is not None and process.is_alive() else None

    def start(self) -> None:
        """Start the process unless it runs; what it imports does not hold up the caller."""
        if self.pid is not None:
            return
        self._forget()
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(
            target=serve, args=(theirs, self._limits), name=self.name, daemon=True
        )
        process.start()
        theirs.close()
        self._process, self._connection = process, ours

    def run(self, ticket: Ticket) -> Any:
        """Have the task done. Raises its error, TaskCancelled, or WorkerLost if the process dies."""
        self._hand_over(ticket)
        interrupted = False
        patience = self._patience
        while ticket.seconds_unwanted <= patience.before_interrupt + patience.before_kill:
            if ticket.seconds_unwanted >= patience.before_interrupt and not interrupted:
                interrupted = self._interrupt(ticket)
            reply = self._reply()
            if reply is None or reply.id != ticket.id:
                continue
            match reply:
                case Progressed():
                    if ticket.on_step:
                        ticket.on_step(reply.step)
                case Done():
                    ticket.stopped_early = reply.cancelled
                    return reply.value
                case Cancelled():
                    raise TaskCancelled
                case Failed():
                    raise reply.error()
        self.kill()
        raise TaskCancelled

    def kill(self) -> None:
        """End the process at once; the next task gets a new one."""
        if self._process is not None:
            self._process.kill()
        self._forget()

    def _hand_over(self, ticket: Ticket) -> None:
        task = Task(ticket.id, ticket.home, ticket.arguments)
        self.start()
        try:
            self._send(task)
        except OSError:  # it died while it had nothing to do
            self.kill()
            self.start()
            self._send(task)

    def _interrupt(self, ticket: Ticket) -> bool:
        with suppress(OSError):  # a dead process needs no telling
            self._send(Cancel(ticket.id))
        return True

    def _send(self, message: Question) -> None:
        if self._connection is None:
            raise BrokenPipeError
        self._connection.send(message)

    def _reply(self) -> Reply | None:
        connection = self._connection
        if connection is None:
            raise WorkerLost(_died(self.name, None))
        try:
            if not connection.poll(LOOK):
                return None
            reply: Reply = connection.recv()
        except (EOFError, OSError) as error:
            self._process.join(1)
            code = self._process.exitcode
            self._forget()
            raise WorkerLost(_died(self.name, code)) from error
        return reply

    def _forget(self) -> None:
        process, connection = self._process, self._connection
        self._process = self._connection = None
        if connection is not None:
            connection.close()
        if process is not None:
            process.join(1)
            if not process.is_alive():
                process.close()


def _died(name: str, code: int | None) -> str:
    how = f"by signal {-code}" if code is not None and code < 0 else f"with code {code}"
    return (
        f"the process {name!r} that worked on this ended {how}, perhaps for lack of memory. "
        "A new one has taken its place: try again, with fewer or smaller samples if it was memory."
    )
