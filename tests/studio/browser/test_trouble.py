"""What goes wrong: work is stopped, the studio dies, strangers knock, files are no good."""

from __future__ import annotations

import http.client
import re
import shutil
import threading
import time
import urllib.error
from collections.abc import Iterator
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

ENDLESS = {
    "epochs": 5000,
    "patience": 0,
    "batch_size": 8,
    "checkpoint_seconds": 0,
    "cache_bytes": 0,
}
PATIENCE = 300.0  # seconds until a training has begun, on a busy machine
RESUME = "Go on from the last checkpoint"


@pytest.fixture(scope="module")
def shaky(tmp_path_factory: pytest.TempPathFactory, start: Any) -> Iterator[Any]:
    """A studio of its own, which may be killed."""
    running = start(tmp_path_factory.mktemp("shaky") / "workspace")
    yield running
    running.stop()


def training(running: Any, **options: Any) -> dict[str, Any]:
    """Ask for a training on the pictures that the studio was started with."""
    data = next(each["id"] for each in running.ask("/data") if each["source"] == "folder")
    request = {
        "kind": "finetune",
        "model": {"reference": "bundled:efficientnet-lite0"},
        "data": {"data": data},
        "options": ENDLESS | options,
    }
    return dict(running.ask("/jobs", request))


def test_an_empty_workspace_says_where_to_begin(shaky: Any, visit: Any) -> None:
    page = visit(shaky)
    page.get_by_text("Nothing here yet").wait_for()
    page.get_by_role("main").get_by_role("link", name="Open a model and pictures").click()
    page.get_by_role("heading", name="Train a model on your data").wait_for()
    for path, words in (
        ("/jobs", "No jobs yet"),
        ("/errors", "Nothing has been evaluated yet"),
        ("/compare", "Nothing has been compared yet"),
        ("/report", "The report is empty"),
        ("/nowhere", "There is no page at this address"),
    ):
        page.goto(shaky.address + path)
        page.get_by_text(words).first.wait_for()


@pytest.mark.thorough  # begins anew twice, which takes a minute
def test_a_killed_studio_goes_on_where_it_was(shaky: Any, visit: Any) -> None:
    job = training(shaky, epochs=9)
    page = visit(shaky, "/jobs")
    card = page.get_by_role("article").filter(has_text=job["title"])
    card.get_by_text("loss").wait_for()
    shaky.kill()
    page.get_by_text("The connection to the studio is lost.").wait_for()
    shaky.start()
    page.get_by_text("The connection to the studio is lost.").wait_for(state="hidden")
    card.get_by_text(re.compile(r"^\W*interrupted$")).wait_for()
    card.get_by_role("button", name=RESUME).click()
    card.get_by_text(re.compile(r"^\W*done$")).wait_for()
    run = shaky.ask(f"/jobs/{job['id']}")["run"]
    curve = shaky.ask(f"/runs/{run}/metrics?names=epoch.train_loss")["curves"][0]
    assert curve["x"][-1] == 9
    assert curve["x"] == sorted(set(curve["x"]))


def test_a_stopped_training_can_go_on(shaky: Any, visit: Any) -> None:
    job = training(shaky)
    until = time.monotonic() + PATIENCE
    while not (run := shaky.ask(f"/jobs/{job['id']}")["run"]) and time.monotonic() < until:
        time.sleep(0.2)
    page = visit(shaky, f"/runs/{run}")
    page.locator("figure[data-kind='lines']").first.wait_for()
    page.get_by_role("button", name="Stop training").click()
    page.get_by_role("button", name=RESUME).wait_for()
    page.reload()
    page.get_by_role("button", name=RESUME).wait_for()
    assert shaky.ask(f"/jobs/{job['id']}")["state"] == "cancelled"
    page.get_by_role("button", name="Evaluate").wait_for()  # what was learned is kept


