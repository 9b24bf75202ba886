"""A real studio in a process of its own, and headless Chromium to open it."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from PIL import Image

ENTRY_POINTS = """[pellucid.results]
unforeseen = unforeseen_analysis:Unforeseen
each_kind = unforeseen_analysis:EachKind
"""
METADATA = "Metadata-Version: 2.1\nName: unforeseen-analysis\nVersion: 1.0\n"
# In milliseconds: workers load torch, and the machine may be busy.
PATIENCE = 1000 * int(os.environ.get("PELLUCID_TEST_PATIENCE", "120"))
TOKEN = "onlytestsknow0123456789"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@dataclass
class Running:
    """`pellucid studio` in a process of its own; `restart` kills it without a word."""

    workspace: Path
    data: Path
    plugin: Path | None = None
    options: tuple[str, ...] = ()
    port: int = 0
    login: str = ""
    token: str = TOKEN
    _process: subprocess.Popen[str] | None = None

    def start(self) -> Running:
        command = [sys.executable, "-m", "pellucid", "studio", str(self.workspace)]
        command += ["--no-browser", "--json", "--port", str(self.port), "--data", str(self.data)]
        paths = [str(self.plugin)] if self.plugin else []
        paths += [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
        environment = os.environ | {
            "PELLUCID_STUDIO_TOKEN": self.token,
            "PYTHONPATH": os.pathsep.join(paths),
            "OMP_NUM_THREADS": "1",
        }
        self._process = subprocess.Popen(
            [*command, *self.options], env=environment, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        announced = "".join(iter(self._process.stdout.readline, "}\n")) + "}"
        self.login = json.loads(announced)["url"]
        self.port = int(self.login.split(":")[2].split("/")[0])
        return self

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, path: str, body: object = None) -> Any:
        """What the API answers, asked by a program."""
        request = urllib.request.Request(
            f"{self.address}/api{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=PATIENCE / 1000) as answer:
            return json.load(answer)

    def done(self, **request: Any) -> dict[str, Any]:
        """A job that was asked for, once it is done."""
        job = self.ask("/jobs", request)
        until = time.monotonic() + 4 * PATIENCE / 1000
        while job["state"] in ("waiting", "running") and time.monotonic() < until:
            time.sleep(0.2)
            job = self.ask(f"/jobs/{job['id']}")
        assert job["state"] == "done", job
        return dict(job)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._ended(PATIENCE / 1000)

    def stop(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        try:
            self._ended(PATIENCE / 1000)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def _ended(self, seconds: float) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        self._process.wait(seconds)
        self._process.stdout.close()


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Handwritten digits as pictures: three classes of 16 each, enlarged to 96 × 96."""
    from sklearn.datasets import load_digits

    folder = tmp_path_factory.mktemp("digits")
    known = load_digits()
    for digit, name in ((0, "zero"), (1, "one"), (7, "seven")):
        (folder / name).mkdir()
        for number, row in enumerate(np.flatnonzero(known.target == digit)[:16]):
            pixels = (255 - known.images[row] * 15.9).astype(np.uint8)
            picture = Image.fromarray(pixels).resize((96, 96), Image.Resampling.BICUBIC)
            picture.convert("RGB").save(folder / name / f"{number:02d}.png")
    return folder


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory, start: Any) -> Iterator[Running]:
    """One studio for all tests that leave it as it is."""
    pytest.importorskip("efficientnet_lite_pytorch", reason="the demo's model is not installed")
    running = start(tmp_path_factory.mktemp("studio") / "workspace")
    yield running
    running.stop()


@dataclass(frozen=True)
class Trained:
    """A fine-tuned model of the shared studio, and what was found out about it."""

    run: str
    data: str
    evaluation: str
    explanation: str
    comparison: str


MODEL = "bundled:efficientnet-lite0"


@pytest.fixture(scope="session")
def trained(studio: Running) -> Trained:
    """The last layer of a small network, fine-tuned on digits, evaluated, explained, compared."""
    data = next(each["id"] for each in studio.ask("/data") if each["source"] == "folder")
    samples = {"data": data}
    settings = {"epochs": 3, "learning_rate": 1e-3, "cache_bytes": 0}  # nothing is traced
    trained = studio.done(
        kind="finetune", model={"reference": MODEL}, data=samples, name="shared", options=settings
    )
    model = {"reference": f"run:{trained['run']}"}
    evaluated = studio.done(kind="evaluate", model=model, data=samples)
    few = samples | {"limit": 3}
    explained = studio.done(kind="explain", model=model, data=few, methods=["grad_cam"])
    compared = studio.done(
        kind="compare", model={"reference": MODEL}, other=model, data=few, methods=["grad_cam"]
    )
    (evaluation,), (explanation,), (comparison,) = (
        job["results"] for job in (evaluated, explained, compared)
    )
    return Trained(trained["run"], data, evaluation, explanation, comparison)


