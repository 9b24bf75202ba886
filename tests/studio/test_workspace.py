"""The workspace lists what there is, finds it by ids that tell nothing, and opens nothing else."""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from tests.studio.conftest import MakeRun, make_record, make_result, open_client

from pellucid.result import inspection, store
from pellucid.result.inspection import Inspection
from pellucid.studio import contents
from pellucid.studio.app import create_app
from pellucid.studio.contents import Contents
from pellucid.studio.routes.workspace import Watch
from pellucid.studio.state import Settings, Studio
from pellucid.workspace.run import Run
from pellucid.workspace.workspace import Workspace


def listed(client: TestClient) -> Any:
    reply = client.get("/api/workspace")
    assert reply.status_code == 200, reply.text
    return reply.json()


def test_an_empty_workspace_is_no_error_and_is_not_made(
    client: TestClient, workspace: Workspace
) -> None:
    assert listed(client) == {"runs": [], "results": [], "tags": []}
    assert not workspace.path.exists()


def test_runs_come_newest_first_with_what_a_line_needs(
    client: TestClient, make_run: MakeRun
) -> None:
    make_run("old")
    make_run("newer one")
    newest, oldest = listed(client)["runs"]
    assert (newest["name"], oldest["name"]) == ("newer one", "old")
    assert {k: newest[k] for k in ("status", "model", "data", "strategy", "epochs", "num_samples")} == {
        "status": "finished", "model": "torchvision:resnet18", "data": "pets",
        "strategy": "head", "epochs": 2, "num_samples": 80,
    }  # fmt: skip
    assert newest["validation_accuracy"] == 0.8


