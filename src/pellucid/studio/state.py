"""What a running studio holds: its settings, its workspace, and the parts that serve requests."""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, TypeVar, cast

from fastapi import Depends, Request

from pellucid.studio.confined import Bounds
from pellucid.studio.contents import Contents
from pellucid.studio.curves import MetricsLogs
from pellucid.studio.opened import OpenedResults
from pellucid.studio.security.access import Access
from pellucid.workspace.workspace import Workspace

Part = TypeVar("Part")
MB, GB = 2**20, 2**30


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a studio is run.

    `workspace` and `also` are the only folders whose runs and results are opened, `data` the
    folders and tables that it may read beside bundled and uploaded data. `num_job_workers` jobs
    run at once. `token` is what browsers and programs show.
    """

    workspace: Path
    catalogue: str | None = None
    data: tuple[Path, ...] = ()
    also: tuple[Path, ...] = ()
    host: str = "127.0.0.1"
    port: int = 8686
    allow_hosts: tuple[str, ...] = ()
    read_only: bool = False
    max_upload_bytes: int = 2 * GB
    max_body_bytes: int = 4 * MB
    cache_bytes: int = 512 * MB
    num_job_workers: int = 1
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)


class Studio:
    """One studio. Parts that start and end with it, such as its jobs, are put in by their kind.

    `contents` finds runs and results, `opened` and `logs` read them within `bounds`. `training`
    names the job that trains a run, by the run's id; whoever runs jobs keeps it. `asked` is when
    the last request came (by the monotonic clock), at first when the studio began. `closing` is set
    when the studio ends, for all that would wait.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.workspace = Workspace(settings.workspace, catalogue=settings.catalogue)
        self.access = Access(settings.token, settings.port)
        self.bounds = Bounds((self.workspace.path, *settings.also))
        self.contents = Contents(self.workspace, self.bounds)
        self.logs = MetricsLogs(self.bounds)
        self.opened = OpenedResults(self.bounds, settings.cache_bytes)
        self.training: dict[str, str] = {}
        self.asked = time.monotonic()
        self.closing = threading.Event()
        self._parts: dict[type[Any], Any] = {}

    def put(self, part: object) -> None:
        """Keep a part, to be had by its class."""
        self._parts[type(part)] = part

    def part(self, kind: type[Part]) -> Part:
        """The part of a class. Raises KeyError where none was put in."""
        return cast("Part", self._parts[kind])

    def has(self, kind: type[Any]) -> bool:
        """Whether a part of this class was put in."""
        return kind in self._parts


def current_studio(request: Request) -> Studio:
    """The studio that a request is for; for use with `Depends`."""
    studio = cast("Studio", request.app.state.studio)
    studio.asked = time.monotonic()
    return studio


Current = Annotated[Studio, Depends(current_studio)]
