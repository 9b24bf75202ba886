"""Inputs to ask about: a picture that is dropped, a text that is typed, a sample of a data set."""

from __future__ import annotations

import tempfile
from pathlib import Path

import anyio.to_thread
from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse
from pydantic import TypeAdapter, ValidationError
from starlette.responses import Response

from pellucid.errors import DataError
from pellucid.studio.answers import of_type
from pellucid.studio.datasets import DataSets
from pellucid.studio.inputs import Inputs, Kept, answer
from pellucid.studio.problems import NotThere
from pellucid.studio.schemas import Id, Input, SampleInput, TextInput
from pellucid.studio.security.marks import takes_upload
from pellucid.studio.state import Current, Studio
from pellucid.studio.uploads.receiving import MB, Bounds, receive

router = APIRouter(prefix="/api/inputs", tags=["ask"])
ONE_PICTURE = Bounds(num_files=1, file_bytes=64 * MB)
Asked = TypeAdapter(TextInput | SampleInput)
BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "oneOf": [TextInput.model_json_schema(), SampleInput.model_json_schema()]
                }
            },
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {"files": {"type": "string", "format": "binary"}},
                    "required": ["files"],
                }
            },
        },
    }
}


@router.post("", openapi_extra=BODY, status_code=201)
@takes_upload
async def add_input(request: Request, studio: Current) -> Input:
    """Keep one sample to ask about: a picture's file, a text, or a sample of a data set."""
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        return answer(await _picture(request, studio))
    try:
        asked = Asked.validate_json(await request.body())
    except ValidationError as error:
        raise RequestValidationError(
            error.errors(include_url=False, include_context=False)
        ) from error
    if isinstance(asked, TextInput):
        return answer(await anyio.to_thread.run_sync(studio.part(Inputs).add_text, asked.text))
    return answer(await anyio.to_thread.run_sync(_sample, studio, asked))


@router.get("/{name}.png", response_class=Response, responses=of_type("image/png", "A picture"))
def input_picture(name: Id, studio: Current) -> FileResponse:
    """The picture of an input, upright, at most 1024 pixels wide or high."""
    path = studio.part(Inputs).preview(name)
    return FileResponse(
        path, media_type="image/png", headers={"cache-control": "private, max-age=86400, immutable"}
    )


@router.get("/{name}")
def get_input(name: Id, studio: Current) -> Input:
    """An input that was asked about before."""
    return answer(studio.part(Inputs).find(name))


async def _picture(request: Request, studio: Studio) -> Kept:
    with tempfile.TemporaryDirectory(prefix="pellucid-input-") as folder:
        content_type = request.headers["content-type"]
        form = await receive(content_type, request.stream(), Path(folder), ONE_PICTURE)
        if not form.files or form.files[0].problem:
            found = form.files[0].problem if form.files else "no file was sent"
            raise DataError(f"this is no picture to ask about: {found}. Expected one file.")
        arrived = form.files[0]
        title = arrived.name.replace("\\", "/").rpartition("/")[2][:100] or "picture"
        inputs = studio.part(Inputs)
        return await anyio.to_thread.run_sync(
            lambda: inputs.add_file(arrived.path.read_bytes(), title)
        )


def _sample(studio: Studio, asked: SampleInput) -> Kept:
    data = studio.part(DataSets).open(asked.data, asked.split)
    if asked.sample is not None and asked.sample in data.ids:
        position = data.ids.index(asked.sample)
    elif asked.sample is None and asked.position is not None and asked.position < len(data):
        position = asked.position
    else:
        what = repr(asked.sample) if asked.sample is not None else f"number {asked.position}"
        raise NotThere(f"{data.source} has no sample {what} in this split of {len(data)}.")
    raw, name = data.read(position), data.ids[position]
    inputs = studio.part(Inputs)
    if data.kind == "text":
        return inputs.add_text(str(raw))
    if data.kind != "image":
        raise DataError(f"{data.source} holds arrays; pictures and texts can be asked about here.")
    return inputs.add_picture(raw, name)
