"""The catalogue: which runs and results there are, and where they lie.

SQLite in WAL mode beside the workspace, or a PostgreSQL database by URL. The files stay the truth:
the catalogue only finds them, so losing it loses no result. Several processes may write at once.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, Connection, Engine, create_engine, delete, event, inspect, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.pool import NullPool

from pellucid.errors import MissingDependency, ResultError, SpecError

SCHEMA_VERSION = 2
BUSY_SECONDS = 30


class Row(DeclarativeBase):
    """Base of the catalogue's tables."""


class SchemaRow(Row):
    """The version of the tables, in one row."""

    __tablename__ = "pellucid_schema"
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class RunRow(Row):
    """One run: where it lies, and its record as of the last registration."""

    __tablename__ = "pellucid_runs"
    id: Mapped[str] = mapped_column(primary_key=True)
    path: Mapped[str]
    created: Mapped[str] = mapped_column(index=True)
    record: Mapped[dict[str, Any]] = mapped_column(JSON)


class ResultRow(Row):
    """One saved result: where it lies, the run it belongs to ("" for none), its provenance."""

    __tablename__ = "pellucid_results"
    path: Mapped[str] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(index=True)
    created: Mapped[str] = mapped_column(index=True)
    meta: Mapped[dict[str, Any]] = mapped_column(JSON)


class MarkRow(Row):
    """What a person wrote on a run (`key` is its id) or a result (its path): tags and a note."""

    __tablename__ = "pellucid_marks"
    kind: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    tags: Mapped[list[str]] = mapped_column(JSON)
    note: Mapped[str]


class Catalogue:
    """Read and write the tables at `location`: a path for SQLite, or the URL of a database.

    Nothing is created before the first write, which also brings the tables of an older version up
    to date. Raises ResultError for a file that is damaged, that
    is not a catalogue, or that a newer version wrote.
    """

    def __init__(self, location: str | Path) -> None:
        self.location = _located(location)

    def put(self, row: Row, *, keep: Collection[str] = ()) -> None:
        """Insert a row, or replace the one with the same key; columns in `keep` stay as they were."""
        columns = row.__table__.columns
        keys = [column.key for column in columns if column.primary_key]
        values = {column.key: getattr(row, column.key) for column in columns}
        changed = {name: value for name, value in values.items() if name not in (*keys, *keep)}
        with self._writing() as connection:
            insert = _insert_of(connection)(type(row)).values(**values)
            if changed:
                insert = insert.on_conflict_do_update(index_elements=keys, set_=changed)
            else:
                insert = insert.on_conflict_do_nothing()
            connection.execute(insert)

    def runs(self) -> list[RunRow]:
        """All runs, oldest first."""
        query = select(RunRow).order_by(RunRow.created, RunRow.id)
        with self._reading() as session:
            return list(session.scalars(query)) if session else []

    def results(self, run_id: str | None = None) -> list[ResultRow]:
        """All results, or those of one run, oldest first."""
        query = select(ResultRow).order_by(ResultRow.created, ResultRow.path)
        if run_id is not None:
            query = query.where(ResultRow.run_id == run_id)
        with self._reading() as session:
            return list(session.scalars(query)) if session else []

    def marks(self) -> list[MarkRow]:
        """All tags and notes."""
        with self._reading() as session:
            if session is None or not inspect(session.connection()).has_table("pellucid_marks"):
                return []
            return list(session.scalars(select(MarkRow)))

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._explained(), _engine(self.location, writing=True).begin() as connection:
            if self._checked(connection) < SCHEMA_VERSION:
                _bring_up_to_date(connection)
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[Session | None]:
        if isinstance(self.location, Path) and not self.location.exists():
            yield None
            return
        with self._explained(), _engine(self.location, writing=False).connect() as connection:
            if not self._checked(connection):
                yield None
                return
            with Session(connection) as session:
                yield session

    def _checked(self, connection: Connection) -> int:
        """The tables' version, 0 if there are none; raises ResultError if they are not ours."""
        tables = inspect(connection).get_table_names()
        if SchemaRow.__tablename__ not in tables:
            if tables and isinstance(self.location, Path):
                raise ResultError(
                    f"{self.location} is a database of something else (it holds the table "
                    f"{tables[0]!r}). Choose another folder as workspace."
                )
            return 0
        version = connection.execute(select(SchemaRow.version)).scalar_one()
        if version > SCHEMA_VERSION:
            raise ResultError(
                f"{self.location} was written by a newer Pellucid (catalogue version {version}; this "
                f"one reads up to {SCHEMA_VERSION}). Upgrade: pip install --upgrade pellucid",
                found=version,
                expected=SCHEMA_VERSION,
            )
        return version

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OperationalError as error:
            reason = " ".join(str(error.orig).split())
            raise ResultError(
                f"{self.location} cannot be used ({reason}). Check that it is there, that you may "
                f"write to it, and that no other program keeps it locked."
            ) from error
        except DatabaseError as error:
            reason = " ".join(str(error.orig).split())
            raise ResultError(
                f"{self.location} is damaged, or not a Pellucid catalogue ({reason}). Runs and "
                "results are not lost: move it away, and open them by their paths."
            ) from error


def _located(location: str | Path) -> Path | URL:
    if isinstance(location, Path) or "://" not in location:
        return Path(location)
    try:
        url = make_url(location)
        backend = url.get_backend_name()
    except ArgumentError:
        backend = ""
    if backend == "sqlite":
        return Path(url.database or "")
    if backend == "postgresql":
        return url
    raise SpecError(
        f"The catalogue's address {location.partition('://')[0]}://… cannot be used; "
        "expected a path, or a URL like postgresql+psycopg://USER@HOST/DATABASE."
    )


def _bring_up_to_date(connection: Connection) -> None:
    """Make the tables, or those that version 1 lacks. Another process may be at it, too."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(721353)"))
    Row.metadata.create_all(connection)
    insert = _insert_of(connection)(SchemaRow).values(version=SCHEMA_VERSION)
    connection.execute(insert.on_conflict_do_nothing())
    connection.execute(delete(SchemaRow).where(SchemaRow.version < SCHEMA_VERSION))


def _engine(location: Path | URL, *, writing: bool) -> Engine:
    if isinstance(location, Path):
        return _sqlite_engine(location, writing=writing)
    try:
        return create_engine(location, poolclass=NullPool)
    except ModuleNotFoundError as error:
        raise MissingDependency(
            f"{error.name} is needed to reach the catalogue, and is not installed. "
            f"Install it with: pip install {error.name}"
        ) from error


def _sqlite_engine(path: Path, *, writing: bool) -> Engine:
    options = "mode=rwc" if writing else "mode=rw"
    if not writing and _is_frozen(path):
        options += "&immutable=1"

    def connect() -> sqlite3.Connection:
        # Without an isolation level the driver begins nothing by itself.
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?{options}",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
        )
        if writing:
            # Switching needs the file for itself and does not wait; whoever holds it has switched.
            with suppress(sqlite3.OperationalError):
                connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
        return connection

    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool)
    if writing:
        # Taking the write lock at once waits for others, where a later upgrade would fail.
        event.listen(engine, "begin", lambda c: c.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine


def _is_frozen(path: Path) -> bool:
    """Whether SQLite could not make the files beside `path` that it shares with writers."""
    shared = path.with_name(f"{path.name}-wal")
    return not os.access(path.parent, os.W_OK) and not shared.exists()


def _insert_of(connection: Connection) -> Any:
    return postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
