"""Uploads: pictures in folders, tables, and weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import anyio.to_thread
from fastapi import APIRouter, Request

from pellucid.studio.problems import NotThere
from pellucid.studio.schemas import Id, Upload
from pellucid.studio.security.marks import takes_upload
from pellucid.studio.state import Current, Studio
from pellucid.studio.uploads.receiving import Bounds, Form, receive
from pellucid.studio.uploads.sorting import keep_data, keep_weights
from pellucid.studio.uploads.store import Record, Uploads

router = APIRouter(prefix="/api/uploads", tags=["uploads"])
Keep = Callable[[Uploads, str, Path, Form], Record]
MULTIPART = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "files": {
                            "type": "array",
                            "items": {"type": "string", "format": "binary"},
                            "description": "Files; their names are paths below the folder that was chosen.",
                        },
                        "title": {"type": "string"},
                    },
                    "required": ["files"],
                }
            }
        },
    }
}


@router.post("", openapi_extra=MULTIPART, status_code=201)
@takes_upload
async def upload_data(request: Request, studio: Current) -> Upload:
    """Make a data set of pictures (labels are folders) or of tables. What is no good is named."""
    return await _received(request, studio, Bounds(), keep_data)


@router.post("/weights", openapi_extra=MULTIPART, status_code=201)
@takes_upload
async def upload_weights(request: Request, studio: Current) -> Upload:
    """Keep one .safetensors file, to be opened with a model of a source."""
    bounds = Bounds(num_files=1, file_bytes=studio.settings.max_upload_bytes)
    return await _received(request, studio, bounds, keep_weights)


@router.get("/{upload_id}")
def get_upload(upload_id: Id, studio: Current) -> Upload:
    """What was uploaded before, so that a page that is opened again can name it."""
    record = studio.part(Uploads).record(upload_id)
    if record is None:
        raise NotThere(f"there is no upload {upload_id!r} here. Upload it again.")
    return _answer(record)


async def _received(request: Request, studio: Studio, bounds: Bounds, keep: Keep) -> Upload:
    uploads = studio.part(Uploads)
    content_type = request.headers.get("content-type", "")
    with uploads.receiving() as (upload, folder):
        form = await receive(content_type, request.stream(), folder, bounds)
        record = await anyio.to_thread.run_sync(keep, uploads, upload, folder, form)
    return _answer(record)


def _answer(record: Record) -> Upload:
    return Upload(
        id=record.id,
        title=record.title,
        kind=record.kind,
        data=None if record.kind == "weights" else record.id,
        num_files=record.num_files,
        num_bytes=record.num_bytes,
        problems=list(record.problems),
    )
