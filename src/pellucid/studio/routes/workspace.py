"""The workspace: all runs and results, and word when something in it has changed."""

from __future__ import annotations

import hashlib

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from pellucid.studio.answers import EVENT_STREAM, Event, events
from pellucid.studio.datasets import DataSets
from pellucid.studio.schemas import Workspace
from pellucid.studio.state import Current, Studio
from pellucid.studio.summaries import summarize

router = APIRouter(prefix="/api", tags=["workspace"])
LOOK_SECONDS = 1.0


@router.get("/workspace")
def get_workspace(studio: Current) -> Workspace:
    """All runs and results, newest first."""
    titles = studio.part(DataSets).titles()
    return summarize(studio.contents.listing(), studio.training, titles)


@router.get("/events", response_class=Response, responses=EVENT_STREAM)
async def get_events(studio: Current) -> Response:
    """Word of changes, whoever made them: event `changed`, at first with how things stand."""
    known = ""

    async def look() -> list[Event]:
        nonlocal known
        stands = await run_in_threadpool(_fingerprint, studio)
        if stands == known:
            return []
        known = stands
        return [(stands, "changed", {"workspace": stands})]

    return events(studio, look, LOOK_SECONDS)


def _fingerprint(studio: Studio) -> str:
    listed = summarize(studio.contents.listing(), studio.training)
    return hashlib.sha256(listed.model_dump_json().encode()).hexdigest()[:16]
