"""How alike the explanations of two models are.

Maps of pictures are brought to the smaller of the two grids; words are compared where both
tokenizers find the same ones. Two figures tell how alike two maps are: Spearman's rank correlation
of their values, and which share of the strongest tenth they have in common (a tenth by chance).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from scipy.stats import rankdata

from pellucid.attribution.words import Words, merge_words
from pellucid.views.kinds import Floats
from pellucid.views.wording import readable_tokens

STRONGEST = 0.1
FEWEST = 3  # values without which a rank correlation says nothing


def similarity_arrays(first: xr.Dataset, second: xr.Dataset) -> dict[str, Any]:
    """How alike the maps of two explanations of the same samples are, (method, explained) each.

    `rank_correlation` is −1 to 1, `top_overlap` 0 to 1; NaN where maps cannot be compared.
    """
    shape = first.sizes["method"], first.sizes["sample"]
    correlation, overlap = np.full(shape, np.nan), np.full(shape, np.nan)
    for row, sample in np.ndindex(shape):
        pair = _pair(first.isel(method=row, sample=sample), second.isel(method=row, sample=sample))
        if pair is not None:
            correlation[row, sample] = rank_correlation(*pair)
            overlap[row, sample] = top_overlap(*pair)
    return {
        "rank_correlation": (("method", "explained"), correlation),
        "top_overlap": (("method", "explained"), overlap),
    }


def rank_correlation(first: Floats, second: Floats) -> float:
    """Spearman's correlation of two sets of values; NaN where one is constant or hardly any."""
    if first.size < FEWEST or np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    return float(np.corrcoef(rankdata(first), rankdata(second))[0, 1])


def top_overlap(first: Floats, second: Floats) -> float:
    """Share of the strongest tenth that two maps have in common; NaN where one is empty.

    Strength is the absolute value; what is zero is never among the strongest.
    """
    one, other = _strongest(np.abs(first)), _strongest(np.abs(second))
    if not (len(one) and len(other)):
        return float("nan")
    return len(np.intersect1d(one, other)) / max(len(one), len(other))


def _pair(first: xr.Dataset, second: xr.Dataset) -> tuple[Floats, Floats] | None:
    """The values of two maps of one sample, place by place (places,); None if they don't fit."""
    if "token" in first or "token" in second:
        return _paired_words(_words(first), _words(second))
    maps = first["attribution"].values, second["attribution"].values
    if maps[0].ndim == maps[1].ndim == 2:
        height, width = (min(sizes) for sizes in zip(maps[0].shape, maps[1].shape, strict=True))
        maps = _averaged(maps[0], height, width), _averaged(maps[1], height, width)
    if maps[0].shape != maps[1].shape:
        return None
    return maps[0].ravel(), maps[1].ravel()


def _words(data: xr.Dataset) -> Words:
    used = data["used"].values
    return merge_words(
        [str(token) for token in data["token"].values[used]],
        data["attribution"].values[used],
        data["special"].values[used].tolist(),
        data["word"].values[used].tolist(),
    )


def _paired_words(first: Words, second: Words) -> tuple[Floats, Floats] | None:
    """Values of the words, without special tokens, if both texts have the same ones."""
    ordinary = [~np.array(words.special, dtype=np.bool_) for words in (first, second)]
    texts = [
        [word.casefold() for word, _ in readable_tokens(np.array(words.text)[own].tolist())]
        for words, own in zip((first, second), ordinary, strict=True)
    ]
    if texts[0] != texts[1]:
        return None
    return first.values[ordinary[0]], second.values[ordinary[1]]


def _averaged(values: Floats, height: int, width: int) -> Floats:
    if values.shape == (height, width):
        return values
    plane = torch.from_numpy(np.ascontiguousarray(values))[None]
    found: Floats = torch.nn.functional.adaptive_avg_pool2d(plane, (height, width))[0].numpy()
    return found


def _strongest(strength: Floats) -> NDArray[np.intp]:
    """Places of the strongest tenth, of equal ones the first; fewer where the rest is zero."""
    most = max(1, round(STRONGEST * strength.size))
    order = np.argsort(-strength, kind="stable")[:most]
    kept: NDArray[np.intp] = order[strength[order] > 0]
    return kept
