"""Questions about one input: predictions, maps, hidden parts, and what is refused."""

from __future__ import annotations

import io
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image

STROKE = {"points": [[0.2, 0.2], [0.8, 0.8]], "radius": 0.2}


@pytest.fixture(scope="module")
def picture(client: TestClient, helpers: Any) -> str:
    answer = client.post("/api/inputs", files={"files": ("disc.png", helpers.picture_file())})
    assert answer.status_code == 201, answer.text
    found: str = answer.json()["id"]
    return found


def ask(client: TestClient, model: dict[str, str], picture: str, **more: Any) -> dict[str, Any]:
    answer = client.post("/api/predict", json={"model": model, "input": picture, **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_predictions(client: TestClient, model: dict[str, str], picture: str) -> None:
    found = ask(client, model, picture)
    shares = [each["probability"] for each in found["answers"]]
    assert found["num_classes"] == 1000
    assert len(shares) == 10
    assert shares == sorted(shares, reverse=True)
    assert found["answers"][0]["label"]
    assert ask(client, model, picture)["answers"] == found["answers"]


@pytest.mark.parametrize("fill", ["blur", "mean", "zero"])
def test_hidden_parts_change_the_answer(
    client: TestClient, model: dict[str, str], picture: str, fill: str
) -> None:
    whole = ask(client, model, picture)
    hidden = ask(client, model, picture, strokes=[STROKE], fill=fill)
    assert hidden["answers"][0]["logit"] != whole["answers"][0]["logit"]
    assert ask(client, model, picture)["answers"] == whole["answers"]


def test_reasons(client: TestClient, model: dict[str, str], picture: str) -> None:
    asked = {
        "model": model,
        "input": picture,
        "methods": ["grad_cam", "saliency", "attention", "nonsense"],
        "target": 3,
        "faithfulness": True,
    }
    answer = client.post("/api/why", json=asked)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["methods"] == ["grad_cam", "saliency"]
    assert found["target"]["index"] == 3
    assert set(found["refused"]) == {"attention", "nonsense"}
    assert "Closest" in found["refused"]["nonsense"] or "Known" in found["refused"]["nonsense"]
    measured = {(each["method"], each["measure"]) for each in found["faithfulness"]}
    assert {("grad_cam", "deletion"), ("saliency", "insertion")} <= measured
    for each in found["faithfulness"]:
        assert set(each["controls"]) == {"Random order", "Constant map"}
        assert each["meaning"]
    (view,) = found["views"]
    assert view["kind"] == "Overlay"
    packed = client.get(f"/api/why/{found['id']}/views/0")
    assert packed.headers["content-type"] == "application/vnd.pellucid.view"
    assert packed.content.startswith(b"PLCDVIEW")
    assert client.get(f"/api/why/{found['id']}/views/1").status_code == 404


def test_a_contrast_with_itself_is_refused(
    client: TestClient, model: dict[str, str], picture: str
) -> None:
    asked = {"model": model, "input": picture, "methods": ["saliency"], "target": 3, "against": 3}
    answer = client.post("/api/why", json=asked)
    assert answer.status_code == 422
    assert answer.json()["error"]["type"] == "MethodError"


def test_an_unknown_layer_is_refused_by_the_method_alone(
    client: TestClient, model: dict[str, str], picture: str
) -> None:
    asked = {
        "model": model,
        "input": picture,
        "methods": ["grad_cam", "saliency"],
        "layer": "lyer4",
    }
    found = client.post("/api/why", json=asked).json()
    assert found["methods"] == ["saliency"]
    assert "lyer4" in found["refused"]["grad_cam"]


def test_texts_do_not_fit_a_model_of_pictures(client: TestClient, model: dict[str, str]) -> None:
    text = client.post("/api/inputs", json={"text": "  A fine\nday "}).json()
    assert client.get(f"/api/inputs/{text['id']}").json() == text
    assert text["kind"] == "text"
    assert text["title"] == "A fine day"
    answer = client.post("/api/predict", json={"model": model, "input": text["id"]})
    assert answer.status_code == 422
    assert "takes pictures" in answer.json()["error"]["message"]


def test_the_preview_is_upright(client: TestClient) -> None:
    picture = Image.new("RGB", (40, 20), "red")
    exif = picture.getexif()
    exif[0x0112] = 6  # taken with the camera on its side
    file = io.BytesIO()
    picture.save(file, "JPEG", exif=exif)
    found = client.post("/api/inputs", files={"files": ("phone.jpg", file.getvalue())}).json()
    assert (found["width"], found["height"]) == (20, 40)
    shown = client.get(f"/api/inputs/{found['id']}.png")
    assert shown.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(shown.content)).size == (20, 40)


def test_a_sample_is_asked_about(client: TestClient, model: dict[str, str]) -> None:
    sample = {"data": "bundled-digits", "sample": "digit-0007"}
    found = client.post("/api/inputs", json=sample).json()
    assert (found["title"], found["width"]) == ("digit-0007", 8)
    assert ask(client, model, found["id"])["num_classes"] == 1000
    lost = client.post("/api/inputs", json={"data": "bundled-digits", "position": 99_999})
    assert lost.status_code == 404


@pytest.mark.parametrize("content", [b"", b"no picture", b"cut short"])
def test_damaged_pictures_are_refused(client: TestClient, helpers: Any, content: bytes) -> None:
    content = helpers.picture_file()[:200] if content == b"cut short" else content
    answer = client.post("/api/inputs", files={"files": ("a.png", content)})
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert error["type"] == "UnreadableSample"
    assert error["details"]["sample"] == "a.png"


@pytest.mark.parametrize("body", [{}, {"text": ""}, {"text": "a", "position": 1}, [1], "text"])
def test_other_bodies_are_refused(client: TestClient, body: Any) -> None:
    assert client.post("/api/inputs", json=body).status_code == 422


def test_inputs_that_are_gone(client: TestClient, model: dict[str, str]) -> None:
    answer = client.post("/api/predict", json={"model": model, "input": "gone"})
    assert answer.status_code == 404
    assert client.get("/api/inputs/gone.png").status_code == 404
    assert client.get("/api/inputs/gone").status_code == 404
