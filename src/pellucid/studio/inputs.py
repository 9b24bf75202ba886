"""Inputs to ask about, kept for a while: pictures as they came, with a preview, and texts."""

from __future__ import annotations

import io
import json
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pellucid.errors import DataError
from pellucid.files import replacing, write_json
from pellucid.studio.asking.inputs import Fill, Given, Stroke
from pellucid.studio.problems import NotThere
from pellucid.studio.schemas import Ask, Input

if TYPE_CHECKING:
    from PIL.Image import Image

PREVIEW_SIDE = 1024
TITLE_LETTERS = 60
MOST_KEPT = 300


@dataclass(frozen=True, kw_only=True)
class Kept:
    """One input; `width` and `height` are those of the upright picture, in pixels."""

    id: str
    kind: Literal["image", "text"]
    title: str
    width: int | None = None
    height: int | None = None
    text: str = ""


class Inputs:
    """The inputs of one workspace; when there are many, the oldest go."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add_file(self, content: bytes, title: str) -> Kept:
        """Keep a picture's file. Raises UnreadableSample for a damaged or too large one."""
        from pellucid.data.pictures import read_picture

        return self._add_picture(read_picture(content, title), content, title)

    def add_picture(self, picture: Image, title: str) -> Kept:
        """Keep a picture that was read from data."""
        file = io.BytesIO()
        picture.save(file, "PNG", compress_level=1)
        return self._add_picture(picture, file.getvalue(), title)

    def add_text(self, text: str) -> Kept:
        """Keep a text."""
        words = " ".join(text.split())
        title = words if len(words) <= TITLE_LETTERS else f"{words[: TITLE_LETTERS - 1]}…"
        return self._keep(Kept(id=_new_id(), kind="text", title=title or "text", text=text))

    def find(self, name: str) -> Kept:
        """The input of an id. Raises NotThere for one that is gone."""
        path = self._folder / f"{name}.json"
        if name != Path(name).name or not path.is_file():
            raise NotThere(
                f"the input {name!r} is not kept any more. Choose the picture or text again."
            )
        try:
            return Kept(**json.loads(path.read_text("utf-8")))
        except (ValueError, TypeError) as error:
            raise DataError(f"the record of input {name} is damaged ({error}).") from error

    def preview(self, name: str) -> Path:
        """The PNG file that shows a picture. Raises NotThere for a text."""
        if self.find(name).kind != "image":
            raise NotThere(f"the input {name!r} is a text, which has no picture.")
        return self._folder / f"{name}.png"

    def given(self, ask: Ask) -> Given:
        """What a worker is asked about. Raises NotThere for an input that is gone."""
        kept = self.find(ask.input)
        fill: Fill = ask.fill
        return Given(
            id=kept.id,
            kind=kept.kind,
            title=kept.title,
            path=self._folder / f"{kept.id}.picture" if kept.kind == "image" else None,
            text=kept.text,
            strokes=tuple(Stroke(tuple(each.points), each.radius) for each in ask.strokes),
            fill=fill,
        )

    def _add_picture(self, picture: Image, content: bytes, title: str) -> Kept:
        name = _new_id()
        self._folder.mkdir(parents=True, exist_ok=True)
        with replacing(self._folder / f"{name}.picture") as temporary:
            temporary.write_bytes(content)
        preview = picture.copy()
        preview.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
        preview.save(self._folder / f"{name}.png", compress_level=1)
        width, height = picture.size
        return self._keep(Kept(id=name, kind="image", title=title, width=width, height=height))

    def _keep(self, kept: Kept) -> Kept:
        self._folder.mkdir(parents=True, exist_ok=True)
        write_json(self._folder / f"{kept.id}.json", asdict(kept))
        records = sorted(self._folder.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
        for old in records[:-MOST_KEPT]:
            for suffix in (".json", ".picture", ".png"):
                old.with_suffix(suffix).unlink(missing_ok=True)
        return kept


def answer(kept: Kept) -> Input:
    """An input as the API gives it."""
    return Input(**asdict(kept))


def _new_id() -> str:
    return uuid.uuid4().hex[:12]
