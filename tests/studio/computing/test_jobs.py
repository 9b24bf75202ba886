"""Jobs from their beginning to their results: progress, cancel, retry, and what survives."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

DIGITS = {"data": "bundled-digits", "limit": 60}
QUICK = {"epochs": 1, "batch_size": 32, "cache_bytes": 0}


def begin(client: TestClient, **request: Any) -> dict[str, Any]:
    answer = client.post("/api/jobs", json=request)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def training(model: dict[str, str], epochs: int, **more: Any) -> dict[str, Any]:
    options = QUICK | {"epochs": epochs, "checkpoint_seconds": 0}
    return {"kind": "finetune", "model": model, "data": DIGITS, "options": options} | more


@pytest.fixture(scope="module")
def run(client: TestClient, model: dict[str, str], helpers: Any) -> str:
    """A run that the studio trained."""
    job = begin(client, **training(model, 2, name="digits"))
    assert job["state"] in ("waiting", "running")
    assert job["title"] == "Fine-tune test_resnet on Handwritten digits"
    done = helpers.ended(client, job["id"])
    assert done["state"] == "done", done
    found: str = done["run"]
    return found


def test_a_training_becomes_a_run(client: TestClient, run: str) -> None:
    found = client.get(f"/api/runs/{run}").json()
    assert (found["name"], found["status"]) == ("digits", "finished")
    (job,) = [each for each in client.get("/api/jobs").json() if each["run"] == run]
    assert found["job"] == job["id"]
    choices = client.get("/api/models").json()
    assert choices[0] | {"title": ""} == {
        "reference": f"run:{run}", "title": "", "source": "run", "kind": "image", "labels": 10,
    }  # fmt: skip
    assert {"torchvision", "timm"} <= {each["source"] for each in choices}


def test_a_training_is_seen_while_it_goes_on(
    client: TestClient, model: dict[str, str], helpers: Any
) -> None:
    job = begin(client, **training(model, 50))
    until = time.monotonic() + 300
    while time.monotonic() < until:
        found = client.get(f"/api/jobs/{job['id']}").json()
        if found["run"] and found["progress"]:
            break
        time.sleep(0.05)
    assert found["step"].startswith("training head: loss")
    assert 0 < found["progress"] < 1
    assert client.get(f"/api/runs/{found['run']}").json()["status"] == "running"
    assert client.post(f"/api/jobs/{job['id']}/cancel").status_code == 200
    ended = helpers.ended(client, job["id"])
    assert ended["state"] == "cancelled"
    assert client.get(f"/api/runs/{found['run']}").json()["status"] == "stopped"
    assert client.post(f"/api/jobs/{job['id']}/cancel").status_code == 409


@pytest.mark.thorough
def test_a_training_whose_worker_is_killed_goes_on(
    client: TestClient, model: dict[str, str], helpers: Any
) -> None:
    from pellucid.studio.workers.parts import Workers

    job = begin(client, **training(model, 8))
    until = time.monotonic() + 300
    while time.monotonic() < until:
        found = client.get(f"/api/jobs/{job['id']}").json()
        if (found["progress"] or 0) > 0.2:
            break
        time.sleep(0.02)
    lane = helpers.studio_of(client).part(Workers).jobs
    os.kill(lane.workers[0].pid, signal.SIGKILL)
    ended = helpers.ended(client, job["id"])
    assert ended["state"] == "interrupted"
    assert ended["error"]["type"] == "WorkerLost"
    assert "signal 9" in ended["error"]["message"]
    again = client.post(f"/api/jobs/{job['id']}/retry").json()
    assert again["id"] == job["id"]
    done = helpers.ended(client, job["id"])
    assert (done["state"], done["run"]) == ("done", found["run"])
    metrics = client.get(f"/api/runs/{done['run']}/metrics?names=epoch.train_loss").json()
    assert metrics["curves"][0]["total"] == 8
    assert client.post(f"/api/jobs/{job['id']}/retry").status_code == 409


def test_an_evaluation_belongs_to_its_run(client: TestClient, run: str, helpers: Any) -> None:
    job = begin(client, kind="evaluate", model={"reference": f"run:{run}"}, data=DIGITS)
    done = helpers.ended(client, job["id"])
    assert done["state"] == "done", done
    result = client.get(f"/api/results/{done['results'][0]}").json()
    assert (result["kind"], result["run"]) == ("evaluation", run)
    assert result["meta"]["data"]["split"] == "test"  # what was not trained on
    matrix = next(view for view in result["views"] if view["kind"] == "Matrix")
    place = client.get(
        "/api/samples", params={"result": result["id"], "sample": matrix["samples"][0]}
    ).json()
    assert (place["data"], place["split"]) == ("bundled-digits", "test")
    asked = client.post("/api/inputs", json={k: place[k] for k in ("data", "split", "sample")})
    assert asked.json()["title"] == place["sample"]
    lost = client.get("/api/samples", params={"result": result["id"], "sample": "nobody"})
    assert lost.status_code == 404


@pytest.mark.slow
def test_other_kinds_of_jobs(
    client: TestClient, model: dict[str, str], run: str, helpers: Any
) -> None:
    base, model = model, {"reference": f"run:{run}"}
    data = {"data": "bundled-digits", "limit": 4}
    layer = client.post("/api/models/open", json=model).json()["layers"][0]
    jobs = {
        "explanation": begin(
            client, kind="explain", model=model, data={"data": "bundled-digits"},
            methods=["saliency"], samples=["digit-0000", "digit-0001"],
        ),
        "structure": begin(client, kind="inspect", model=model, parts=["structure", "weights"]),
        "feature_image": begin(
            client, kind="visualize_feature", model=model, layer=layer, units=[0], steps=2
        ),
        "comparison": begin(
            client, kind="compare", model=model, other=base, data=data, methods=["saliency"]
        ),
        "method_ranking": begin(
            client, kind="benchmark_methods", model=model, data=data, methods=["saliency"]
        ),
    }  # fmt: skip
    kinds = {}
    for kind, job in jobs.items():
        done = helpers.ended(client, job["id"])
        assert done["state"] == "done", done
        kinds[kind] = [
            client.get(f"/api/results/{each}").json()["kind"] for each in done["results"]
        ]
    assert kinds.pop("structure") == ["structure", "weights"]
    assert kinds == {kind: [kind] for kind in kinds}


def test_a_job_that_fails_says_why(client: TestClient, run: str, helpers: Any) -> None:
    job = begin(
        client, kind="inspect", model={"reference": f"run:{run}"}, parts=["waits"], layers=None
    )
    failed = helpers.ended(client, job["id"])
    assert failed["state"] == "failed"
    assert failed["error"]["type"] == "SpecError"
    assert "weights" in failed["error"]["message"]


def test_requests_that_cannot_be_done(client: TestClient, model: dict[str, str]) -> None:
    wrong: list[tuple[dict[str, Any], int]] = [
        ({"kind": "evaluate", "model": {"reference": "python:os:system"}, "data": DIGITS}, 422),
        ({"kind": "evaluate", "model": {"reference": "timm:../x"}, "data": DIGITS}, 422),
        ({"kind": "evaluate", "model": {"reference": "hf:/etc"}, "data": DIGITS}, 422),
        ({"kind": "evaluate", "model": {"reference": "run:nobody"}, "data": DIGITS}, 404),
        ({"kind": "evaluate", "model": model, "data": {"data": "nothing"}}, 404),
        ({"kind": "evaluate", "model": model, "data": DIGITS | {"split": "tset"}}, 422),
        (training(model, 1, options={"epochs": "many"}), 422),
        (training(model, 1, options={"num_workers": -1}), 422),
        (training(model, 1, strategy="tail"), 422),
        ({"kind": "explain", "model": model, "data": DIGITS, "methods": ["gradcam"]}, 422),
        ({"kind": "dance"}, 422),
    ]
    for request, status in wrong:
        answer = client.post("/api/jobs", json=request)
        assert answer.status_code == status, (request, answer.text)
        assert answer.json()["error"]["message"]
    assert client.get("/api/jobs/nobody").status_code == 404
    assert client.post("/api/jobs/nobody/cancel").status_code == 404


def test_waiting_jobs_are_cancelled_at_once(
    client: TestClient, model: dict[str, str], helpers: Any
) -> None:
    first, second = (begin(client, **training(model, 30)) for _ in range(2))
    cancelled = client.post(f"/api/jobs/{second['id']}/cancel").json()
    assert cancelled["state"] == "cancelled"
    client.post(f"/api/jobs/{first['id']}/cancel")
    assert helpers.ended(client, first["id"])["state"] == "cancelled"
    assert client.get(f"/api/jobs/{second['id']}").json()["started"] is None


def test_changes_are_told_from_where_one_left_off(
    client: TestClient, run: str, helpers: Any
) -> None:
    from pellucid.studio.jobs.jobs import Jobs

    feed = helpers.studio_of(client).part(Jobs).feed
    known = feed.since(0)
    assert [number for number, _ in known] == sorted(number for number, _ in known)
    last = known[-1][0]
    assert feed.since(last) == []
    job = begin(client, kind="inspect", model={"reference": f"run:{run}"}, parts=["structure"])
    helpers.ended(client, job["id"])
    (told,) = (entry for entry in feed.since(last) if entry[1].id == job["id"])
    assert told[0] > last
    assert told[1].state == "done"


@pytest.mark.slow
def test_a_closed_studio_leaves_jobs_to_be_retried(
    tmp_path: Path, weights_file: Path, helpers: Any
) -> None:
    settings = helpers.settings_for(tmp_path)
    with helpers.running(settings) as client:
        files = {"files": ("tiny.safetensors", weights_file.read_bytes())}
        weights = client.post("/api/uploads/weights", files=files).json()["id"]
        model = {"reference": "timm:test_resnet", "weights": weights}
        going, waiting = (begin(client, **training(model, 8)) for _ in range(2))
        until = time.monotonic() + 300
        while time.monotonic() < until:
            if client.get(f"/api/jobs/{going['id']}").json()["progress"]:
                break
            time.sleep(0.02)
    with helpers.running(settings) as client:
        jobs = {job["id"]: job for job in client.get("/api/jobs").json()}
        assert {jobs[job["id"]]["state"] for job in (going, waiting)} == {"interrupted"}
        client.post(f"/api/jobs/{going['id']}/retry")
        done = helpers.ended(client, going["id"])
        assert done["state"] == "done"
        assert client.get(f"/api/runs/{done['run']}").json()["status"] == "finished"


def test_jobs_of_a_killed_server_are_interrupted(tmp_path: Path, helpers: Any) -> None:
    from pellucid.studio.jobs.store import JobRow, JobStore

    gone = 2**22 + 1  # no process has this number
    row = {
        "kind": "evaluate", "title": "Evaluate", "created": "2026-01-01", "started": None,
        "ended": None, "request": {}, "run": None, "run_path": None, "results": [], "error": None,
        "host": os.uname().nodename,
    }  # fmt: skip
    store = JobStore(tmp_path / "studio.db")
    store.put(JobRow(id="a", state="running", pid=gone, **row))
    store.put(JobRow(id="b", state="running", pid=os.getppid(), **row))  # of a server that lives
    store.put(JobRow(id="c", state="done", pid=gone, **row))
    with helpers.running(helpers.settings_for(tmp_path)) as client:
        states = {job["id"]: job["state"] for job in client.get("/api/jobs").json()}
        assert states == {"a": "interrupted", "b": "running", "c": "done"}
        told = client.get("/api/jobs/a").json()["error"]["message"]
        assert "Retry" in told
    assert json.loads(json.dumps(told))
