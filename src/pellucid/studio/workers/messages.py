"""What server and workers say to each other, over a pipe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pellucid import errors
from pellucid.errors import PellucidError, UnreadableSample, WorkerError
from pellucid.progress import Step


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a worker may use: threads of the CPU, and models kept open, by number and in bytes.

    `catalogue` is the address of the workspace's catalogue, if it is not in the workspace.
    """

    num_threads: int = 1
    num_models: int = 4
    model_bytes: int = 2 * 2**30
    catalogue: str | None = None


@dataclass(frozen=True)
class Task:
    """Work to do: `home` names a function as ``module:function``, which takes the arguments."""

    id: int
    home: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Cancel:
    """The task is no longer wanted."""

    id: int


@dataclass(frozen=True)
class Progressed:
    """How far a task is."""

    id: int
    step: Step


@dataclass(frozen=True)
class Done:
    """A task came to its end, with what it returned; `cancelled` if it was told to stop early."""

    id: int
    value: Any
    cancelled: bool = False


@dataclass(frozen=True)
class Cancelled:
    """A task was stopped, and gives nothing."""

    id: int


@dataclass(frozen=True)
class Failed:
    """A task raised: the error's class by name, its message and its details."""

    id: int
    type: str
    message: str
    details: dict[str, Any]

    @classmethod
    def of(cls, task: int, error: Exception) -> Failed:
        """Take an error apart; one that was not raised on purpose keeps its class in the message."""
        if isinstance(error, PellucidError):
            return cls(task, type(error).__name__, str(error), dict(error.details))
        said = str(error).strip().partition("\n")[0][:500]
        told = "The studio's terminal tells more; report it if it happens again."
        message = f"this failed unexpectedly ({type(error).__name__}: {said}). {told}"
        return cls(task, WorkerError.__name__, message, {})

    def error(self) -> PellucidError:
        """Put the error together again."""
        kind = getattr(errors, self.type, None)
        if kind is UnreadableSample:
            return UnreadableSample(str(self.details["sample"]), str(self.details["reason"]))
        if isinstance(kind, type) and issubclass(kind, PellucidError):
            return kind(self.message, **self.details)
        return WorkerError(f"{self.type}: {self.message}")


Question = Task | Cancel
Reply = Progressed | Done | Cancelled | Failed
