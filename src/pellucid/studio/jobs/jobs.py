"""The studio's jobs: hand them to workers, keep where they stand, tell of every change."""

from __future__ import annotations

import json
import logging
import os
import platform
import threading
import time
import uuid
from concurrent.futures import Future
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from pellucid.errors import PellucidError, WorkerError, WorkerLost
from pellucid.progress import Step
from pellucid.studio.jobs.feed import Feed
from pellucid.studio.jobs.planning import Plan, plan
from pellucid.studio.jobs.store import OPEN, JobRow, JobStore, is_abandoned
from pellucid.studio.problems import Conflict, NotThere
from pellucid.studio.schemas import Job, JobRequest
from pellucid.studio.state import Studio
from pellucid.studio.workers import TaskCancelled, Ticket
from pellucid.studio.workers.parts import Workers

Request: TypeAdapter[JobRequest] = TypeAdapter(JobRequest)
LOG = logging.getLogger("pellucid.studio")
WORK = "pellucid.studio.jobs.work"
STOPPED = "The studio was closed before this was done. Retry it; a training goes on where it was."


class Active:
    """A job in this server: its row, and what is known of it only while it runs."""

    def __init__(self, row: JobRow) -> None:
        self.row = row
        self.ticket: Ticket | None = None
        self.step: Step | None = None
        self.first = (0.0, 0)  # when the present step was first heard of, and how far it was

    def hear(self, step: Step) -> None:
        """Take note of progress."""
        if self.step is None or step.description != self.step.description:
            self.first = time.monotonic(), step.done
        self.step = step

    def seconds_left(self) -> float | None:
        """Time left of the present step at the pace so far."""
        if self.step is None or self.step.done <= self.first[1]:
            return None
        pace = (time.monotonic() - self.first[0]) / (self.step.done - self.first[1])
        return max(0.0, pace * (self.step.total - self.step.done))


