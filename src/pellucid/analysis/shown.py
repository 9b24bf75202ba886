"""Which samples an evaluation keeps to be shown, and how: small pictures, or starts of texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from pellucid.analysis.intervals import Counts
from pellucid.data import Data
from pellucid.errors import UnreadableSample
from pellucid.model.inputs import as_picture
from pellucid.views.wording import shorten

MOST_SHOWN = 400
MOST_PER_CELL = 12
MOST_MISTAKES = 24
THUMBNAIL = 64
SNIPPET = 200


def choose(
    target: Counts,
    predicted: Counts,
    confidence: NDArray[np.floating],
    *,
    most: int = MOST_SHOWN,
    per_cell: int = MOST_PER_CELL,
) -> Counts:
    """Choose samples of each cell of the confusion matrix, at most `per_cell` each: (shown,) int64.

    First the most confident mistakes of all, whatever their cell; then the other mistakes; then
    right answers; in turns over the cells, the most confident ones first.
    """
    wrong = target != predicted
    cell_rank = _rank_within(target * (predicted.max() + 1) + predicted, -confidence)
    mistake_rank = _rank_within(wrong.astype(np.int64), -confidence)
    leading = wrong & (mistake_rank < MOST_MISTAKES)
    order = np.lexsort((-confidence, np.where(leading, 0, cell_rank), ~wrong, ~leading))
    eligible = leading | (cell_rank < per_cell)
    return np.asarray(order[eligible[order]][:most], dtype=np.int64)


def _rank_within(group: Counts, key: NDArray[np.floating]) -> Counts:
    order = np.lexsort((key, group))
    starts = np.searchsorted(group[order], group[order])
    rank = np.empty(len(group), dtype=np.int64)
    rank[order] = np.arange(len(group)) - starts
    return rank


def read_again(data: Data, positions: Sequence[int]) -> tuple[Counts, list[Any]]:
    """Read samples a second time: which of `positions` could be read, and their raw inputs."""
    kept, raws = [], []
    for index, position in enumerate(positions):
        try:
            raws.append(data.read(int(position)))
        except UnreadableSample as error:
            data.report.add(error.sample, error.reason)
        else:
            kept.append(index)
    return np.array(kept, dtype=np.int64), raws


def thumbnail(raw: Any) -> NDArray[np.uint8]:
    """Square picture of the middle of a raw one, (64, 64, 3) uint8."""
    picture = raw if isinstance(raw, Image.Image) else as_picture(raw)
    square = ImageOps.fit(picture.convert("RGB"), (THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
    return np.array(square, dtype=np.uint8)


def snippet(text: str) -> str:
    """Start of a text on one line, at most 200 characters."""
    return shorten(" ".join(text.split()), SNIPPET)
