"""What the page must know first, and the login by the one-time address."""

from __future__ import annotations

from http import HTTPStatus
from importlib.metadata import version
from importlib.util import find_spec

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from pellucid.studio.problems import login_page
from pellucid.studio.schemas import Session
from pellucid.studio.security.marks import public
from pellucid.studio.state import Current

router = APIRouter(tags=["session"])
EXTRAS = ("timm", "transformers", "datasets", "peft", "skimage", "onnx", "psycopg")


@router.get("/api/session")
def get_session(studio: Current) -> Session:
    """What the page must know before it draws anything."""
    settings = studio.settings
    return Session(
        workspace=studio.workspace.path.name,
        version=version("pellucid"),
        read_only=settings.read_only,
        max_upload_bytes=settings.max_upload_bytes,
        extras={name: find_spec(name) is not None for name in EXTRAS},
    )


@router.get("/login", include_in_schema=False)
@public
def login(request: Request, studio: Current, token: str = "") -> Response:
    """Trade the one-time token for a cookie."""
    if not studio.access.spend_login(token):
        return login_page()
    reply = _onward(request)
    reply.headers["set-cookie"] = studio.access.set_cookie()
    return reply


def _onward(request: Request) -> Response:
    """Go to the first page. After a redirect that another site began, a strict cookie is not sent."""
    if request.headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
        return RedirectResponse("/", HTTPStatus.SEE_OTHER)
    page = '<!doctype html><meta charset="utf-8"><title>Pellucid studio</title>'
    page += '<meta http-equiv="refresh" content="0; url=/"><a href="/">Pellucid studio</a>'
    return HTMLResponse(page)
