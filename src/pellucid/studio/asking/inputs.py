"""The input that is asked about, with parts of it hidden by strokes of a brush."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from pellucid.errors import SpecError

Fill = Literal["mean", "blur", "zero"]
BLUR_SIDE = 96  # a picture is blurred at this size, which is quick and hides what matters
BLUR_RADIUS = 6  # pixels of that size


@dataclass(frozen=True)
class Stroke:
    """A line through points (x, y), from 0 to 1 of the picture's width and height; `radius` is half
    its thickness, from 0 to 1 of the width.
    """

    points: tuple[tuple[float, float], ...]
    radius: float


@dataclass(frozen=True, kw_only=True)
class Given:
    """One input: a picture's file or a text, and the strokes that hide parts of the picture."""

    id: str
    kind: Literal["image", "text"]
    title: str
    path: Path | None = None
    text: str = ""
    strokes: tuple[Stroke, ...] = ()
    fill: Fill = "blur"


class RawInputs:
    """Reads inputs as models take them, and keeps the last pictures and what hides them."""

    def __init__(self, num_kept: int) -> None:
        self._num_kept = num_kept
        self._pictures: OrderedDict[tuple[str, str], Image.Image] = OrderedDict()

    def raw(self, given: Given) -> Image.Image | str:
        """Give the text, or the picture with its strokes painted over.

        Raises UnreadableSample for a damaged file, SpecError for strokes on a text.
        """
        if given.kind == "text":
            if given.strokes:
                raise SpecError(
                    "strokes were given for a text; they can only hide parts of a picture."
                )
            return given.text
        picture = self._kept(given, "picture")
        if not given.strokes:
            return picture
        hidden = picture.copy()
        hidden.paste(self._kept(given, given.fill), mask=mask(given.strokes, picture.size))
        return hidden

    def _kept(self, given: Given, what: Literal["picture"] | Fill) -> Image.Image:
        key = given.id, what
        if key not in self._pictures:
            if what == "picture":
                from pellucid.data.pictures import read_picture

                assert given.path is not None
                made = read_picture(given.path, given.title)
            else:
                made = filled(self._kept(given, "picture"), what)
            self._pictures[key] = made
            if len(self._pictures) > self._num_kept:
                self._pictures.popitem(last=False)
        self._pictures.move_to_end(key)
        return self._pictures[key]


def filled(picture: Image.Image, fill: Fill) -> Image.Image:
    """What shows where a picture is hidden: its mean colour, itself blurred, or black."""
    if fill == "zero":
        return Image.new("RGB", picture.size)
    if fill == "mean":
        colour = np.asarray(picture.reduce(max(1, min(picture.size) // BLUR_SIDE))).mean((0, 1))
        red, green, blue = (round(float(value)) for value in colour)
        return Image.new("RGB", picture.size, (red, green, blue))
    small = picture.copy()
    small.thumbnail((BLUR_SIDE, BLUR_SIDE))
    radius = max(1.0, BLUR_RADIUS * max(small.size) / BLUR_SIDE)
    return small.filter(ImageFilter.GaussianBlur(radius)).resize(picture.size)


def mask(strokes: tuple[Stroke, ...], size: tuple[int, int]) -> Image.Image:
    """Where strokes lie on a picture of `size` (width, height): 255 there, 0 elsewhere."""
    width, height = size
    painted = Image.new("L", size)
    draw = ImageDraw.Draw(painted)
    for stroke in strokes:
        radius = stroke.radius * width
        line = [(x * width, y * height) for x, y in stroke.points]
        for x, y in line:
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
        if len(line) > 1:
            draw.line(line, fill=255, width=max(1, round(2 * radius)))
    return painted
