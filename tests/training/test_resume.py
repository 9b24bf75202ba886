"""A training that was killed goes on to the same weights as one that never was."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from pellucid.errors import TrainingError
from pellucid.training.checkpoint import (
    TrainingState,
    flatten,
    load_checkpoint,
    save_checkpoint,
    unflatten,
)
from pellucid.training.finetune import finetune
from pellucid.training.recorder import Recorder, hold
from pellucid.workspace.run import Run, read_lines

SCRIPT = """
import sys, json
sys.path.insert(0, sys.argv[1])
from conftest import small_network
from pellucid.model import ImageInput
from pellucid.model.source import wrap
from pellucid.data.source import load_data
from pellucid.training.finetune import finetune
digit = ImageInput(size=(8, 8), resize=8, mean=(0.5,), std=(0.5,))
model = wrap(small_network().eval(), input=digit, labels=[f"old {n}" for n in range(10)])
digits = load_data("bundled:digits", split="train", limit=200)
finetune(model, digits, out=sys.argv[2], workspace=sys.argv[3], resume=True, show=False,
         **json.loads(sys.argv[4]))
"""


def start(folder: Path, run: Path, settings: dict[str, object]) -> subprocess.Popen[bytes]:
    arguments = [str(folder), str(run), str(run.parent), json.dumps(settings)]
    return subprocess.Popen([sys.executable, "-c", SCRIPT, *arguments])


def kill_after(process: subprocess.Popen[bytes], run: Path, steps: int) -> None:
    """Kill -9 once the last checkpoint is at least `steps` in."""
    state = run / "checkpoints" / "last" / "state.json"
    while process.poll() is None:
        try:
            if json.loads(state.read_text())["state"]["step"] >= steps:
                os.kill(process.pid, signal.SIGKILL)
                process.wait()
                return
        except (FileNotFoundError, ValueError):
            pass
        time.sleep(0.005)
    pytest.fail("the training ended before it could be killed")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "kills"),
    [
        (
            {
                "strategy": "partial",
                "augment": "flip,crop",
                "num_views": 2,
                "checkpoint_seconds": 0,
            },
            (8, 45),
        ),
        pytest.param(
            {"strategy": "full", "augment": "crop", "checkpoint_seconds": 0.05},
            (45,),
            marks=pytest.mark.thorough,
        ),
        pytest.param(
            {"strategy": "gradual", "optimizer": "sgd", "checkpoint_seconds": 60},
            (45,),
            marks=pytest.mark.thorough,
        ),
    ],
    ids=["partial", "full", "gradual"],
)
def test_after_kill_9_resume_reaches_the_same_weights(settings, kills, model, digits, tmp_path):
    settings = {**settings, "epochs": 8, "seed": 3}
    here = Path(__file__).parent
    run = tmp_path / "killed"
    for steps in kills:
        kill_after(start(here, run, settings), run, steps)
        assert Run.open(run).status == "stopped"
    assert start(here, run, settings).wait() == 0

    whole = finetune(
        model, digits, out=tmp_path / "whole", workspace=tmp_path, show=False, **settings
    )
    expected = load_file(whole.path / "model" / "model.safetensors")
    reached = load_file(run / "model" / "model.safetensors")
    assert all(torch.equal(tensor, reached[name]) for name, tensor in expected.items())
    again = Run.open(run)
    assert [line["loss"] for line in again.metrics("step")] == [
        line["loss"] for line in whole.metrics("step")
    ]
    assert [line["epoch"] for line in again.metrics()] == list(range(1, 9))


def test_optimizer_state_survives_as_tensors_and_json():
    parameter = torch.nn.Parameter(torch.randn(3, 2))
    optimizer = torch.optim.AdamW([{"params": [parameter], "scale": 0.5}], lr=1e-3)
    parameter.square().sum().backward()
    optimizer.step()
    tensors, record = flatten(optimizer.state_dict())
    again = unflatten(tensors, json.loads(json.dumps(record)))
    expected = optimizer.state_dict()
    assert again["param_groups"][0]["scale"] == 0.5
    for name, value in expected["state"][0].items():
        assert torch.equal(torch.as_tensor(again["state"][0][name]), torch.as_tensor(value))


def test_a_checkpoint_that_cannot_be_completed_leaves_the_one_before(tmp_path):
    folder = tmp_path / "last"
    save_checkpoint(folder, {"w": torch.ones(2)}, TrainingState(step=1))
    with pytest.raises(TypeError):
        save_checkpoint(folder, {"w": torch.zeros(2)}, TrainingState(totals={"x": object()}))
    weights, state, optimizer = load_checkpoint(folder)
    assert (weights["w"].tolist(), state.step, optimizer) == ([1, 1], 1, None)
    assert [path.name for path in tmp_path.iterdir()] == ["last"]


def test_a_checkpoint_that_stepped_aside_when_the_process_was_killed_comes_back(tmp_path):
    save_checkpoint(tmp_path / "last", {"w": torch.ones(2)}, TrainingState(step=7))
    (tmp_path / "last").rename(tmp_path / ".last.abcd1234.old")
    assert load_checkpoint(tmp_path / "last")[1].step == 7


def test_a_torn_last_line_of_metrics_is_left_out_and_later_steps_are_dropped(tmp_path):
    with Recorder.create(tmp_path / "run", {"workspace": str(tmp_path)}, {"train": []}) as recorder:
        for step in (1, 2, 3):
            recorder.log("step", step=step, epoch=1)
    log = tmp_path / "run" / "metrics.jsonl"
    with log.open("a") as file:
        file.write('{"kind": "step", "st')
    assert [line["step"] for line in read_lines(log)] == [1, 2, 3]
    run = Run.open(tmp_path / "run")
    Recorder.resume(run, hold(run.path), last_step=2, last_epoch=0)
    assert [line["step"] for line in read_lines(log)] == [1, 2]


def test_two_processes_never_write_the_same_run(tmp_path):
    """A killed process lets go; a living one is waited for, then named as the reason."""
    held = (
        "import sys, time; from pathlib import Path; from pellucid.training.recorder import hold;"
    )
    held += "lock = hold(Path(sys.argv[1])); print('held', flush=True); time.sleep(60)"
    command = [sys.executable, "-c", held, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(TrainingError, match="another process is training"):
            hold(tmp_path, seconds=0.1)
        other.kill()
    hold(tmp_path, seconds=5.0).release()