@pytest.fixture(scope="session")
def unforeseen(registered: Path) -> Callable[[Path], dict[str, Path]]:
    """Put a result of each registered analysis into a workspace; where they lie, by kind."""
    sys.path.append(str(registered))
    try:
        analyses = importlib.import_module("unforeseen_analysis")
    finally:
        sys.path.remove(str(registered))
    from pellucid.result import Provenance
    from pellucid.workspace.workspace import Workspace

    def put(workspace: Path) -> dict[str, Path]:
        made = [
            analysis(data=xr.Dataset(), meta=Provenance(kind=analysis.kind))
            for analysis in (analyses.Unforeseen, analyses.EachKind)
        ]
        return {result.kind: Workspace(workspace).add(result) for result in made}

    return put


@pytest.fixture(scope="session")
def examples(studio: Running, unforeseen: Any) -> dict[str, str]:
    """Ids of results of the registered analyses in the shared studio, by kind."""
    made = unforeseen(studio.workspace)
    until = time.monotonic() + PATIENCE / 1000  # what is listed may be half a second old
    listed: dict[str, str] = {}
    while not made.keys() <= listed.keys() and time.monotonic() < until:
        listed = {each["kind"]: each["id"] for each in studio.ask("/workspace")["results"]}
    return listed


@pytest.fixture(scope="session")
def start(digits: Path, registered: Path) -> Callable[..., Running]:
    """Start a studio on a workspace; who starts one stops it."""

    def begin(workspace: Path, *options: str) -> Running:
        return Running(workspace, digits, registered, options).start()

    return begin


Visit = Callable[..., Any]


@pytest.fixture
def visit(browser: Any) -> Iterator[Visit]:
    """Open a page of a studio, logged in; afterwards, no script complained."""
    complaints: list[str] = []
    contexts: list[Any] = []

    def go(
        running: Running, path: str = "/", *, width: int = 1440, bearer: bool = True, **options: Any
    ) -> Any:
        still = {"reduced_motion": "reduce"}  # what moves takes time from what is tested
        context = browser.new_context(viewport={"width": width, "height": 900}, **still | options)
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        if bearer:
            context.set_extra_http_headers({"Authorization": f"Bearer {TOKEN}"})
        tab = context.new_page()
        tab.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        tab.on("console", lambda said: note(said))
        tab.goto(running.address + path)
        return tab

    def note(said: Any) -> None:
        if said.type == "error" and "Failed to load resource" not in said.text:
            complaints.append(f"console: {said.text}")

    yield go
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def offline(browser: Any) -> Iterator[Any]:
    """A browser that reaches nothing but files."""
    context = browser.new_context(offline=True, viewport={"width": 1440, "height": 900})
    yield context.new_page()
    context.close()


WHOLE = """() => {
  const bone = document.querySelector("main .bone, main .loading, main [aria-busy=true]");
  bone?.scrollIntoView();
  return !bone;
}"""


@pytest.fixture
def settle() -> Callable[[Any], None]:
    """Scroll through a page until everything is there: figures wait until they are looked at."""

    def wait(page: Any) -> None:
        page.get_by_role("heading", level=1).wait_for()
        page.wait_for_function(WHOLE)
        page.wait_for_timeout(400)

    return wait


@pytest.fixture
def download(tmp_path: Path) -> Callable[[Any, Callable[[], None]], Path]:
    """Keep the file that a page hands over when something is done."""

    def fetch(page: Any, act: Callable[[], None]) -> Path:
        with page.expect_download() as waited:
            act()
        path = tmp_path / str(waited.value.suggested_filename)
        waited.value.save_as(path)
        return path

    return fetch


@pytest.fixture(scope="session")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an installed package that registers an analysis."""
    folder = tmp_path_factory.mktemp("plugin")
    shutil.copy(Path(__file__).with_name("unforeseen_analysis.py"), folder)
    views = Path(__file__).parents[2] / "views" / "conftest.py"
    shutil.copy(views, folder / "views_of_each_kind.py")
    record = folder / "unforeseen_analysis-1.0.dist-info"
    record.mkdir()
    (record / "METADATA").write_text(METADATA)
    (record / "entry_points.txt").write_text(ENTRY_POINTS)
    return folder
