"""A multipart body, written to files while it arrives: limits hold at every byte.

Starlette's own form parser keeps every file open, or in memory, until the last has come; a folder of
ten thousand pictures needs more of both than there is.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, BinaryIO

from python_multipart import MultipartParser
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import parse_options_header
from starlette.exceptions import HTTPException

MB = 2**20


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What is taken: files by number and size, fields of text by size (in bytes)."""

    num_files: int = 20_000
    file_bytes: int = 512 * MB
    field_bytes: int = 10_000
    num_fields: int = 20


@dataclass(frozen=True)
class Arrived:
    """One file: the name that it came with, where it lies now, and why it was not kept, if so."""

    name: str
    path: Path
    num_bytes: int
    problem: str = ""


@dataclass
class Form:
    """What a multipart body held."""

    files: list[Arrived] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)


async def receive(
    content_type: str, stream: AsyncIterator[bytes], folder: Path, bounds: Bounds
) -> Form:
    """Write the files of a body into `folder`, numbered, as it streams in.

    A file that is too large is cut and told in its `problem`. Raises HTTPException for a body that
    is no multipart form, is cut short, or holds too many parts.
    """
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not boundary or len(boundary) > 70:
        raise HTTPException(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "files are taken as multipart/form-data only."
        )
    parts = _Parts(folder, bounds)
    try:
        parser = MultipartParser(boundary, parts.callbacks())
        async for chunk in stream:
            parser.write(chunk)
        parser.finalize()
    except MultipartParseError as error:
        raise HTTPException(
            HTTPStatus.BAD_REQUEST, f"this upload cannot be understood ({error})."
        ) from error
    finally:
        parts.close()
    if not parts.ended:
        raise HTTPException(HTTPStatus.BAD_REQUEST, "this upload was cut short; send it again.")
    return parts.form


class _Parts:
    """The parser's callbacks: one part after the other, each a file or a field."""

    def __init__(self, folder: Path, bounds: Bounds) -> None:
        self.form, self.ended = Form(), False
        self._folder, self._bounds = folder, bounds
        self._header, self._value = b"", b""
        self._headers: dict[str, bytes] = {}
        self._field, self._text = "", bytearray()
        self._file: BinaryIO | None = None
        self._arrived: Arrived | None = None
        self._size = 0

    def callbacks(self) -> Any:
        """What the parser calls, by its names."""
        names = (
            "part_begin", "part_data", "part_end", "header_field", "header_value", "header_end",
            "headers_finished", "end",
        )  # fmt: skip
        return {f"on_{name}": getattr(self, f"_{name}") for name in names}

    def close(self) -> None:
        """Close what is open."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _part_begin(self) -> None:
        self._headers, self._size = {}, 0

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._headers[self._header.decode("latin-1").lower()] = self._value
        self._header = self._value = b""

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get("content-disposition", b""))
        name = options.get(b"filename")
        if name is None:
            self._begin_field(_decoded(options.get(b"name", b"")))
        else:
            self._begin_file(_decoded(name))

    def _begin_field(self, name: str) -> None:
        if len(self.form.fields) >= self._bounds.num_fields:
            raise HTTPException(HTTPStatus.BAD_REQUEST, "this form has too many fields.")
        self._field, self._text = name, bytearray()

    def _begin_file(self, name: str) -> None:
        if len(self.form.files) >= self._bounds.num_files:
            raise HTTPException(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"more than {self._bounds.num_files:,} files were sent at once; expected fewer.",
            )
        path = self._folder / f"{len(self.form.files):06d}"
        self._file = path.open("wb")
        self._arrived = Arrived(name, path, 0)

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        self._size += end - start
        if self._file is None:
            self._text += data[start:end]
            if self._size > self._bounds.field_bytes:
                raise HTTPException(
                    HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the field {self._field!r} is too long."
                )
        elif self._size <= self._bounds.file_bytes:
            self._file.write(data[start:end])

    def _part_end(self) -> None:
        if self._arrived is None:
            self.form.fields[self._field] = self._text.decode("utf-8", "replace")
            return
        self.close()
        most = self._bounds.file_bytes
        problem = "" if self._size <= most else f"larger than {most / MB:,.0f} MB"
        arrived = Arrived(self._arrived.name, self._arrived.path, self._size, problem)
        self.form.files.append(arrived)
        self._arrived = None

    def _end(self) -> None:
        self.ended = True


def _decoded(name: bytes) -> str:
    """Browsers send UTF-8, and write quotes and line ends in names as percent codes."""
    text = name.decode("utf-8", "replace")
    return text.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")
