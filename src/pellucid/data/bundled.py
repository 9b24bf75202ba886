"""``bundled:digits`` and ``bundled:photos``: data that come with packages, without a download.

``digits`` are scikit-learn's 1,797 handwritten digits of 8 × 8 pixels (Alpaydin and Kaynak, 1998);
their 17 grey levels 0…16 become 0…255, and ids are ``digit-0000`` and so on. ``photos`` are
photographs from scikit-image, without labels, named by their id.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pellucid.data.folder import PictureFiles
from pellucid.data.protocol import UNLABELLED, Data
from pellucid.data.report import DataReport
from pellucid.data.source import Source
from pellucid.errors import SpecError, closest
from pellucid.plugins import require

PHOTOS = {
    "astronaut": "astronaut.png",
    "camera": "camera.png",
    "chelsea": "chelsea.png",
    "coffee": "coffee.png",
    "coins": "coins.png",
    "motorcycle": "motorcycle_left.png",
    "rocket": "rocket.jpg",
}
GREATEST_LEVEL = 16


@dataclass(frozen=True, eq=False)
class GreyPictures:
    """Reads grey `pixels` (samples, height, width) uint8 as RGB pictures."""

    pixels: NDArray[np.uint8]

    def __call__(self, index: int) -> Any:
        return Image.fromarray(self.pixels[index]).convert("RGB")


def load(rest: str) -> Source:
    """Open ``digits`` or ``photos``. Raises SpecError for another name."""
    if rest not in BUNDLED:
        raise SpecError(f"bundled:{rest} does not exist. {closest(rest, BUNDLED)}")
    return Source(splits=(), read=BUNDLED[rest])


def _digits(split: str) -> Data:
    from sklearn.datasets import load_digits

    found = load_digits()
    levels = np.round(found.images * (255 / GREATEST_LEVEL)).astype(np.uint8)
    return Data(
        source="bundled:digits",
        split=split,
        kind="image",
        labels=tuple(str(digit) for digit in range(10)),
        ids=tuple(f"digit-{index:04d}" for index in range(len(levels))),
        targets=found.target.astype(np.int64),
        read=GreyPictures(levels),
    )


def _photos(split: str) -> Data:
    package = require("skimage", extra="demo", why="for bundled:photos")
    folder = Path(package.__file__ or "").parent / "data"
    report = DataReport()
    ids = [name for name, file in PHOTOS.items() if (folder / file).is_file()]
    for name in sorted(PHOTOS.keys() - set(ids)):
        report.add(name, "is not in this version of scikit-image")
    return Data(
        source="bundled:photos",
        split=split,
        kind="image",
        labels=(),
        ids=tuple(ids),
        targets=np.full(len(ids), UNLABELLED, dtype=np.int64),
        read=PictureFiles(folder, tuple(PHOTOS[name] for name in ids), tuple(ids)),
        report=report,
    )


BUNDLED: dict[str, Callable[[str], Data]] = {"digits": _digits, "photos": _photos}
