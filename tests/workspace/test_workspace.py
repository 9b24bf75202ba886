"""The workspace: where things go, and that its catalogue finds them again."""

from __future__ import annotations

import dataclasses
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import pellucid
from pellucid.errors import MissingDependency, ResultError, SpecError
from pellucid.result import Provenance, Result
from pellucid.workspace.workspace import Workspace

NUM_RUNS = 20


def record(name: str, **changes: Any) -> dict[str, Any]:
    return {"id": f"id-{name}", "name": name, "created": f"2026-01-01T00:00:00+00:00-{name}"} | (
        changes
    )


def make_result(value: float) -> Result:
    data = xr.Dataset({"score": ("sample", np.array([value]))})
    return Result(data=data, meta=Provenance(kind="score"))


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace")


def test_reading_makes_nothing(workspace: Workspace) -> None:
    assert workspace.runs() == []
    assert workspace.results() == []
    assert not workspace.path.exists()


def test_place_is_argument_then_environment_then_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PELLUCID_WORKSPACE", raising=False)
    assert Workspace().path == tmp_path / "pellucid-workspace"
    monkeypatch.setenv("PELLUCID_WORKSPACE", "elsewhere")
    assert Workspace().path == tmp_path / "elsewhere"
    assert Workspace("here").path == tmp_path / "here"


def test_registering_again_updates_the_entry(workspace: Workspace, tmp_path: Path) -> None:
    workspace.register_run(record("a", status="running"), tmp_path / "first")
    workspace.register_run(record("a", status="finished"), tmp_path / "moved")
    (entry,) = workspace.runs()
    assert entry.path == tmp_path / "moved"
    assert entry.record["status"] == "finished"


def test_runs_come_oldest_first_and_say_when_they_are_gone(
    workspace: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "run.json").write_text("{}")
    workspace.register_run(record("b", status="finished"), tmp_path / "here")
    workspace.register_run(record("a", status="finished"), tmp_path / "gone")
    assert [(run.name, run.status) for run in workspace.runs()] == [
        ("a", "missing"),
        ("b", "finished"),
    ]


