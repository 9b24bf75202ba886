"""The guard: one ASGI middleware in front of everything, which denies by default.

1. the Host is one of ours (a foreign name may point here: DNS rebinding)
2. the request comes from no foreign page
3. it carries the token, unless the path is marked public
4. it only looks, where the studio is read-only
5. its body stays within bounds, also where its length is not told
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pellucid.studio.problems import answer, login_page, unforeseen
from pellucid.studio.security.access import Access
from pellucid.studio.security.headers import protected
from pellucid.studio.security.origins import SAFE_METHODS, host_name, origin_problem


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What the guard holds requests to; `uploads` are paths that take `max_upload_bytes`."""

    access: Access
    hosts: frozenset[str]
    read_only: bool
    max_body_bytes: int
    max_upload_bytes: int
    public: frozenset[str] = field(default_factory=frozenset)
    uploads: frozenset[str] = field(default_factory=frozenset)


class Refusal(Exception):
    """Why a request goes no further."""

    def __init__(self, status: HTTPStatus, kind: str, message: str) -> None:
        super().__init__(message)
        self.status, self.kind = status, kind


class Guard:
    """Wraps the application; `rules` say who may come in."""

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self._app, self._rules = app, rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is allowed, and answer the rest."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        send = _protecting(send)
        try:
            limit = self._checked(scope)
        except Refusal as refusal:
            shown = _is_visit(scope) and refusal.status == HTTPStatus.UNAUTHORIZED
            reply = login_page() if shown else answer(refusal.status, refusal.kind, str(refusal))
            await reply(scope, receive, send)
            return
        started = _Started(send)
        try:
            await self._app(scope, _bounded(receive, limit), started)
        except Exception as error:
            if started:
                raise
            reply = unforeseen(scope["method"], scope["path"], error)
            await reply(scope, receive, send)

    def _checked(self, scope: Scope) -> int:
        """How many bytes the body may have. Raises Refusal."""
        rules, method, path = self._rules, scope["method"], scope["path"]
        headers = Headers(scope=scope)
        _check_host(headers, rules.hosts)
        problem = origin_problem(method, path, headers)
        if problem:
            raise Refusal(
                HTTPStatus.FORBIDDEN,
                "ForeignOrigin",
                f"this request is refused: {problem}. Only the studio's own pages may ask.",
            )
        if path not in rules.public:
            self._check_token(headers)
        if rules.read_only and method not in SAFE_METHODS:
            raise Refusal(
                HTTPStatus.FORBIDDEN,
                "ReadOnly",
                "this studio is for looking only: nothing is computed, changed or uploaded here. "
                "Whoever runs it can start it without --read-only.",
            )
        limit = rules.max_upload_bytes if path in rules.uploads else rules.max_body_bytes
        _check_length(headers, limit)
        return limit

    def _check_token(self, headers: Headers) -> None:
        cookies = "; ".join(headers.getlist("cookie"))
        if not self._rules.access.admits(cookies, headers.get("authorization", "")):
            raise Refusal(
                HTTPStatus.UNAUTHORIZED,
                "TokenMissing",
                "this request carries no token of this studio, or an old one. Open the address "
                "that 'pellucid studio' printed; programs send 'Authorization: Bearer TOKEN'.",
            )


class _Started:
    """A `send` that remembers, as its truth, whether anything was sent."""

    def __init__(self, send: Send) -> None:
        self._send, self._sent = send, False

    async def __call__(self, message: Message) -> None:
        self._sent = True
        await self._send(message)

    def __bool__(self) -> bool:
        return self._sent


def _check_host(headers: Headers, hosts: frozenset[str]) -> None:
    given = headers.getlist("host")
    if len(given) != 1 or host_name(given[0]) not in hosts:
        raise Refusal(
            HTTPStatus.FORBIDDEN,
            "ForeignHost",
            "this request is addressed to a name that is not this studio's. "
            "Use the address that 'pellucid studio' printed, or allow the name with --allow-host.",
        )


def _check_length(headers: Headers, limit: int) -> None:
    told = headers.get("content-length")
    if told is not None and (not told.isdigit() or int(told) > limit):
        raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "BodyTooLarge", too_large(limit))


def too_large(limit: int) -> str:
    """Say how much a body may hold."""
    return f"this request is too large; expected at most {limit / 2**20:,.0f} MB."


def _bounded(receive: Receive, limit: int) -> Receive:
    """Stop a body whose length was not told, or was told wrongly."""
    received = 0

    async def bounded() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, too_large(limit))
        return message

    return bounded


def _protecting(send: Send) -> Send:
    async def protecting(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = protected(list(message.get("headers", [])))
        await send(message)

    return protecting


def _is_visit(scope: Scope) -> bool:
    """Whether a person waits for a page."""
    headers: Mapping[str, str] = Headers(scope=scope)
    wants_page = "text/html" in headers.get("accept", "")
    return wants_page and scope["method"] == "GET" and not scope["path"].startswith("/api")
