"""Make the first page quick, then load what the next ones need, while it is looked at."""

from __future__ import annotations

import importlib
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from pellucid.errors import PellucidError
from pellucid.studio.contents import RunItem
from pellucid.studio.state import Studio
from pellucid.studio.workers.parts import Workers

# Loading modules holds up answers: it waits until the first page has come, and all that it asks for.
FIRST_SECONDS, QUIET_SECONDS, SECONDS_BETWEEN = 10.0, 1.5, 0.2
NEWEST_RUNS = 3  # their metrics are read beforehand; a million steps take a second
MODULES = ("pellucid.result.store", "pellucid.views.pack", "pellucid.attribution.registry")


@asynccontextmanager
async def warming(studio: Studio) -> AsyncIterator[None]:
    """Warm up in the background."""
    thread = threading.Thread(target=_warm_up, args=(studio,), name="warming", daemon=True)
    thread.start()
    yield


def _warm_up(studio: Studio) -> None:
    listed = _list(studio)
    if not _is_quiet(studio):
        return
    for run in listed[:NEWEST_RUNS]:
        with suppress(PellucidError, OSError):  # whoever opens the run is told
            studio.logs.of(run.path)
    for module in MODULES:
        importlib.import_module(module)
    if studio.has(Workers):
        studio.part(Workers).questions.submit("pellucid.studio.asking.opening:warm_up", {})


def _is_quiet(studio: Studio) -> bool:
    """Wait until nobody asks for anything; False if the studio ends meanwhile."""
    began = studio.asked
    while not studio.closing.wait(SECONDS_BETWEEN):
        patience = QUIET_SECONDS if studio.asked > began else FIRST_SECONDS
        if time.monotonic() - studio.asked > patience:
            return True
    return False


def _list(studio: Studio) -> list[RunItem]:
    try:
        return list(studio.contents.listing().runs.values())
    except (PellucidError, OSError):  # whoever opens the list is told
        return []
