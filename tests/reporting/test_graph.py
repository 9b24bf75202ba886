"""Graphs on the page: the script's layout is Python's, and a reader can use it."""

from __future__ import annotations

import json
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pellucid.reporting.drawers import Sheet, draw
from pellucid.reporting.drawers_graph import packed, record
from pellucid.reporting.report import report
from pellucid.result import Provenance
from pellucid.views import Graph
from pellucid.views.layered import hierarchy_of, lay_out

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
NODE = shutil.which("node")


def in_browser(test: Any) -> Any:
    return pytest.mark.browser(
        pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")(test)
    )


def synthetic(stages: int = 25, blocks: int = 20, operators: int = 10) -> Graph:
    """Stages of blocks of operators in a chain, with a residual connection over each block."""
    labels, kinds, parents = ["input"], ["input"], [-1]
    edges: list[tuple[int, int, str]] = []
    before = 0

    def add(label: str, kind: str, parent: int) -> int:
        labels.append(label)
        kinds.append(kind)
        parents.append(parent)
        return len(labels) - 1

    for stage in range(stages):
        outer = add(f"stage {stage}", "group", -1)
        for block in range(blocks):
            inner = add(f"block {block}", "group", outer)
            start = before
            for operator in range(operators):
                last = operator == operators - 1
                item = add(f"op {operator}", "residual" if last else "layer", inner)
                edges.append((before, item, "data"))
                before = item
            edges.append((start, before, "residual"))
    count = len(labels)
    return Graph(
        title="Synthetic",
        labels=tuple(labels),
        types=("Class",) * count,
        kinds=tuple(kinds),
        parents=np.array(parents),
        times=np.ones(count, dtype=int),
        sources=np.array([a for a, _, _ in edges]),
        targets=np.array([b for _, b, _ in edges]),
        edge_kinds=tuple(kind for _, _, kind in edges),
        shares=np.full(count, 0.1),
        share_of="time",
    )


def folded() -> Graph:
    """An input, a stack of two blocks with a residual sum, a join, and an output."""
    return Graph(
        title="Folded",
        labels=("x", "two", "a", "conv", "add", "b", "conv", "add", "cat", "output"),
        types=("",) * 10,
        kinds=("input", "repeat", "group", "layer", "residual", "group", "layer", "residual", "join", "output"),
        parents=np.array([-1, -1, 1, 2, 2, 1, 5, 5, -1, -1]),
        times=np.array([1, 2, 1, 1, 1, 1, 1, 1, 1, 1]),
        sources=np.array([0, 3, 0, 4, 6, 4, 7, 0, 8]),
        targets=np.array([3, 4, 4, 6, 7, 7, 8, 8, 9]),
        edge_kinds=("data", "data", "residual", "data", "data", "residual", "data", "skip", "data"),
        opened=(1,),
    )  # fmt: skip


@pytest.mark.skipif(NODE is None, reason="Node is not installed")
@pytest.mark.parametrize(
    ("view", "opened"),
    [
        (folded(), []),
        (folded(), [1]),
        (synthetic(2, 3, 4), [1]),
        (synthetic(2, 3, 4), [1, 2, 17, 18]),
    ],
)
def test_the_script_lays_out_as_python_does(view: Graph, opened: list[int]) -> None:
    script = (files("pellucid.reporting") / "graph.js").read_text("utf-8")
    given = {
        "labels": view.labels,
        "kinds": view.kinds,
        "parents": view.parents.tolist(),
        "sources": view.sources.tolist(),
        "targets": view.targets.tolist(),
        "edge_kinds": view.edge_kinds,
    }
    asked = f"""
        const open = new Map({json.dumps(opened)}.map((item) => [item, "one"]));
        const drawing = graphs.layOut(graphs.hierarchyOf({json.dumps(given)}), open);
        console.log(JSON.stringify(drawing));
    """
    said = subprocess.run(
        [str(NODE), "-e", script + asked], capture_output=True, text=True, check=True
    )
    theirs = json.loads(said.stdout)
    ours = lay_out(hierarchy_of(view), opened)
    assert theirs["width"] == pytest.approx(ours.width)
    assert theirs["height"] == pytest.approx(ours.height)
    for spot, other in zip(ours.spots, theirs["spots"], strict=True):
        assert (spot.item, spot.is_open) == (other["item"], other["isOpen"])
        found = [other[name] for name in ("x", "y", "width", "height")]
        assert found == pytest.approx([spot.x, spot.y, spot.width, spot.height])
    for route, other in zip(ours.routes, theirs["routes"], strict=True):
        assert (route.kind, route.source, route.has_head) == (
            other["kind"],
            other["source"],
            other["hasHead"],
        )
        np.testing.assert_allclose(np.array(other["points"]), np.array(route.points), atol=1e-6)


