"""`pellucid report`: one file with all that belongs to a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from typer.testing import Result

Command = Callable[..., Result]


def test_a_run_with_its_results(pellucid: Command, run: Path, home: Path) -> None:
    assert pellucid("evaluate", "run:RUN", "--trust").exit_code == 0
    result = pellucid("report", "RUN", "--out", "page.html", "--title", "Digits & more")
    assert result.exit_code == 0
    assert result.stdout == "page.html\n"
    page = (home / "page.html").read_text()
    assert "<title>Digits &amp; more</title>" in page
    assert "The model is right on" in page
    assert "was fine-tuned on 48 samples" in page


def test_several_sources_and_json(as_json: Callable[..., Any], run: Path, home: Path) -> None:
    saved = as_json("evaluate", "run:RUN", "--trust", "--no-save", "--limit", 3)
    assert saved["num_samples"] == 3
    as_json("evaluate", "run:RUN", "--trust", "--out", "one.zarr")
    found = as_json("report", "run:RUN", "one.zarr")
    assert found == {"report": "report.html", "bytes": (home / "report.html").stat().st_size}
