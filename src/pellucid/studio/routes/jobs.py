"""Long work: begin it, watch it, cancel it, do it again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Body, Header, Request
from starlette.responses import StreamingResponse

from pellucid.studio.jobs.jobs import Jobs
from pellucid.studio.schemas import Id, Job, JobRequest
from pellucid.studio.state import Current, Studio

router = APIRouter(prefix="/api/jobs", tags=["jobs"])
HEARTBEAT_SECONDS = 15.0
STREAM = {200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}}


@router.post("", status_code=201)
def begin_job(request: Annotated[JobRequest, Body()], studio: Current) -> Job:
    """Hand in a job; it waits until a worker is free."""
    return studio.part(Jobs).submit(request)


@router.get("")
def list_jobs(studio: Current) -> list[Job]:
    """All jobs, newest first."""
    return studio.part(Jobs).all()


@router.get("/events", response_class=StreamingResponse, responses=STREAM)
async def job_events(
    request: Request, studio: Current, last_event_id: Annotated[str | None, Header()] = None
) -> StreamingResponse:
    """Server-sent events `job`: all jobs as they are, then each as it changes."""
    number = int(last_event_id) if last_event_id and last_event_id.isdecimal() else 0
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(
        _events(request, studio, number), media_type="text/event-stream", headers=headers
    )


@router.get("/{job_id}")
def get_job(job_id: Id, studio: Current) -> Job:
    """One job as it stands."""
    return studio.part(Jobs).get(job_id)


@router.post("/{job_id}/cancel")
def cancel_job(job_id: Id, studio: Current) -> Job:
    """Stop a job; what it has done so far is kept where that makes sense."""
    return studio.part(Jobs).cancel(job_id)


@router.post("/{job_id}/retry")
def retry_job(job_id: Id, studio: Current) -> Job:
    """Do a job again that failed or was stopped; a training goes on from its last checkpoint."""
    return studio.part(Jobs).retry(job_id)


async def _events(request: Request, studio: Studio, number: int) -> AsyncIterator[str]:
    yield "retry: 1000\n\n"
    waited = 0.0
    pause = 1.0
    async for change in studio.part(Jobs).feed.follow(number, pause):
        if studio.closing.is_set() or await request.is_disconnected():
            return
        if change is None:
            waited += pause
            if waited >= HEARTBEAT_SECONDS:
                waited = 0.0
                yield ": still here\n\n"
            continue
        waited = 0.0
        number, job = change
        yield f"id: {number}\nevent: job\ndata: {job.model_dump_json()}\n\n"
        await asyncio.sleep(0)
