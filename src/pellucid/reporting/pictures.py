"""The pictures of a page: each is embedded once, as a CSS class, and shown wherever it is needed.

A class, and not a copy of the picture, is what the overlays, the galleries and the samples of a
matrix cell share; it works without a script.
"""

from __future__ import annotations

import base64
import hashlib
import io
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pellucid.reporting.html import Markup, element
from pellucid.views import Heatmap
from pellucid.views.colours import colour_table, heatmap_levels, resize
from pellucid.views.kinds import Pixels

LARGEST = 512  # pixels; a picture is shown at most half as large
LARGEST_MAP = 256
TINY = 64  # below this, pixels are shown as squares


@dataclass(frozen=True)
class Embedded:
    """A picture's class on the page and its proportions."""

    name: str
    width: int
    height: int

    def draw(self, description: str, *inside: Markup, extra: str = "") -> Markup:
        """The picture as an element with a description for those who cannot see it."""
        return element(
            "span",
            *inside,
            class_=f"pic {self.classes} {extra}".rstrip(),
            role="img",
            aria_label=description,
            style=f"--ratio:{self.ratio}",
        )

    @property
    def classes(self) -> str:
        return f"{self.name} tiny" if max(self.width, self.height) < TINY else self.name

    @property
    def ratio(self) -> str:
        return f"{self.width}/{self.height}"


@dataclass
class Pictures:
    """Collects the pictures of one page."""

    _rules: dict[str, str] = field(default_factory=dict)
    _known: dict[bytes, Embedded] = field(default_factory=dict)

    def add(self, pixels: Pixels) -> Embedded:
        """Embed (y, x, 3) pixels, or find them among those embedded."""
        return self._add(pixels, "i", lambda: _photograph(_rgb(pixels)))

    def add_exactly(self, pixels: Pixels) -> Embedded:
        """Embed (y, x, 3) pixels whose every colour means something."""
        return self._add(pixels, "x", lambda: _drawing(_rgb(pixels)))

    def add_map(self, heatmap: Heatmap) -> Embedded:
        """Embed a heat map, transparent where it says little."""
        shown = _reduced(heatmap)
        levels = heatmap_levels(shown)
        return self._add(levels, f"m{int(heatmap.signed)}-", lambda: _map(levels, heatmap.signed))

    def styles(self) -> str:
        """The CSS rules of all pictures."""
        return "\n".join(
            f".{name}{{background-image:url({uri})}}" for name, uri in self._rules.items()
        )

    def _add(self, pixels: NDArray[Any], prefix: str, encode: Any) -> Embedded:
        height, width = pixels.shape[:2]
        stamp = f"{prefix}{pixels.shape}".encode()
        key = hashlib.blake2b(stamp + np.ascontiguousarray(pixels).tobytes()).digest()
        if key not in self._known:
            name = f"{prefix}{len(self._known)}"
            self._rules[name] = encode()
            self._known[key] = Embedded(name, width, height)
        return self._known[key]


def _photograph(picture: Image.Image) -> str:
    """JPEG, or PNG where that is smaller, as for drawings."""
    picture.thumbnail((LARGEST, LARGEST), Image.Resampling.LANCZOS)
    small = max(picture.size) < TINY
    jpeg, png = io.BytesIO(), io.BytesIO()
    picture.save(
        jpeg, "JPEG", quality=90 if small else 86, optimize=True, subsampling=0 if small else 2
    )
    picture.save(png, "PNG", optimize=max(picture.size) <= LARGEST_MAP)
    smaller = png if png.tell() < jpeg.tell() else jpeg
    return _uri(smaller.getvalue(), "png" if smaller is png else "jpeg")


def _drawing(picture: Image.Image) -> str:
    content = io.BytesIO()
    picture.save(content, "PNG", optimize=True)
    return _uri(content.getvalue(), "png")


def _map(levels: NDArray[np.uint8], signed: bool) -> str:
    """A PNG of positions in the colour table, whose palette carries the transparency."""
    table = colour_table(signed)
    picture = Image.fromarray(levels).convert("L")
    picture = Image.frombytes("P", picture.size, picture.tobytes())
    picture.putpalette(table[:, :3].tobytes())
    content = io.BytesIO()
    picture.save(
        content, "PNG", transparency=table[:, 3].tobytes(), optimize=False, compress_level=9
    )
    return _uri(content.getvalue(), "png")


def _reduced(heatmap: Heatmap) -> Heatmap:
    height, width = heatmap.values.shape
    scale = min(1.0, LARGEST_MAP / max(height, width, 1))
    values = resize(heatmap.values, max(1, round(height * scale)), max(1, round(width * scale)))
    return Heatmap(name=heatmap.name, values=values, limit=heatmap.limit, signed=heatmap.signed)


def _rgb(pixels: Pixels) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(pixels)).convert("RGB")


def _uri(content: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
