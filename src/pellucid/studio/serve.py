"""Run a studio until it is stopped: find a port, print nothing, end in order."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from dataclasses import replace
from types import FrameType

import uvicorn

from pellucid.errors import SpecError
from pellucid.studio.app import create_app
from pellucid.studio.state import Settings, Studio

PORTS_TRIED = 50
SECONDS_TO_END = 5


def bind(host: str, port: int) -> socket.socket:
    """Take a port, or the next that is free; 0 takes any. Raises SpecError where none can be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    problem: OSError | None = None
    for candidate in range(port, min(port + PORTS_TRIED, 65536)) if port else (0,):
        taken = socket.socket(family, socket.SOCK_STREAM)
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind((host, candidate))
            taken.listen()
        except OSError as error:
            taken.close()
            problem = error
            continue
        return taken
    raise SpecError(
        f"the studio cannot listen on {host}, port {port} ({problem}). "
        "Give another --port, or a --host that is this machine's."
    )


def serve(settings: Settings, listening: socket.socket, ready: Callable[[Studio], None]) -> None:
    """Serve until Ctrl-C or SIGTERM; `ready` is called once requests are answered.

    The token in an address stays out of the log, since requests are not logged.
    """
    settings = replace(settings, port=listening.getsockname()[1])
    app = create_app(settings)
    studio: Studio = app.state.studio
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        timeout_graceful_shutdown=SECONDS_TO_END,
    )
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    try:
        _Server(config, studio, lambda: ready(studio)).run(sockets=[listening])
    except KeyboardInterrupt:
        pass  # Ctrl-C is how a studio ends
    finally:
        listening.close()


class _Server(uvicorn.Server):
    """Tells when it is ready, and tells streams that it ends, before it waits for them."""

    def __init__(self, config: uvicorn.Config, studio: Studio, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._studio, self._ready = studio, ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._studio.closing.set()
        super().handle_exit(sig, frame)
