"""A run tells how it stands from its folder alone, also while it is being written."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

from pellucid.errors import ResultError
from pellucid.result import Provenance, Result
from pellucid.workspace.run import Run


def dead_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.fixture
def make_run(tmp_path):
    def make(**changes) -> Run:
        identity = {"source": "folder:pets", "split": "train", "num_samples": 80, "samples": "ab"}
        record = {
            "id": "r1",
            "name": "pets",
            "created": "2026-05-01T10:00:00+00:00",
            "status": "finished",
            "why": "",
            "pid": os.getpid(),
            "host": platform.node(),
            "seconds": 75.4,
            "best": {"epoch": 2, "validation_loss": 0.4},
            "notes": [],
            "config": {"strategy": "head"},
            "model": {"source": "torchvision:resnet18", "weights": "cd", "run": ""},
            "data": {"train": identity, "validation": identity | {"num_samples": 20}},
            "parameters": 1000,
            "trained_parameters": 10,
            "workspace": str(tmp_path / "workspace"),
        } | changes
        path = tmp_path / "run"
        path.mkdir()
        (path / "run.json").write_text(json.dumps(record))
        (path / "samples.json").write_text(json.dumps({"train": ["a", "b"], "validation": ["c"]}))
        lines = [
            {"kind": "step", "step": 1, "epoch": 1, "loss": 2.0, "learning_rate": 0.1},
            *(
                {
                    "kind": "epoch",
                    "epoch": epoch,
                    "train_loss": 1 / epoch,
                    "train_accuracy": 0.5,
                    "validation_loss": 0.8 / epoch,
                    "validation_accuracy": 0.6 + epoch / 10,
                }
                for epoch in (1, 2)
            ),
        ]
        (path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        return Run.open(path)

    return make


def test_a_run_tells_its_story(make_run):
    run = make_run()
    assert run.summary() == (
        "torchvision:resnet18 was fine-tuned on 80 samples of folder:pets with the strategy 'head': "
        "10 of 1,000 parameters were trained. 2 epochs took 1 min 15 s. The weights kept are those "
        "of epoch 2, which was right on 80.0% of 20 samples held out from training."
    )
    assert run.training_ids == {"a", "b"}
    loss, accuracy, rate = run.views()
    assert [series.name for series in loss.series] == ["training", "validation"]
    np.testing.assert_allclose(accuracy.series[1].y, [0.7, 0.8])
    np.testing.assert_allclose(rate.series[0].y, [0.1])


def test_curves_of_a_run_without_validation_leave_it_out(make_run):
    run = make_run(best=None)
    log = run.path / "metrics.jsonl"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    blank = {"validation_loss": None, "validation_accuracy": None}
    log.write_text("".join(json.dumps(line | blank) + "\n" for line in lines))
    assert [series.name for series in run.views()[0].series] == ["training"]


def test_a_process_that_has_gone_makes_a_run_stopped(make_run):
    assert make_run(status="running", pid=dead_process()).status == "stopped"


def test_a_process_that_lives_or_is_elsewhere_keeps_a_run_running(make_run, tmp_path):
    run = make_run(status="running")
    assert run.status == "running"
    record = json.loads((run.path / "run.json").read_text())
    elsewhere = record | {"host": "another", "pid": dead_process()}
    (run.path / "run.json").write_text(json.dumps(elsewhere))
    assert run.status == "running"


def test_a_line_that_is_being_written_is_left_for_later(make_run):
    run = make_run()
    with (run.path / "metrics.jsonl").open("a") as file:
        file.write('{"kind": "epoch", "epo')
    assert len(run.metrics()) == 2


def test_results_of_a_run_are_its_own_and_the_catalogued_ones(make_run, tmp_path):
    run = make_run()
    data = xr.Dataset({"value": ("sample", np.arange(3.0))})
    result = Result(data=data, meta=Provenance(kind="result"))
    first, second = run.add(result), run.add(result)
    assert first != second
    from pellucid.workspace.workspace import Workspace

    elsewhere = result.save(tmp_path / "elsewhere.zarr")
    Workspace(run.record["workspace"]).register_result(result.meta, elsewhere, run_id=run.id)
    assert set(run.results()) == {first, second, elsewhere}


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(ResultError, match=r"is not a run: it has no run\.json"):
        Run.open(tmp_path)
