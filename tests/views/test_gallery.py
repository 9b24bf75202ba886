"""Every kind of view in a browser, under the studio's own policy: drawn, read, chosen in, saved."""

from __future__ import annotations

import functools
import http.server
import io
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

WEB = Path(__file__).parents[2] / "src/pellucid/studio/web"
VITE = WEB / "node_modules/.bin/vite"
PAGE = "src/views/gallery"
SERIOUS = {"serious", "critical"}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.thorough,  # the report is drawn in the browser with every change; this is each kind by itself
    pytest.mark.skipif(not VITE.exists(), reason="the front end's packages are not installed"),
]


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the gallery, built and served."""
    folder = tmp_path_factory.mktemp("gallery")
    command = [VITE, "build", "--mode", "gallery", "--outDir", folder, "--emptyOutDir"]
    subprocess.run(command, cwd=WEB, check=True, capture_output=True)
    script = Path(__file__).with_name("gallery.py")
    subprocess.run([sys.executable, script, folder / PAGE / "packs", "100000"], check=True)
    handler = functools.partial(Quiet, directory=folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/{PAGE}/index.html"
    server.shutdown()
    server.server_close()


Look = Callable[..., Any]


@pytest.fixture
def look(gallery: str, browser: Any) -> Iterator[Look]:
    """Open the gallery with some views; afterwards, no script has complained."""
    complaints: list[str] = []
    contexts: list[Any] = []

    def go(only: str = "", width: int = 1200, **asked: str) -> Any:
        context = browser.new_context(viewport={"width": width, "height": 900})
        contexts.append(context)
        context.set_default_timeout(90_000)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console", lambda said: complaints.append(said.text) if said.type == "error" else None
        )
        page.route("**/favicon.ico", lambda route: route.fulfill(body=b""))
        query = "&".join(f"{key}={value}" for key, value in {"only": only, **asked}.items())
        page.goto(f"{gallery}?{query}")
        page.wait_for_selector("figure .body > *")
        page.wait_for_function("!document.querySelector('.loading')")
        return page

    yield go
    for context in contexts:
        context.close()
    assert complaints == []


def faults(page: Any) -> list[str]:
    """Serious faults that axe finds; it runs beside the page, whose policy forbids it."""
    session = page.context.new_cdp_session(page)
    frame = session.send("Page.getFrameTree")["frameTree"]["frame"]["id"]
    world = session.send("Page.createIsolatedWorld", {"frameId": frame})["executionContextId"]

    def run(expression: str) -> Any:
        asked = {"expression": expression, "contextId": world, "awaitPromise": True}
        return session.send("Runtime.evaluate", asked)["result"].get("value")

    run((WEB / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8"))
    found = json.loads(run("axe.run().then(({violations}) => JSON.stringify(violations))"))
    return [
        f"{fault['id']}: {fault['nodes'][0]['html'][:200]}"
        for fault in found
        if fault["impact"] in SERIOUS
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_kind_is_drawn_without_a_serious_fault(look: Look, theme: str) -> None:
    page = look(theme=theme)
    page.wait_for_timeout(1000)
    assert page.locator("figure").count() > 30
    assert page.locator("figure [role=alert]").all_inner_texts() == []
    assert faults(page) == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_nothing_is_wider_than_a_small_screen(look: Look, language: str) -> None:
    page = look(width=390, language=language)
    page.wait_for_timeout(1000)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def saved(page: Any, entry: str) -> bytes:
    page.locator("figure .menu > button").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name=entry).click()
    return Path(download.value.path()).read_bytes()


@pytest.mark.parametrize(
    ("name", "mark"),
    [
        ("Lines-training", "<path"),
        ("Bars-groups", "<rect"),
        ("Histogram-overlap", "<path"),
        ("Scatter-clusters", "<circle"),
        ("Flow-decision", "<path"),
        ("Surface-loss", "<image"),
    ],
)
def test_charts_are_saved_on_white_as_drawing_picture_and_data(
    look: Look, name: str, mark: str
) -> None:
    page = look(name, theme="dark")
    drawing = saved(page, "SVG").decode()
    assert mark in drawing
    assert "var(" not in drawing
    assert page.locator("h3").inner_text() in drawing
    picture = Image.open(io.BytesIO(saved(page, "PNG"))).convert("RGB")
    assert picture.getpixel((2, 2)) == (255, 255, 255)
    assert picture.width > 1500
    assert len(set(picture.get_flattened_data())) > 20
    assert saved(page, "CSV").count(b"\r\n") > 8
    assert page.locator(":root").get_attribute("data-theme") == "dark"


def test_curves_are_read_with_the_keyboard_and_looked_at_closer(look: Look) -> None:
    page = look("Lines-training")
    plot = page.get_by_role("slider", name="read values")
    plot.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert plot.get_attribute("aria-valuetext").startswith("step 1. training: ")
    box = page.locator(".u-over").bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 60, steps=4)
    page.mouse.up()
    page.get_by_role("button", name="Show everything").click()
    assert page.get_by_role("button", name="Show everything").count() == 0
    page.get_by_role("button", name="training").click()
    assert page.get_by_role("button", name="training").get_attribute("aria-pressed") == "false"


def test_points_are_chosen_by_group_and_by_lasso(look: Look) -> None:
    page = look("Scatter-100000")
    assert page.locator("canvas").get_attribute("data-by") == "webgl2"
    group = page.locator("figure ul button").first
    count = group.locator(".count").inner_text()
    group.click()
    page.get_by_text(f"{count.replace(',', '')} samples chosen").wait_for()
    page.get_by_role("button", name="Draw around points").click()
    box = page.locator(".plot").bounding_box()
    corners = [(0.02, 0.02), (0.98, 0.02), (0.98, 0.98), (0.02, 0.98)]
    page.mouse.move(box["x"] + 0.02 * box["width"], box["y"] + 0.02 * box["height"])
    page.mouse.down()
    for across, down in corners[1:]:
        page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"], steps=3)
    page.mouse.up()
    chosen = page.locator(".below p").inner_text()
    assert int(chosen.split(" of ")[0].replace(",", "")) > 95_000


def test_a_band_tells_its_share_and_chooses_its_samples(look: Look) -> None:
    page = look("Flow-decision")
    band = page.locator(".band[data-link='0']")
    band.focus()
    assert "of what leaves “cat”" in page.locator("figure p[aria-live]").inner_text()
    page.keyboard.press("Enter")
    page.get_by_text("3 samples chosen in Where the answer takes shape").wait_for()
    page.keyboard.press("ArrowDown")
    assert not band.evaluate("element => element === document.activeElement")


def test_a_surface_is_read_and_turned(look: Look) -> None:
    page = look("Surface-loss")
    page.get_by_role("application", name="read heights").focus()
    page.keyboard.press("ArrowRight")
    assert "loss" in page.locator(".below p").inner_text()
    page.get_by_role("button", name="In relief").click()
    relief = page.get_by_role("application", name="in relief")
    before = relief.screenshot()
    relief.focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_timeout(300)
    assert relief.screenshot() != before


def test_a_view_that_cannot_be_drawn_says_so_and_the_rest_goes_on(look: Look, gallery: str) -> None:
    page = look("Text")
    whole = page.request.get(gallery.replace("index.html", "packs/Bars-example.view")).body()
    broken = whole.replace(b'"categories"', b'"categoriez"')
    page.route("**/Bars-example.view", lambda route: route.fulfill(body=broken))
    page.route("**/index.json", lambda route: route.fulfill(json=["Bars-example", "Text-example"]))
    page.goto(f"{gallery}?only=")
    page.get_by_text("This figure could not be drawn").wait_for()
    page.get_by_text("One paragraph.").wait_for()
