"""Metrics: read as they grow, thinned without losing extremes, exact when zoomed in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tests.studio.conftest import MakeRun

from pellucid.studio.confined import Bounds
from pellucid.studio.contents import RunItem
from pellucid.studio.curves import MetricsLog, thinned
from pellucid.studio.curves.parsing import parse
from pellucid.studio.routes.runs import ARROW, _news


@pytest.fixture
def log(tmp_path: Path) -> MetricsLog:
    return MetricsLog(tmp_path / "metrics.jsonl", Bounds([tmp_path]))


def write(path: Path, lines: list[dict[str, Any]], mode: str = "a") -> None:
    with (path / "metrics.jsonl").open(mode) as file:
        file.write("".join(json.dumps(line) + "\n" for line in lines))


def steps(first: int, last: int, **more: Any) -> list[dict[str, Any]]:
    return [{"kind": "step", "step": n, "loss": 1 / n} | more for n in range(first, last + 1)]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    values=arrays(np.float64, st.integers(1, 400), elements=st.floats(allow_nan=True)),
    points=st.integers(10, 60),
)
def test_thinning_keeps_extremes_ends_and_gaps(values: np.ndarray, points: int) -> None:
    places = thinned(values, points)
    assert len(places) <= points
    assert (np.diff(places) > 0).all()
    assert {places[0], places[-1]} == {0, len(values) - 1}
    finite, kept = values[np.isfinite(values)], values[places]
    if len(finite):
        shown = kept[np.isfinite(kept)]
        assert (shown.min(), shown.max()) == (finite.min(), finite.max())
    assert np.isfinite(values).all() == np.isfinite(kept).all()


def test_few_points_are_all_kept() -> None:
    np.testing.assert_array_equal(thinned(np.arange(7.0), 10), np.arange(7))


def test_only_what_is_new_is_read(log: MetricsLog, tmp_path: Path) -> None:
    assert log.refresh() == "0-0"
    write(tmp_path, steps(1, 3))
    log.refresh()
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"kind": "step", "step": 4, "lo')
    before = log.refresh()
    assert before.endswith("-3")
    with (tmp_path / "metrics.jsonl").open("r+b") as file:
        file.write(b"#" * 10)  # what was read is not read again
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('ss": 9}\n')
    assert log.refresh().endswith("-4")
    line = log.line("step.loss", points=100)
    np.testing.assert_allclose(line.y, [1, 1 / 2, 1 / 3, 9])
    assert log.since(before) == 3
    np.testing.assert_allclose(log.line("step.loss", points=100, since=3).y, [9])


def test_a_log_that_was_replaced_is_read_anew(log: MetricsLog, tmp_path: Path) -> None:
    write(tmp_path, steps(1, 9))
    mark = log.refresh()
    write(tmp_path / ".", steps(1, 4), "w")  # cut short in place
    log.refresh()
    assert log.line("step.loss", points=100).total == 4
    new = tmp_path / "new"
    new.mkdir()
    write(new, steps(1, 20))
    (new / "metrics.jsonl").rename(tmp_path / "metrics.jsonl")
    log.refresh()
    assert log.line("step.loss", points=100).total == 20
    assert log.since(mark) is None
    (tmp_path / "metrics.jsonl").unlink()
    log.refresh()
    assert log.names() == []


@pytest.mark.parametrize("count", [3, 2000])  # read one by one, and by Arrow
def test_what_is_missing_is_left_out_and_what_is_not_finite_is_a_gap(
    log: MetricsLog, tmp_path: Path, count: int
) -> None:
    write(tmp_path, steps(1, count))
    write(tmp_path, [{"kind": "step", "step": count + 1, "loss": None, "late": 5}])
    log.refresh()
    write(tmp_path, [{"kind": "step", "step": count + 2, "loss": float("nan")}])
    log.refresh()
    loss, late = (log.line(f"step.{name}", points=10_000) for name in ("loss", "late"))
    assert loss.total == count + 1
    assert np.isnan(loss.y[-1])
    assert loss.x[-1] == count + 2
    assert (late.x.tolist(), late.y.tolist()) == ([count + 1], [5])


def test_both_ways_of_reading_agree() -> None:
    lines = [*steps(1, 500), {"kind": "epoch", "epoch": 1, "validation_loss": 2, "phase": "head"}]
    content = "".join(json.dumps(line) + "\n" for line in lines).encode()
    assert len(content) > 16 * 1024
    quick, count = parse(content, 7)
    slow, same = parse(content + b"\n", 7)
    assert (count, same) == (501, 502)
    assert quick.keys() == slow.keys() == {"step", "epoch"}
    for kind, (places, columns) in quick.items():
        np.testing.assert_array_equal(places, slow[kind][0])
        assert columns.keys() == slow[kind][1].keys()
        for name, values in columns.items():
            np.testing.assert_array_equal(values, slow[kind][1][name])


def test_foreign_lines_are_passed_over(log: MetricsLog, tmp_path: Path) -> None:
    odd = ["[]", "null", "{", '{"kind": 3, "loss": 1}', '{"loss": 1}', '{"kind": "step"}', "",
           '{"kind": "step", "step": true, "loss": "x", "deep": {"a": 1}}', "[" * 100_000,
           '{"kind": "step", "step": 1, "loss": 1e999, "big": ' + "9" * 400 + "}"]  # fmt: skip
    with (tmp_path / "metrics.jsonl").open("w") as file:
        file.write("\n".join([*odd, ""]))
    write(tmp_path, steps(2, 600))
    log.refresh()
    line = log.line("step.loss", points=10_000)
    assert line.total == 600
    assert np.isnan(line.y[0])


def test_curves_are_exact_where_few_and_their_extremes_where_many(
    client: TestClient, make_run: MakeRun
) -> None:
    make_run("pets", steps=5000)
    url = f"/api/runs/{client.get('/api/workspace').json()['runs'][0]['id']}/metrics"
    (thin,) = client.get(url, params={"names": "step.loss", "points": 100}).json()["curves"]
    assert (thin["total"], thin["exact"], max(thin["y"])) == (5000, False, 1.0)
    assert len(thin["x"]) <= 100
    zoomed = {"names": "step.loss", "points": 100, "start": 2000, "end": 2050}
    (near,) = client.get(url, params=zoomed).json()["curves"]
    assert (near["total"], near["exact"]) == (51, True)
    np.testing.assert_allclose(near["y"], 1 / np.arange(2000, 2051))
    assert client.get(url, params={"names": "step.nothing"}).json() == {"curves": []}
    assert client.get(url, params={"points": 3}).status_code == 422
    assert client.get(url, params={"start": "nan"}).status_code == 422


def test_several_runs_come_over_one_another_as_json_and_as_arrow(
    client: TestClient, make_run: MakeRun
) -> None:
    for name in ("a", "bb"):
        make_run(name)
    ids = [run["id"] for run in client.get("/api/workspace").json()["runs"]]
    asked = {"runs": ",".join(ids), "names": "step.loss,epoch.validation_loss"}
    curves = client.get("/api/metrics", params=asked).json()["curves"]
    assert [curve["run"] for curve in curves] == [ids[0], ids[0], ids[1], ids[1]]
    reply = client.get("/api/metrics", params=asked, headers={"accept": ARROW})
    assert reply.headers["content-type"] == ARROW
    table = pa.ipc.open_stream(reply.content).read_all()
    assert table.num_rows == sum(len(curve["x"]) for curve in curves)
    told = json.loads(table.schema.metadata[b"curves"])
    assert [(t["run"], t["name"], t["total"]) for t in told] == [
        (c["run"], c["name"], c["total"]) for c in curves
    ]
    assert table.to_pylist()[0] == {
        "run": ids[0], "name": "step.loss", "x": curves[0]["x"][0], "y": curves[0]["y"][0],
    }  # fmt: skip
    assert client.get("/api/metrics", params={"runs": f"{ids[0]},nothing"}).status_code == 404


def test_news_go_on_from_the_last_event(log: MetricsLog, tmp_path: Path) -> None:
    run = RunItem(id="r", key="k", path=tmp_path, record={}, status="running")
    write(tmp_path, steps(1, 3))
    mark = log.refresh()
    first = _news(run, log, "")
    assert (first["reset"], first["curves"][0]["x"]) == (True, [1, 2, 3])
    write(tmp_path, [*steps(4, 5), {"kind": "epoch", "epoch": 1, "train_loss": 2.0}])
    log.refresh()
    news = _news(run, log, mark)
    assert news["reset"] is False
    assert {curve["name"]: curve["x"] for curve in news["curves"]} == {
        "step.loss": [4, 5], "epoch.train_loss": [1],
    }  # fmt: skip


@pytest.mark.slow
def test_a_million_points_are_thinned_and_exact_on_zoom(tmp_path: Path) -> None:
    with (tmp_path / "metrics.jsonl").open("w") as file:
        file.writelines(
            f'{{"kind": "step", "step": {n}, "epoch": 1, "loss": {1 / n}, "learning_rate": 0.1}}\n'
            for n in range(1, 500_001)
        )
    log = MetricsLog(tmp_path / "metrics.jsonl", Bounds([tmp_path]))
    log.refresh()
    lines = [log.line(name, points=2000) for name in log.names()]
    assert sum(line.total for line in lines) == 1_000_000
    assert all(len(line.x) <= 2000 and not line.exact for line in lines)
    zoomed = log.line("step.loss", points=2000, start=250_000, end=251_000)
    assert zoomed.exact
    assert zoomed.y.tolist() == pytest.approx([1 / n for n in range(250_000, 251_001)])
