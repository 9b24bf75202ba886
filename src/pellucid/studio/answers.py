"""Answers that are not plain JSON: with ETags, as downloads, or as streams of events."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from http import HTTPStatus
from typing import Any

from fastapi import Request
from starlette.responses import Response, StreamingResponse

from pellucid.studio.state import Studio

LOOK_SECONDS = 0.5
HEARTBEAT_SECONDS = 15.0
# id, name and data of an event
Event = tuple[str, str, Any]
EVENT_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}, "description": "Events"}
}


def unchanged(request: Request, tag: str) -> Response | None:
    """An empty answer 304 where the caller has what `tag` stands for; else None."""
    given = request.headers.get("if-none-match", "")
    held = {part.strip().removeprefix("W/").strip('"') for part in given.split(",")}
    return (
        Response(status_code=HTTPStatus.NOT_MODIFIED, headers=tagged(tag)) if tag in held else None
    )


def tagged(tag: str) -> dict[str, str]:
    """Headers of an answer that may be kept, and is asked for again before it is shown."""
    return {"etag": f'"{tag}"', "cache-control": "private, no-cache"}


def download(
    content: bytes | Iterable[bytes], media_type: str, name: str, tag: str = ""
) -> Response:
    """A file to be saved as `name`, in pieces where they come in pieces."""
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "file"
    headers = {"content-disposition": f'attachment; filename="{safe}"'}
    headers |= tagged(tag) if tag else {}
    if isinstance(content, bytes):
        return Response(content, media_type=media_type, headers=headers)
    return StreamingResponse(content, media_type=media_type, headers=headers)


def of_type(media_types: str | Iterable[str], words: str) -> dict[int | str, dict[str, Any]]:
    """How the schema tells of an answer in bytes, of one type or of several."""
    types = [media_types] if isinstance(media_types, str) else media_types
    schema = {"type": "string", "format": "binary"}
    content = {media_type: {"schema": schema} for media_type in types}
    return {200: {"content": content, "description": words}}


def events(
    studio: Studio, look: Callable[[], Awaitable[list[Event]]], every: float = LOOK_SECONDS
) -> Response:
    """A stream of what `look` finds, asked anew every `every` seconds until either side leaves."""

    async def stream() -> AsyncIterator[str]:
        yield "retry: 2000\n\n"
        spoke = time.monotonic()
        while not studio.closing.is_set():
            for event in await look():
                yield _written(*event)
                spoke = time.monotonic()
            if time.monotonic() - spoke > HEARTBEAT_SECONDS:
                yield ": still here\n\n"
                spoke = time.monotonic()
            await asyncio.sleep(every)

    return StreamingResponse(stream(), media_type="text/event-stream")


def _written(id: str, name: str, data: Any) -> str:  # noqa: A002
    body = json.dumps(data, ensure_ascii=False, allow_nan=False)
    return f"id: {id}\nevent: {name}\ndata: {body}\n\n"
