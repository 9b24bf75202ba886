"""Large matrices that can be enlarged: what the page's script is given, and what it does with it."""

from __future__ import annotations

import base64
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pellucid.reporting.report import report
from pellucid.views import Axis, Matrix

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture
def large() -> Matrix:
    """80 × 100 cells that count up to 1 from −1."""
    return Matrix(
        title="Weights",
        values=np.linspace(-1, 1, 8000).reshape(80, 100),
        rows=tuple(f"output {i}" for i in range(80)),
        columns=tuple(f"input {i}" for i in range(100)),
        x=Axis(label="input"),
        y=Axis(label="output"),
        value=Axis(label="weight"),
        signed=True,
        format=".3g",
    )


@pytest.fixture
def path(large: Matrix, make: dict[str, Callable[..., Any]], tmp_path: Path) -> Path:
    return report(make["result"]("weights", [large], "Words."), tmp_path / "r.html")


def test_names_and_values_of_the_cells_are_on_the_page(large: Matrix, path: Path) -> None:
    found = re.search(r'<script[^>]*class="zoom-data"[^>]*>(.*?)</script>', path.read_text())
    assert found
    record = json.loads(found[1])
    assert record["rows"][79] == "output 79"
    assert record["columns"][99] == "input 99"
    levels = np.frombuffer(base64.b64decode(record["levels"]), np.int8).astype(float) / 127
    values = np.sign(levels) * levels**2 * record["limit"]
    np.testing.assert_allclose(values.reshape(80, 100), large.values, atol=0.01)


def test_small_matrices_stay_tables(
    large: Matrix, make: dict[str, Callable[..., Any]], tmp_path: Path
) -> None:
    small = Matrix(**(vars(large) | {"values": large.values[:4, :4], "rows": large.rows[:4],
                                     "columns": large.columns[:4]}))  # fmt: skip
    page = report(make["result"]("weights", [small], "Words."), tmp_path / "s.html").read_text()
    assert "zoom-data" not in page.partition("<body")[2]


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_a_click_enlarges_and_keys_move_and_read_out(path: Path) -> None:
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    complaints: list[str] = []
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        tab = opened.new_page(viewport={"width": 1280, "height": 1000})
        tab.on("console", lambda message: complaints.append(message.text))
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.goto(path.as_uri())
        view, said = tab.locator(".zoom-view"), tab.locator(".readout")
        assert "Click to enlarge" in said.inner_text()
        before = tab.locator(".zoom-view .pic").bounding_box()
        view.click(position={"x": 2, "y": 2})
        assert said.inner_text() == "output 0, input 0: about −1 weight"
        after = tab.locator(".zoom-view .pic").bounding_box()
        assert after["width"] == pytest.approx(2 * before["width"], rel=0.02)
        tab.keyboard.press("ArrowDown")
        tab.keyboard.press("ArrowRight")
        assert said.inner_text().startswith("output 1, input 1: about −0.9")
        tab.keyboard.press("0")
        assert tab.locator(".zoom-view .pic").bounding_box()["width"] == pytest.approx(
            before["width"], rel=0.02
        )
        tab.mouse.wheel(0, -240)
        tab.wait_for_function("document.querySelector('.zoom-view').classList.contains('enlarged')")
        tab.locator("[data-zoom=all]").click()
        assert "enlarged" not in (view.get_attribute("class") or "")
        assert tab.evaluate("document.documentElement.scrollWidth") <= 1280
        opened.close()
    assert complaints == []
