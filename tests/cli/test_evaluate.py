"""`pellucid evaluate`: which samples are taken, what is said about them, where the result goes."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from pellucid.analysis.evaluation import Evaluation
from pellucid.workspace.opening import open as open_saved
from pellucid.workspace.run import Run
from pellucid.workspace.workspace import Workspace

Command = Callable[..., Result]


@pytest.fixture
def split_pictures(home: Path, pictures: str) -> str:
    """Spec of the digits in two splits of their own, with equal file names in both."""
    shutil.copytree(home / "digits", home / "parts" / "train")
    shutil.copytree(home / "digits", home / "parts" / "val")
    return "folder:parts"


def test_a_run_is_evaluated_on_what_it_was_not_trained_on(pellucid: Command, run: Path) -> None:
    result = pellucid("evaluate", "run:RUN", "--trust")
    assert result.exit_code == 0
    assert result.stdout.startswith("Accuracy")
    assert "The model is right on" in result.stdout
    assert result.stderr.startswith("note: using the part 'test' of folder:digits, 6 samples")


def test_training_samples_are_noticed(as_json: Callable[..., Any], run: Path) -> None:
    for data in ("folder:digits", "digits", f"folder:{run.parent}/digits"):
        found = as_json("evaluate", "run:RUN", data, "--split", "train", "--trust", "--no-save")
        assert found["num_in_training"] == found["num_samples"] == 48


def test_equal_names_in_other_files_are_not_taken_for_training_samples(
    as_json: Callable[..., Any], model: str, split_pictures: str, home: Path
) -> None:
    as_json("finetune", model, split_pictures, "--trust", "--epochs", 1, "--out", "RUN")
    held_out = as_json("evaluate", "run:RUN", split_pictures, "--trust")
    assert (held_out["provenance"]["data"]["split"], held_out["num_in_training"]) == ("val", 0)
    elsewhere = as_json("evaluate", "run:RUN", "folder:digits", "--trust")
    assert (elsewhere["num_samples"], elsewhere["num_in_training"]) == (60, 0)
    trained = as_json("evaluate", "run:RUN", split_pictures, "--split", "train", "--trust")
    assert trained["num_in_training"] == 60


def test_the_result_is_kept_with_the_run(as_json: Callable[..., Any], run: Path) -> None:
    found = as_json("evaluate", "run:RUN", "--trust")
    assert Run(run).results() == [Path(found["path"])]
    assert Path(found["path"]).parent == run / "results"
    saved = open_saved(found["path"])
    assert isinstance(saved, Evaluation)
    assert saved.to_json() == {key: value for key, value in found.items() if key != "path"}


def test_a_result_elsewhere_still_belongs_to_its_run(
    as_json: Callable[..., Any], run: Path, home: Path
) -> None:
    found = as_json("evaluate", "run:RUN", "--trust", "--out", "test.zarr", "--workspace", "other")
    assert found["path"] == "test.zarr"
    assert Run(run).results() == [home / "test.zarr"]


def test_results_of_other_models_are_kept_in_the_workspace(
    as_json: Callable[..., Any], model: str, pictures: str
) -> None:
    found = as_json(
        "evaluate", model, pictures, "--trust", "--labels", "digit 0,digit 1,digit 2,d,e"
    )
    assert found["num_samples"] == 60
    assert [str(entry.path) for entry in Workspace().results()] == [found["path"]]


def test_nothing_is_kept_if_not_wanted(as_json: Callable[..., Any], run: Path) -> None:
    assert "path" not in as_json("evaluate", "run:RUN", "--trust", "--no-save", "--limit", 3)
    assert Run(run).results() == []


def test_data_must_be_given_for_models_that_are_no_run(pellucid: Command, model: str) -> None:
    result = pellucid("evaluate", model, "--trust")
    assert result.exit_code == 2
    assert "DATA is missing" in result.stderr
