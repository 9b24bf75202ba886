"""Results: views in one packed format, figures, data; quick when nothing changed; foreign files do no harm."""

from __future__ import annotations

import csv
import io
import json
import math
import shutil
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import xarray as xr
from fastapi.testclient import TestClient
from tests.studio.conftest import make_result

from pellucid import plugins
from pellucid.result import Provenance, Result
from pellucid.studio import export
from pellucid.studio.cache import Cache
from pellucid.studio.export import as_arrow, as_csv, as_json
from pellucid.views import Axis, Lines, Matrix, Scatter, Series, Table, View
from pellucid.views.pack import MAGIC
from pellucid.workspace.workspace import Workspace


class Study(Result):
    """An analysis that the studio has never heard of."""

    kind = "study"

    def views(self) -> list[View]:
        score = self.data["score"].values
        samples = tuple(self.data["sample"].values.tolist())
        axis = Axis(label="score")
        x, y = score[:, 0], score[:, 2]
        series = (Series(name="s", x=np.arange(3.0), y=score[0]),)
        members = {(0, 1): samples}
        return [
            Lines(title="Curve of conv1", series=series, x=axis, y=axis),
            Matrix(title="Table", values=np.eye(9), rows=tuple("abcdefghi"), columns=tuple("abcdefghi"),
                   x=axis, y=axis, value=axis, members=members),
            Scatter(title="Map", x_values=x, y_values=y, samples=samples, x=axis, y=axis),
        ]  # fmt: skip

    def headline(self) -> list[tuple[str, str, str]]:
        return [("Best", "4.0", "of 6")]

    def summary(self) -> str:
        return "A study."


