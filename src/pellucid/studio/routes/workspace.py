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
    watch = Watch(studio)

    async def look() -> list[Event]:
        stands = await run_in_threadpool(watch.look)
        return [(stands, "changed", {"workspace": stands})] if stands else []

    return events(studio, look, LOOK_SECONDS)


class Watch:
    """Tells when a listing differs from the one before; looks closely only where it may."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._seen: tuple[str | None, dict[str, str]] | None = None
        self._known = ""

    def look(self) -> str:
        """How things stand, if they have changed since the last look; else ""."""
        contents = self._studio.contents
        seen = (contents.stamp(), dict(self._studio.training))
        if seen == self._seen and seen[0] is not None:
            return ""
        listed = summarize(contents.listing(fresh=seen[0] is not None), self._studio.training)
        stands = hashlib.sha256(listed.model_dump_json().encode()).hexdigest()[:16]
        self._seen = seen  # as of before the listing: what changed meanwhile is looked at again
        if stands == self._known:
            return ""
        self._known = stands
        return stands