def test_what_was_deleted_is_missed_with_words(shaky: Any, visit: Any, unforeseen: Any) -> None:
    folder = unforeseen(shaky.workspace)["unforeseen"]
    page = visit(shaky, "/?show=results")
    shown = page.get_by_role("link", name="Unforeseen", exact=True)
    shown.wait_for()
    address = shown.get_attribute("href")
    shutil.rmtree(folder)
    page.goto(shaky.address + address)
    failed = page.get_by_role("alert")
    failed.get_by_text("This result could not be opened").wait_for()
    assert failed.get_by_role("button", name="Try again").is_visible()
    page.goto(f"{shaky.address}/runs/no-such-run")
    failed.get_by_text("This run could not be opened").wait_for()
    assert "no-such-run" in failed.inner_text()


def test_strangers_stay_outside(shaky: Any, browser: Any, visit: Any) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(shaky.address)
    assert "pellucid studio" in page.inner_text("body")
    assert page.request.get(f"{shaky.address}/api/workspace").status == 401
    page.goto(f"{shaky.address}/login?token=wrong")
    assert context.cookies() == []
    page.goto(shaky.login)
    page.get_by_role("navigation", name="Pages").first.wait_for()
    (cookie,) = context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    context.clear_cookies()
    page.goto(shaky.login)  # it works once
    assert context.cookies() == []
    assert "printed" in page.inner_text("body")
    context.close()


FOREIGN = """async (address) => {
  const tried = {};
  const requests = {
    read: ["/api/workspace", {}],
    write: ["/api/jobs", { method: "POST", body: "{}", headers: { "Content-Type": "application/json" } }],
    stream: ["/api/events", {}],
  };
  for (const [name, [path, options]] of Object.entries(requests)) {
    try {
      tried[name] = (await fetch(address + path, { credentials: "include", ...options })).status;
    } catch {
      tried[name] = "refused";
    }
  }
  const body = new FormData();
  body.append("files", new File(["x"], "a/x.png"));
  const blind = { method: "POST", mode: "no-cors", credentials: "include", body };
  tried.blind = await fetch(address + "/api/uploads", blind).then((answer) => answer.type, () => "refused");
  const frame = document.createElement("iframe");
  frame.src = address;
  document.body.append(frame);
  await new Promise((done) => (frame.onload = done));
  tried.framed = frame.contentDocument !== null;
  return tried;
}"""


