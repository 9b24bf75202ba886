"""The command starts a real server, which tells how runs go on, and ends in order."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.studio.conftest import MakeRun
from typer.testing import CliRunner

from pellucid.cli.app import app as cli
from pellucid.errors import MissingDependency, SpecError
from pellucid.studio.serve import bind
from pellucid.studio.state import Settings
from pellucid.workspace.workspace import Workspace

SECONDS = 180


class Running:
    """A studio in a process of its own, and a browser that has opened its address."""

    def __init__(self, folder: Path, *options: str) -> None:
        environment = os.environ | {"XDG_STATE_HOME": str(folder.parent / "state")}
        environment.pop("PELLUCID_STUDIO_TOKEN", None)
        command = ["studio", str(folder), "--no-browser", "--port", "0", "--json", *options]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pellucid", *command],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip
        assert self.process.stdout is not None
        text = ""
        while not text.rstrip().endswith("}"):
            line = self.process.stdout.readline()
            assert line, self.process.communicate()[1]
            text += line
        self.told: dict[str, Any] = json.loads(text)
        self.browser = httpx.Client(
            base_url=self.told["url"].partition("/login")[0], timeout=SECONDS
        )

    def end(self) -> tuple[int, str]:
        """Stop it as Ctrl-C does; returns the exit code and what it said."""
        self.process.send_signal(signal.SIGINT)
        _, said = self.process.communicate(timeout=SECONDS)
        self.browser.close()
        return self.process.returncode, said


@pytest.fixture
def running(workspace: Workspace, make_run: MakeRun) -> Iterator[Running]:
    make_run("live", status="running")
    started = Running(workspace.path)
    yield started
    if started.process.poll() is None:
        started.end()


def read_events(
    client: httpx.Client, url: str, count: int, **headers: str
) -> list[tuple[str, str, Any]]:
    """The first events of a stream, as (id, name, data)."""
    found, event = [], {}
    with client.stream("GET", url, headers=headers) as reply:
        assert reply.headers["content-type"].startswith("text/event-stream")
        for line in reply.iter_lines():
            name, _, value = line.partition(": ")
            if line:
                event[name] = value
            elif "data" in event:
                found.append((event["id"], event["event"], json.loads(event["data"])))
                event = {}
            if len(found) == count:
                break
    return found


@pytest.mark.slow
def test_a_run_is_read_live_and_the_server_ends_while_someone_listens(
    running: Running, workspace: Workspace
) -> None:
    browser = running.browser
    assert browser.get("/api/workspace").status_code == 401
    assert browser.get(running.told["url"]).status_code == 303
    run = browser.get("/api/workspace").json()["runs"][0]["id"]
    url = f"/api/runs/{run}/events"
    metrics, status = read_events(browser, url, 2)
    assert (metrics[1], status[1]) == ("metrics", "status")
    assert (metrics[2]["reset"], status[2]["status"]) == (True, "running")
    with (workspace.path / "runs" / "live" / "metrics.jsonl").open("a") as file:
        file.write('{"kind": "step", "step": 21, "loss": 0.5}\n')
    (later, _) = read_events(browser, url, 2, **{"last-event-id": metrics[0]})
    assert later[2]["reset"] is False
    assert [(c["name"], c["x"], c["y"]) for c in later[2]["curves"]] == [("step.loss", [21], [0.5])]
    listener = threading.Thread(target=_listen, args=(running, url))
    listener.start()
    time.sleep(1)
    code, said = running.end()
    listener.join(timeout=SECONDS)
    assert not listener.is_alive()
    assert code == 0, said
    assert "the studio has ended" in said
    assert "Traceback" not in said
    assert running.told["url"].partition("token=")[2] not in said


def _listen(running: Running, url: str) -> None:
    cookies = dict(running.browser.cookies)
    tab = httpx.Client(base_url=running.browser.base_url, cookies=cookies, timeout=SECONDS)
    with suppress(httpx.RemoteProtocolError), tab, tab.stream("GET", url) as reply:
        for _ in reply.iter_lines():
            pass


@pytest.mark.slow
def test_a_browser_is_remembered_over_a_restart(running: Running, workspace: Workspace) -> None:
    running.browser.get(running.told["url"])
    (cookie,) = running.browser.cookies.jar
    port = running.told["port"]
    running.end()
    again = Running(workspace.path, "--port", str(port), "--read-only")
    assert again.told["port"] == port
    again.browser.cookies.set(cookie.name, str(cookie.value))
    session = again.browser.get("/api/session")
    assert (session.status_code, session.json()["read_only"]) == (200, True)
    for _ in range(2):  # an address for many readers
        assert httpx.get(again.told["url"]).status_code == 303
    assert again.end()[0] == 0


def test_a_port_that_is_taken_is_passed_over() -> None:
    with bind("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with bind("127.0.0.1", port) as second:
            assert port < second.getsockname()[1] <= port + 50


def test_a_place_where_one_cannot_listen_is_explained() -> None:
    with pytest.raises(SpecError, match=r"cannot listen on 203\.0\.113\.1, port 1.*--host"):
        bind("203.0.113.1", 1)


@pytest.mark.parametrize(
    ("arguments", "environment", "message"),
    [
        (["--data", "nowhere"], {}, "nowhere is not there"),
        (["file"], {}, "is a file; expected the folder of a workspace"),
        ([], {"PELLUCID_STUDIO_TOKEN": "short"}, "is weak"),
        ([], {"PELLUCID_STUDIO_TOKEN": "a b;c" * 10}, "is weak"),
        (["--catalogue", "mysql://x"], {}, "expected a path, or a URL"),
        (["--jobs", "0"], {}, "Invalid value for '--jobs'"),
    ],
)
def test_what_cannot_be_served_is_explained(
    arguments: list[str],
    environment: dict[str, str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    result = CliRunner().invoke(cli, ["studio", "--no-browser", *arguments], env=environment)
    assert result.exit_code == 2
    assert message in result.stderr.replace("\n", " ")


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    result = CliRunner().invoke(cli, ["studio", "--no-browser"])
    assert result.exit_code == 2
    assert "pip install 'pellucid[studio]'" in result.stderr
    assert MissingDependency.__name__ not in result.stderr


def test_listening_to_the_network_comes_with_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pellucid.studio import serve

    monkeypatch.setattr(serve, "serve", lambda settings, listening, ready: listening.close())
    options = [str(tmp_path), "--no-browser", "--port", "0"]
    result = CliRunner().invoke(cli, ["studio", *options, "--host", "0.0.0.0"])
    assert "others in the network reach it" in " ".join(result.stderr.split())
    assert "use, train in and upload to" in " ".join(result.stderr.split())
    assert "warning" not in CliRunner().invoke(cli, ["studio", *options]).stderr


@pytest.mark.parametrize(("options", "expected"), [([], 1), (["--jobs", "3"], 3)])
def test_as_many_jobs_run_at_once_as_is_asked_for(
    options: list[str], expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pellucid.studio import serve

    asked: list[Settings] = []

    def keep(settings: Settings, listening: socket.socket, ready: Any) -> None:
        asked.append(settings)
        listening.close()

    monkeypatch.setattr(serve, "serve", keep)
    command = ["studio", str(tmp_path), "--no-browser", "--port", "0", *options]
    result = CliRunner().invoke(cli, command)
    assert result.exit_code == 0, result.stderr
    (settings,) = asked
    assert settings.num_job_workers == expected


def test_the_address_is_printed_and_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pellucid.studio import serve
    from pellucid.studio.state import Studio

    opened: list[str] = []
    arrived = threading.Event()

    def open_browser(url: str) -> None:
        opened.append(url)
        arrived.set()

    def ready_at_once(settings: Any, listening: socket.socket, ready: Any) -> None:
        listening.close()
        ready(Studio(settings))

    monkeypatch.setattr("webbrowser.open", open_browser)
    monkeypatch.setattr(serve, "serve", ready_at_once)
    result = CliRunner().invoke(cli, ["studio", str(tmp_path), "--port", "0"])
    assert arrived.wait(SECONDS)
    printed = result.stdout.strip()
    assert printed.startswith("http://127.0.0.1:")
    assert opened[0].partition("token=")[0] == printed.partition("token=")[0]
    assert opened[0] != printed  # each works once
