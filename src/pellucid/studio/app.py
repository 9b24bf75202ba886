"""The studio as an ASGI application: its routes, the parts that live with it, the guard before it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import iter_route_contexts

from pellucid.studio import problems
from pellucid.studio.routes import (
    ask,
    data,
    inputs,
    jobs,
    methods,
    models,
    pages,
    reports,
    results,
    runs,
    samples,
    session,
    uploads,
    workspace,
)
from pellucid.studio.security.guard import Guard, Rules
from pellucid.studio.security.marks import PUBLIC, UPLOAD, marked
from pellucid.studio.security.origins import allowed_hosts
from pellucid.studio.services import jobbing, keeping
from pellucid.studio.state import Settings, Studio
from pellucid.studio.warming import warming

Service = Callable[[Studio], AbstractAsyncContextManager[None]]

# Pages come last: their paths match whatever no other route does.
ROUTERS: tuple[APIRouter, ...] = (
    session.router,
    workspace.router,
    runs.router,
    results.router,
    methods.router,
    models.router,
    data.router,
    samples.router,
    uploads.router,
    inputs.router,
    ask.router,
    jobs.router,
    reports.router,
    pages.router,
)
# What starts and ends with the studio, in this order: each puts its parts into it.
SERVICES: tuple[Service, ...] = (warming, keeping, jobbing)


def create_app(settings: Settings) -> FastAPI:
    """Make the studio's application; `app.state.studio` holds its `Studio`."""
    studio = Studio(settings)
    app = FastAPI(
        title="Pellucid studio",
        version=version("pellucid"),
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
        responses=problems.ERRORS,
    )
    app.state.studio = studio
    for router in ROUTERS:
        app.include_router(router)
    problems.register(app)
    app.add_middleware(Guard, rules=_rules(studio, endpoints(app)))
    return app


def endpoints(app: FastAPI) -> list[tuple[str, Any]]:
    """Path and endpoint of every route."""
    return [
        (str(route.path), getattr(route, "endpoint", None))
        for route in iter_route_contexts(app.routes)
    ]


def _rules(studio: Studio, routes: list[tuple[str, Any]]) -> Rules:
    settings = studio.settings
    return Rules(
        access=studio.access,
        hosts=allowed_hosts(settings.host, settings.allow_hosts),
        read_only=settings.read_only,
        max_body_bytes=settings.max_body_bytes,
        max_upload_bytes=settings.max_upload_bytes,
        public=marked(routes, PUBLIC),
        uploads=marked(routes, UPLOAD),
    )


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    studio: Studio = app.state.studio
    async with AsyncExitStack() as stack:
        for service in SERVICES:
            await stack.enter_async_context(service(studio))
        yield
        studio.closing.set()
