"""An explanation in plain words: what was answered, and where the reasons lie."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from pellucid.attribution.faithfulness.shown import faithfulness_words
from pellucid.views import prose
from pellucid.views.kinds import Floats
from pellucid.views.prose import counted, listed
from pellucid.views.wording import readable_tokens

PLACES = (
    ("the upper left", "the upper middle", "the upper right"),
    ("the middle left", "the centre", "the middle right"),
    ("the lower left", "the lower middle", "the lower right"),
)
MUCH = 0.45  # of all, in a quarter of the picture
STRONGEST = 0.1
MOST_WORDS = 3

percent = functools.partial(prose.percent, digits=0)


def summary(data: xr.Dataset, notes: Sequence[str]) -> str:
    """Say what was explained by which methods, how often the model was right, and what to beware."""
    number = data.sizes["sample"]
    known = data["true_label"].values != ""
    right = (data["true_label"].values == data["predicted_label"].values) & known
    lines = [f"{counted(number, 'sample')} explained with {listed(list(data['title'].values))}."]
    if known.any():
        lines[0] += (
            f" The model was right on {right.sum()} of {counted(int(known.sum()), 'sample')}."
        )
    for row in range(data.sizes["method"]):
        lines += [_typical(data, row), faithfulness_words(data, row)]
    return "\n".join([*filter(None, lines), *notes])


def headline(data: xr.Dataset) -> list[tuple[str, str, str]]:
    """Give the figures to show first: (label, value, detail)."""
    known = data["true_label"].values != ""
    right = (data["true_label"].values == data["predicted_label"].values) & known
    tiles = [
        ("Samples", f"{data.sizes['sample']:,}", listed(list(data["title"].values))),
    ]
    if known.any():
        share = percent(float(right.sum() / known.sum()))
        tiles.append(("Right", share, f"{right.sum()} of {counted(int(known.sum()), 'sample')}"))
    for row, title in enumerate(data["title"].values):
        error = data["completeness_error"].values[row]
        if np.isfinite(error).any():
            detail = "how far the parts are from adding up to the whole, at worst"
            tiles.append((f"{title}: error", percent(float(np.nanmax(error))), detail))
    return tiles


def verdict(data: xr.Dataset, sample: int) -> str:
    """What the model answered, whether that is right, and which class is explained."""
    answer, true, explained = (
        str(data[name].values[sample]) for name in ("predicted_label", "true_label", "target_label")
    )
    said = f"The model answered {answer!r} with {percent(float(data['probability'].values[sample, 0]))}"
    if true:
        said += ", which is right" if answer == true else f"; the right answer was {true!r}"
    if explained == answer:
        return said + "."
    share = percent(float(data["target_probability"].values[sample]))
    return f"{said}. Explained is {explained!r}, to which it gave {share}."


def where(values: Floats) -> str:
    """Say where on a picture a map (y, x) is strong, and how concentrated it is.

    Of nine windows with half the picture's sides, the one that holds most is named, if it holds
    much more than the quarter that it would of an even map.
    """
    strength = np.abs(values.astype(np.float64))
    total = strength.sum()
    if not total:
        return "it marks nothing"
    downs, acrosses = (_halves(side) for side in strength.shape)
    shares = np.array([[strength[down, across].sum() for across in acrosses] for down in downs])
    row, column = np.unravel_index(shares.argmax(), shares.shape)
    mostly = shares.max() >= MUCH * total
    place = f"mostly in {PLACES[row][column]}" if mostly else "spread widely"
    held = percent(concentration(values))
    return f"{place}; the strongest tenth of the area holds {held} of the importance"


def _halves(side: int) -> list[slice]:
    """The first, middle and last half of a side."""
    half = (side + 1) // 2
    return [slice(start, start + half) for start in (0, (side - half) // 2, side - half)]


def concentration(values: Floats) -> float:
    """Share of the importance that the strongest tenth of a map holds; 0.1 if it is even."""
    strength = np.sort(np.abs(values.astype(np.float64)).ravel())[::-1]
    total = strength.sum()
    most = max(1, round(STRONGEST * strength.size))
    return float(strength[:most].sum() / total) if total else 0.0


def strongest_words(
    tokens: Sequence[str], values: Floats, special: NDArray[np.bool_], *, signed: bool = True
) -> str:
    """Name the words that speak most for the class, and most against it; or that get most."""
    words = [word for word, _ in readable_tokens(tokens)]
    strength = np.where(special, 0.0, np.abs(values))
    largest = strength.max(initial=0.0)
    order = [
        index
        for index in np.argsort(-strength, kind="stable")
        if strength[index] > 0 and strength[index] >= STRONGEST * largest
    ]
    for_it = [repr(words[index]) for index in order if values[index] > 0][:MOST_WORDS]
    against = [repr(words[index]) for index in order if values[index] < 0][:MOST_WORDS]
    said = [f"{'Most for it' if signed else 'Strongest'}: {', '.join(for_it)}."] if for_it else []
    said += [f"Most against it: {', '.join(against)}."] if against else []
    return " ".join(said) or "No word makes a difference."


def _typical(data: xr.Dataset, row: int) -> str:
    values, title = data["attribution"].values[row], str(data["title"].values[row])
    if values.ndim != 3:
        return ""
    held = percent(float(np.median([concentration(each) for each in values])))
    return f"{title}: the strongest tenth of a picture typically holds {held} of the importance."
