"""A workspace as recorded runs and saved results leave it, and a studio that serves it."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from anyio.from_thread import start_blocking_portal
from fastapi import FastAPI
from fastapi.testclient import TestClient

from pellucid.result import Provenance, Result
from pellucid.studio import contents
from pellucid.studio.app import create_app
from pellucid.studio.datasets import DataSets
from pellucid.studio.services import keeping
from pellucid.studio.state import Settings, Studio
from pellucid.workspace.workspace import Workspace

TOKEN = "a-token-for-tests"
HOME = "http://127.0.0.1:8686"
MakeRun = Callable[..., Path]


def make_record(workspace: Path, name: str, /, **changes: Any) -> dict[str, Any]:
    """What run.json of a finished run holds."""
    identity = {"source": "folder:pets", "split": "train", "num_samples": 80, "samples": "ab"}
    return {
        "format": 1,
        "id": f"id-{name}",
        "name": name,
        "created": f"2026-05-01T10:00:{len(name):02d}+00:00",
        "status": "finished",
        "why": "",
        "pid": os.getpid(),
        "host": platform.node(),
        "seconds": 75.4,
        "epochs": 2,
        "best": {"epoch": 2, "validation_loss": 0.4, "validation_accuracy": 0.8},
        "notes": [],
        "config": {"strategy": "head", "epochs": 2},
        "strategy": "head",
        "labels": ["cat", "dog"],
        "model": {"source": "torchvision:resnet18", "weights": "cd", "run": ""},
        "data": {"train": identity, "validation": identity | {"num_samples": 20}},
        "parameters": 1000,
        "trained_parameters": 10,
        "workspace": str(workspace),
    } | changes


def metric_lines(steps: int, epochs: int = 2) -> str:
    """Metrics of some steps and epochs, as the recorder writes them."""
    lines = [
        {"kind": "step", "step": n, "epoch": 1, "loss": 1 / n, "learning_rate": 0.1}
        for n in range(1, steps + 1)
    ]
    lines += [
        {
            "kind": "epoch",
            "epoch": n,
            "step": n * 10,
            "phase": "head",
            "train_loss": 1 / n,
            "validation_loss": 0.8 / n,
            "validation_accuracy": 0.6 + n / 10,
        }
        for n in range(1, epochs + 1)
    ]
    return "".join(json.dumps(line) + "\n" for line in lines)


def make_result(kind: str = "scores", **coordinates: Any) -> Result:
    """A small result of a kind that nobody knows."""
    values = np.array([[1.0, np.nan, 3.0], [4.0, np.inf, -6.0]])
    data = xr.Dataset(
        {"score": (("sample", "label"), values)},
        coords={"sample": ["a.png", "=b.png"], "label": ["cat", "dog", "owl"]} | coordinates,
    )
    return Result(data=data, meta=Provenance(kind=kind, method="grad_cam"))


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A listing holds for half a second; tests look at once."""
    monkeypatch.setattr(contents, "FRESH_SECONDS", 0.0)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """An empty workspace."""
    return Workspace(tmp_path / "workspace")


@pytest.fixture
def make_run(workspace: Workspace) -> MakeRun:
    """Write the folder of a run, and enter it into the catalogue unless told otherwise."""

    def make(
        name: str = "pets", *, catalogued: bool = True, folder: Path | None = None, steps: int = 20,
        **changes: Any,
    ) -> Path:  # fmt: skip
        path = folder or workspace.path / "runs" / name
        path.mkdir(parents=True)
        record = make_record(workspace.path, name, **changes)
        (path / "run.json").write_text(json.dumps(record))
        (path / "samples.json").write_text(json.dumps({"train": ["a"], "validation": ["b"]}))
        (path / "metrics.jsonl").write_text(metric_lines(steps))
        if catalogued:
            workspace.register_run(record, path)
        return path

    return make


@pytest.fixture
def settings(workspace: Workspace) -> Settings:
    """How the studio of the tests is run."""
    return Settings(workspace=workspace.path, token=TOKEN)


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    return create_app(settings)


@pytest.fixture
def studio(app: FastAPI) -> Studio:
    found: Studio = app.state.studio
    return found


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    """A program that knows the token."""
    return open_client(app)


def open_client(app: FastAPI, *, token: str = TOKEN) -> TestClient:
    """Open a studio that keeps data and uploads, but starts no workers: they load torch."""
    studio: Studio = app.state.studio
    if not studio.has(DataSets):
        with start_blocking_portal() as portal:  # the browser's driver may hold this thread's loop
            portal.call(_keep, studio)
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return TestClient(app, base_url=HOME, headers=headers, follow_redirects=False)


async def _keep(studio: Studio) -> None:
    async with keeping(studio):
        pass
