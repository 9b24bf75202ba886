"""Feature maps of the shown samples, beside their input and with the scale of their colours."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from PIL import Image

from pellucid.inside.activations.naming import layer_names
from pellucid.views import Heatmap, ImageGrid, Picture, View
from pellucid.views.colours import heatmap_pixels, ramp_pixels
from pellucid.views.kinds import Pixels
from pellucid.views.wording import formatted

PER_ROW = 6
TILE = 112
SHORT = {"most active": "active", "most varied": "varied", "most selective": "selective"}
READING = (
    "Each map has its own scale: black is zero or less, the brightest its largest value, which "
    "stands under it with the unit."
)


def map_views(data: xr.Dataset) -> list[View]:
    """One grid per sample with all layers, and one of the first sample with a layer's best maps."""
    if "map" not in data.sizes:
        return []
    samples = range(data.sizes["shown"])
    return [*(_all_layers(data, sample) for sample in samples), _one_layer(data, 0)]


def _all_layers(data: xr.Dataset, sample: int) -> ImageGrid:
    layers = np.unique(data["map_layer"].values)
    pictures: list[Picture] = []
    for layer in layers:
        rows = _rows(data, sample, int(layer))
        pictures.append(_input(data, sample, layer_names(data)[layer]))
        pictures += [_map(data, row) for row in rows]
    rankings = list(dict.fromkeys(map(str, data["map_ranking"].values)))
    return ImageGrid(
        title=f"Feature maps of {data['shown_id'].values[sample]}",
        caption=(
            f"Per layer, from the input on: {PER_ROW // len(rankings)} maps each of those "
            f"{', '.join(rankings)}. {READING} The last tile is the scale."
        ),
        pictures=(*pictures, _scale()),
    )


def _one_layer(data: xr.Dataset, sample: int) -> ImageGrid:
    layers = np.unique(data["map_layer"].values)
    layer = int(layers[len(layers) // 2])
    inside = (data["map_sample"].values == sample) & (data["map_layer"].values == layer)
    rows = np.flatnonzero(inside)
    return ImageGrid(
        title=f"Maps of {layer_names(data)[layer]} in rank order",
        caption=f"Of {data['shown_id'].values[sample]}: first the most active, then those that vary "
        f"most over the picture, then the most class-selective. {READING}",
        pictures=(_input(data, sample, "input"), _scale(), *(_map(data, int(row)) for row in rows)),
    )


def _rows(data: xr.Dataset, sample: int, layer: int) -> list[int]:
    inside = (data["map_sample"].values == sample) & (data["map_layer"].values == layer)
    rankings = list(dict.fromkeys(map(str, data["map_ranking"].values)))
    each = PER_ROW // len(rankings)
    found: list[int] = []
    for ranking in rankings:
        rows = np.flatnonzero(inside & (data["map_ranking"].values == ranking))
        found += rows[:each].tolist()
    return found


def _map(data: xr.Dataset, row: int) -> Picture:
    values = data["feature_map"].values[row].astype(np.float32)
    top = float(values.max())
    heat = Heatmap(name="", values=values, limit=max(top, 1e-12), signed=False)
    ranking = SHORT[str(data["map_ranking"].values[row])]
    return Picture(
        pixels=_enlarged(heatmap_pixels(heat)),
        label=f"{data['map_unit'].values[row]} {ranking} {formatted(top, '.2g')}",
    )


def _input(data: xr.Dataset, sample: int, label: str) -> Picture:
    name = str(data["shown_id"].values[sample])
    if "picture" in data:
        return Picture(pixels=data["picture"].values[sample], sample=name, label=label)
    blank: Pixels = np.full((TILE, TILE, 3), 245, dtype=np.uint8)
    return Picture(pixels=blank, sample=name, label=label)


def _scale() -> Picture:
    """The colours from zero, at the bottom, to a map's largest value."""
    ramp = ramp_pixels(signed=False, steps=TILE)[0][::-1]
    tile: NDArray[np.uint8] = np.full((TILE, TILE, 3), 255, dtype=np.uint8)
    tile[:, TILE * 3 // 8 : TILE * 5 // 8] = ramp[:, None]
    return Picture(pixels=tile, label="0 → largest")


def _enlarged(pixels: Pixels) -> Pixels:
    picture = Image.fromarray(pixels)
    scale = max(1, TILE // max(picture.size))
    size = (picture.width * scale, picture.height * scale)
    return np.asarray(picture.resize(size, Image.Resampling.NEAREST), dtype=np.uint8)