@pytest.fixture
def study(workspace: Workspace, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> str:
    """Address of a saved study, whose kind is registered as a third party's would be."""
    find, names = plugins.find, plugins.names
    monkeypatch.setattr(
        plugins, "find", lambda g, n, *, what: Study if n == "study" else find(g, n, what=what)
    )
    monkeypatch.setattr(plugins, "names", lambda group: [*names(group), "study"])
    data = make_result().data.assign(layer=("unit", np.array(["conv1", "conv2"])))
    workspace.add(Study(data=data, meta=Provenance(kind="study")))
    return address(client)


def address(client: TestClient) -> str:
    return f"/api/results/{client.get('/api/workspace').json()['results'][0]['id']}"


def test_an_unknown_analysis_shows_up_by_its_views(client: TestClient, study: str) -> None:
    result = client.get(study).json()
    assert (result["kind"], result["title"], result["summary"]) == ("study", "Study", "A study.")
    assert result["headline"] == [{"label": "Best", "value": "4.0", "detail": "of 6"}]
    assert [(view["kind"], view["layer"]) for view in result["views"]] == [
        ("Lines", "conv1"), ("Matrix", ""), ("Scatter", ""),
    ]  # fmt: skip
    assert result["views"][1]["samples"] == result["views"][2]["samples"] == ["a.png", "=b.png"]
    assert set(result["meta"]["variables"]) == {"score", "sample", "label", "layer"}


def test_views_come_packed_and_only_when_they_changed(
    client: TestClient, study: str, workspace: Workspace
) -> None:
    reply = client.get(f"{study}/views/1")
    assert reply.headers["content-type"] == "application/vnd.pellucid.view"
    assert reply.content.startswith(MAGIC)
    tag = reply.headers["etag"]
    assert tag.startswith('"')
    assert reply.headers["cache-control"] == "private, no-cache"
    again = client.get(f"{study}/views/1", headers={"if-none-match": f'"other", {tag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert client.get(f"{study}/views/0").headers["etag"] != tag
    (path,) = (workspace.path / "results").iterdir()
    shutil.copytree(path, path.with_name("copy"))
    (path / "zarr.json").write_text((path / "zarr.json").read_text() + "\n")
    changed = client.get(f"{study}/views/1", headers={"if-none-match": tag})
    assert (changed.status_code, changed.content == reply.content) == (200, True)


@pytest.mark.parametrize("index", ["3", "-1", "x", "1e9", "9999999999"])
def test_a_view_that_is_not_there_is_named(client: TestClient, study: str, index: str) -> None:
    reply = client.get(f"{study}/views/{index}")
    assert reply.status_code in (404, 422)
    assert reply.json()["error"]["message"]


@pytest.mark.parametrize(
    ("suffix", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")]
)
def test_figures_are_for_paper(client: TestClient, study: str, suffix: str, start: bytes) -> None:
    reply = client.get(f"{study}/views/0/figure.{suffix}")
    assert reply.content.startswith(start)
    disposition = reply.headers["content-disposition"]
    assert disposition == f'attachment; filename="curve-of-conv1.{suffix}"'
    tag = reply.headers["etag"]
    assert (
        client.get(f"{study}/views/0/figure.{suffix}", headers={"if-none-match": tag}).status_code
        == 304
    )
    assert client.get(f"{study}/views/0/figure.exe").status_code == 422


def test_figures_are_drawn_by_many_at_once(client: TestClient, study: str) -> None:
    replies: list[bytes] = []

    def draw(index: int) -> None:
        replies.append(client.get(f"{study}/views/{index % 3}/figure.png").content)

    threads = [threading.Thread(target=draw, args=(index,)) for index in range(9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(replies) == 9
    assert all(reply.startswith(b"\x89PNG") for reply in replies)
    assert len(set(replies)) == 3


def test_data_comes_as_csv_that_a_spreadsheet_does_not_run(client: TestClient, study: str) -> None:
    reply = client.get(f"{study}/data/score.csv")
    rows = list(csv.reader(io.StringIO(reply.text)))
    assert rows[0] == ["sample", "label", "score"]
    assert rows[2] == ["a.png", "dog", ""]
    assert rows[4] == ["'=b.png", "cat", "4.0"]
    assert rows[6][2] == "-6.0"
    assert client.get(f"{study}/data/nothing.csv").status_code == 404
    assert client.get(f"{study}/data/..%2f..%2fetc%2fpasswd.csv").status_code == 404


def test_data_comes_as_arrow_and_json_with_null_for_what_json_lacks(
    client: TestClient, study: str
) -> None:
    table = pa.ipc.open_stream(client.get(f"{study}/data/score.arrow").content).read_all()
    assert table.column_names == ["sample", "label", "score"]
    assert table["score"].to_pylist()[0] == 1.0
    assert math.isnan(table["score"].to_pylist()[1])
    written = client.get(f"{study}/data/score.json").json()
    assert written["values"] == [[1.0, None, 3.0], [4.0, None, -6.0]]
    assert written["coords"]["label"] == ["cat", "dog", "owl"]


@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (2, 3, 4), (2501,)])
def test_data_of_any_shape_can_be_had(
    shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "PIECE", 1000)
    values = np.arange(math.prod(shape), dtype=np.float32).reshape(shape)
    variable = xr.DataArray(values, dims=[f"d{n}" for n in range(len(shape))], name="v")
    table = pa.ipc.open_stream(b"".join(as_arrow(variable))).read_all()
    np.testing.assert_array_equal(table["v"].to_numpy(), values.reshape(-1))
    assert b"".join(as_csv(variable)).count(b"\n") == values.size + 1
    read = np.array(json.loads(b"".join(as_json(variable)))["values"], dtype=np.float32)
    np.testing.assert_array_equal(read.reshape(shape), values)


def damage_chunks(path: Path) -> None:
    for chunk in (path / "score" / "c").rglob("*"):
        if chunk.is_file():
            chunk.write_bytes(b"noise")


def link_chunks(path: Path) -> None:
    for chunk in (path / "score" / "c").rglob("*"):
        if chunk.is_file():
            chunk.unlink()
            chunk.symlink_to("/etc/passwd")


def declare_endless(path: Path) -> None:
    for file in path.rglob("zarr.json"):
        text = file.read_text()
        for size in (2, 3):
            text = text.replace(f"{size},\n", "1000000000000,\n").replace(
                f"{size}\n", "1000000000000\n"
            )
        file.write_text(text)


def name_outside(path: Path) -> None:
    record = json.loads((path / "zarr.json").read_text())
    arrays = record["consolidated_metadata"]["metadata"]
    arrays["../../../secret"] = arrays.pop("score")
    (path / "zarr.json").write_text(json.dumps(record))


def strip_provenance(path: Path) -> None:
    record = json.loads((path / "zarr.json").read_text())
    record["attributes"]["pellucid"] = '{"kind": "scores", "unknown": {'
    (path / "zarr.json").write_text(json.dumps(record))


@pytest.mark.parametrize(
    ("harm", "status"),
    [(damage_chunks, 422), (link_chunks, 403), (declare_endless, 422), (name_outside, 422),
     (strip_provenance, 422)],
)  # fmt: skip
def test_a_foreign_result_does_no_harm(
    client: TestClient, workspace: Workspace, harm: Any, status: int
) -> None:
    path = workspace.add(make_result())
    harm(path)
    url = address(client)
    for route in ("", "/views/0", "/views/0/figure.png", "/data/score.csv"):
        reply = client.get(f"{url}{route}")
        assert reply.status_code == status, reply.text
        assert "root:" not in reply.text
        assert reply.json()["error"]["message"]


def test_a_result_without_the_variables_of_its_kind_is_told_as_damaged(
    client: TestClient, workspace: Workspace
) -> None:
    workspace.add(make_result("evaluation"))
    reply = client.get(address(client))
    assert reply.status_code == 422
    assert "damaged, or made by another version" in reply.json()["error"]["message"]


def test_words_from_foreign_files_are_sent_as_data(
    client: TestClient, workspace: Workspace
) -> None:
    meta = Provenance(kind="<script>alert(1)</script>", method="<img onerror=alert(1)>")
    workspace.add(Result(data=make_result().data, meta=meta))
    reply = client.get(address(client))
    assert reply.headers["content-type"] == "application/json"
    assert reply.json()["kind"] == "<script>alert(1)</script>"


def test_a_plain_result_has_a_table(client: TestClient, workspace: Workspace) -> None:
    workspace.add(make_result())
    (view,) = client.get(address(client)).json()["views"]
    assert view["kind"] == Table.__name__


def test_the_cache_makes_once_and_stays_within_its_bytes() -> None:
    cache: Cache[bytes] = Cache(100, len)
    made: list[int] = []
    gate = threading.Barrier(4)

    def make(key: int) -> bytes:
        made.append(key)
        return bytes(40)

    def ask() -> None:
        gate.wait()
        cache.get(1, lambda: make(1))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [1]
    for key in (2, 3, 1):
        cache.get(key, lambda key=key: make(key))
    assert made == [1, 2, 3, 1]
    assert cache.num_bytes == 80
    cache.get("too large", lambda: bytes(101))
    assert cache.num_bytes == 80
    with pytest.raises(ZeroDivisionError):
        cache.get("fails", lambda: bytes(1 // 0))
    assert cache.get("fails", lambda: b"now") == b"now"
