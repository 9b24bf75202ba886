"""`pellucid inspect` and `pellucid visualize-feature`: what they print, write, and refuse."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

import pellucid as package
from pellucid.inside.inspecting import PARTS

QUICK = ("--set", "features.steps=2", "--set", "units.steps=2", "--set", "units.num_units=2")


@pytest.mark.slow
def test_a_folder_holds_every_part_and_a_report(
    pellucid: Callable[..., Result], model: str, pictures: str, home: Path
) -> None:
    line = ("inspect", model, "--trust", "--data", pictures, "--limit", 12, "--out", "DIR", *QUICK)
    assert pellucid(*line).exit_code == 0
    names = sorted(path.name for path in (home / "DIR").glob("*.zarr"))
    assert names == sorted(f"{part}.zarr" for part in PARTS)
    page = (home / "DIR" / "report.html").read_text("utf-8")
    assert "How it is built" in page
    made = {path: path.stat().st_mtime_ns for path in (home / "DIR").rglob("zarr.json")}
    assert pellucid(*line).exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in made} == made


def test_one_part_is_printed_as_a_table(pellucid: Callable[..., Result], model: str) -> None:
    result = pellucid("inspect", model, "--trust", "--part", "weights", "--layer", "Linear")
    assert result.exit_code == 0
    assert "4.weight" in result.stdout
    assert "0.weight" not in result.stdout


def test_json_holds_each_part(as_json: Callable[..., Any], model: str) -> None:
    found = as_json("inspect", model, "--trust", "--part", "weights")
    assert list(found["parts"]) == ["weights"]
    assert Path(found["paths"]["weights"]).is_dir()


def test_a_run_is_compared_with_the_model_it_came_from(
    as_json: Callable[..., Any], run: Path, model: str, home: Path
) -> None:
    found = as_json(
        "inspect", "run:RUN", "--trust", "--part", "weights", "--against", model, "--out", "DIR"
    )
    assert {"weights", "structure_difference", "weights_difference"} == set(found["parts"])
    assert (home / "DIR" / "weights_difference.zarr").is_dir()


def test_the_structure_is_exported(pellucid: Callable[..., Result], model: str, home: Path) -> None:
    line = ("inspect", model, "--trust", "--part", "structure", "--set", "structure.time=false")
    assert pellucid(*line, "--export", "net.json", "--export", "net.mmd").exit_code == 0
    assert json.loads((home / "net.json").read_text("utf-8"))
    assert (home / "net.mmd").read_text("utf-8").startswith("flowchart")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--part", "wieghts"], "there is no part 'wieghts' of a model. Closest: 'weights'"),
        (["--part", "activations"], "is seen on data, and none was given"),
        (["--set", "weights.num_mps=4"], "weights has no setting 'num_mps'. Closest: 'num_maps'"),
        (["--part", "weights", "--layer", "Linaer"], "Or name a kind. Closest: 'Linear'"),
        (["--split", "test"], "no --data was given"),
    ],
)
def test_bad_input_is_one_line(
    arguments: list[str], message: str, pellucid: Callable[..., Result], model: str
) -> None:
    result = pellucid("inspect", model, "--trust", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_pictures_that_excite_are_written(
    pellucid: Callable[..., Result], model: str, home: Path
) -> None:
    result = pellucid(
        "visualize-feature", model, "class:a", "0:3", "--trust", "--steps", 2, "--out", "OUT"
    )
    assert result.exit_code == 0
    assert len(list((home / "OUT" / "pictures").glob("*.png"))) == 2
    opened = package.open(home / "OUT" / "feature_image.zarr")
    assert isinstance(opened, package.FeatureImage)