def test_a_page_of_another_origin_reads_and_writes_nothing(
    shaky: Any, browser: Any, tmp_path: Path
) -> None:
    (tmp_path / "index.html").write_text("<!doctype html><title>elsewhere</title>")
    quiet = type("Quiet", (SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    elsewhere = HTTPServer(("127.0.0.1", 0), partial(quiet, directory=str(tmp_path)))
    threading.Thread(target=elsewhere.serve_forever, daemon=True).start()
    token = {"name": f"pellucid-{shaky.port}", "value": shaky.token, "url": shaky.address}
    context = browser.new_context()
    context.add_cookies([token])
    jobs, data = shaky.ask("/jobs"), shaky.ask("/data")
    page = context.new_page()
    page.goto(f"{shaky.address}/jobs")
    page.get_by_role("navigation", name="Pages").first.wait_for()  # the cookie opens it
    page.goto(f"http://127.0.0.1:{elsewhere.server_port}/")
    tried = page.evaluate(FOREIGN, shaky.address)
    assert tried.pop("framed") is False
    assert set(tried.values()) == {"refused"}
    assert (shaky.ask("/jobs"), shaky.ask("/data")) == (jobs, data)
    context.close()
    elsewhere.shutdown()
    elsewhere.server_close()


UPLOAD = """async (name) => {
  const canvas = new OffscreenCanvas(32, 32);
  canvas.getContext("2d").fillRect(0, 0, 16, 32);
  const picture = await canvas.convertToBlob();
  const body = new FormData();
  body.append("title", "names");
  body.append("files", picture, name);
  for (const kind of ["a", "b"]) body.append("files", picture, `top/${kind}/good.png`);
  const answer = await fetch("/api/uploads", { method: "POST", body });
  return answer.json();
}"""


@pytest.mark.parametrize("name", ["../../escaped.png", "/etc/escaped.png", "a/../../escaped.png"])
def test_names_of_uploads_lead_nowhere(studio: Any, visit: Any, name: str) -> None:
    page = visit(studio, "/about")
    told = page.evaluate(UPLOAD, name)
    assert told["num_files"] == 2, told
    assert any("escaped.png" in problem for problem in told["problems"])
    assert not list(studio.workspace.parent.rglob("escaped.png"))


def test_bad_uploads_are_explained_on_the_page(studio: Any, visit: Any, tmp_path: Path) -> None:
    bad = tmp_path / "bad"
    (bad / "cats").mkdir(parents=True)
    (bad / "cats" / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n and then nothing")
    (bad / "cats" / "notes.txt").write_text("no picture")
    page = visit(studio, "/train")
    upload(page, bad)
    failed = page.get_by_role("alert")
    failed.get_by_text("The upload failed").wait_for()
    assert "torn.png" in failed.inner_text()
    for number in range(8):
        kind = bad / ("cats" if number % 2 else "dogs")
        kind.mkdir(exist_ok=True)
        Image.new("RGB", (32, 32), (number * 30, 0, 0)).save(kind / f"{number}.png")
    upload(page, bad)
    page.get_by_text("2 files had problems and were left out").click()
    page.get_by_text("torn.png").first.wait_for()
    page.get_by_text("8 samples").first.wait_for()


def test_too_much_is_refused_with_words(studio: Any, visit: Any, digits: Path) -> None:
    def small(route: Any) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json=answer.json() | {"max_upload_bytes": 1000})

    page = visit(studio, "/about")
    page.route("**/api/session", small)
    page.goto(f"{studio.address}/train")
    upload(page, digits)
    page.get_by_text("the studio takes at most 1 kB at once").wait_for()
    told = http.client.HTTPConnection("127.0.0.1", studio.port)
    told.putrequest("POST", "/api/uploads")
    told.putheader("Authorization", f"Bearer {studio.token}")
    told.putheader("Content-Length", str(3 * 2**30))
    told.putheader("Content-Type", "multipart/form-data; boundary=x")
    told.endheaders()
    answer = told.getresponse()
    assert answer.status == 413
    assert b"too large" in answer.read()
    told.close()


def upload(page: Any, folder: Path) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose a folder").click()
    chooser.value.set_files(folder)


@pytest.mark.thorough
def test_a_studio_for_looking_shows_everything_and_changes_nothing(
    studio: Any, start: Any, visit: Any, trained: Any
) -> None:
    looking = start(studio.workspace, "--read-only")
    try:
        page = visit(looking, looking.login.removeprefix(looking.address), bearer=False)
        page.get_by_text("Read only", exact=True).first.wait_for()
        page.get_by_role("link", name="shared", exact=True).first.click()
        page.locator("figure[data-kind='lines'] canvas").first.wait_for()
        assert not page.get_by_role("button", name="Evaluate").count()
        assert not page.get_by_role("button", name="+ tag").count()
        page.goto(f"{looking.address}/errors?result={trained.evaluation}&show=all")
        page.locator("figure[data-kind='matrix'] td button").first.click()
        page.goto(f"{looking.address}/compare?result={trained.comparison}&show=all")
        page.locator("figure[data-kind='overlay']").first.wait_for()
        for path in ("/train", "/explain"):
            page.goto(looking.address + path)
            page.get_by_text("for looking only").first.wait_for()
        note = {"note": "mine"}
        for path, body in (("/jobs", {}), ("/inputs", {"text": "a"}), ("/models/open", note)):
            with pytest.raises(urllib.error.HTTPError, match="403"):
                looking.ask(path, body)
    finally:
        looking.stop()
