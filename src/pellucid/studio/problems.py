"""How everything that goes wrong is answered: one JSON shape, and a page for who has no token.

PellucidError   404 for what is not there, 403 for what would run code, else 422
HTTPException   as it says
anything else   500, told in the log and not to the caller
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, Response

from pellucid.errors import PellucidError, UntrustedError
from pellucid.studio.plain import plain
from pellucid.studio.schemas import ErrorBody

LOG = logging.getLogger("pellucid.studio")
ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorBody, "description": words}
    for status, words in (
        (401, "No token, or an old one"),
        (403, "A foreign host or page, a studio that is read-only, or a file out of bounds"),
        (404, "Not there"),
        (413, "Too large"),
        (422, "Not as expected"),
    )
}


class NotThere(PellucidError):
    """An id or an address behind which there is nothing."""


class Conflict(PellucidError):
    """What cannot be done as things stand now."""


class OutOfBounds(PellucidError):
    """A file that lies where the studio opens nothing."""


STATUS: tuple[tuple[type[PellucidError], HTTPStatus], ...] = (
    (NotThere, HTTPStatus.NOT_FOUND),
    (Conflict, HTTPStatus.CONFLICT),
    (OutOfBounds, HTTPStatus.FORBIDDEN),
    (UntrustedError, HTTPStatus.FORBIDDEN),
)


def answer(status: int, kind: str, message: str, details: dict[str, Any] | None = None) -> Response:
    """An error as JSON, in the shape of `ErrorBody`."""
    body = {"error": {"type": kind, "message": message, "details": details or {}}}
    headers = {"www-authenticate": "Bearer"} if status == HTTPStatus.UNAUTHORIZED else None
    return JSONResponse(body, status_code=status, headers=headers)


def register(app: FastAPI) -> None:
    """Answer every error of the application in the one shape."""
    app.add_exception_handler(PellucidError, _on_purpose)
    app.add_exception_handler(RequestValidationError, _not_understood)
    app.add_exception_handler(HTTPException, _of_http)


def status_of(error: PellucidError) -> HTTPStatus:
    """The HTTP status that an error of this package is answered with."""
    return next(
        (status for kind, status in STATUS if isinstance(error, kind)),
        HTTPStatus.UNPROCESSABLE_ENTITY,
    )


def _on_purpose(_request: Request, error: Exception) -> Response:
    assert isinstance(error, PellucidError)
    return answer(status_of(error), type(error).__name__, str(error), plain(error.details))


def _not_understood(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = [
        {"where": ".".join(map(str, problem["loc"])), "what": problem["msg"]}
        for problem in error.errors()
    ]
    told = "; ".join(f"{problem['where']}: {problem['what']}" for problem in found[:3])
    return answer(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "RequestNotUnderstood",
        f"this request is not as expected: {told}. /api/openapi.json tells what is.",
        {"problems": found},
    )


def _of_http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    kind = "".join(word.capitalize() for word in status.phrase.replace("-", " ").split())
    reply = answer(status, kind, str(error.detail))
    for name, value in (error.headers or {}).items():
        reply.headers[name] = value
    return reply


def unforeseen(method: str, path: str, error: Exception) -> Response:
    """Tell the log all about it, and the caller that it happened."""
    LOG.error("%s %s failed", method, path, exc_info=error)
    return answer(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "InternalError",
        "something unforeseen went wrong in the studio; its terminal tells what. "
        "Reload the page; if it happens again, report what the terminal says.",
    )


def login_page() -> Response:
    """What a person sees who comes without a token, in both languages."""
    return HTMLResponse(_LOGIN_PAGE, status_code=HTTPStatus.UNAUTHORIZED)


_LOGIN_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Pellucid studio</title>
<body style="font: 16px/1.6 system-ui, sans-serif; max-width: 34rem; margin: 18vh auto; padding: 0 1.5rem">
<h1 style="font-size: 20px">This studio opens with the address from its terminal</h1>
<p>Open the address that <code>pellucid studio</code> printed. It works once; after that this browser
remembers you. If it was used already, stop the studio with Ctrl-C and start it again: nothing is lost.</p>
<p lang="zh-Hans">请打开终端中 <code>pellucid studio</code> 显示的网址。该网址只能使用一次，之后此浏览器会记住您。
如果网址已被使用，请按 Ctrl-C 停止并重新启动，数据不会丢失。</p>
"""
