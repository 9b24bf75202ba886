"""`pellucid benchmark-methods`: a ranking of real maps of a small network, printed and kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from pellucid.analysis import method_ranking as ranking_module

Command = Callable[..., Result]
QUICK = (
    "--trust", "--method", "grad_cam", "--method", "occlusion", "--limit", 6,
    "--set", "deletion.steps=4", "--set", "insertion.steps=4", "--set", "sensitivity_n.subsets=4",
    "--set", "occlusion.window=8",
)  # fmt: skip


def test_prints_ranks_and_words_and_keeps_the_result(
    pellucid: Command, model: str, pictures: str, home: Path
) -> None:
    result = pellucid("benchmark-methods", model, pictures, *QUICK, "--out", "R.zarr")
    assert result.exit_code == 0, result.stderr
    header, *rows = result.stdout.splitlines()
    assert header.split() == ["method", "rank", "interval", "seconds", "passes", "verdict"]
    assert {row.split("  ")[0] for row in rows[:6]} >= {"Grad-CAM", "Occlusion", "[Random order]"}
    assert "2 methods ranked on 6 samples by deletion, insertion and sensitivity-n" in result.stdout
    assert "saved in R.zarr" in result.stderr
    report = pellucid("report", "R.zarr", "--out", "report.html")
    assert report.exit_code == 0, report.stderr
    assert "Which maps tell most" in (home / "report.html").read_text("utf-8")


def test_json(as_json: Callable[..., Any], model: str, pictures: str) -> None:
    found = as_json("benchmark-methods", model, pictures, *QUICK, "--no-save")
    assert found["kind"] == "method_ranking"
    assert [entry["mean_rank"] for entry in found["entries"]] == sorted(
        entry["mean_rank"] for entry in found["entries"]
    )
    occlusion = next(entry for entry in found["entries"] if entry["name"] == "occlusion")
    assert occlusion["forwards"] > 2
    assert set(occlusion["measures"]) == set(found["measures"])


def test_of_a_run(pellucid: Command, run: Path) -> None:
    result = pellucid("benchmark-methods", "run:RUN", *QUICK)
    assert result.exit_code == 0, result.stderr
    assert list((run / "results").glob("*method*ranking*"))


def test_a_method_that_is_not_defined_is_named(
    pellucid: Command, model: str, pictures: str
) -> None:
    result = pellucid(
        "benchmark-methods", model, pictures, *QUICK, "--no-save", "--method", "attention"
    )
    assert result.exit_code == 0, result.stderr
    assert "Not defined here: attention." in result.stdout


def test_ctrl_c_prints_what_is_done(
    pellucid: Command, model: str, pictures: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = ranking_module.Trial.run
    calls: list[Any] = []

    def stopping(self: Any, *arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return tried(self, *arguments)

    monkeypatch.setattr(ranking_module.Trial, "run", stopping)
    result = pellucid("benchmark-methods", model, pictures, *QUICK, "--batch-size", 3, "--no-save")
    assert result.exit_code == 130
    assert "Stopped by Ctrl-C after 3 of 6 samples." in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--measure", "deletoin"], "measure 'deletoin' is not known"),
        (["--set", "deletion"], "expected METHOD.NAME=VALUE"),
        (["--method", "grad_cm"], "Unknown method 'grad_cm'"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    arguments: list[str], message: str, pellucid: Command, model: str, pictures: str
) -> None:
    result = pellucid("benchmark-methods", model, pictures, "--trust", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
