"""What lives with the studio beside its routes: data, inputs, uploads, workers and jobs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio.to_thread

from pellucid.studio.asking.whys import Whys
from pellucid.studio.datasets import DataSets
from pellucid.studio.exports import Exports
from pellucid.studio.inputs import Inputs
from pellucid.studio.jobs.jobs import Jobs
from pellucid.studio.routes.data import Thumbnails
from pellucid.studio.routes.models import KnownNames
from pellucid.studio.state import Studio
from pellucid.studio.uploads.store import Uploads
from pellucid.studio.workers.parts import working


@asynccontextmanager
async def keeping(studio: Studio) -> AsyncIterator[None]:
    """Put in what keeps things on disk and in memory."""
    home = studio.workspace.path
    uploads = Uploads(home)
    if not studio.settings.read_only:
        await anyio.to_thread.run_sync(uploads.tidy)
    studio.put(uploads)
    studio.put(DataSets(studio))
    studio.put(Inputs(home / "cache" / "inputs"))
    studio.put(Exports(home / "exports"))
    studio.put(Whys())
    studio.put(Thumbnails())
    studio.put(KnownNames(home / "cache" / "names.json"))
    yield


@asynccontextmanager
async def jobbing(studio: Studio) -> AsyncIterator[None]:
    """Keep jobs; those that a server left open are found, those open at the end are interrupted."""
    jobs = Jobs(studio)
    studio.put(jobs)
    await anyio.to_thread.run_sync(jobs.open)
    async with working(studio):
        try:
            yield
        finally:
            jobs.close()
