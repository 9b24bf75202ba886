"""`pellucid finetune`: its options are those of TrainingConfig; runs are kept, and gone on with."""

from __future__ import annotations

import inspect
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from pellucid.cli.finetune import finetune
from pellucid.training.config import TrainingConfig

Command = Callable[..., Result]


def test_every_setting_is_an_option_with_the_same_default() -> None:
    options = inspect.signature(finetune).parameters
    for entry in fields(TrainingConfig):
        default = options[entry.name].default
        expected = ",".join(entry.default) if entry.name == "augment" else entry.default
        assert default == expected, entry.name


def test_makes_a_run(pellucid: Command, as_json: Callable[..., Any], run: Path) -> None:
    record = json.loads((run / "run.json").read_text())
    assert record["status"] == "finished"
    assert record["labels"] == ["digit 0", "digit 1", "digit 2"]
    assert record["config"]["epochs"] == 2
    described = as_json("load", "run:RUN", "--trust")
    assert described["labels"]["first"] == record["labels"]


def test_says_what_was_trained_and_what_comes_next(
    pellucid: Command, model: str, pictures: str, home: Path
) -> None:
    result = pellucid("finetune", model, pictures, "--trust", "--epochs", 1)
    assert result.exit_code == 0
    assert "was fine-tuned on 48 samples of folder:digits" in result.stdout
    (made,) = (home / "pellucid-workspace" / "runs").iterdir()
    assert result.stderr.splitlines() == [
        f"note: the run is in {made}",
        f"note: next: pellucid evaluate run:{made} --trust",
    ]


def test_prints_its_record_as_json(
    as_json: Callable[..., Any], model: str, pictures: str, home: Path
) -> None:
    options = ("--epochs", 1, "--strategy", "full", "--augment", "flip,crop", "--seed", 3)
    record = as_json("finetune", model, pictures, "--trust", *options, "--workspace", "w")
    assert record["status"] == "finished"
    assert Path(record["path"]).parent == home / "w" / "runs"
    assert record["config"]["augment"] == ["flip", "crop"]
    assert record["config"]["seed"] == 3


def test_a_run_is_never_overwritten(
    pellucid: Command, model: str, pictures: str, run: Path
) -> None:
    result = pellucid("finetune", model, pictures, "--trust", "--out", "RUN")
    assert result.exit_code == 2
    assert "holds a run already" in result.stderr
    assert "--resume" in result.stderr


def test_a_finished_run_resumes_to_itself(
    as_json: Callable[..., Any], model: str, pictures: str, run: Path
) -> None:
    before = json.loads((run / "run.json").read_text())
    again = as_json(
        "finetune", model, pictures, "--trust", "--epochs", 2, "--out", "RUN", "--resume"
    )
    assert again["id"] == before["id"]
    assert again["seconds"] == before["seconds"]


def test_other_data_for_validation(
    as_json: Callable[..., Any], model: str, pictures: str, home: Path
) -> None:
    shutil.copytree(home / "digits", home / "others" / "val")
    shutil.copytree(home / "digits", home / "others" / "test")
    record = as_json(
        "finetune", model, pictures, "--trust", "--epochs", 1, "--validation", "folder:others"
    )
    validation = record["data"]["validation"]
    assert (validation["source"], validation["split"]) == ("folder:others", "val")


def _heed_interrupts() -> None:
    """A shell starts its background jobs deaf to Ctrl-C, and children inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.slow
def test_ctrl_c_tells_how_to_go_on(model: str, pictures: str, home: Path) -> None:
    command = ["finetune", model, pictures, "--trust", "--epochs", "100000", "--out", "RUN"]
    process = subprocess.Popen(
        [sys.executable, "-m", "pellucid", *command],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_heed_interrupts,
    )
    _wait_for(home / "RUN" / "checkpoints" / "last" / "state.json")
    process.send_signal(signal.SIGINT)
    _, printed = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in printed
    assert f"go on with: pellucid {' '.join(command)} --resume" in printed
    assert json.loads((home / "RUN" / "run.json").read_text())["status"] == "stopped"


def _wait_for(path: Path) -> None:
    for _ in range(600):
        if path.exists():
            return
        time.sleep(0.1)
    pytest.fail(f"{path} did not appear within a minute")