class Jobs:
    """All jobs of a workspace. `feed` tells of their changes."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._store = JobStore(studio.workspace.path / "studio.db")
        self._lock = threading.RLock()
        self._jobs: dict[str, Active] = {}
        self._closing = False
        self.feed: Feed[Job] = Feed()

    def open(self) -> None:
        """Read the table; what a server that has ended left open is interrupted."""
        for row in self._store.rows():
            job = self._jobs[row.id] = Active(row)
            if is_abandoned(row) and not self._studio.settings.read_only:
                self._change(
                    job, state="interrupted", ended=_now(), error=_problem(WorkerLost(STOPPED))
                )
                continue
            self.feed.publish(row.id, self._told(job))
            if row.run:
                self._studio.training[row.run] = row.id

    def all(self) -> list[Job]:
        """All jobs, newest first."""
        with self._lock:
            told = [self._told(job) for job in self._jobs.values()]
        return sorted(told, key=lambda job: (job.created, job.id), reverse=True)

    def get(self, job: str) -> Job:
        """One job. Raises NotThere."""
        return self._told(self._find(job))

    def submit(self, request: JobRequest) -> Job:
        """Begin a job. Raises SpecError or NotThere for what cannot be done."""
        made = plan(self._studio, request)
        row = JobRow(
            id=uuid.uuid4().hex[:12],
            kind=request.kind,
            title=made.title,
            created=_now(),
            request=request.model_dump(mode="json"),
            run_path=str(made.run_path) if made.run_path else None,
            **_fresh(),
        )
        job = Active(row)
        with self._lock:
            self._jobs[row.id] = job
            self._hand_in(job, made)
        return self._told(job)

    def cancel(self, job: str) -> Job:
        """Stop a job, or never begin it. Raises Conflict for one that has ended."""
        found = self._find(job)
        with self._lock:
            if found.row.state not in OPEN:
                raise Conflict(f"this job has ended already: it is {found.row.state}.")
            if found.ticket is None:
                raise Conflict("another studio works on this job; cancel it there.")
            ticket, waiting = found.ticket, found.row.state == "waiting"
            if waiting:
                self._change(found, state="cancelled", ended=_now())
        ticket.cancel()
        return self._told(found)

    def retry(self, job: str) -> Job:
        """Do a job again; a training goes on from its last checkpoint. Raises Conflict."""
        found = self._find(job)
        with self._lock:
            row = found.row
            if row.state in (*OPEN, "done"):
                raise Conflict(
                    f"this job is {row.state}; only one that was not done is done again."
                )
            begun = Path(row.run_path) if row.run_path else None
            request = Request.validate_python(row.request)
            made = plan(self._studio, request, begun)
            again = Active(row)
            for name, value in _fresh().items():
                setattr(row, name, value)
            row.run_path = str(made.run_path) if made.run_path else None
            row.run = self._run_of(row)
            self._jobs[row.id] = again
            self._hand_in(again, made)
        return self._told(again)

    def close(self) -> None:
        """From now on, a job that ends is interrupted, not cancelled."""
        self._closing = True

    def _hand_in(self, job: Active, made: Plan) -> None:
        self._change(job)
        job.ticket = self._studio.part(Workers).jobs.submit(
            f"{WORK}:{job.row.kind}",
            made.arguments,
            on_start=lambda: self._change(job, state="running", started=_now()),
            on_step=lambda step: self._progressed(job, step),
        )
        job.ticket.future.add_done_callback(lambda future: self._ended(job, future))

    def _progressed(self, job: Active, step: Step) -> None:
        if self._jobs.get(job.row.id) is not job:
            return
        job.hear(step)
        run = self._run_of(job.row)
        if run != job.row.run:
            self._change(job, run=run)
        else:
            self.feed.publish(job.row.id, self._told(job))

    def _ended(self, job: Active, future: Future[Any]) -> None:
        changes: dict[str, Any] = {"ended": _now(), "run": self._run_of(job.row)}
        cancelled = "interrupted" if self._closing else "cancelled"
        stopped = job.ticket is not None and job.ticket.stopped_early
        try:
            paths = future.result()
            contents = self._studio.contents
            changes["results"] = [contents.result_id(Path(path)) for path in paths]
            changes["state"] = cancelled if stopped else "done"
        except TaskCancelled:
            changes["state"] = cancelled
            changes["error"] = _problem(WorkerLost(STOPPED)) if self._closing else None
        except WorkerLost as error:
            changes |= {"state": "interrupted", "error": _problem(error)}
        except PellucidError as error:
            changes |= {"state": "failed", "error": _problem(error)}
        except Exception as error:
            LOG.exception("the job %s failed", job.row.id)
            changes |= {"state": "failed", "error": _problem(WorkerError(str(error)))}
        if self._jobs.get(job.row.id) is not job:
            return
        self._drop_empty(job.row)
        self._studio.contents.listing(fresh=True)  # so that who hears of the end sees what came
        self._change(job, **changes)

    def _drop_empty(self, row: JobRow) -> None:
        """Remove the folder of a run that was never begun."""
        if row.run_path and not (Path(row.run_path) / "run.json").is_file():
            with suppress(OSError):
                Path(row.run_path).rmdir()

    def _run_of(self, row: JobRow) -> str | None:
        """The id of the run that the job writes, once there is something of it to see."""
        if not row.run_path or not (Path(row.run_path) / "run.json").is_file():
            return None
        return self._studio.contents.run_id(Path(row.run_path))

    def _change(self, job: Active, **changes: Any) -> None:
        with self._lock:
            if self._jobs.get(job.row.id) is not job:
                return  # it was cancelled while it waited, and is done again by now
            if changes.get("state") == "running" and job.row.state != "waiting":
                return
            for name, value in changes.items():
                setattr(job.row, name, value)
            self._store.put(job.row)
            told = self._told(job)
            if job.row.run:
                self._studio.training[job.row.run] = job.row.id
        self.feed.publish(job.row.id, told)

    def _find(self, job: str) -> Active:
        with self._lock:
            if job not in self._jobs:
                raise NotThere(f"there is no job {job!r} here; /api/jobs lists them.")
            return self._jobs[job]

    def _told(self, job: Active) -> Job:
        row, step = job.row, job.step
        # A step that is over says nothing of what is being done since.
        over = step is not None and step.done >= step.total > 0
        runs = row.state == "running" and step is not None and not over
        known = runs and step is not None and step.total > 0
        return Job.model_validate(
            {
                "id": row.id,
                "kind": row.kind,
                "title": row.title,
                "state": row.state,
                "created": row.created,
                "started": row.started,
                "ended": row.ended,
                "progress": min(1.0, step.done / step.total) if known and step else None,
                "step": _words(step) if runs and step else "",
                "seconds_left": job.seconds_left() if runs else None,
                "parameters": row.request,
                "run": row.run,
                "results": row.results,
                "error": row.error,
            }
        )


def _fresh() -> dict[str, Any]:
    """What a row holds before its job begins."""
    return {
        "state": "waiting",
        "started": None,
        "ended": None,
        "run": None,
        "results": [],
        "error": None,
        "host": platform.node(),
        "pid": os.getpid(),
    }


def _words(step: Step) -> str:
    return f"{step.description}: {step.note}" if step.note else step.description


def _problem(error: PellucidError) -> dict[str, Any]:
    details = json.loads(json.dumps(error.details, default=str))
    return {"type": type(error).__name__, "message": str(error), "details": details}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
