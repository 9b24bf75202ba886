"""`pellucid compare`: two models on the same samples, from the shell."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from typer.testing import Result

from pellucid.result.store import open_result
from pellucid.workspace.run import Run
from pellucid.workspace.workspace import Workspace

Command = Callable[..., Result]


def test_a_run_is_compared_with_another_on_what_it_was_not_trained_on(
    pellucid: Command, run: Path, model: str, pictures: str, home: Path
) -> None:
    pellucid("finetune", model, pictures, "--trust", "--epochs", 1, "--seed", 5, "--out", "OTHER")
    result = pellucid("compare", "run:RUN", "run:OTHER", "--trust", "--explain", 1)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("Samples")
    assert "A is run:RUN; B is run:OTHER." in result.stdout
    assert "using the part 'test' of folder:digits, 6 samples" in result.stderr
    assert [path.suffix for path in Run(home / "OTHER").results()] == [".zarr"]


def test_json_and_the_saved_result(as_json: Callable[..., Any], run: Path, model: str) -> None:
    found = as_json(
        "compare", model, "run:RUN", "--data", "folder:digits", "--split", "train", "--trust",
        "--limit", 9, "--method", "grad_cam", "--method", "saliency", "--explain", 2,
        "--out", "both.zarr",
    )  # fmt: skip
    assert (found["num_samples"], found["num_in_training"], found["path"]) == (9, 9, "both.zarr")
    assert found["num_shared_classes"] == 0
    assert list(found["explained"][0]["methods"]) == ["grad_cam", "saliency"]
    saved = open_result("both.zarr")
    assert saved.meta.kind == "comparison"
    assert saved.meta.parameters["model_a"]["source"] == model


def test_other_models_are_kept_in_the_workspace(
    as_json: Callable[..., Any], model: str, pictures: str
) -> None:
    found = as_json("compare", model, model, "--data", pictures, "--trust", "--explain", 0)
    assert [str(entry.path) for entry in Workspace().results()] == [found["path"]]
    assert found["same_answer"] == 1


def test_data_must_be_given_for_models_that_are_no_run(pellucid: Command, model: str) -> None:
    result = pellucid("compare", model, model, "--trust")
    assert result.exit_code == 2
    assert "DATA is missing" in result.stderr
