"""How quick the studio is in headless Chromium: first view, a million points, maps, graphs, reports.

    python benchmarks/studio.py [first points map graph report] [--record build/claims.jsonl]

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
from typing import Any

import numpy as np

from claims import Claim, note
from pellucid.reporting.report import report
from pellucid.result import Provenance, Result
from pellucid.training.recorder import Recorder
from pellucid.views import (
    Axis,
    Bars,
    BarSeries,
    Graph,
    Heatmap,
    Overlay,
    Picture,
    Scatter,
    View,
)
from pellucid.workspace.workspace import Workspace

NUM_RUNS, NUM_STEPS, NUM_POINTS, NUM_OPERATORS, NUM_SAMPLES = 50, 1_000_000, 100_000, 8_000, 200
LONG = "long"
TOKEN = "benchmark0123456789abcdef"
COMMAND = "python benchmarks/studio.py"
PLUGIN = "[pellucid.results]\nbenchmark = studio:Shown\n"
AXIS = Axis(label="value")


class Shown(Result):
    """What the browser is asked to draw: many points, and a large graph."""

    kind = "benchmark"

    def views(self) -> list[View]:
        return [points(), operators()]

    def summary(self) -> str:
        return "A map of many points, and a graph of many operators."


def points() -> Scatter:
    random = np.random.default_rng(0)
    group = random.integers(0, 8, NUM_POINTS)
    around = 5 * np.stack([np.cos(group), np.sin(group)])
    x, y = random.normal(size=(2, NUM_POINTS)) + around
    return Scatter(
        title="Map",
        x_values=x.astype(np.float32),
        y_values=y.astype(np.float32),
        samples=tuple(f"sample {n}" for n in range(NUM_POINTS)),
        groups=tuple(f"class {n}" for n in group),
        x=AXIS,
        y=AXIS,
    )


def operators() -> Graph:
    """A flat network of residual blocks: each operator feeds the next, every eighth also the eighth."""
    chain = np.arange(NUM_OPERATORS - 1)
    skips = np.arange(0, NUM_OPERATORS - 8, 8)
    kinds = ["operator"] * NUM_OPERATORS
    kinds[0], kinds[-1] = "input", "output"
    return Graph(
        title="Graph",
        labels=tuple(f"operator {n}" for n in range(NUM_OPERATORS)),
        types=("conv2d", "relu") * (NUM_OPERATORS // 2),
        kinds=tuple(kinds),
        parents=np.full(NUM_OPERATORS, -1),
        times=np.ones(NUM_OPERATORS, dtype=int),
        sources=np.concatenate([chain, skips]),
        targets=np.concatenate([chain + 1, skips + 8]),
        edge_kinds=("data",) * len(chain) + ("residual",) * len(skips),
    )


def make_workspace(folder: Path) -> Workspace:
    workspace = Workspace(folder)
    random = np.random.default_rng(0)
    for number in range(NUM_RUNS - 1):
        _run(workspace, f"run-{number:02d}", 400, random)
    _run(workspace, LONG, NUM_STEPS, random)
    workspace.add(Shown(data=_empty(), meta=Provenance(kind="benchmark")))
    return workspace


def _empty() -> Any:
    import xarray as xr

    return xr.Dataset()


def _run(workspace: Workspace, name: str, steps: int, random: np.random.Generator) -> None:
    identity = {"source": "folder:pets", "split": "train", "num_samples": 800, "samples": "ab"}
    record = {
        "config": {"strategy": "head", "epochs": 10},
        "model": {"source": "torchvision:resnet18", "weights": "cd", "run": ""},
        "data": {"train": identity, "validation": identity | {"num_samples": 80}},
        "parameters": 11_000_000,
        "trained_parameters": 5_130,
        "workspace": str(workspace.path),
    }
    path = workspace.new_run_path(name)
    recorder = Recorder.create(path, record, {"train": ["a"], "validation": ["b"]})
    loss = np.exp(-np.arange(steps) / steps * 3) + 0.05 * random.normal(size=steps)
    lines = [
        f'{{"kind": "step", "step": {n + 1}, "epoch": 1, "loss": {value:.6f}, '
        f'"learning_rate": 0.001, "gradient_norm": 1.0}}\n'
        for n, value in enumerate(loss)
    ]
    lines += [
        json.dumps(
            {
                "kind": "epoch",
                "epoch": epoch,
                "step": steps * epoch // 10,
                "train_loss": 2.0 / epoch,
                "train_accuracy": 1 - 0.5 / epoch,
                "validation_loss": 2.2 / epoch,
                "validation_accuracy": 1 - 0.6 / epoch,
                "seconds": 3.0 * epoch,
            }
        )
        + "\n"
        for epoch in range(1, 11)
    ]
    (path / "metrics.jsonl").write_text("".join(lines))
    recorder.update(status="finished", seconds=30.0, best={"epoch": 10, "validation_loss": 0.22})
    workspace.register_run(recorder.record, path)


@contextmanager
def served(workspace: Path) -> Iterator[str]:
    """The address of a studio over `workspace` that knows the benchmark's result."""
    plugin = workspace.parent / "plugin"
    plugin.mkdir(exist_ok=True)
    shutil.copy(__file__, plugin / "studio.py")
    shutil.copy(Path(__file__).with_name("claims.py"), plugin / "claims.py")
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


class Explained:
    """Squares cut from photographs, each with three smooth maps of 224 × 224."""

    kind = "explanation"

    def views(self) -> list[View]:
        from PIL import Image
        from skimage import data

        random = np.random.default_rng(0)
        photographs = [Image.fromarray(getattr(data, name)()) for name in ("chelsea", "coffee")]
        return [self._overlay(photographs[n % 2], n, random) for n in range(NUM_SAMPLES)]

    def summary(self) -> str:
        return "Explained photographs."

    def _overlay(self, photograph: Any, number: int, random: np.random.Generator) -> Overlay:
        from PIL import Image

        left, top = random.integers(0, 100, 2)
        square = photograph.crop((left, top, left + 200, top + 200)).resize((224, 224))
        grids = (random.random((7, 7)), random.normal(size=(14, 14)), random.normal(size=(56, 56)))
        maps = [
            np.asarray(
                Image.fromarray(grid.astype(np.float32)).resize(
                    (224, 224), Image.Resampling.BICUBIC
                )
            )
            for grid in grids
        ]
        return Overlay(
            title=f"sample {number}",
            picture=Picture(pixels=np.asarray(square), sample=f"sample {number}"),
            maps=tuple(
                Heatmap(
                    name=f"map {n}", values=values, limit=float(abs(values).max()), signed=n > 0
                )
                for n, values in enumerate(maps)
            ),
            probabilities=Bars(
                title="What the model answered",
                categories=("cat", "cup"),
                series=(BarSeries(name="probability", values=np.array([0.9, 0.1])),),
                value=AXIS,
            ),
        )


def _id_of(page: Any, address: str, what: str, name: str) -> str:
    held = page.request.get(f"{address}/api/workspace").json()[what]
    return str(next(one["id"] for one in held if name in (one.get("name"), one.get("kind"))))


PARTS: dict[str, Callable[[Any, str, Workspace], Iterator[Claim]]] = {
    "first": first,
    "points": many_points,
    "map": panned_map,
    "graph": large_graph,
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
