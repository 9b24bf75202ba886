"""Reports: write one, and download it."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import FileResponse
from starlette.responses import Response

from pellucid.studio.answers import of_type
from pellucid.studio.exports import TYPES, Exports
from pellucid.studio.schemas import File, Id, ReportRequest
from pellucid.studio.state import Current

router = APIRouter(prefix="/api", tags=["reports"])


@router.post("/reports", status_code=201)
def write_report(request: ReportRequest, studio: Current) -> File:
    """Write runs, results and comments into one file, which is then downloaded by its id."""
    return studio.part(Exports).write(studio, request)


@router.get(
    "/files/{file_id}", response_class=Response, responses=of_type(TYPES.values(), "The file")
)
def download_file(file_id: Id, studio: Current) -> FileResponse:
    """Download a report."""
    path = studio.part(Exports).find(file_id)
    return FileResponse(path, media_type=TYPES[path.suffix], filename=path.name)
