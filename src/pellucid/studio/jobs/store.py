"""The table of jobs, in ``studio.db`` in the workspace: it outlives the server."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, Engine, create_engine, event, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.pool import NullPool

BUSY_SECONDS = 30
MOST_KEPT = 500
OPEN = ("waiting", "running")


class Base(DeclarativeBase):
    """Base of the studio's own tables."""


class JobRow(Base):
    """One job: what was asked for, where it stands, and the process of the server that has it."""

    __tablename__ = "jobs"
    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    title: Mapped[str]
    state: Mapped[str] = mapped_column(index=True)
    created: Mapped[str] = mapped_column(index=True)
    started: Mapped[str | None]
    ended: Mapped[str | None]
    request: Mapped[dict[str, Any]] = mapped_column(JSON)
    run: Mapped[str | None]
    run_path: Mapped[str | None]
    results: Mapped[list[str]] = mapped_column(JSON)
    error: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    host: Mapped[str]
    pid: Mapped[int]


class JobStore:
    """Reads and writes rows; nothing is created before the first write."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._made: Engine | None = None

    def put(self, row: JobRow) -> None:
        """Insert a row, or replace the one with its id."""
        with Session(self._engine()) as session, session.begin():
            session.merge(row)

    def rows(self) -> list[JobRow]:
        """The newest rows, oldest first."""
        if not self._path.is_file():
            return []
        newest = select(JobRow).order_by(JobRow.created.desc(), JobRow.id).limit(MOST_KEPT)
        with Session(self._engine(), expire_on_commit=False) as session:
            found = list(session.scalars(newest))
            session.expunge_all()
        return found[::-1]

    def _engine(self) -> Engine:
        if self._made is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            engine = create_engine(
                f"sqlite:///{self._path}",
                poolclass=NullPool,
                connect_args={"timeout": BUSY_SECONDS},
            )
            event.listen(engine, "connect", _configure)
            Base.metadata.create_all(engine)
            self._made = engine
        return self._made


def _configure(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")


def is_abandoned(row: JobRow) -> bool:
    """Whether a job that is open belongs to a server that has ended."""
    if row.state not in OPEN or row.host != platform.node():
        return False
    if row.pid == os.getpid():
        return True  # this process has just started, and its number was used before
    try:
        os.kill(row.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
