"""`pellucid demo`: the main job from end to end, and again without repeating it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

FEW_STEPS = {"integrated_gradients": {"steps": 2, "max_steps": 2}, "occlusion": {"window": 112}}


@pytest.mark.slow
def test_makes_a_report_and_uses_it_again(
    pellucid: Callable[..., Result],
    pictures: str,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The real network; sixty digits, one photograph and few steps, to be quick."""
    monkeypatch.setattr("pellucid.cli.demo.EXPLAINED", ("chelsea",))
    monkeypatch.setattr("pellucid.cli.demo.NUM_DIGITS", 2)
    monkeypatch.setattr("pellucid.cli.demo.DIGITS", pictures)
    monkeypatch.setattr("pellucid.cli.demo.OF_PHOTOS", FEW_STEPS)
    first = pellucid("demo")
    assert first.exit_code == 0
    assert first.stdout == "pellucid-demo/report.html\n"
    report = home / "pellucid-demo" / "report.html"
    page = report.read_text("utf-8")
    assert "bundled:efficientnet-lite0 was fine-tuned on 48 samples of folder:digits" in page
    assert "chelsea" in page
    made = {path: path.stat().st_mtime_ns for path in report.parent.rglob("zarr.json")}
    assert pellucid("demo").exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in made} == made
    assert sorted(entry.name for entry in home.iterdir()) == ["digits", "pellucid-demo"]
