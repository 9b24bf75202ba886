"""Worker processes: progress, errors, cancelling, dying, being replaced."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from pellucid.errors import LayerError, WorkerError, WorkerLost
from pellucid.progress import Step, listening, progress
from pellucid.studio.workers import Lane, Limits, Patience, TaskCancelled, Ticket
from pellucid.studio.workers.opening import Opening
from pellucid.studio.workers.warm import Warm

HERE = "worker_tasks"


@pytest.fixture(scope="module")
def lane() -> Iterator[Lane]:
    # A worker is started with the path of its parent, on which it finds the functions to try.
    sys.path.insert(0, str(Path(__file__).parent))
    made = Lane("trial", 1, Limits(), Patience(before_kill=1.0))
    yield made
    made.close(5.0)
    sys.path.remove(str(Path(__file__).parent))


def at_work(lane: Lane, task: str) -> Ticket:
    """A task that was handed in, and has told of its first step."""
    steps: list[Step] = []
    ticket = lane.submit(f"{HERE}:{task}", {}, on_step=steps.append)
    while not steps:
        time.sleep(0.01)
    return ticket


def test_results_and_progress(lane: Lane) -> None:
    steps: list[Step] = []
    begun: list[bool] = []
    ticket = lane.submit(
        f"{HERE}:count", {"number": 5}, on_start=lambda: begun.append(True), on_step=steps.append
    )
    assert ticket.future.result(60) == 5
    assert begun == [True]
    assert (steps[0].done, steps[0].total) == (0, 5)
    assert (steps[-1].done, steps[-1].description) == (5, "Counting")
    assert len(steps) < 6  # the middle is thinned


def test_errors_keep_their_class_and_details(lane: Lane) -> None:
    ticket = lane.submit(f"{HERE}:fail", {"kind": "LayerError"})
    with pytest.raises(LayerError, match="no such layer") as caught:
        ticket.future.result(60)
    assert caught.value.details == {"known": ["a"]}
    with pytest.raises(WorkerError, match=r"unexpectedly \(ZeroDivisionError"):
        lane.submit(f"{HERE}:fail", {"kind": ""}).future.result(60)


def test_tasks_are_cancelled_running_and_waiting(lane: Lane) -> None:
    begun: list[float] = []
    running = lane.submit(f"{HERE}:sleep", {"seconds": 60}, on_start=lambda: begun.append(1))
    waiting = lane.submit(f"{HERE}:count", {"number": 1})
    while not begun:
        time.sleep(0.01)
    waiting.cancel()
    running.cancel()
    for ticket in (running, waiting):
        with pytest.raises(TaskCancelled):
            ticket.future.result(10)
    assert lane.submit(f"{HERE}:count", {"number": 2}).future.result(10) == 2


def test_a_future_that_is_cancelled_itself_does_no_harm(lane: Lane) -> None:
    running = lane.submit(f"{HERE}:sleep", {"seconds": 0.3})
    waiting = lane.submit(f"{HERE}:count", {"number": 1})
    assert waiting.future.cancel()
    assert running.future.result(10) is None
    assert lane.submit(f"{HERE}:count", {"number": 2}).future.result(10) == 2


def test_a_question_that_is_taken_back_may_end_by_itself() -> None:
    lane = Lane("patient", 1, Limits(), Patience(before_interrupt=30.0))
    begun: list[float] = []
    ticket = lane.submit(f"{HERE}:sleep", {"seconds": 0.2}, on_start=lambda: begun.append(1))
    while not begun:
        time.sleep(0.01)
    ticket.cancel()
    assert ticket.future.result(60) is None
    assert not ticket.stopped_early
    lane.close(1.0)


def test_what_is_done_before_the_interrupt_is_kept(lane: Lane) -> None:
    ticket = at_work(lane, "count_on")
    ticket.cancel()
    assert ticket.future.result(10) == "so far"
    assert ticket.stopped_early


def test_an_import_is_finished_before_the_interrupt(lane: Lane) -> None:
    ticket = at_work(lane, "import_slowly")
    ticket.cancel()
    with pytest.raises(TaskCancelled):
        ticket.future.result(10)
    assert lane.submit(f"{HERE}:is_imported", {}).future.result(10)


def test_what_ignores_the_interrupt_is_killed(lane: Lane) -> None:
    ticket = at_work(lane, "ignore")
    pid = lane.workers[0].pid
    ticket.cancel()
    with pytest.raises(TaskCancelled):
        ticket.future.result(10)
    assert lane.submit(f"{HERE}:own_pid", {}).future.result(60) != pid


def test_a_dead_worker_is_replaced(lane: Lane) -> None:
    ticket = at_work(lane, "ignore")
    os.kill(lane.workers[0].pid or 0, signal.SIGKILL)
    with pytest.raises(WorkerLost, match="ended by signal 9"):
        ticket.future.result(10)
    assert lane.submit(f"{HERE}:count", {"number": 3}).future.result(60) == 3


def test_one_that_died_idle_is_replaced_without_a_word(lane: Lane) -> None:
    pid = lane.submit(f"{HERE}:own_pid", {}).future.result(60)
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.1)
    assert lane.submit(f"{HERE}:own_pid", {}).future.result(60) != pid


def test_listeners_hear_of_every_step() -> None:
    heard: list[Any] = []
    with listening(heard.append), progress("Trying", 3, show=False) as advance:
        advance()
        advance(2, note="near the end")
    assert heard == [
        Step("Trying", 0, 3),
        Step("Trying", 1, 3),
        Step("Trying", 3, 3, "near the end"),
    ]
    with progress("Alone", 1, show=False) as advance:
        advance()
    assert len(heard) == 3


def test_models_that_an_interrupt_left_changed_are_opened_again() -> None:
    warm, opening = Warm(Limits()), Opening(spec="bundled:efficientnet-lite0")
    model = warm.model(opening)
    with torch.no_grad():
        warm.forget_changed()
        assert torch.is_grad_enabled()
    assert warm.model(opening) is model
    hook = model.module.register_forward_hook(lambda *_: None)
    warm.forget_changed()
    hook.remove()
    reopened = warm.model(opening)
    assert reopened is not model
    with torch.no_grad():
        next(reopened.module.parameters()).add_(1)
    warm.forget_changed()
    assert warm.model(opening) is not reopened