def test_words_are_written_once() -> None:
    assert packed(("a", "b", "a")) == {"words": ["a", "b"], "at": [0, 1, 0]}
    view = synthetic()
    assert len(view.labels) > 5000
    assert len(json.dumps(record(view))) < 2.5e5


def test_there_is_a_list_for_those_who_do_not_see_it() -> None:
    page = draw(folded(), Sheet(), "a")
    assert "two ×2" in page
    assert page.count("conv ") == 1
    assert 'role="application"' in page
    long = draw(synthetic(), Sheet(), "a")
    assert long.count("<li>") <= 602
    assert "more inside" in long


def result(view: Graph) -> Any:
    class Shown:
        kind = "structure"
        meta = Provenance(kind="structure")

        def views(self) -> list[Graph]:
            return [view]

        def summary(self) -> str:
            return "A graph."

    return Shown()


@pytest.fixture(scope="module")
def browser() -> Any:
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        yield opened
        opened.close()


@pytest.fixture
def visit(browser: Any, tmp_path: Path) -> Any:
    complaints: list[str] = []
    contexts = []

    def go(view: Graph, **options: Any) -> Any:
        path = report(result(view), tmp_path / "graph.html")
        context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
        contexts.append(context)
        tab = context.new_page()
        tab.on("console", lambda message: complaints.append(message.text))
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.goto(path.as_uri())
        return tab

    yield go
    for context in contexts:
        context.close()
    assert complaints == []


def milliseconds(tab: Any) -> float:
    return float(tab.locator(".graph").get_attribute("data-milliseconds"))


@in_browser
def test_a_reader_opens_searches_and_closes(visit: Any) -> None:
    tab = visit(folded())
    panel = tab.locator(".graph-panel")
    assert "Choose a box" in panel.inner_text()
    tab.locator(".graph canvas").focus()
    for _ in range(2):
        tab.keyboard.press("ArrowDown")
    assert "×2" in panel.inner_text()
    panel.get_by_role("button", name="Show all 2").click()
    assert panel.get_by_role("button", name="Show one of them").count() == 1
    tab.locator(".graph canvas").focus()
    tab.keyboard.press("Enter")
    assert panel.get_by_role("button", name="Open", exact=True).count() == 1
    search = tab.locator(".graph input")
    search.fill("cat")
    assert tab.locator(".graph-found button").count() == 1
    search.press("Enter")
    assert panel.locator("h4").inner_text() == "cat"
    assert "takes" in panel.inner_text()
    search.fill("nothing like it")
    assert "nothing found" in tab.locator(".graph-found").inner_text()


@in_browser
def test_a_click_opens_and_closes_a_group(visit: Any) -> None:
    tab = visit(synthetic(1, 2, 3), color_scheme="dark")
    canvas, panel = tab.locator(".graph canvas"), tab.locator(".graph-panel")
    box = canvas.bounding_box()
    y = next(
        y
        for y in range(10, 400, 12)
        if canvas.click(position={"x": box["width"] / 2, "y": y}) is None
        and panel.locator("h4").count()
        and panel.locator("h4").inner_text() == "stage 0"
    )
    assert panel.get_by_role("button", name="Close", exact=True).count() == 1
    canvas.click(position={"x": box["width"] / 2, "y": y})
    assert panel.get_by_role("button", name="Open", exact=True).count() == 1


@in_browser
def test_five_thousand_operators_stay_usable(visit: Any) -> None:
    tab = visit(synthetic())
    seconds = [milliseconds(tab)]
    for name in ("stage 3", "block 7"):
        tab.locator(".graph input").fill(name)
        tab.locator(".graph-found button").first.click()
        tab.locator(".graph-panel").get_by_role("button", name="Open", exact=True).click()
        seconds.append(milliseconds(tab))
    assert max(seconds) < 800  # a fourth of that on a machine that does nothing else
    tab.locator("[data-do=all]").click()
    assert milliseconds(tab) < 6000


@in_browser
def test_without_a_script_there_is_the_list(visit: Any) -> None:
    tab = visit(folded(), java_script_enabled=False)
    assert tab.locator(".graph-list li").first.is_visible()
    assert not tab.locator(".graph canvas").is_visible()
