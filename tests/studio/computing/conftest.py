"""A studio that runs in the test's process, on a workspace of its own, with tiny real models."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

pytest.importorskip("fastapi")

from fastapi.testclient import TestClient

from pellucid.studio.app import create_app
from pellucid.studio.state import Settings, Studio

TOKEN = "a-token-for-tests"
ENDED = ("done", "failed", "cancelled", "interrupted")


@contextmanager
def running(settings: Settings) -> Iterator[TestClient]:
    """A studio from its start to its end, asked by a client that has the token."""
    app = create_app(settings)
    headers = {"authorization": f"Bearer {TOKEN}"}
    with TestClient(app, base_url="http://127.0.0.1:8686", headers=headers) as client:
        yield client


def settings_for(workspace: Path, **more: Any) -> Settings:
    return Settings(workspace=workspace, token=TOKEN, **more)


def studio_of(client: TestClient) -> Studio:
    studio: Studio = client.app.state.studio  # type: ignore[attr-defined]
    return studio


def ended(client: TestClient, job: str, seconds: float = 300) -> dict[str, Any]:
    """Wait for a job's end."""
    return awaited(client, job, ENDED, seconds)


def awaited(
    client: TestClient, job: str, states: tuple[str, ...], seconds: float = 300
) -> dict[str, Any]:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found: dict[str, Any] = client.get(f"/api/jobs/{job}").json()
        if found["state"] in states:
            return found
        time.sleep(0.05)
    raise AssertionError(f"the job is still {found['state']} after {seconds} s: {found}")


def picture_file(
    colour: str = "orange", size: tuple[int, int] = (120, 80), kind: str = "PNG"
) -> bytes:
    """A picture with a disc, as a file."""
    picture = Image.new("RGB", size, "navy")
    ImageDraw.Draw(picture).ellipse((20, 10, 70, 60), fill=colour)
    file = io.BytesIO()
    picture.save(file, kind)
    return file.getvalue()


class Helpers:
    """What tests of this folder share."""

    running = staticmethod(running)
    settings_for = staticmethod(settings_for)
    studio_of = staticmethod(studio_of)
    ended = staticmethod(ended)
    awaited = staticmethod(awaited)
    picture_file = staticmethod(picture_file)


@pytest.fixture(scope="session")
def helpers() -> type[Helpers]:
    return Helpers


@pytest.fixture(scope="session")
def weights_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights of the smallest network that timm has."""
    timm = pytest.importorskip("timm")
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    save_file(timm.create_model("test_resnet", pretrained=False).state_dict(), path)
    return path


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """One studio for the tests of a module."""
    with running(settings_for(tmp_path_factory.mktemp("studio"))) as opened:
        yield opened


@pytest.fixture(scope="module")
def model(client: TestClient, weights_file: Path) -> dict[str, str]:
    """A reference to a tiny network with uploaded weights."""
    with weights_file.open("rb") as file:
        answer = client.post("/api/uploads/weights", files={"files": ("tiny.safetensors", file)})
    assert answer.status_code == 201, answer.text
    return {"reference": "timm:test_resnet", "weights": answer.json()["id"]}
