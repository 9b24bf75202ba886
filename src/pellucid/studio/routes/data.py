"""Data sets, their samples, and small pictures of them."""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Annotated

import numpy as np
from fastapi import APIRouter, Query
from starlette.responses import Response

from pellucid.studio.answers import of_type
from pellucid.studio.datasets import DataSets
from pellucid.studio.problems import NotThere
from pellucid.studio.schemas import DataSet, Id, SampleItem, SamplePage
from pellucid.studio.state import Current

if TYPE_CHECKING:
    from pellucid.data import Data

router = APIRouter(prefix="/api/data", tags=["data"])
SNIPPET = 160
Split = Annotated[str | None, Query(max_length=100)]


class Thumbnails:
    """Small pictures, kept up to a number of bytes."""

    def __init__(self, most_bytes: int = 64 * 2**20) -> None:
        self._most, self._held = most_bytes, 0
        self._kept: OrderedDict[tuple[str, str | None, int, int], bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[str, str | None, int, int], data: Data) -> bytes:
        """The PNG file of sample key[2], at most key[3] pixels wide and high."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = thumbnail(data, key[2], key[3])
        with self._lock:
            if key not in self._kept:
                self._kept[key] = made
                self._held += len(made)
            while self._held > self._most and len(self._kept) > 1:
                self._held -= len(self._kept.popitem(last=False)[1])
        return made


def thumbnail(data: Data, position: int, size: int) -> bytes:
    """Draw a sample as a small PNG. Raises NotThere for what is no picture."""
    if data.kind != "image" or not 0 <= position < len(data):
        raise NotThere(f"{data.source} has no picture number {position} in this split.")
    picture = data.read(position).copy()
    if max(picture.size) < size // 4:  # pixels of tiny pictures stay sharp
        factor = size // max(picture.size)
        picture = picture.resize((picture.width * factor, picture.height * factor), 0)
    picture.thumbnail((size, size))
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=4)
    return file.getvalue()


@router.get("")
def list_data(studio: Current) -> list[DataSet]:
    """All data sets, with what is known without opening them."""
    sets = studio.part(DataSets)
    return [sets.outline(each) for each in sets.known().values()]


@router.get("/{data_id}")
def get_data(data_id: Id, studio: Current, split: Split = None) -> DataSet:
    """One data set, opened: its samples by number, its labels, its splits, its problems."""
    return studio.part(DataSets).detail(data_id, split)


@router.get("/{data_id}/samples")
def get_samples(
    data_id: Id,
    studio: Current,
    split: Split = None,
    start: Annotated[int, Query(ge=0)] = 0,
    count: Annotated[int, Query(ge=1, le=500)] = 60,
    label: Annotated[str | None, Query(max_length=500)] = None,
) -> SamplePage:
    """Some samples, of one label if it is given."""
    data = studio.part(DataSets).open(data_id, split)
    positions = np.arange(len(data))
    if label is not None:
        wanted = data.labels.index(label) if label in data.labels else None
        positions = positions[:0] if wanted is None else np.flatnonzero(data.targets == wanted)
    chosen = positions[start : start + count].tolist()
    return SamplePage(total=len(positions), items=[item(data, position) for position in chosen])


@router.get(
    "/{data_id}/samples/{position}.png",
    response_class=Response,
    responses=of_type("image/png", "A picture"),
)
def get_picture(
    data_id: Id,
    position: int,
    studio: Current,
    split: Split = None,
    size: Annotated[int, Query(ge=16, le=1024)] = 160,
) -> Response:
    """A sample's picture, at most `size` pixels wide and high."""
    data = studio.part(DataSets).open(data_id, split)
    file = studio.part(Thumbnails).get((data_id, split, position, size), data)
    return Response(file, media_type="image/png", headers={"cache-control": "private, max-age=600"})


def item(data: Data, position: int) -> SampleItem:
    """One sample as the API gives it."""
    target = int(data.targets[position])
    text = str(data.read(position)) if data.kind == "text" else ""
    return SampleItem(
        position=position,
        sample=data.ids[position],
        label=data.labels[target] if target >= 0 else "",
        snippet=text if len(text) <= SNIPPET else f"{text[: SNIPPET - 1]}…",
    )
