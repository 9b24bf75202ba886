"""Uploads: what becomes of files, and of those that are hostile."""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from pellucid.studio.uploads.names import UnsafeName, safe_path

HALF = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\nhalf a file'
Files = list[tuple[str, tuple[str, bytes]]]


def send(client: TestClient, files: dict[str, bytes], **fields: str) -> Any:
    parts: Files = [("files", (name, content)) for name, content in files.items()]
    return client.post("/api/uploads", files=parts, data=fields)


def left(client: TestClient, helpers: Any) -> list[str]:
    """Names of what lies in the folder of uploads."""
    folder = helpers.studio_of(client).workspace.path / "uploads"
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def bomb(side: int = 30_000) -> bytes:
    """A PNG file of few bytes whose header promises very many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def test_pictures_in_folders_become_labelled_data(client: TestClient, helpers: Any) -> None:
    picture = helpers.picture_file()
    files = {f"pets/{label}/{i}.png": picture for label in ("cat", "dog") for i in range(2)}
    files |= {"pets/.DS_Store": b"x", "pets/notes.txt": b"x", "pets/cat/bad.jpg": b"no picture"}
    answer = send(client, files)
    assert answer.status_code == 201, answer.text
    found = answer.json()
    assert (found["title"], found["kind"], found["num_files"]) == ("pets", "pictures", 4)
    assert found["problems"] == [
        "pets/cat/bad.jpg: not a picture, or its header is damaged",
        "pets/notes.txt: left out beside pictures",
    ]
    listed = next(d for d in client.get("/api/data").json() if d["id"] == found["data"])
    assert (listed["num_samples"], listed["labels"]) == (4, ["cat", "dog"])
    page = client.get(f"/api/data/{found['data']}/samples?label=dog&count=1").json()
    assert page["total"] == 2
    assert page["items"][0]["sample"] == "dog/0.png"
    position = page["items"][0]["position"]
    shown = client.get(f"/api/data/{found['data']}/samples/{position}.png?size=64")
    assert shown.headers["content-type"] == "image/png"
    detail = client.get(f"/api/data/{found['data']}").json()
    assert detail["splits"] == ["train", "val", "test"]


def test_a_table_becomes_texts(client: TestClient) -> None:
    content = b"text,label\nA fine film,good\nDull,bad\n"
    found = send(client, {"reviews.csv": content}, title="Film reviews").json()
    assert (found["title"], found["kind"], found["num_files"]) == ("Film reviews", "table", 1)
    assert client.get(f"/api/uploads/{found['id']}").json() == found
    assert client.get("/api/uploads/nobody").status_code == 404
    items = client.get(f"/api/data/{found['data']}/samples").json()["items"]
    assert [(item["snippet"], item["label"]) for item in items] == [
        ("A fine film", "good"),
        ("Dull", "bad"),
    ]


def test_a_table_that_cannot_be_used_leaves_nothing(client: TestClient, helpers: Any) -> None:
    before = left(client, helpers)
    answer = send(client, {"numbers.csv": b"a,b\n1,2\n"})
    assert answer.status_code == 422
    message = answer.json()["error"]["message"]
    assert "numbers.csv" in message
    assert str(helpers.studio_of(client).workspace.path) not in message
    assert left(client, helpers) == before


@pytest.mark.parametrize(
    "name",
    [
        "../evil.png", "a/../../evil.png", "/etc/evil.png", "C:\\evil.png", "..\\evil.png",
        "a\0.png", "con.png", "a/nul/b.png", "/".join("abcdefghijk") + ".png", "a//b.png",
        "x" * 250 + ".png", "", ".", "a/./b.png", "trailing. /b.png", "\ud800.png",
    ],
)  # fmt: skip
def test_names_that_are_not_safe(name: str) -> None:
    with pytest.raises(UnsafeName):
        safe_path(name)


@given(st.text(alphabet=st.sampled_from("a.\\/: \0~é猫-_"), max_size=30) | st.text(max_size=60))
def test_no_name_leads_out_of_its_folder(name: str) -> None:
    try:
        path = safe_path(name)
    except UnsafeName:
        return
    home = Path("/home/of/uploads")
    assert Path(os.path.normpath(home / path)).is_relative_to(home)
    assert os.path.normpath(home / path) == str(home / path)
    assert safe_path(str(path)) == path


def test_names_are_the_same_on_every_system() -> None:
    assert str(safe_path("a\\b c.png")) == "a/b c.png"
    assert str(safe_path("e\u0301.png")) == "\u00e9.png"
    assert str(safe_path("猫/1.png")) == "猫/1.png"


def test_files_that_lead_out_are_left_out(client: TestClient, helpers: Any) -> None:
    picture = helpers.picture_file()
    found = send(client, {"../../evil.png": picture, "good.png": picture}).json()
    assert found["num_files"] == 1
    assert found["problems"] == ["../../evil.png: its path leads out of its folder"]
    home: Path = helpers.studio_of(client).workspace.path
    assert not list(home.parent.rglob("evil.png"))


def test_bombs_are_left_out(client: TestClient, helpers: Any) -> None:
    before = left(client, helpers)
    answer = send(client, {"bomb.png": bomb()})
    assert answer.status_code == 422
    assert "too large" in answer.json()["error"]["message"]
    assert left(client, helpers) == before
    answer = client.post("/api/inputs", files={"files": ("bomb.png", bomb())})
    assert answer.status_code == 422
    assert "too large" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b"{}", 415),
        ("multipart/form-data", b"", 415),
        ("multipart/form-data; boundary=x", b"", 400),
        ("multipart/form-data; boundary=x", b"nonsense", 400),
        ("multipart/form-data; boundary=x", HALF, 400),
        ("multipart/form-data; boundary=x", b"--x--\r\n", 422),
    ],
)  # fmt: skip
def test_malformed_bodies(
    client: TestClient, helpers: Any, content_type: str, body: bytes, status: int
) -> None:
    before = left(client, helpers)
    answer = client.post("/api/uploads", content=body, headers={"content-type": content_type})
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["message"]
    assert left(client, helpers) == before


def test_too_much_is_refused_while_it_streams(tmp_path: Path, helpers: Any) -> None:
    with helpers.running(helpers.settings_for(tmp_path, max_upload_bytes=50_000)) as client:
        answer = send(client, {"a.png": b"x" * 60_000})
        assert answer.status_code == 413

        def endless() -> Any:
            yield b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
            for _ in range(100):
                yield b"x" * 1000

        headers = {"content-type": "multipart/form-data; boundary=x"}
        answer = client.post("/api/uploads", content=endless(), headers=headers)
        assert answer.status_code == 413
        assert left(client, helpers) == []


def test_weights_are_safetensors_only(client: TestClient, weights_file: Path, helpers: Any) -> None:
    pickled = io.BytesIO()
    pickle.dump({"weight": [1.0]}, pickled)
    torn = weights_file.read_bytes()[:-100]
    before = left(client, helpers)
    for name, content in (
        ("model.pt", pickled.getvalue()),
        ("model.safetensors", pickled.getvalue()),
        ("model.safetensors", torn),
        ("model.safetensors", b""),
    ):
        answer = client.post("/api/uploads/weights", files={"files": (name, content)})
        assert answer.status_code == 422, answer.text
        assert answer.json()["error"]["type"] == "WeightsError"
    assert left(client, helpers) == before


def test_records_cannot_lead_out(client: TestClient, helpers: Any) -> None:
    home: Path = helpers.studio_of(client).workspace.path
    folder = home / "uploads" / "foreign"
    folder.mkdir(parents=True)
    record = {
        "id": "foreign", "title": "x", "kind": "pictures", "created": "2026", "content": "../..",
        "num_files": 1, "num_bytes": 1, "labels": [], "problems": [],
    }  # fmt: skip
    (folder / "upload.json").write_text(json.dumps(record))
    answer = client.get("/api/data/foreign")
    (folder / "upload.json").unlink()
    folder.rmdir()
    assert answer.status_code == 422
    assert "damaged" in answer.json()["error"]["message"]
