"""`pellucid explain`: samples, methods and their parameters; pictures and results on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import Result

from pellucid.attribution.explanation import Explanation
from pellucid.workspace.opening import open as open_saved
from pellucid.workspace.run import Run

Command = Callable[..., Result]
OCCLUSION = ("--method", "occlusion", "--set", "occlusion.window=8", "--set", "occlusion.stride=8")


def test_writes_the_explanation_and_a_picture_for_each_sample(
    pellucid: Command, run: Path, home: Path
) -> None:
    result = pellucid(
        "explain", "run:RUN", "--trust", "--limit", 3, "--method", "grad_cam", *OCCLUSION,
        "--out", "OUT",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("3 samples explained with Grad-CAM and Occlusion.")
    saved = open_saved(home / "OUT" / "explanation.zarr")
    assert isinstance(saved, Explanation)
    assert list(saved.data["method"].values) == ["grad_cam", "occlusion"]
    assert saved.meta.parameters["occlusion"]["window"] == 8
    pictures = sorted((home / "OUT" / "pictures").iterdir())
    assert len(pictures) == 3
    with Image.open(pictures[0]) as picture:
        assert min(picture.size) > 100
    assert Run(run).results() == [home / "OUT" / "explanation.zarr"]


def test_one_picture_file(as_json: Callable[..., Any], run: Path, home: Path) -> None:
    picture = next((home / "digits" / "digit 1").iterdir())
    found = as_json("explain", "run:RUN", picture, "--trust", "--target", "digit 1")
    (sample,) = found["samples"]
    assert sample["target_label"] == "digit 1"
    assert found["pictures"] == []
    assert Run(run).results() == [Path(found["path"])]


def test_limit_holds_by_default(as_json: Callable[..., Any], model: str, pictures: str) -> None:
    found = as_json("explain", model, pictures, "--trust", "--no-save")
    assert found["num_samples"] == 16
    assert found["methods"] == ["grad_cam"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--set", "occlusion=3"], "expected METHOD.NAME=VALUE"),
        (["--set", "occlusion.window=8"], "parameters for 'occlusion' were given"),
        (["--method", "grad_cm"], "Unknown method 'grad_cm'. Closest: 'grad_cam'"),
        (["--method", "occlusion", "--set", "occlusion.windows=8"], "no parameter 'windows'"),
        (["--method", "occlusion", "--baseline", "grey"], "baseline 'grey' is not known"),
        (["--target", "digit 9"], "'digit 9' is not a class"),
        (["--layer", "9"], "9"),
        (["--text", "a text"], "--text stands for the data"),
    ],
)
def test_wrong_options_are_explained(
    pellucid: Command, model: str, pictures: str, options: list[str], message: str
) -> None:
    result = pellucid("explain", model, pictures, "--trust", "--no-save", *options)
    assert result.exit_code == 2
    assert message in result.stderr
