"""Models and data by reference, and reports."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from pellucid.errors import ModelError, SpecError
from pellucid.result import Result
from pellucid.studio.problems import NotThere
from pellucid.studio.references import open_reference
from pellucid.studio.schemas import ModelReference


def test_an_opened_model(client: TestClient, model: dict[str, str]) -> None:
    answer = client.post("/api/models/open", json=model)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["title"], found["kind"], found["input_size"]) == (
        "test_resnet",
        "image",
        [160, 160],
    )
    assert len(found["labels"]) == 1000
    assert found["num_parameters"] > 100_000
    assert "layer1.0.conv1" in found["layers"]


@pytest.mark.parametrize(
    "reference",
    [
        "python:os:system", "python:/tmp/x.py:f", "/tmp", "timm:/tmp", "timm:local-dir:/tmp",
        "timm:hf-hub:a/../b", "torchvision:../x", "hf:/tmp", "hf:./x", "hf:~/x", "hf:a/b/c",
        "bundled:", "resnet18", "folder:x", "timm:a b", "hf:src",
    ],
)  # fmt: skip
def test_references_that_are_not_allowed(client: TestClient, helpers: Any, reference: str) -> None:
    with pytest.raises(SpecError):
        open_reference(helpers.studio_of(client), ModelReference(reference=reference))


def test_references_to_what_is_not_there(client: TestClient, helpers: Any) -> None:
    studio = helpers.studio_of(client)
    with pytest.raises(NotThere, match="no run"):
        open_reference(studio, ModelReference(reference="run:nobody"))
    with pytest.raises(NotThere, match="weights"):
        open_reference(studio, ModelReference(reference="timm:test_resnet", weights="nobody"))
    answer = client.post("/api/models/open", json={"reference": "torchvision:resnet81"})
    assert answer.status_code == 422
    assert "Closest" in answer.json()["error"]["message"]


def test_a_run_without_a_model(client: TestClient, helpers: Any, tmp_path: Path) -> None:
    from pellucid.studio.references import run_opening

    with pytest.raises(ModelError, match="no model yet"):
        run_opening(tmp_path)


def test_bundled_data(client: TestClient) -> None:
    known = {each["id"] for each in client.get("/api/data").json()}
    assert "bundled-digits" in known
    found = client.get("/api/data/bundled-digits?split=val").json()
    assert found["labels"] == [str(digit) for digit in range(10)]
    assert 150 < found["num_samples"] < 210
    page = client.get("/api/data/bundled-digits/samples?start=1790&count=60").json()
    assert (page["total"], len(page["items"])) == (1797, 7)
    shown = client.get("/api/data/bundled-digits/samples/3.png?size=128")
    picture = Image.open(io.BytesIO(shown.content))
    assert picture.size == (128, 128)  # enlarged, with sharp pixels
    assert client.get("/api/data/bundled-digits/samples/9999.png").status_code == 404
    assert client.get("/api/data/nothing").status_code == 404
    assert client.get("/api/data/bundled-digits/samples?label=eleven").json()["total"] == 0


def test_data_that_the_studio_was_started_with(tmp_path: Path, helpers: Any) -> None:
    for label in ("cat", "dog"):
        (tmp_path / "pets" / label).mkdir(parents=True)
        (tmp_path / "pets" / label / "1.png").write_bytes(helpers.picture_file())
    (tmp_path / "reviews.csv").write_text("text,label\nA,x\nB,y\n")
    data = (tmp_path / "pets", tmp_path / "reviews.csv")
    with helpers.running(
        helpers.settings_for(tmp_path / "space", data=data, read_only=True)
    ) as client:
        first, second, *_ = client.get("/api/data").json()
        assert (first["title"], first["source"]) == ("pets", "folder")
        assert (second["title"], second["source"]) == ("reviews.csv", "table")
        assert client.get(f"/api/data/{first['id']}").json()["num_samples"] == 2
        assert client.get(f"/api/data/{second['id']}/samples").json()["items"][1]["snippet"] == "B"
        assert client.get("/api/models").status_code == 200
        assert client.get("/api/jobs").json() == []
        refused = client.post("/api/inputs", json={"text": "a"})
        assert refused.status_code == 403
    assert not (tmp_path / "space").exists()


@pytest.fixture(scope="module")
def result(client: TestClient, helpers: Any) -> str:
    import xarray as xr

    from pellucid.result import Provenance

    studio = helpers.studio_of(client)
    made = Result(data=xr.Dataset({"a": ("x", [1.0, 2.0])}), meta=Provenance(kind="trial"))
    found: str = studio.contents.result_id(studio.workspace.add(made))
    return found


def test_a_report_is_written_and_downloaded(client: TestClient, result: str) -> None:
    request = {
        "title": "Can we trust it? / 可信吗",
        "note": "For the board.",
        "items": [{"result": result, "comment": "Look at <b>this</b> first."}],
    }
    answer = client.post("/api/reports", json=request)
    assert answer.status_code == 201, answer.text
    found = answer.json()
    assert found["name"] == "Can-we-trust-it.html"
    file = client.get(f"/api/files/{found['id']}")
    assert len(file.content) == found["num_bytes"]
    assert file.headers["content-disposition"] == 'attachment; filename="Can-we-trust-it.html"'
    assert "<b>this</b>" not in file.text
    assert "first." in file.text
    paper = client.post("/api/reports", json=request | {"title": "x", "format": "pdf"}).json()
    file = client.get(f"/api/files/{paper['id']}")
    assert file.headers["content-type"] == "application/pdf"
    assert file.content.startswith(b"%PDF")


def test_reports_of_what_is_not_there(client: TestClient, result: str) -> None:
    wrong: list[tuple[dict[str, Any], int]] = [
        ({}, 404),
        ({"result": "nobody"}, 404),
        ({"run": "nobody"}, 404),
        ({"result": result, "views": [7]}, 422),
    ]
    for item, status in wrong:
        answer = client.post("/api/reports", json={"title": "x", "items": [item]})
        assert answer.status_code == status, answer.text
    assert client.get("/api/files/nobody").status_code == 404
