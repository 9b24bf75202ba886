"""One person does the whole main job in the browser, as a person would: by reading and clicking."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Download = Callable[[Any, Any], Path]
NAME = "first-try"


@pytest.fixture
def person(studio: Any, visit: Any) -> Any:
    """A browser that knows nothing but the address that was printed."""
    return visit(studio, studio.login.removeprefix(studio.address), bearer=False)


def test_from_pictures_to_a_report(person: Any, digits: Path, download: Any, offline: Any) -> None:
    train(person, digits)
    watch(person, download)
    look_at_errors(person)
    see_why(person)
    compare_with_the_base(person)
    written = report(person, download, "HTML")
    assert written.suffix == ".html"
    read(offline, written)
    assert report(person, download, "PDF").read_bytes().startswith(b"%PDF-")


def train(page: Any, digits: Path) -> None:
    """Open a model and pictures, and begin."""
    assert "token" not in page.url
    page.get_by_role("link", name="Train", exact=True).click()
    page.get_by_role("combobox", name="Model").fill("efficientnet-lite0")
    page.get_by_role("option", name="EfficientNet-Lite0").first.click()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose a folder").click()
    chooser.value.set_files(digits)
    page.get_by_text("48 samples · 3 classes").wait_for()
    assert "data=" in page.url
    page.get_by_role("textbox", name="Epochs").fill("100")
    page.get_by_role("textbox", name="Name of the run").fill(NAME)
    page.get_by_text("More settings").click()
    page.get_by_role("textbox", name="Patience").fill("0")
    page.get_by_role("button", name="Start training").click()
    page.wait_for_url("**/runs/*")


def watch(page: Any, download: Download) -> None:
    """The curve grows before the training has ended."""
    page.get_by_text("live", exact=True).wait_for()
    loss = figure(page, "lines", "Loss")
    first = num_rows(download(page, save(loss, "Data")))
    page.get_by_role("button", name="Stop training").wait_for()
    page.get_by_role("button", name="Evaluate").wait_for()
    loss.scroll_into_view_if_needed()
    assert 0 < first < num_rows(download(page, save(loss, "Data"))) == 2 * 100
    assert page.get_by_role("heading", level=1).inner_text() == NAME


def look_at_errors(page: Any) -> None:
    """Evaluate, then go from a cell of the confusion matrix to its samples."""
    page.get_by_role("button", name="Evaluate").click()
    page.get_by_role("dialog").get_by_role("button", name="Evaluate").click()
    page.get_by_role("link", name="Jobs", exact=True).click()
    job = page.get_by_role("article").filter(has_text="Evaluate").first
    job.get_by_role("link", name="Evaluation").click()
    page.get_by_role("link", name="Look at the errors").click()
    matrix = page.locator("figure[data-kind='matrix']")
    cell = matrix.locator("td button").first
    cell.click()
    held = int(re.findall(r"\d+", cell.inner_text())[0])
    samples = page.get_by_role("list", name="Samples", exact=True).get_by_role("button")
    samples.first.wait_for()
    assert samples.count() == held
    samples.first.click()
    assert "sample=" in page.url


def see_why(page: Any) -> None:
    """The chosen sample comes with maps; one click further, with all that can be asked about it."""
    overlay = page.locator("figure[data-kind='overlay']").first
    overlay.wait_for()
    page.get_by_role("link", name="Look closer in Explain").click()
    page.wait_for_url("**/explain?*")
    page.locator("figure[data-kind='overlay']").first.wait_for()
    page.get_by_role("heading", name=re.compile("^Why “")).first.wait_for()
    verdict = re.compile("faithful|doubtful|misleading")
    badge = page.locator("figure").get_by_role("button", name=verdict).first
    badge.hover()
    assert page.get_by_role("tooltip").inner_text().strip()


def compare_with_the_base(page: Any) -> None:
    """The model before and after, on the same samples."""
    page.get_by_role("link", name="Workspace", exact=True).click()
    page.get_by_role("link", name=NAME, exact=True).first.click()
    page.get_by_role("link", name="Compare with base model").click()
    start = page.get_by_role("region", name="Compare two models")
    start.get_by_role("combobox", name="Data").fill("digits")
    start.get_by_role("option", name="digits").first.click()
    start.get_by_role("spinbutton").fill("4")
    start.get_by_role("button", name="Start the comparison").click()
    for side in "AB":
        pane = page.get_by_role("region", name=re.compile(f"^Model {side}"))
        pane.locator("figure[data-kind='overlay']").first.wait_for()
    page.get_by_text("1 of 4").wait_for()
    page.keyboard.press("j")
    page.get_by_text("2 of 4").wait_for()


def report(page: Any, download: Download, form: str) -> Path:
    """Put all that was found into one file."""
    page.get_by_role("link", name="Report", exact=True).click()
    if not page.get_by_role("textbox", name="Title").input_value():
        page.get_by_role("button", name="Add runs and results").first.click()
        page.get_by_role("searchbox").fill(NAME)
        for box in page.get_by_role("dialog").get_by_role("checkbox").all():
            box.check()
        page.get_by_role("button", name="Done").click()
        page.get_by_role("textbox", name="Title").fill("Can it read digits?")
        comment = page.get_by_role("textbox", name=re.compile("^Comment on")).first
        comment.fill("It was <b>never</b> shown a nine.")
    page.get_by_role("radio", name=re.compile(f"^{form}")).check()
    return download(page, page.get_by_role("button", name="Write the report").click)


def read(page: Any, written: Path) -> None:
    """The file opens without a network, and shows what was put into it."""
    page.goto(written.as_uri())
    page.get_by_role("heading", name="Can it read digits?").first.wait_for()
    page.get_by_text("It was <b>never</b> shown a nine.").first.wait_for()
    for kind in ("matrix", "overlay"):
        shown = page.locator(f"figure[data-kind='{kind}']").first
        shown.scroll_into_view_if_needed()
        shown.locator("table, canvas, img").first.wait_for()


def figure(page: Any, kind: str, title: str) -> Any:
    found = page.locator(f"figure[data-kind='{kind}']")
    return found.filter(has=page.get_by_role("heading", name=title, exact=True))


def save(shown: Any, what: str) -> Callable[[], None]:
    """How a person saves a figure: by the menu in its corner."""

    def click() -> None:
        shown.get_by_role("button", name="Save this figure").click()
        shown.get_by_role("menuitem", name=re.compile(what)).click()

    return click


def num_rows(table: Path) -> int:
    return len(table.read_text().splitlines()) - 1
