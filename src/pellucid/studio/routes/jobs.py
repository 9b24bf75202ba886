"""Long work: begin it, watch it, cancel it, do it again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Header
from starlette.responses import Response

from pellucid.studio.answers import EVENT_STREAM, Event, events
from pellucid.studio.jobs.jobs import Jobs
from pellucid.studio.schemas import Id, Job, JobRequest
from pellucid.studio.state import Current

router = APIRouter(prefix="/api/jobs", tags=["jobs"])
LOOK_SECONDS = 0.2


@router.post("", status_code=201)
def begin_job(request: Annotated[JobRequest, Body()], studio: Current) -> Job:
    """Hand in a job; it waits until a worker is free."""
    return studio.part(Jobs).submit(request)


@router.get("")
def list_jobs(studio: Current) -> list[Job]:
    """All jobs, newest first."""
    return studio.part(Jobs).all()


@router.get("/events", response_class=Response, responses=EVENT_STREAM)
async def job_events(
    studio: Current, last_event_id: Annotated[str | None, Header()] = None
) -> Response:
    """Events `job`: all jobs as they are, or those that changed since; then each as it changes."""
    feed = studio.part(Jobs).feed
    number = int(last_event_id) if last_event_id and last_event_id.isdecimal() else 0

    async def look() -> list[Event]:
        nonlocal number
        found = feed.since(number)
        number = found[-1][0] if found else number
        return [(str(place), "job", job.model_dump(mode="json")) for place, job in found]

    return events(studio, look, LOOK_SECONDS)


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
