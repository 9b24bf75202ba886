"""The studio's two lanes: quick questions never wait behind long jobs."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio.to_thread

from pellucid.studio.state import Studio
from pellucid.studio.workers.lane import Lane
from pellucid.studio.workers.messages import Limits
from pellucid.studio.workers.worker import Patience

SECONDS_TO_END = 8.0
# Most questions are answered at once: an interrupt can cost the models that are open.
QUICK = Patience(before_interrupt=0.1)


@dataclass(frozen=True)
class Workers:
    """`questions` are answered by one process, `jobs` worked on by others."""

    questions: Lane
    jobs: Lane


def make_workers(num_job_workers: int, catalogue: str | None) -> Workers:
    """Start the lanes. Processes share the cores; each starts with its first task."""
    cores = os.cpu_count() or 1
    limits = Limits(num_threads=max(1, cores // (1 + num_job_workers)), catalogue=catalogue)
    return Workers(
        questions=Lane("questions", 1, limits, QUICK),
        jobs=Lane("jobs", num_job_workers, limits),
    )


@asynccontextmanager
async def working(studio: Studio) -> AsyncIterator[None]:
    """Keep workers while the studio runs, none where it is read-only."""
    if studio.settings.read_only:
        yield
        return
    workers = make_workers(studio.settings.num_job_workers, studio.settings.catalogue)
    studio.put(workers)
    try:
        yield
    finally:
        await anyio.to_thread.run_sync(workers.questions.close, 1.0)
        await anyio.to_thread.run_sync(workers.jobs.close, SECONDS_TO_END)
