"""Each page: its address brings it back, figures can be kept, and everybody can use it."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import pellucid

AXE = Path(pellucid.__file__).parent / "studio/web/node_modules/axe-core/axe.min.js"
KINDS = {"Lines", "Bars", "Histogram", "Matrix", "Scatter", "ImageGrid", "Overlay", "Table"}
KINDS |= {"Graph", "Flow", "Surface", "Tokens", "Text"}
UNFORESEEN = ("lines", "matrix", "scatter", "flow", "surface")
PAGES = {
    "workspace": "/?show=results",
    "run": "/runs/{run}",
    "result": "/results/{explanation}",
    "each kind": "/results/{each_kind}",
    "train": "/train?model=bundled%3Aefficientnet-lite0&strategy=partial",
    "model": "/model?model=run%3A{run}",
    "explain": "/explain?model=run%3A{run}&data={data}&split=&position=2&methods=grad_cam",
    "errors": "/errors?result={evaluation}&show=all",
    "compare": "/compare?result={comparison}&show=all",
    "report": "/report?result={evaluation}",
    "jobs": "/jobs",
    "about": "/about",
}
USUAL = ("workspace", "errors")  # the others only in thorough runs


@pytest.fixture
def address(trained: Any, examples: dict[str, str]) -> Callable[[str], str]:
    """Where a page is, with something to show."""
    ids = vars(trained) | examples
    return lambda page: PAGES[page].format(**ids)


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        ("train", "input[name=strategy][value=partial]:checked"),
        pytest.param(
            "model", "figure[data-kind=graph], main button.primary", marks=pytest.mark.thorough
        ),
        ("explain", "figure[data-kind=overlay]"),
        ("errors", "figure[data-kind=matrix]"),
        pytest.param(
            "compare", "role=region[name=/^Model A/] >> figure", marks=pytest.mark.thorough
        ),
    ],
)
def test_an_address_brings_the_page_back(
    studio: Any, visit: Any, address: Any, settle: Any, page: str, shown: str
) -> None:
    first = visit(studio, address(page))
    first.locator(shown).first.wait_for()
    settle(first)
    left = first.url
    first.reload()
    first.locator(shown).first.wait_for()
    assert first.url == left
    second = visit(studio, left.removeprefix(studio.address))
    second.locator(shown).first.wait_for()
    assert second.get_by_role("heading", level=1).inner_text() == heading(first)


def heading(page: Any) -> str:
    return str(page.get_by_role("heading", level=1).inner_text())


def test_an_unforeseen_analysis_shows_all_that_it_has(
    studio: Any, visit: Any, examples: dict[str, str]
) -> None:
    page = visit(studio, f"/results/{examples['unforeseen']}")
    page.get_by_text("Nobody foresaw this.").wait_for()
    for kind in UNFORESEEN:
        title = f"Unforeseen {'map' if kind == 'scatter' else kind}"
        page.get_by_role("heading", name=title, exact=True).scroll_into_view_if_needed()
        figure = page.locator(f"figure[data-kind='{kind}']")
        figure.locator("canvas, svg, table").first.wait_for()
        assert not figure.get_by_role("alert").count()


def test_a_choice_of_samples_holds_in_all_views(
    studio: Any, visit: Any, examples: dict[str, str]
) -> None:
    page = visit(studio, f"/results/{examples['unforeseen']}?view=2")
    page.locator("figure[data-kind='scatter'] canvas").first.wait_for()
    bar = page.get_by_role("toolbar", name="Chosen samples")
    lasso(page)
    bar.wait_for()
    many = int(re.sub(r"\D", "", bar.inner_text().split(" samples")[0]))
    assert 1000 < many < 100_000
    page.get_by_role("link", name="Previous").click()
    page.locator("figure[data-kind='matrix'] td button").first.click()
    page.get_by_text("1 sample chosen in Unforeseen matrix").wait_for()
    page.reload()
    bar.wait_for()
    page.get_by_role("link", name="Next").click()
    page.get_by_text("1 of 100,000 chosen").wait_for()
    page.keyboard.press("Escape")
    bar.wait_for(state="hidden")


def lasso(page: Any) -> None:
    """Draw around the middle of a map."""
    page.get_by_role("button", name="Draw around points to choose them").click()
    box = page.get_by_role("application").bounding_box()
    left, top = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    corners = [(-200, -100), (200, -100), (200, 100), (-200, 100), (-200, -90)]
    page.mouse.move(left - 200, top - 100)
    page.mouse.down()
    for across, down in corners:
        page.mouse.move(left + across, top + down, steps=4)
    page.mouse.up()


@pytest.mark.thorough
def test_every_kind_of_figure_can_be_kept(
    studio: Any, visit: Any, download: Any, examples: dict[str, str]
) -> None:
    shown = studio.ask(f"/results/{examples['each_kind']}")["views"]
    kinds = [view["kind"] for view in shown]
    assert set(kinds) == KINDS
    page = visit(studio, f"/results/{examples['each_kind']}?view=0")
    kept = []
    for number, kind in enumerate(kinds):
        page.get_by_text(f"View {number + 1} of {len(kinds)}").wait_for()
        figure = page.locator(f"figure[data-kind='{kind.lower()}']")
        figure.locator(".body :is(canvas, svg, table, img, p, mark):visible").first.wait_for()
        menu = figure.get_by_role("button", name="Save this figure")
        menu.click()
        names = figure.get_by_role("menuitem").all_inner_texts()
        page.keyboard.press("Escape")
        for name in names:
            if name.startswith("Copy"):
                continue

            def choose(name: str = name, menu: Any = menu, figure: Any = figure) -> None:
                menu.click()
                figure.get_by_role("menuitem", name=name).click()

            path = download(page, choose)
            check(path)
            kept.append((kind, path.suffix))
        if number + 1 < len(kinds):
            page.get_by_role("link", name="Next").click()
    for kind in KINDS:
        kinds_of_files = {suffix for of, suffix in kept if of == kind}
        assert {".png", ".svg"} <= kinds_of_files, (kind, kinds_of_files)
        assert kinds_of_files & {".csv", ".json"}, kind


def check(path: Path) -> None:
    """A file holds what its name says."""
    match path.suffix:
        case ".png":
            with Image.open(path) as picture:
                picture.load()
                assert len(picture.convert("RGB").getcolors(2**24) or []) > 3
        case ".svg":
            drawing = ET.parse(path).getroot()
            assert drawing.tag.endswith("}svg")
            assert len(list(drawing.iter())) > 5
        case ".csv":
            head, *rows = path.read_text().splitlines()
            assert "," in head
            assert rows
        case ".json":
            assert json.loads(path.read_text())["kind"] in KINDS
        case other:
            pytest.fail(f"{path.name}: nobody asked for {other!r}")


def test_pages_by_keyboard(studio: Any, visit: Any, trained: Any) -> None:
    page = visit(studio, f"/errors?result={trained.evaluation}&show=all")
    page.locator("figure[data-kind='matrix'] td button").first.wait_for()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    cell = page.locator("figure[data-kind='matrix'] td button").first
    cell.focus()
    page.keyboard.press("Enter")
    page.get_by_role("toolbar", name="Chosen samples").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("toolbar", name="Chosen samples").wait_for(state="hidden")
    samples = page.get_by_role("list", name="Samples", exact=True).get_by_role("button")
    samples.first.focus()
    page.keyboard.press("ArrowRight")
    assert samples.nth(1).evaluate("node => node === document.activeElement")
    assert "sample=" in page.url


def test_language_and_theme_are_kept(studio: Any, visit: Any) -> None:
    page = visit(studio, "/train", color_scheme="light")
    page.get_by_role("button", name="中文").click()
    page.get_by_role("heading", name="用您的数据训练模型").wait_for()
    assert page.locator("html").get_attribute("lang") == "zh-Hans"
    page.get_by_role("button", name="深色").click()
    page.reload()
    page.get_by_role("heading", name="用您的数据训练模型").wait_for()
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert max(map(int, re.findall(r"\d+", ground)[:3])) < 80
    page.goto(f"{studio.address}/runs/no-such-run")
    page.get_by_role("alert").get_by_text("此工作区中没有训练 'no-such-run'").wait_for()
    page.get_by_role("button", name="English").click()
    page.get_by_role("alert").get_by_text("there is no run 'no-such-run'").wait_for()


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed: npm ci in studio/web")
@pytest.mark.parametrize(
    "page", [p if p in USUAL else pytest.param(p, marks=pytest.mark.thorough) for p in PAGES]
)
def test_nobody_is_shut_out(studio: Any, visit: Any, address: Any, settle: Any, page: str) -> None:
    """No serious fault by axe, light and dark, on a wide and on a narrow page."""
    for scheme, width in (("light", 1440), ("dark", 390)):
        tab = visit(studio, address(page), color_scheme=scheme, width=width)
        settle(tab)
        tab.evaluate(AXE.read_text(encoding="utf-8"))
        found = tab.evaluate("axe.run(document, {resultTypes: ['violations']})")
        faults = [
            (fault["id"], [node["html"][:200] for node in fault["nodes"]][:3])
            for fault in found["violations"]
            if fault["impact"] in ("serious", "critical")
        ]
        assert faults == []
        overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert tab.evaluate(overflow) <= 0
