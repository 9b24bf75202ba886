"""Load what the first result will need, while the reader still looks at the list."""

from __future__ import annotations

import importlib
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pellucid.studio.state import Studio

WAIT_SECONDS = 2.0  # the first page comes first
MODULES = ("pellucid.result.store", "pellucid.views.pack", "pellucid.attribution.registry")


@asynccontextmanager
async def warming(studio: Studio) -> AsyncIterator[None]:
    """Load heavy modules in the background."""

    def load() -> None:
        for module in () if studio.closing.wait(WAIT_SECONDS) else MODULES:
            importlib.import_module(module)

    thread = threading.Thread(target=load, name="warming", daemon=True)
    thread.start()
    yield