def test_paths_are_kept_absolute(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    workspace.register_run(record("a"), "run")
    workspace.register_result(Provenance(kind="score"), "result.zarr")
    monkeypatch.chdir("/")
    assert workspace.runs()[0].path == tmp_path / "run"
    assert workspace.results()[0].path == tmp_path / "result.zarr"


def test_results_are_found_by_their_run(workspace: Workspace, tmp_path: Path) -> None:
    meta = Provenance(kind="score", notes=("first",))
    workspace.register_result(meta, tmp_path / "of-a.zarr", run_id="id-a")
    workspace.register_result(meta, tmp_path / "of-none.zarr")
    workspace.register_result(
        dataclasses.replace(meta, notes=("second",)), tmp_path / "of-a.zarr", run_id="id-a"
    )
    (entry,) = workspace.results("id-a")
    assert (entry.kind, entry.run_id, entry.missing) == ("score", "id-a", True)
    assert Provenance.from_json(entry.meta).notes == ("second",)
    assert [found.path.name for found in workspace.results("")] == ["of-none.zarr"]
    assert len(workspace.results()) == 2


def test_added_results_open_again(workspace: Workspace) -> None:
    paths = [workspace.add(make_result(value)) for value in (1.0, 2.0)]
    assert {entry.path for entry in workspace.results()} == set(paths)
    assert not any(entry.missing for entry in workspace.results())
    assert [float(pellucid.open(path).data.score[0]) for path in paths] == [1.0, 2.0]


def test_new_runs_get_their_own_folders(workspace: Workspace) -> None:
    paths = [workspace.new_run_path("timm:vit/base, head") for _ in range(5)]
    assert len(set(paths)) == 5
    assert all(path.parent == workspace.path / "runs" and path.is_dir() for path in paths)
    assert paths[0].name == "timm-vit-base-head"


@pytest.mark.parametrize("name", ["", "..", "///"])
def test_a_run_never_leaves_its_folder(workspace: Workspace, name: str) -> None:
    path = workspace.new_run_path(name)
    assert path.resolve().parent == workspace.path / "runs"
    assert path.name == "run"


WRITER = """
import sys
from pathlib import Path
from pellucid.workspace.workspace import Workspace
folder, writer, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
for index in range(count):
    name = f"{writer}-{index}"
    record = {"id": name, "name": name, "created": "2026-01-01T00:00:00+00:00"}
    Workspace(folder).register_run(record, folder / name)
"""


def test_two_processes_write_at_once(workspace: Workspace) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(workspace.path), str(number), str(NUM_RUNS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for number in range(2)
    ]
    for writer in writers:
        assert writer.stdout.readline() == b"ready\n"
    for writer in writers:
        writer.stdin.write(b"go\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate()
    assert [writer.returncode for writer in writers] == [0, 0]
    assert len(workspace.runs()) == 2 * NUM_RUNS


def test_catalogue_is_in_wal_mode(workspace: Workspace, tmp_path: Path) -> None:
    workspace.register_run(record("a"), tmp_path)
    connection = sqlite3.connect(workspace.path / "catalogue.db")
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_reading_does_not_wait_for_a_writer(workspace: Workspace, tmp_path: Path) -> None:
    workspace.register_run(record("a"), tmp_path)
    writer = sqlite3.connect(workspace.path / "catalogue.db", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("DELETE FROM pellucid_runs")
    assert [run.id for run in workspace.runs()] == ["id-a"]
    writer.close()


@pytest.mark.parametrize("write", [False, True])
def test_a_damaged_catalogue_is_named_with_advice(workspace: Workspace, write: bool) -> None:
    workspace.path.mkdir()
    (workspace.path / "catalogue.db").write_bytes(b"this is not SQLite at all" * 100)
    with pytest.raises(ResultError, match=r"catalogue\.db is damaged.*move it away"):
        workspace.register_run(record("a"), ".") if write else workspace.runs()
    assert (workspace.path / "catalogue.db").read_bytes().startswith(b"this is not SQLite")


@pytest.mark.parametrize("write", [False, True])
def test_a_foreign_database_is_left_alone(workspace: Workspace, write: bool) -> None:
    workspace.path.mkdir()
    connection = sqlite3.connect(workspace.path / "catalogue.db")
    connection.execute("CREATE TABLE invoices (id INTEGER)")
    connection.commit()
    connection.close()
    with pytest.raises(ResultError, match=r"something else.*'invoices'.*another folder"):
        workspace.register_run(record("a"), ".") if write else workspace.runs()


def test_a_newer_catalogue_asks_for_an_upgrade(workspace: Workspace, tmp_path: Path) -> None:
    workspace.register_run(record("a"), tmp_path)
    connection = sqlite3.connect(workspace.path / "catalogue.db")
    connection.execute("UPDATE pellucid_schema SET version = 99")
    connection.commit()
    connection.close()
    with pytest.raises(ResultError, match=r"newer Pellucid.*version 99.*pip install --upgrade"):
        workspace.runs()


def test_a_place_that_cannot_be_written_is_explained(workspace: Workspace, tmp_path: Path) -> None:
    (workspace.path / "catalogue.db").mkdir(parents=True)
    with pytest.raises(ResultError, match=r"cannot be used.*you may write to it"):
        workspace.register_run(record("a"), tmp_path)


def test_a_folder_that_cannot_be_written_can_still_be_read(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.register_run(record("a"), tmp_path)
    monkeypatch.setattr("os.access", lambda *_: False)
    assert [run.id for run in workspace.runs()] == ["id-a"]
    assert [file.name for file in workspace.path.iterdir()] == ["catalogue.db"]


def test_catalogue_may_lie_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PELLUCID_CATALOGUE", f"sqlite:///{tmp_path}/team.db")
    Workspace(tmp_path / "mine").register_run(record("a"), tmp_path)
    assert [run.id for run in Workspace(tmp_path / "yours").runs()] == ["id-a"]
    assert (tmp_path / "team.db").is_file()
    assert not (tmp_path / "mine" / "catalogue.db").exists()


def test_catalogue_addresses_that_cannot_work(tmp_path: Path) -> None:
    for address in ("nonsense://user@host/x", "mysql://user@host/x"):
        with pytest.raises(SpecError, match="expected a path, or a URL like postgresql"):
            Workspace(tmp_path, catalogue=address)
    with pytest.raises(MissingDependency, match="pip install pg8000"):
        Workspace(tmp_path, catalogue="postgresql+pg8000://user@host/x").runs()


def test_passwords_stay_out_of_messages(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        Workspace(tmp_path, catalogue="nonsense://user:secret@host/x")
    assert "secret" not in str(caught.value)
