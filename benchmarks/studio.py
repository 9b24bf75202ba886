"""How quick the studio is in headless Chromium: first view, a million points, maps, graphs, the brush.

    python benchmarks/studio.py [first points map graph brush report] [--record build/claims.jsonl]

A workspace is made in a temporary folder, `pellucid studio` serves it from a process of its own, and
times are the browser's: from the start of the navigation, or of the fetch, to the drawing.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlencode

from claims import Claim, note
from pellucid.reporting.report import report
from pellucid.workspace.workspace import Workspace
from studio_workspace import (
    LONG,
    NUM_OPERATORS,
    NUM_POINTS,
    NUM_RUNS,
    NUM_SAMPLES,
    NUM_STEPS,
    Explained,
    make_workspace,
)

TOKEN = "benchmark0123456789abcdef"
COMMAND = "python benchmarks/studio.py"
PLUGIN = "[pellucid.results]\nbenchmark = studio_workspace:Shown\n"


@contextmanager
def served(workspace: Path) -> Iterator[str]:
    """The address of a studio over `workspace` that knows the benchmark's result."""
    plugin = workspace.parent / "plugin"
    plugin.mkdir(exist_ok=True)
    shutil.copy(Path(__file__).with_name("studio_workspace.py"), plugin)
    described = plugin / "studio_benchmark-1.0.dist-info"
    described.mkdir(exist_ok=True)
    (described / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: studio-benchmark\nVersion: 1.0\n"
    )
    (described / "entry_points.txt").write_text(PLUGIN)
    paths = [str(plugin), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    environment = os.environ | {
        "PELLUCID_STUDIO_TOKEN": TOKEN,
        "PYTHONPATH": os.pathsep.join(paths),
    }
    command = [sys.executable, "-m", "pellucid", "studio", str(workspace)]
    process = subprocess.Popen(
        [*command, "--no-browser", "--json", "--port", "0"],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        announced = "".join(iter(process.stdout.readline, "}\n")) + "}"
        yield json.loads(announced)["url"].partition("/login")[0]
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def opened() -> Iterator[Any]:
    """A page in headless Chromium, which shows the token with every request."""
    from playwright.sync_api import sync_playwright

    found = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        context = browser.new_context(
            viewport={"width": 1440, "height": 900},
            extra_http_headers={"Authorization": f"Bearer {TOKEN}"},
        )
        yield context.new_page()
        browser.close()


NOW = "performance.now()"


def first(page: Any, address: str, _: Workspace) -> Iterator[Claim]:
    """From a cold browser to the list of all runs."""
    page.goto(f"{address}/")
    page.get_by_role("link", name=f"run-{NUM_RUNS - 2}", exact=True).first.wait_for()
    yield Claim(
        text="first meaningful view of a workspace",
        subject=f"{NUM_RUNS} runs",
        promised=1.5,
        measured=page.evaluate(NOW) / 1000,
        unit=" s",
        command=f"{COMMAND} first",
    )


DRAWN = """() => [...document.querySelectorAll("figure canvas")].some(canvas => {
  if (!canvas.width) return false;
  const context = canvas.getContext("2d");
  if (!context) return true;
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  return data.some(value => value > 0);
})"""
CLICKED = f"""async (link) => {{
  const isDrawn = {DRAWN};
  const start = performance.now();
  link.click();
  while (!isDrawn()) await new Promise(requestAnimationFrame);
  return performance.now() - start;
}}"""
SECONDS_TO_CHOOSE = 5


def many_points(page: Any, address: str, _: Workspace) -> Iterator[Claim]:
    """From a click in the list, which was looked at for a while, to a long run's curve.

    Then from the start of the page of that run.
    """
    page.goto(f"{address}/")
    link = page.get_by_role("link", name=LONG, exact=True).first
    link.wait_for()
    page.wait_for_timeout(1000 * SECONDS_TO_CHOOSE)
    clicked = link.evaluate(CLICKED)
    shown = page.url
    page.goto("about:blank")
    page.goto(shown)
    page.wait_for_function(DRAWN)
    for subject, measured, promised in (
        ("from the click on the run", clicked, 1.0),
        ("from its address, page and all", page.evaluate(NOW), 1.5),
    ):
        yield Claim(
            text=f"{NUM_STEPS:,} metric points drawn",
            subject=subject,
            promised=promised,
            measured=measured / 1000,
            unit=" s",
            command=f"{COMMAND} points",
        )


PAN = """async (element) => {
  const box = element.getBoundingClientRect();
  const at = (type, x, y, buttons) => element.dispatchEvent(new PointerEvent(type, {
    bubbles: true, clientX: x, clientY: y, buttons, pointerId: 1, isPrimary: true, button: 0 }));
  const mouse = (type, x, y, buttons) => element.dispatchEvent(new MouseEvent(type, {
    bubbles: true, clientX: x, clientY: y, buttons, button: 0 }));
  const both = (name, x, y, buttons) => { at(`pointer${name}`, x, y, buttons); mouse(`mouse${name}`, x, y, buttons); };
  const [left, top] = [box.left + box.width / 2, box.top + box.height / 2];
  both("down", left, top, 1);
  let frames = 0;
  const start = performance.now();
  while (performance.now() - start < 3000) {
    const turn = (performance.now() - start) / 300;
    both("move", left + 80 * Math.sin(turn), top + 60 * Math.cos(turn), 1);
    await new Promise(requestAnimationFrame);
    frames++;
  }
  both("up", left, top, 0);
  return frames / ((performance.now() - start) / 1000);
}"""


def panned_map(page: Any, address: str, _: Workspace) -> Iterator[Claim]:
    """Frames a second while a map of many points is dragged, as time per frame."""
    id_ = _id_of(page, address, "results", "benchmark")
    page.goto(f"{address}/results/{id_}?view=0")
    page.locator("figure[data-kind='scatter'] canvas").first.wait_for()
    page.wait_for_timeout(3000)
    rate = page.locator("figure[data-kind='scatter'] canvas").first.evaluate(PAN)
    yield Claim(
        text=f"map of {NUM_POINTS:,} points: time for a frame while it is dragged",
        subject="WebGL drawn by software",
        promised=1000 / 30,
        measured=1000 / rate,
        unit=" ms",
        command=f"{COMMAND} map",
        beside=f"{rate:.0f} frames a second",
    )


LONGEST = """() => new Promise((resolve) => {
  let longest = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) longest = Math.max(longest, entry.duration);
  }).observe({ type: "longtask", buffered: true });
  setTimeout(() => resolve(longest), 200);
})"""


def large_graph(page: Any, address: str, _: Workspace) -> Iterator[Claim]:
    """From the start of its page to the drawn graph, and the longest time that the page was busy."""
    id_ = _id_of(page, address, "results", "benchmark")
    page.goto("about:blank")
    page.goto(f"{address}/results/{id_}?view=1")
    page.locator("figure[data-kind='graph'] canvas").first.wait_for()
    page.wait_for_function("() => performance.getEntriesByName('graph-layout').length > 0")
    layout = page.evaluate("performance.getEntriesByName('graph-layout').at(-1).duration")
    for text, measured, promised in (
        ("graph laid out in a worker", layout / 1000, 1.0),
        ("graph: longest time that the page did not answer", page.evaluate(LONGEST) / 1000, 1.0),
    ):
        yield Claim(
            text=text,
            subject=f"{NUM_OPERATORS:,} operators",
            promised=promised,
            measured=measured,
            unit=" s",
            command=f"{COMMAND} graph",
        )


MODEL = "bundled:efficientnet-lite0"
NUM_STROKES = 5
PAUSES = {"nothing else is asked": 4.0, "faithfulness is being measured": 1.0}  # in seconds
MAP = """() => {
  const canvas = document.querySelector("figure[data-kind=overlay] canvas");
  return canvas?.width ? canvas.toDataURL() : "";
}"""
CHANGED = f"""async (untouched) => {{
  while (({MAP})() === untouched) await new Promise((resolve) => setTimeout(resolve, 10));
}}"""


def brushed(page: Any, address: str, _: Workspace) -> Iterator[Claim]:
    """From the end of a stroke over a photograph to new answers and a new map."""
    known = page.request.get(f"{address}/api/data").json()
    data = next(each["id"] for each in known if "photo" in each["title"].lower())
    asked = {"model": MODEL, "data": data, "position": 0, "methods": "grad_cam"}
    page.goto(f"{address}/explain?{urlencode(asked)}")
    page.wait_for_function(MAP)
    page.wait_for_function("() => !document.querySelector('main [aria-busy=true]')")
    untouched = page.evaluate(MAP)
    for meanwhile, pause in PAUSES.items():
        yield Claim(
            text="a part is hidden with the brush: new answers and a new map",
            subject=f"EfficientNet-Lite0, while {meanwhile}; median of {NUM_STROKES} strokes",
            promised=1.0,
            measured=median(_strokes(page, untouched, pause)),
            unit=" s",
            command=f"{COMMAND} brush",
        )


def _strokes(page: Any, untouched: str, pause: float) -> Iterator[float]:
    """Seconds that each stroke took; before each, the parts are shown again and so long waited."""
    answers = page.get_by_role("region", name="What the model answers")
    for _ in range(NUM_STROKES):
        page.wait_for_timeout(1000 * pause)
        _stroke(page)
        start = time.perf_counter()
        answers.get_by_text("now", exact=True).wait_for(state="attached")
        page.evaluate(CHANGED, untouched)
        yield time.perf_counter() - start
        page.wait_for_timeout(1000 * pause)
        page.get_by_role("button", name="Clear").click()
        page.wait_for_function(f"untouched => ({MAP})() === untouched", arg=untouched)


def _stroke(page: Any) -> None:
    brush = page.get_by_role("application", name="Picture with a brush")
    brush.scroll_into_view_if_needed()
    box = brush.bounding_box()
    left, middle = box["x"] + 0.2 * box["width"], box["y"] + 0.45 * box["height"]
    page.mouse.move(left, middle)
    page.mouse.down()
    page.mouse.move(left + 0.6 * box["width"], middle, steps=8)
    page.mouse.up()


def small_report(_: Any, __: str, workspace: Workspace) -> Iterator[Claim]:
    """The size of a report on explained photographs with three maps each."""
    path = report(Explained(), workspace.path / "report.html")
    yield Claim(
        text="report in one file",
        subject=f"{NUM_SAMPLES} explained samples, 3 maps each",
        promised=20,
        measured=path.stat().st_size / 2**20,
        unit=" MiB",
        command=f"{COMMAND} report",
    )


def _id_of(page: Any, address: str, what: str, name: str) -> str:
    held = page.request.get(f"{address}/api/workspace").json()[what]
    return str(next(one["id"] for one in held if name in (one.get("name"), one.get("kind"))))


PARTS: dict[str, Callable[[Any, str, Workspace], Iterator[Claim]]] = {
    "first": first,
    "points": many_points,
    "map": panned_map,
    "graph": large_graph,
    "brush": brushed,
    "report": small_report,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []])
    parser.add_argument("--record", type=Path)
    given = parser.parse_args()
    holds = True
    with tempfile.TemporaryDirectory() as folder:
        workspace = make_workspace(Path(folder) / "workspace")
        with served(workspace.path) as address:
            time.sleep(2)
            for part in given.parts or PARTS:
                with opened() as page:
                    claims = list(PARTS[part](page, address, workspace))
                note(given.record, claims)
                for claim in claims:
                    print(claim.row(), flush=True)
                    holds &= claim.holds
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
