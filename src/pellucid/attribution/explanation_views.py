"""How an explanation is shown: a picture with its maps, a text with its words, values as bars."""

from __future__ import annotations

from typing import Literal

import numpy as np
import xarray as xr
from PIL import Image

from pellucid.attribution.explanation_words import percent, strongest_words, verdict, where
from pellucid.attribution.words import Words, merge_words, words_by_marks
from pellucid.views import Axis, Bars, BarSeries, Heatmap, Overlay, Picture, Tokens, View
from pellucid.views.kinds import Floats

LIMIT_PERCENTILE = 99.5
CELLS_PER_SIDE = 56
MOST_VALUES = 20


def explanation_views(data: xr.Dataset) -> list[View]:
    """One view per picture with all its maps; one per text or array and method."""
    if "picture" in data:
        return [overlay(data, sample) for sample in range(data.sizes["sample"])]
    draw = tokens if "token" in data else bars
    return [
        draw(data, sample, row)
        for sample in range(data.sizes["sample"])
        for row in range(data.sizes["method"])
    ]


def overlay(data: xr.Dataset, sample: int) -> Overlay:
    """A picture with its maps side by side, and what the model answered."""
    rows = range(data.sizes["method"])
    name = str(data["sample_id"].values[sample])
    found = [
        f"{data['title'].values[row]}: {where(data['attribution'].values[row, sample])}."
        for row in rows
    ]
    return Overlay(
        title=name,
        caption=" ".join([verdict(data, sample), _key(data, sample, "areas"), *found]),
        picture=Picture(
            pixels=data["picture"].values[sample],
            sample=name,
            label=str(data["predicted_label"].values[sample]),
            tone=_tone(data, sample),
        ),
        maps=tuple(heatmap(data, sample, row) for row in rows),
        probabilities=probabilities(data, sample),
    )


def heatmap(data: xr.Dataset, sample: int, row: int) -> Heatmap:
    """One map, with what its method does and how fine it is.

    Maps that vary from pixel to pixel are averaged over small squares, since the eye cannot make
    out single pixels; the caption says so.
    """
    values = data["attribution"].values[row, sample]
    caption = [str(data["about"].values[row]), f"Resolution: {data['resolution'].values[row]}"]
    if str(data["layer"].values[row]):
        caption[-1] += f" of layer {data['layer'].values[row]!s}"
    side = max(1, round(min(values.shape) / CELLS_PER_SIDE))
    if data["per_pixel"].values[row] and side > 1:
        values = _averaged(values, side)
        caption[-1] += f", shown averaged over {side} × {side} pixels"
    caption[-1] += "."
    error = float(data["completeness_error"].values[row, sample])
    if np.isfinite(error):
        caption.append(f"The parts add up to the whole but for {percent(error)}.")
    return Heatmap(
        name=str(data["title"].values[row]),
        values=values,
        limit=_limit(values),
        signed=bool(data["signed"].values[row]),
        caption=" ".join(caption),
    )


def tokens(data: xr.Dataset, sample: int, row: int) -> Tokens:
    """One text, its words coloured by one method; a word gets the sum of its tokens."""
    signed = bool(data["signed"].values[row])
    words = _words(data.isel(sample=sample, method=row))
    ordinary = ~np.array(words.special, dtype=bool)
    caption = (
        verdict(data, sample),
        _key_of_words(data, sample, row),
        strongest_words(words.text, words.values, ~ordinary, signed=signed),
        str(data["about"].values[row]),
    )
    return Tokens(
        title=_title(data, sample, row),
        caption=" ".join(caption),
        tokens=words.text,
        values=words.values,
        limit=_limit(words.values[ordinary]) if ordinary.any() else 1.0,
        special=words.special,
        signed=signed,
        sample=str(data["sample_id"].values[sample]),
        probabilities=probabilities(data, sample),
    )


def bars(data: xr.Dataset, sample: int, row: int) -> Bars:
    """The strongest values of one array, by one method."""
    values = data["attribution"].values[row, sample]
    order = np.argsort(-np.abs(values), kind="stable")[:MOST_VALUES]
    caption = (
        f"{verdict(data, sample)} Positive values speak for the answer, negative ones against."
    )
    return Bars(
        title=_title(data, sample, row),
        caption=f"{caption} {data['about'].values[row]}",
        categories=tuple(f"value {index}" for index in order),
        series=(BarSeries(name=str(data["title"].values[row]), values=values[order]),),
        value=Axis(label="contribution to the score"),
    )


def probabilities(data: xr.Dataset, sample: int) -> Bars:
    """The model's most probable answers."""
    return Bars(
        title="What the model answered",
        categories=tuple(str(label) for label in data["rank_label"].values[sample]),
        series=(BarSeries(name="probability", values=data["probability"].values[sample]),),
        value=Axis(label="probability", limits=(0.0, 1.0)),
    )


def _title(data: xr.Dataset, sample: int, row: int) -> str:
    return f"{data['sample_id'].values[sample]}: {data['title'].values[row]}"


def _key(data: xr.Dataset, sample: int, parts: str) -> str:
    """How to read the colours."""
    signed, label = data["signed"].values, str(data["target_label"].values[sample])
    colours = [("Bright", not signed.all()), ("red", signed.any())]
    for_it = " or ".join(colour for colour, there in colours if there).capitalize()
    against = f", blue {parts} against it" if signed.any() else ""
    return f"{for_it} {parts} speak for {label!r}{against}."


def _words(data: xr.Dataset) -> Words:
    """The words of one sample; of a result that was saved without them, by the tokens' marks."""
    used = data["used"].values
    pieces = [str(token) for token in data["token"].values[used]]
    known = data["word"].values[used].tolist() if "word" in data else words_by_marks(pieces)
    special = data["special"].values[used].tolist()
    return merge_words(pieces, data["attribution"].values[used], special, known)


def _key_of_words(data: xr.Dataset, sample: int, row: int) -> str:
    """How to read the colours of words."""
    if data["signed"].values[row]:
        return _key(data.isel(method=[row]), sample, "words")
    return "The redder a word, the more it gets; this method does not show what speaks against."


def _tone(data: xr.Dataset, sample: int) -> Literal["neutral", "good", "bad"]:
    true = str(data["true_label"].values[sample])
    if not true:
        return "neutral"
    return "good" if true == str(data["predicted_label"].values[sample]) else "bad"


def _limit(values: Floats) -> float:
    """A high percentile, so that a few extreme values do not leave the rest pale."""
    strength = np.abs(values)
    high = float(np.percentile(strength, LIMIT_PERCENTILE)) or float(strength.max(initial=0))
    return high or 1.0


def _averaged(values: Floats, side: int) -> Floats:
    height, width = (max(1, round(length / side)) for length in values.shape)
    plane = Image.fromarray(values.astype(np.float32))
    return np.asarray(plane.resize((width, height), Image.Resampling.BOX))
