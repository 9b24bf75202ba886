"""What there is to see of feature images: pictures, scores, figures, and cards of units."""

from __future__ import annotations

from typing import Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from pellucid.inside.features.words import KNOWN, table_columns
from pellucid.views import (
    Axis,
    Bars,
    BarSeries,
    Column,
    ImageGrid,
    Lines,
    Picture,
    Series,
    Table,
    View,
)
from pellucid.views.prose import percent
from pellucid.views.wording import formatted

MOST_CURVES = 8
SMOOTHED = 9
UNITS = {"class": "logit", "contrast": "difference of logits"}


def feature_views(data: xr.Dataset) -> list[View]:
    """The pictures first; then a card per unit, if there are any; scores and figures."""
    cards = [view for row in range(data.sizes["objective"]) for view in _card(data, row)]
    return [pictures(data), *cards, *curves(data), table(data)]


def pictures(data: xr.Dataset) -> ImageGrid:
    """Each picture with its objective and how the model reads it."""
    shown = [
        Picture(
            pixels=pixels_of(data, row, image),
            label=_label(data, row, image),
            tone=_tone(data, row, image),
        )
        for row in range(data.sizes["objective"])
        for image in range(data.sizes["image"])
    ]
    if "start" in data:
        shown.insert(0, Picture(pixels=data["start"].values, label="the photograph"))
    return ImageGrid(
        title="What excites them most",
        caption=_caption(data),
        pictures=tuple(shown),
    )


def curves(data: xr.Dataset) -> list[Lines]:
    """Scores over the steps: one chart for classes, one for each layer, as units differ."""
    keys = [
        str(k) if k in UNITS else f"activation of {layer}"
        for k, layer in zip(data["aim"].values, data["layer"].values, strict=True)
    ]
    return [_curve(data, key, keys) for key in dict.fromkeys(keys)]


def table(data: xr.Dataset) -> Table:
    """The figures of each picture."""
    columns = tuple(
        Column(name=name, values=values, format=spec) for name, values, spec in table_columns(data)
    )
    return Table(title="How the pictures read", caption=_explained(data), columns=columns)


def _explained(data: xr.Dataset) -> str:
    """What the columns are that this table has."""
    low, high = data["natural_std"].values
    said = ["Score: mean over random views of the finished picture."]
    if np.isfinite(data["read_top1"].values).any():
        said.append(
            "First, first five: share of the views in which the class is the model's first answer "
            "(of a difference: in which it is above the other), or among its first five. Sure: its "
            "mean probability."
        )
    if "natural_percentile" in data:
        number = int(data["num_natural"])
        said.append(f"Above natural: share of {number:,} natural samples with a lower score.")
    said.append(
        "Contrast: mean standard deviation of red, green and blue; in photographs "
        f"{low:.2f} to {high:.2f}. Saturated: share of values that are nearly black or white."
    )
    return " ".join(said)


def pixels_of(data: xr.Dataset, row: int, image: int) -> NDArray[np.uint8]:
    """One picture (y, x, 3); where it has an opacity, laid on white."""
    pixels: NDArray[np.uint8] = data["images"].values[row, image]
    if "opacity" not in data:
        return pixels
    share = data["opacity"].values[row, image][..., None]
    mixed: NDArray[np.uint8] = np.round(pixels * share + 255 * (1 - share)).astype(np.uint8)
    return mixed


def _curve(data: xr.Dataset, key: str, keys: list[str]) -> Lines:
    rows = [row for row, each in enumerate(keys) if each == key]
    steps = np.arange(1, data.sizes["step"] + 1, dtype=np.float64)
    series = []
    for row in rows[:MOST_CURVES]:
        scores = data["score"].values[row].astype(np.float64)
        smooth = np.stack([_smooth(each) for each in scores])
        several = len(smooth) > 1
        series.append(
            Series(
                name=_series_name(data, row),
                x=steps,
                y=smooth.mean(0),
                low=smooth.min(0) if several else None,
                high=smooth.max(0) if several else None,
            )
        )
    left = len(rows) - len(series)
    unit = UNITS.get(key, key)
    return Lines(
        title=f"How the {unit} grew",
        caption="Score of the view that the model was shown in each step, as a running mean over "
        f"{SMOOTHED} steps."
        + (
            " The band is from the least to the greatest of one objective's pictures."
            if data.sizes["image"] > 1
            else ""
        )
        + (f" The first {MOST_CURVES} of {len(rows)} are drawn." if left else ""),
        series=tuple(series),
        x=Axis(label="step"),
        y=Axis(label=unit),
    )


