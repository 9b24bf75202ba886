"""`pellucid runs`: the runs of a workspace as they are now."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from typer.testing import Result

Command = Callable[..., Result]


def test_no_runs_yet(pellucid: Command, home: Path) -> None:
    result = pellucid("runs")
    assert result.exit_code == 0
    assert result.stdout == ""
    assert "no runs in" in result.stderr
    assert list(home.iterdir()) == []


def test_lists_runs_with_what_matters(pellucid: Command, run: Path) -> None:
    header, row = pellucid("runs").stdout.splitlines()
    assert header.split() == ["name", "strategy", "status", "accuracy", "epochs", "when", "path"]
    name, strategy, status, _, percent, epochs, *_, path = row.split()
    assert (name, strategy, status, percent, epochs) == ("RUN", "head", "finished", "%", "2/2")
    assert path == "RUN"


def test_newest_first_and_as_json(
    as_json: Callable[..., Any], model: str, pictures: str, run: Path, home: Path
) -> None:
    record = json.loads((run / "run.json").read_text())
    older = record | {"id": "older", "name": "older", "created": "2020-01-01T00:00:00+00:00"}
    (home / "older").mkdir()
    (home / "older" / "run.json").write_text(json.dumps(older))
    from pellucid.workspace.workspace import Workspace

    Workspace().register_run(older, home / "older")
    listed = as_json("runs")
    assert listed["workspace"] == str(home / "pellucid-workspace")
    assert [entry["name"] for entry in listed["runs"]] == ["RUN", "older"]
    newest = listed["runs"][0]
    assert newest["path"] == str(run)
    assert newest["model"] == model
    assert newest["data"] == pictures
    assert 0 <= newest["accuracy"] <= 1
    assert listed["runs"][1]["accuracy"] is None


def test_status_is_that_of_now(as_json: Callable[..., Any], run: Path) -> None:
    record = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(record | {"status": "failed"}))
    assert as_json("runs")["runs"][0]["status"] == "failed"


def test_a_run_that_is_gone_is_listed_as_missing(as_json: Callable[..., Any], run: Path) -> None:
    shutil.rmtree(run)
    (listed,) = as_json("runs")["runs"]
    assert (listed["name"], listed["status"], listed["epochs"]) == ("RUN", "missing", 0)
