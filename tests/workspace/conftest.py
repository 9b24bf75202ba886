"""A real PostgreSQL server for the catalogue, from Debian's packages."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SECONDS_TO_START = 60


def programs() -> Path | None:
    """Where initdb and pg_ctl lie; Debian keeps them off the path, one folder per version."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """URL of a running server's first database; the server ends with the tests."""
    pytest.importorskip("psycopg")
    bin_ = programs()
    if bin_ is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="pellucid-postgresql-"))
    # PostgreSQL does not run as root.
    user = "postgres" if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    place, options = folder / "data", f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -F"

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [bin_ / program, "-D", place, *arguments],
            user=user, cwd=folder, check=True, stdout=subprocess.DEVNULL, timeout=120,
        )  # fmt: skip

    try:
        run("initdb", "-U", "tester", "-A", "trust", "-E", "UTF8", "--no-sync")
        log = str(folder / "log")
        run("pg_ctl", "start", "-w", "-t", str(SECONDS_TO_START), "-l", log, "-o", options)
        try:
            yield f"postgresql+psycopg://tester@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "stop", "-m", "immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An address for a catalogue that is not there yet, in either kind of database."""
    if request.param == "sqlite":
        return str(tmp_path / "catalogue.db")
    make: Callable[[str], str] = request.getfixturevalue("new_database")
    return make(f"test_{uuid.uuid4().hex}")


@pytest.fixture(scope="session")
def new_database(postgresql: str) -> Callable[[str], str]:
    """Make an empty database on the server, and give its URL."""
    import psycopg

    def make(name: str) -> str:
        with psycopg.connect(postgresql.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return postgresql.removesuffix("postgres") + name

    return make
