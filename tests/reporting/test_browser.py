"""The report as a reader meets it, in headless Chromium."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pellucid.reporting.report import report
from pellucid.views import Text, View

OWN = ("data:", "blob:")

pytestmark = pytest.mark.browser
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
        tab.on("request", lambda request: asked(request.url.partition("#")[0], path))
        tab.goto(path.as_uri())
        return tab

    def asked(address: str, path: Path) -> None:
        if address != path.as_uri() and not address.startswith(OWN):
            complaints.append(f"request: {address}")

    yield go
    for context in contexts:
        context.close()
    assert complaints == []


def drawn(tab: Any, title: str) -> Any:
    """The figure of that title, once it is drawn."""
    figure = tab.locator("figure").filter(has=tab.get_by_role("heading", name=title, exact=True))
    figure.first.scroll_into_view_if_needed()
    return figure.first


def ground(tab: Any) -> str:
    return str(tab.evaluate("getComputedStyle(document.body).backgroundColor"))


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (768, "dark"), (400, "light")])
def test_the_page_fits_and_draws_all_views(
    visit: Visit, page: Path, width: int, scheme: str
) -> None:
    tab = visit(page, width=width, scheme=scheme)
    tab.wait_for_function("() => document.querySelectorAll('figure').length === 27")
    assert tab.get_by_text("cannot draw").count() == 0
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert ground(tab) == ("rgb(15, 19, 23)" if scheme == "dark" else "rgb(250, 249, 247)")


def test_a_cell_leads_to_its_samples_and_to_an_explanation(visit: Visit, page: Path) -> None:
    tab = visit(page)
    matrix = drawn(tab, "Confusion matrix")
    tab.wait_for_function("() => document.querySelectorAll('figure').length === 27")
    matrix.locator("[data-cell='0,0'] button").click()
    said = matrix.inner_text()
    assert "true class: airplane · predicted: airplane" in said
    assert matrix.locator("[data-cell='0,0'] button").get_attribute("aria-pressed") == "true"
    assert "49 samples chosen in Confusion matrix" in tab.locator("body").inner_text()
    why = matrix.locator("a.why, a", has_text="Why?").first
    target = why.get_attribute("href")
    why.click()
    tab.wait_for_function(
        "hash => Math.abs(document.querySelector(hash).getBoundingClientRect().top) < 90",
        arg=target,
    )


def test_cells_by_keyboard(visit: Visit, page: Path) -> None:
    tab = visit(page)
    matrix = drawn(tab, "Confusion matrix")
    matrix.locator("[data-focus='0,0']").focus()
    tab.keyboard.press("ArrowRight")
    assert tab.evaluate("document.activeElement.dataset.focus") == "0,1"
    tab.keyboard.press("Enter")
    assert "airplane · predicted: automobile" in matrix.inner_text()
    tab.keyboard.press("ArrowDown")
    assert tab.evaluate("document.activeElement.dataset.focus") == "1,1"


def test_tables_sort(visit: Visit, page: Path) -> None:
    tab = visit(page)
    table = drawn(tab, "Classes").get_by_role("table")

    def shares() -> list[float]:
        return [float(t.rstrip("%")) for t in table.locator("tr td:nth-child(3)").all_inner_texts()]

    head = table.locator("th").nth(2)
    head.get_by_role("button").click()
    assert shares() == sorted(shares(), reverse=True)
    assert head.get_attribute("aria-sort") == "descending"
    head.get_by_role("button").press("Enter")
    assert shares() == sorted(shares())


def test_theme_and_language_are_chosen_and_kept(visit: Visit, page: Path) -> None:
    tab = visit(page)
    tab.get_by_role("button", name="Show this page dark").click()
    assert ground(tab) == "rgb(15, 19, 23)"
    tab.get_by_label("Language").select_option("zh")
    tab.reload()
    assert ground(tab) == "rgb(15, 19, 23)"
    assert tab.evaluate("document.documentElement.lang") == "zh-Hans"
    tab.get_by_text("来源").first.wait_for()


def test_the_contents_close_on_a_narrow_page(visit: Visit, page: Path) -> None:
    assert visit(page).get_by_role("navigation", name="Contents").is_visible()
    tab = visit(page, width=400)
    assert not tab.get_by_role("navigation", name="Contents").is_visible()
    tab.locator("summary", has_text="Contents").click()
    assert tab.get_by_role("navigation", name="Contents").is_visible()


def test_figures_are_saved_as_data_and_drawings(visit: Visit, page: Path) -> None:
    tab = visit(page)
    figure = drawn(tab, "Loss")
    for name, begins in (("CSV", b"series,epoch"), ("SVG", b"<"), ("PNG", b"\x89PNG")):
        figure.get_by_role("button", name="Save").click()
        with tab.expect_download() as started:
            tab.get_by_role("menuitem", name=name).click()
        assert Path(started.value.path()).read_bytes().lstrip(b"\xef\xbb\xbf").startswith(begins)


def test_words_remain_without_a_script(visit: Visit, page: Path) -> None:
    tab = visit(page, java_script_enabled=False)
    assert "ResNet-18 was fine-tuned for 10 epochs" in tab.locator("body").inner_text()


def test_hostile_names_are_only_names(
    visit: Visit, make: dict[str, Callable[..., Any]], tmp_path: Path
) -> None:
    names = ("<script>alert(1)</script>", "\"' onclick='alert(1)", "cat")
    matrix = make["confusion"](names, 90)
    source = [make["evaluation"](matrix), make["explanation"](matrix, 3)]
    tab = visit(report(source, tmp_path / "hostile.html", title=names[0]), width=400)
    assert tab.get_by_role("heading", level=1).inner_text() == names[0]
    figure = drawn(tab, "Confusion matrix")
    figure.locator("[data-cell='0,0'] button").click()
    assert f"true class: {names[0]}" in figure.inner_text()
    assert tab.evaluate("document.documentElement.scrollWidth") <= 400


def test_a_matrix_of_many_classes_fits_a_narrow_page(
    visit: Visit, make: dict[str, Callable[..., Any]], tmp_path: Path
) -> None:
    views = [
        make["confusion"](tuple(f"a class with a long name {i}" for i in range(count)), 900)
        for count in (40, 90)
    ]
    path = report(make["result"]("evaluation", views, "Words."), tmp_path / "r.html")
    for width in (400, 1280):
        tab = visit(path, width=width)
        tab.wait_for_function("() => document.querySelectorAll('figure').length === 2")
        assert tab.evaluate("document.documentElement.scrollWidth") <= width


def test_long_contents_unfold_the_section_that_is_read(visit: Visit, tmp_path: Path) -> None:
    results = [Many(n) for n in range(3)]
    tab = visit(report(results, tmp_path / "long.html"))
    sections = tab.get_by_role("navigation", name="Contents").locator("> ul > li")
    assert [sections.nth(n).locator("ul").count() for n in range(3)] == [1, 0, 0]
    tab.evaluate("document.getElementById('section-3').scrollIntoView()")
    sections.nth(2).locator("ul").wait_for()
    assert sections.nth(0).locator("ul").count() == 0


class Many:
    """A result with more views than contents show at once."""

    def __init__(self, number: int) -> None:
        self.kind = f"part {number}"

    def views(self) -> list[View]:
        words = Text(title="Words", paragraphs=("A paragraph.",) * 6)
        return [replace(words, title=f"Words {n}") for n in range(12)]

    def summary(self) -> str:
        return "Many views."
