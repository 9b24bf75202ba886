"""The built pages: one document for all addresses, and the files that it loads."""

from __future__ import annotations

import functools
from http import HTTPStatus
from pathlib import Path

from fastapi import APIRouter
from starlette.responses import FileResponse, HTMLResponse, Response

from pellucid import front
from pellucid.errors import MissingDependency
from pellucid.studio.problems import NotThere

router = APIRouter(include_in_schema=False)
FOREVER = "private, max-age=31536000, immutable"
TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}


@router.get("/assets/{name:path}")
def get_asset(name: str) -> Response:
    """A file of the build. Its name holds its hash, so it never changes."""
    found = _files().get(f"assets/{name}")
    if found is None:
        raise NotThere(f"the page has no file {name!r}; reload it, it may have been updated.")
    return FileResponse(
        found, media_type=TYPES.get(found.suffix), headers={"cache-control": FOREVER}
    )


@router.get("/api/{rest:path}")
def get_nothing(rest: str) -> Response:
    """Addresses of the API that are not there answer as the API does, not with the page."""
    raise NotThere(f"/api/{rest} is not part of the API; /api/openapi.json tells what is.")


@router.get("/{path:path}")
def get_page(path: str) -> Response:
    """The page, for every address in it; it reads its address itself."""
    if "." in path.rpartition("/")[2]:
        found = _files().get(path)
        if found is None:
            raise NotThere(f"there is no file {path!r}.")
        return FileResponse(found, media_type=TYPES.get(found.suffix))
    try:
        return FileResponse(front.place("studio/index.html"), media_type="text/html")
    except MissingDependency as error:
        return HTMLResponse(
            f'<!doctype html><meta charset="utf-8"><title>Pellucid studio</title><p>{error}</p>',
            status_code=HTTPStatus.NOT_FOUND,
        )


@functools.cache
def _files() -> dict[str, Path]:
    """All built files by their address: nothing else is ever served."""
    root = front.place("studio")
    return {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}
