"""The page as a reader meets it, in headless Chromium."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pellucid.reporting.report import report
from pellucid.views import Text, View

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
OPTIONS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=list(OPTIONS))
        yield opened
        opened.close()


Visit = Callable[..., Any]


@pytest.fixture
def visit(browser: Any) -> Iterator[Visit]:
    """Open a page; afterwards, nothing was complained about and nothing fetched."""
    complaints: list[str] = []
    contexts = []

    def go(path: Path, *, width: int = 1280, scheme: str = "light", **options: Any) -> Any:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, **options
        )
        contexts.append(context)
        tab = context.new_page()
        tab.on("console", lambda message: complaints.append(f"console: {message.text}"))
        tab.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        tab.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
        tab.on(
            "request",
            lambda request: (
                None
                if request.url.startswith("data:") or request.url.partition("#")[0] == path.as_uri()
                else complaints.append(f"request: {request.url}")
            ),
        )
        tab.goto(path.as_uri())
        return tab

    yield go
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.mark.parametrize("width", [1280, 768, 400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_and_complains_about_nothing(
    visit: Visit, page: Path, width: int, scheme: str
) -> None:
    tab = visit(page, width=width, scheme=scheme)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert tab.locator("figure.card").count() == 27
    ground = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(15, 19, 23)" if scheme == "dark" else "rgb(250, 249, 247)")


def test_a_click_on_a_cell_shows_its_samples(visit: Visit, page: Path) -> None:
    tab = visit(page)
    panel = tab.locator(".members")
    assert "Choose a cell" in panel.inner_text()
    cell = tab.locator("[data-cell='0,0']")
    cell.click()
    said = panel.inner_text()
    assert "true class: airplane · predicted: airplane" in said
    assert "49 samples, 1 of 49 shown as pictures" in said
    assert panel.locator(".pic").count() == 1
    assert panel.locator(".ids li").count() == 48
    assert cell.get_attribute("aria-pressed") == "true"


def test_a_sample_leads_to_its_explanation(visit: Visit, page: Path) -> None:
    tab = visit(page)
    tab.locator("[data-cell='0,0']").click()
    link = tab.locator(".members .why").first
    target = link.get_attribute("href")
    link.click()
    tab.wait_for_function(
        "hash => Math.abs(document.querySelector(hash).getBoundingClientRect().top) < 60",
        arg=target,
    )


def test_cells_by_keyboard(visit: Visit, page: Path) -> None:
    tab = visit(page)
    tab.locator("[data-cell='0,0']").focus()
    tab.keyboard.press("ArrowRight")
    assert tab.evaluate("document.activeElement.dataset.cell") == "0,1"
    tab.keyboard.press("Enter")
    assert "airplane · predicted: automobile" in tab.locator(".members").inner_text()
    tab.keyboard.press("ArrowDown")
    assert tab.evaluate("document.activeElement.dataset.cell") == "1,1"
    tab.keyboard.press("ArrowLeft")
    assert tab.evaluate("document.activeElement.dataset.cell") == "1,1"
    assert tab.locator(".matrix button[tabindex='0']").count() == 1


def test_tables_sort(visit: Visit, page: Path) -> None:
    tab = visit(page)
    table = tab.locator("table.sortable")
    heads = table.locator("th")

    def column(number: int) -> list[str]:
        return table.locator(f"tbody tr td:nth-child({number})").all_inner_texts()

    heads.nth(2).locator("button").click()
    shares = [float(text.rstrip("%")) for text in column(3)]
    assert shares == sorted(shares, reverse=True)
    assert heads.nth(2).get_attribute("aria-sort") == "descending"
    heads.nth(2).locator("button").press("Enter")
    shares = [float(text.rstrip("%")) for text in column(3)]
    assert shares == sorted(shares)
    heads.nth(0).locator("button").click()
    assert column(1) == sorted(column(1))
    assert heads.nth(2).get_attribute("aria-sort") == "none"


def test_the_theme_is_toggled_and_kept(visit: Visit, page: Path) -> None:
    tab = visit(page)
    button = tab.locator(".theme")
    assert button.inner_text() == "Dark"
    button.click()
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(15, 19, 23)"
    assert button.get_attribute("aria-label") == "Show this page light"
    tab.reload()
    assert tab.evaluate("document.documentElement.dataset.theme") == "dark"


def test_the_strength_of_all_overlays_is_set_at_once(visit: Visit, page: Path) -> None:
    tab = visit(page)
    slider = tab.locator(".strength input")
    slider.focus()
    tab.keyboard.press("Home")
    shown = tab.eval_on_selector_all(
        ".veil", "all => all.map(veil => getComputedStyle(veil).opacity)"
    )
    assert len(shown) == 48
    assert set(shown) == {"0"}


def test_a_chart_tells_its_values(visit: Visit, page: Path) -> None:
    tab = visit(page)
    chart = tab.locator("[data-points]").first
    chart.focus()
    tab.keyboard.press("ArrowRight")
    tip = tab.locator(".tip:visible")
    assert tip.inner_text().startswith("epoch 1\ntraining: ")
    tab.keyboard.press("ArrowRight")
    assert tip.inner_text().startswith("epoch 2\ntraining: ")
    tab.keyboard.press("Escape")
    assert tip.count() == 0
    chart.hover(position={"x": 200, "y": 100})
    assert "validation: " in tip.inner_text()


def test_the_contents_close_on_a_narrow_page(visit: Visit, page: Path) -> None:
    assert visit(page).locator(".contents nav").is_visible()
    tab = visit(page, width=400)
    assert not tab.locator(".contents nav").is_visible()
    tab.locator(".contents summary").click()
    assert tab.locator(".contents nav").is_visible()


def test_the_page_is_whole_without_a_script(visit: Visit, page: Path) -> None:
    tab = visit(page, java_script_enabled=False)
    assert tab.locator("figure.card").count() == 27
    assert not tab.locator(".theme").is_visible()
    assert "url(" in tab.locator(".veil").first.evaluate(
        "veil => getComputedStyle(veil).backgroundImage"
    )


def test_a_hostile_class_is_only_a_name(
    visit: Visit, make: dict[str, Callable[..., Any]], tmp_path: Path
) -> None:
    names = ("<script>alert(1)</script>", "\"' onclick='alert(1)", "cat")
    matrix = make["confusion"](names, 90)
    source = [make["evaluation"](matrix), make["explanation"](matrix, 3)]
    tab = visit(report(source, tmp_path / "hostile.html", title=names[0]), width=400)
    for cell in tab.locator("[data-cell]").all():
        cell.click()
        assert tab.locator(".members h4").inner_text().startswith("true class: ")
    tab.locator("[data-cell='0,0']").click()
    assert names[0] in tab.locator(".members h4").inner_text()
    assert tab.locator("body script:not([type])").count() == 0
    assert tab.evaluate("document.documentElement.scrollWidth") <= 400


def test_a_wide_matrix_and_a_raster_fit_a_narrow_page(
    visit: Visit, make: dict[str, Callable[..., Any]], tmp_path: Path
) -> None:
    views = [
        make["confusion"](tuple(f"a class with a long name {i}" for i in range(count)), 900)
        for count in (40, 90)
    ]
    path = report(make["result"]("evaluation", views, "Words."), tmp_path / "r.html")
    for width in (400, 1280):
        tab = visit(path, width=width)
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
    tab.locator(".largest button").first.click()
    assert "true class: " in tab.locator(".members").nth(1).inner_text()


def test_long_contents_unfold_the_section_that_is_read(visit: Visit, tmp_path: Path) -> None:
    results = [Many(n) for n in range(3)]
    tab = visit(report(results, tmp_path / "long.html"))
    folded = tab.locator(".contents .of-section ul")
    assert [folded.nth(n).is_visible() for n in range(3)] == [True, False, False]
    tab.locator("#section-3").scroll_into_view_if_needed()
    tab.evaluate("document.getElementById('section-3').scrollIntoView()")
    folded.nth(2).wait_for(state="visible")
    assert not folded.nth(0).is_visible()


class Many:
    """A result with more views than contents show at once."""

    def __init__(self, number: int) -> None:
        self.kind = f"part {number}"

    def views(self) -> list[View]:
        words = Text(title="Words", paragraphs=("A paragraph.",) * 6)
        return [replace(words, title=f"Words {n}") for n in range(12)]

    def summary(self) -> str:
        return "Many views."