def test_listing_opens_no_run_that_has_ended(
    client: TestClient, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        make_run(f"run {number}")
    opened: list[Path] = []
    real = os.open

    def watched(path: Any, *rest: Any, **options: Any) -> int:
        opened.append(Path(path))
        return real(path, *rest, **options)

    monkeypatch.setattr(os, "open", watched)
    assert len(listed(client)["runs"]) == 5
    assert opened == []


def test_runs_that_nobody_entered_are_found_in_their_folder(
    client: TestClient, make_run: MakeRun
) -> None:
    make_run("known")
    make_run("stray", catalogued=False)
    assert {run["name"] for run in listed(client)["runs"]} == {"known", "stray"}


def test_a_run_that_goes_on_is_looked_at_again(client: TestClient, make_run: MakeRun) -> None:
    path = make_run("live", status="running")
    assert listed(client)["runs"][0]["status"] == "running"
    record = json.loads((path / "run.json").read_text()) | {"status": "failed", "why": "no memory"}
    (path / "run.json").write_text(json.dumps(record))
    run = listed(client)["runs"][0]
    assert (run["status"], run["why"]) == ("failed", "no memory")


def test_ids_stay_when_the_studio_restarts_and_the_workspace_moves(
    client: TestClient, make_run: MakeRun, workspace: Workspace, settings: Settings
) -> None:
    make_run("pets", catalogued=False)
    first = listed(client)["runs"][0]["id"]
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", first)
    assert listed(open_client(create_app(settings)))["runs"][0]["id"] == first
    moved = workspace.path.with_name("moved")
    workspace.path.rename(moved)
    elsewhere = open_client(create_app(replace(settings, workspace=moved)))
    assert elsewhere.get(f"/api/runs/{first}").json()["name"] == "pets"


@pytest.mark.parametrize(
    "name", ["..", "../../etc", "%2e%2e", "runs/pets", "x" * 22, "id-pets", "."]
)
def test_a_path_is_no_id(client: TestClient, make_run: MakeRun, name: str) -> None:
    make_run("pets")
    for kind in ("runs", "results"):
        answer = client.get(f"/api/{kind}/{name}")
        left_the_api = "/api/" not in str(answer.request.url)  # clients shorten "..": it is a page
        assert left_the_api or answer.status_code == 404
        assert "root:" not in answer.text


def test_a_run_outside_is_told_of_but_not_opened(
    client: TestClient, make_run: MakeRun, tmp_path: Path, settings: Settings
) -> None:
    make_run("outside", folder=tmp_path / "elsewhere")
    run = listed(client)["runs"][0]
    assert run["status"] == "missing"
    assert "--also" in run["why"]
    for route in ("", "/metrics", "/events"):
        reply = client.get(f"/api/runs/{run['id']}{route}")
        assert (reply.status_code, reply.json()["error"]["type"]) == (403, "OutOfBounds")
    wider = open_client(create_app(replace(settings, also=(tmp_path / "elsewhere",))))
    assert wider.get(f"/api/runs/{run['id']}").status_code == 200


def test_links_are_not_followed(
    client: TestClient, make_run: MakeRun, workspace: Workspace, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.json"
    secret.write_text(json.dumps(make_record(tmp_path, "secret") | {"labels": ["a secret"]}))
    linked = make_run("linked file")
    (linked / "run.json").unlink()
    (linked / "run.json").symlink_to(secret)
    (linked / "metrics.jsonl").unlink()
    (linked / "metrics.jsonl").symlink_to(secret)
    outside = make_run("target", folder=tmp_path / "target", catalogued=False)
    (workspace.path / "runs" / "linked folder").symlink_to(outside)
    workspace.register_run(make_record(tmp_path, "by link"), outside)
    make_run("fine")
    found = {run["name"]: run for run in listed(client)["runs"]}
    assert "linked folder" not in found
    assert found["by link"]["status"] == "missing"
    reply = client.get(f"/api/runs/{found['linked file']['id']}")
    assert reply.status_code in (403, 404)
    assert "a secret" not in reply.text
    curves = client.get(f"/api/runs/{found['linked file']['id']}/metrics").json()
    assert curves == {"curves": []}


@pytest.mark.parametrize(
    "record",
    [
        b"", b"[]", b"null", b"{", b'{"id": 1}', b'{"status": {}, "name": [], "model": 3, "best": 7}',
        b'{"id": "x", "seconds": 1e999, "epochs": "many", "data": [1], "pid": "x", "status": "running"}',
        b'{"id": "<script>alert(1)</script>", "name": "<img src=x onerror=alert(1)>", "status": "x"}',
        b"[" * 100_000, b"\xff\xfe\x00",
    ],
)  # fmt: skip
def test_a_damaged_run_does_no_harm(
    client: TestClient, workspace: Workspace, make_run: MakeRun, record: bytes
) -> None:
    make_run("good")
    bad = workspace.path / "runs" / "bad"
    bad.mkdir()
    (bad / "run.json").write_bytes(record)
    (bad / "metrics.jsonl").write_bytes(b'{"kind": 1}\n[]\n\xff\n{"kind": "step", "loss": "x"}\n')
    runs = {run["name"]: run for run in listed(client)["runs"]}
    assert "good" in runs
    for run in runs.values():
        reply = client.get(f"/api/runs/{run['id']}")
        assert reply.status_code in (200, 422)
        assert client.get(f"/api/runs/{run['id']}/metrics").status_code == 200
        if reply.status_code == 200 and run["name"] != "good":
            assert "damaged or incomplete" in reply.json()["summary"]


def test_a_record_keeps_what_is_of_the_machine_to_itself(
    client: TestClient, make_run: MakeRun
) -> None:
    make_run("pets", other=[float("nan")])
    run = client.get(f"/api/runs/{listed(client)['runs'][0]['id']}").json()
    assert not {"pid", "host", "workspace"} & set(run["record"])
    assert run["record"]["other"] == [None]
    assert run["summary"].startswith("torchvision:resnet18 was fine-tuned on 80 samples")
    assert run["headline"][0] == {"label": "Strategy", "value": "head", "detail": "2 epochs"}
    assert {"step.loss", "epoch.validation_accuracy"} <= set(run["metrics"])
    assert run["labels"] == ["cat", "dog"]


def test_a_record_that_names_another_workspace_leads_nowhere(
    client: TestClient, make_run: MakeRun, tmp_path: Path
) -> None:
    make_run("pets", workspace=str(tmp_path / "another"))
    assert client.get(f"/api/runs/{listed(client)['runs'][0]['id']}").status_code == 200
    assert not (tmp_path / "another").exists()


def test_results_belong_to_their_runs(
    client: TestClient, make_run: MakeRun, workspace: Workspace
) -> None:
    path = make_run("pets")
    Run(path).add(make_result("evaluation"))
    make_result("explanation").save(path / "results" / "stray.zarr")
    workspace.add(make_result())
    found = listed(client)
    run = found["runs"][0]
    own = {result["kind"] for result in found["results"] if result["run"] == run["id"]}
    assert own == {"evaluation", "explanation"}
    assert run["num_results"] == 2
    detail = client.get(f"/api/runs/{run['id']}").json()
    assert {result["title"] for result in detail["results"]} == {"Evaluation", "Explanations"}


def test_an_inspection_appears_as_its_parts(client: TestClient, workspace: Workspace) -> None:
    parts = {"structure": make_result("structure"), "weights": make_result("weights")}
    folder = workspace.path / "results" / "look"
    Inspection(parts=parts, meta=parts["weights"].meta).save(folder)
    assert {result["kind"] for result in listed(client)["results"]} == {"structure", "weights"}
    workspace.register_result(parts["weights"].meta, folder)
    assert {result["kind"] for result in listed(client)["results"]} == {"structure", "weights"}


def test_a_result_that_has_gone_is_told_as_missing(
    client: TestClient, workspace: Workspace
) -> None:
    path = workspace.add(make_result())
    shutil.rmtree(path)
    result = listed(client)["results"][0]
    assert result["missing"] is True
    assert client.get(f"/api/results/{result['id']}").status_code == 404


def test_tags_and_notes_are_kept_and_change_one_at_a_time(
    client: TestClient, make_run: MakeRun, workspace: Workspace, settings: Settings
) -> None:
    make_run("pets")
    workspace.add(make_result())
    found = listed(client)
    for kind in ("runs", "results"):
        url = f"/api/{kind}/{found[kind][0]['id']}"
        assert client.patch(url, json={"tags": ["best", "best", "für später"]}).status_code == 200
        changed = client.patch(url, json={"note": "Look again."}).json()
        assert (changed["tags"], changed["note"]) == (["best", "für später"], "Look again.")
    after = listed(open_client(create_app(settings)))
    assert after["tags"] == ["best", "für später"]
    assert after["runs"][0]["note"] == after["results"][0]["note"] == "Look again."


@pytest.mark.parametrize(
    "change", [{"tags": ["a,b"]}, {"tags": [""]}, {"tags": "x"}, {"note": 1}, {"name": "x"},
               {"note": "x" * 10_001}, {"tags": ["x"] * 21}, [], None],
)  # fmt: skip
def test_a_change_that_is_none_is_explained(
    client: TestClient, make_run: MakeRun, change: Any
) -> None:
    make_run("pets")
    reply = client.patch(f"/api/runs/{listed(client)['runs'][0]['id']}", json=change)
    assert reply.status_code == 422
    assert reply.json()["error"]["type"] == "RequestNotUnderstood"


def test_changes_by_another_process_are_told(
    studio: Studio, make_run: MakeRun, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = make_run("pets", status="running")
    watch = Watch(studio)
    assert watch.look()
    assert [watch.look() for _ in range(3)] == [""] * 3
    done = json.loads((live / "run.json").read_text()) | {"status": "finished"}
    for change in (
        lambda: make_run("stray", catalogued=False),
        lambda: workspace.mark("run", "id-pets", note="new"),
        lambda: workspace.add(make_result()),
        lambda: Run(live).add(make_result()),
        lambda: (live / "run.json").write_text(json.dumps(done)),
    ):
        change()
        assert watch.look()
        watch.look()
        with monkeypatch.context() as patch:
            patch.setattr(Contents, "listing", None)  # nothing has changed, so nothing is listed
            assert watch.look() == ""


def test_the_session_tells_what_the_page_must_know(client: TestClient) -> None:
    session = client.get("/api/session").json()
    assert (session["workspace"], session["read_only"]) == ("workspace", False)
    assert session["extras"].keys() >= {"timm", "transformers"}


def test_names_are_those_of_saved_results() -> None:
    assert (contents.INSPECTION, contents.PROVENANCE) == (inspection.RECORD, store.RECORD)
