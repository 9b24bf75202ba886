"""The catalogue, in SQLite and in a real PostgreSQL alike."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, inspect, text

from pellucid.errors import ResultError
from pellucid.result import Provenance
from pellucid.workspace.catalogue import SCHEMA_VERSION, Catalogue
from pellucid.workspace.workspace import Marks, Workspace

OLD_TABLES = """
CREATE TABLE pellucid_schema (version INTEGER NOT NULL PRIMARY KEY);
INSERT INTO pellucid_schema VALUES (1);
CREATE TABLE pellucid_runs (id VARCHAR NOT NULL PRIMARY KEY, path VARCHAR NOT NULL,
    created VARCHAR NOT NULL, record JSON NOT NULL);
CREATE TABLE pellucid_results (path VARCHAR NOT NULL PRIMARY KEY, run_id VARCHAR NOT NULL,
    created VARCHAR NOT NULL, meta JSON NOT NULL);
INSERT INTO pellucid_runs VALUES ('old', '/nowhere', '2025', '{}')
""".split(";")  # noqa: SIM905


def record(name: str, **changes: Any) -> dict[str, Any]:
    return {"id": name, "name": name, "created": f"2026-{name}"} | changes


def engine(place: str) -> Engine:
    return create_engine(place if "://" in place else f"sqlite:///{place}")


def tables_of(place: str) -> tuple[set[str], list[int]]:
    opened = engine(place)
    with opened.connect() as connection:
        tables = set(inspect(connection).get_table_names())
        versions = list(connection.execute(text("SELECT version FROM pellucid_schema")).scalars())
    opened.dispose()
    return tables, versions


@pytest.fixture
def workspace(place: str, tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace", catalogue=place)


@pytest.fixture
def old(place: str) -> str:
    """A catalogue as version 1 left it."""
    opened = engine(place)
    with opened.begin() as connection:
        for statement in OLD_TABLES:
            connection.execute(text(statement))
    opened.dispose()
    return place


def test_rows_are_entered_and_replaced_and_come_in_order(workspace: Workspace) -> None:
    assert (workspace.runs(), workspace.results(), workspace.marks()) == ([], [], {})
    for name in ("b", "a", "b"):
        workspace.register_run(record(name, deep={"ü": [1, None, "'"]}), "/nowhere")
    assert [(run.id, run.record["deep"]) for run in workspace.runs()] == [
        ("a", {"ü": [1, None, "'"]}), ("b", {"ü": [1, None, "'"]}),
    ]  # fmt: skip
    for run_id in ("a", ""):
        workspace.register_result(Provenance(kind="score"), f"/{run_id}.zarr", run_id=run_id)
    assert [found.path.name for found in workspace.results("a")] == ["a.zarr"]
    assert len(workspace.results()) == 2


def test_tags_and_notes_change_one_at_a_time(workspace: Workspace) -> None:
    workspace.mark("run", "a", tags=["best", "best", "再看"])
    workspace.mark("run", "a", note="It's good; DROP TABLE runs")
    workspace.mark("result", "/x.zarr", note="one")
    workspace.mark("result", "/x.zarr")
    assert workspace.marks() == {
        ("run", "a"): Marks(tags=("best", "再看"), note="It's good; DROP TABLE runs"),
        ("result", "/x.zarr"): Marks(note="one"),
    }
    workspace.mark("run", "a", tags=[], note="")
    assert workspace.marks()["run", "a"] == Marks()


def test_an_old_catalogue_is_read_as_it_is(old: str, workspace: Workspace) -> None:
    assert [run.id for run in workspace.runs()] == ["old"]
    assert workspace.marks() == {}
    tables, versions = tables_of(old)
    assert "pellucid_marks" not in tables
    assert versions == [1]


def test_an_old_catalogue_is_brought_up_to_date_by_the_first_write(
    old: str, workspace: Workspace
) -> None:
    workspace.mark("run", "old", note="kept")
    tables, versions = tables_of(old)
    assert "pellucid_marks" in tables
    assert versions == [SCHEMA_VERSION]
    assert [run.id for run in workspace.runs()] == ["old"]
    assert workspace.marks()["run", "old"].note == "kept"
    workspace.register_run(record("new"), "/nowhere")
    assert tables_of(old)[1] == [SCHEMA_VERSION]


def test_a_newer_catalogue_is_left_alone(place: str, workspace: Workspace) -> None:
    workspace.register_run(record("a"), "/nowhere")
    opened = engine(place)
    with opened.begin() as connection:
        connection.execute(text("UPDATE pellucid_schema SET version = 99"))
    opened.dispose()
    for use in (workspace.runs, workspace.marks, lambda: workspace.mark("run", "a")):
        with pytest.raises(ResultError, match="newer Pellucid"):
            use()
    assert tables_of(place)[1] == [99]


WRITER = """
import sys
from pellucid.workspace.workspace import Workspace
folder, catalogue, writer, count = *sys.argv[1:4], int(sys.argv[4])
print("ready", flush=True)
sys.stdin.readline()
for index in range(count):
    name = f"{writer}-{index}"
    place = Workspace(folder, catalogue=catalogue)
    place.register_run({"id": name, "name": name, "created": "2026"}, "/nowhere")
    place.mark("run", "shared", **({"tags": [writer]} if writer == "0" else {"note": name}))
"""


@pytest.mark.parametrize("begun", [False, True])
def test_two_processes_write_at_once(place: str, workspace: Workspace, begun: bool) -> None:
    if begun:
        opened = engine(place)
        with opened.begin() as connection:
            for statement in OLD_TABLES:
                connection.execute(text(statement))
        opened.dispose()
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(workspace.path), place, str(number), "5"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(2)
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate(timeout=60)
    assert [writer.returncode for writer in writers] == [0, 0]
    assert len(workspace.runs()) == 10 + begun
    assert workspace.marks()["run", "shared"] == Marks(tags=("0",), note="1-4")
    assert tables_of(place)[1] == [SCHEMA_VERSION]


def test_a_server_that_does_not_answer_is_explained(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    catalogue = Catalogue("postgresql+psycopg://user:secret@127.0.0.1:1/nothing")
    with pytest.raises(ResultError, match="cannot be used") as caught:
        catalogue.runs()
    assert "secret" not in str(caught.value)