def _series_name(data: xr.Dataset, row: int) -> str:
    """Name a unit by its number where the axis names the layer."""
    title, layer = str(data["title"].values[row]), str(data["layer"].values[row])
    unit = title.removeprefix(f"{layer}:")
    return f"unit {unit}" if unit != title and unit[0].isdigit() else unit


def _smooth(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Running mean, over fewer steps near the ends."""
    window = np.ones(min(SMOOTHED, len(values)))
    count = np.convolve(np.ones_like(values), window, "same")
    return np.asarray(np.convolve(values, window, "same") / count)


def _label(data: xr.Dataset, row: int, image: int) -> str:
    title = str(data["title"].values[row])
    share = float(data["read_top5"].values[row, image])
    if np.isfinite(share) and data["aim"].values[row] == "class":
        return title if share >= KNOWN else f"{title}?"
    return title


def _tone(data: xr.Dataset, row: int, image: int) -> Literal["neutral", "bad"]:
    share = float(data["read_top5"].values[row, image])
    lost = data["aim"].values[row] == "class" and np.isfinite(share) and share < KNOWN
    return "bad" if lost else "neutral"


def _caption(data: xr.Dataset) -> str:
    begin = "the photograph" if "start" in data else "noise"
    said = [f"Pictures made from {begin} by gradient ascent, each for what stands under it."]
    top5 = data["read_top5"].values[data["aim"].values == "class"]
    if np.isfinite(top5).any():
        mean = percent(float(np.nanmean(top5)), 0)
        said.append(
            f"Seen again in random views, their class is among the model's first five in {mean}; a "
            "question mark tells where it mostly is not."
        )
    if "opacity" in data:
        said.append("What is white did not matter.")
    return " ".join(said)


def _card(data: xr.Dataset, row: int) -> list[View]:
    if "top_patch" not in data:
        return []
    title = str(data["title"].values[row])
    made = [
        Picture(pixels=pixels_of(data, row, image), label="made for it")
        for image in range(data.sizes["image"])
    ]
    patches, samples = [], []
    for rank, value in enumerate(data["top_value"].values[row]):
        if not np.isfinite(value):
            continue
        sample = str(data["top_sample"].values[row, rank])
        label = f"{formatted(float(value), '.3g')}  {sample}"
        patches.append(
            Picture(pixels=data["top_patch"].values[row, rank], sample=sample, label=label)
        )
        samples.append(
            Picture(pixels=data["top_picture"].values[row, rank], sample=sample, label=sample)
        )
    card = ImageGrid(
        title=f"Unit {title}",
        caption="What was made for the unit; the patches that excite it most, one per sample, with "
        "its activation; and the samples that they are from, with the patch framed.",
        pictures=(*made, *patches, *samples),
    )
    return [card, _fed(data, row, title)]


def _fed(data: xr.Dataset, row: int, title: str) -> Bars:
    order = np.argsort(-np.abs(data["fed_value"].values[row]), kind="stable")
    order = order[np.argsort(-data["fed_value"].values[row][order], kind="stable")]
    return Bars(
        title=f"Classes that unit {title} feeds",
        caption=str(data["fed_value"].attrs.get("description", "")),
        categories=tuple(str(label) for label in data["fed_label"].values[row][order]),
        series=(BarSeries(name="share", values=data["fed_value"].values[row][order]),),
        value=Axis(label=str(data["fed_value"].attrs.get("long_name", "effect on the logit"))),
    )
