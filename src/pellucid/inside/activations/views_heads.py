"""Attention: how widely and how far each head looks, and where it looks in the shown samples."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from PIL import Image

from pellucid.inside.activations.naming import spread_evenly
from pellucid.views import Axis, Heatmap, ImageGrid, Matrix, Overlay, Picture, View
from pellucid.views.colours import heatmap_pixels, overlay_pixels
from pellucid.views.kinds import Floats, Pixels
from pellucid.views.wording import readable_tokens

MOST_TILES = 48
MOST_OVERLAID = 4
SHARP = 2
TILE = 112


def head_views(data: xr.Dataset) -> list[View]:
    """Entropy and distance of every head, and the attention of the shown samples."""
    if "head" not in data.sizes:
        return []
    return [
        _figure(
            data,
            "head_entropy",
            "How widely each head looks",
            "Mean entropy of a head's attention: 0 bit is one token only, "
            f"{np.log2(data['head_keys'].values.max()):.1f} bit all tokens alike.",
        ),
        *_distance(data),
        *(_over_pictures(data) if "attention_map" in data else []),
        *(_over_tokens(data) if "attention" in data else []),
    ]


def _distance(data: xr.Dataset) -> list[View]:
    if not np.isfinite(data["head_distance"].values).any():
        return []
    unit = data["head_distance"].attrs.get("units", "")
    caption = f"Mean distance in {unit} from a token to those that it attends to: small is local."
    return [_figure(data, "head_distance", "How far each head looks", caption)]


def _figure(data: xr.Dataset, name: str, title: str, caption: str) -> Matrix:
    depth, index = data["head_depth"].values, data["head_index"].values
    values = np.full((depth.max() + 1, index.max() + 1), np.nan)
    values[depth, index] = data[name].values
    rows = [str(data["head_layer"].values[depth == row][0]) for row in range(len(values))]
    return Matrix(
        title=title,
        caption=f"{caption} Over all samples and tokens.",
        values=values,
        rows=tuple(rows),
        columns=tuple(str(head) for head in range(values.shape[1])),
        x=Axis(label="head"),
        y=Axis(label="layer"),
        value=Axis(label=title.lower(), unit=data[name].attrs.get("units", "")),
        format=".1f",
    )


def _over_pictures(data: xr.Dataset) -> list[View]:
    views: list[View] = []
    for sample in range(data.sizes["shown"]):
        views += [_grid(data, sample)] if sample == 0 else []
        views.append(_overlay(data, sample))
    if "attention_mean" in data:
        views.append(_between_cells(data))
    return views


def _grid(data: xr.Dataset, sample: int) -> ImageGrid:
    maps = data["attention_map"].values[sample].astype(np.float32)
    picture = _shown(data, sample)
    layers = spread_evenly(maps.shape[0], max(1, MOST_TILES // maps.shape[1]))
    tiles = [picture]
    for layer in layers:
        for head in np.flatnonzero(np.isfinite(maps[layer]).all((1, 2))):
            heat = _heat("", maps[layer, head])
            tiles.append(
                Picture(
                    pixels=overlay_pixels(picture, heat, 1.0),
                    label=f"layer {layer + 1}, head {head}",
                )
            )
    return ImageGrid(
        title=f"Where {data['attention_from'].item()} look{_s(data)} in {picture.sample}",
        caption=(
            "One tile per head, from the first attention layers to the last; bright is much "
            "attention, each tile on its own scale from 0."
        ),
        pictures=tuple(tiles),
    )


def _s(data: xr.Dataset) -> str:
    return "s" if str(data["attention_from"].item()) == "the class token" else ""


def _overlay(data: xr.Dataset, sample: int) -> Overlay:
    maps = data["attention_map"].values[sample, -1].astype(np.float32)
    known = np.flatnonzero(np.isfinite(maps).all((1, 2)))
    sharpest = known[np.argsort(_entropy(maps[known]), kind="stable")][:MOST_OVERLAID]
    name = str(data["attention_layer_name"].values[-1])
    return Overlay(
        title=f"Sharpest heads of {name} in {data['shown_id'].values[sample]}",
        caption=f"How {data['attention_from'].item()} look{_s(data)} at the picture: the heads of "
        "the last layer of attention that look at the fewest places.",
        picture=_shown(data, sample),
        maps=tuple(_heat(f"Head {head}", maps[head]) for head in sorted(sharpest.tolist())),
    )


def _entropy(maps: NDArray[np.float32]) -> NDArray[np.float64]:
    shares = maps.reshape(len(maps), -1).astype(np.float64)
    shares = shares / np.maximum(shares.sum(1, keepdims=True), 1e-12)
    found: NDArray[np.float64] = -(shares * np.log2(np.maximum(shares, 1e-12))).sum(1)
    return found


def _heat(name: str, values: Floats) -> Heatmap:
    return Heatmap(name=name, values=values, limit=float(values.max()) or 1.0, signed=False)


def _shown(data: xr.Dataset, sample: int) -> Picture:
    name = str(data["shown_id"].values[sample])
    if "picture" in data:
        return Picture(pixels=data["picture"].values[sample], sample=name, label=name)
    blank: Pixels = np.full((TILE, TILE, 3), 30, dtype=np.uint8)
    return Picture(pixels=blank, sample=name, label=name)


def _between_cells(data: xr.Dataset) -> Matrix:
    values = data["attention_mean"].values[0].astype(np.float64)
    names = tuple(str(place) for place in range(len(values)))
    return Matrix(
        title=f"Attention from token to token in {data['attention_layer_name'].values[-1]}",
        caption=(
            f"Mean over heads, for {data['shown_id'].values[0]}. Cells are counted in reading "
            "order, after the tokens that are no cell."
        ),
        values=values,
        rows=names,
        columns=tuple(f"{name} " for name in names),
        x=Axis(label="token that is looked at"),
        y=Axis(label="token that looks"),
        value=Axis(label="attention"),
        format=".3f",
    )


def _over_tokens(data: xr.Dataset) -> list[View]:
    views: list[View] = [_token_grid(data, 0)]
    for sample in range(data.sizes["shown"]):
        weights = _of_sample(data, sample)
        views.append(
            _between_tokens(data, sample, weights[-1].mean(0), f"{_layer(data, -1)}, mean of heads")
        )
        if sample == 0:
            sharp = np.argsort(_row_entropy(weights), axis=None, kind="stable")[:SHARP]
            for layer, head in (divmod(int(place), weights.shape[1]) for place in sharp):
                name = f"{_layer(data, layer)}, head {head}"
                views.append(_between_tokens(data, sample, weights[layer, head], name))
    return views


def _of_sample(data: xr.Dataset, sample: int) -> NDArray[np.float64]:
    """Attention (layers, heads, tokens, tokens) without what is behind the end of the text."""
    weights = data["attention"].values[sample].astype(np.float64)
    tokens = int(np.isfinite(weights[0, 0, :, 0]).sum())
    found: NDArray[np.float64] = weights[:, :, :tokens, :tokens]
    return found


def _row_entropy(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    logs = np.log2(np.maximum(weights, 1e-12))
    found: NDArray[np.float64] = -(weights * logs).sum(-1).mean(-1)
    return np.nan_to_num(found, nan=np.inf)


def _layer(data: xr.Dataset, layer: int) -> str:
    return str(data["attention_layer_name"].values[layer])


def _token_grid(data: xr.Dataset, sample: int) -> ImageGrid:
    weights = _of_sample(data, sample)
    layers = spread_evenly(weights.shape[0], max(1, MOST_TILES // weights.shape[1]))
    tiles = []
    for layer in layers:
        for head in np.flatnonzero(np.isfinite(weights[layer]).all((1, 2))):
            pixels = heatmap_pixels(_heat("", weights[layer, head].astype(np.float32)))
            scale = max(1, TILE // len(pixels))
            size = (len(pixels) * scale, len(pixels) * scale)
            large = Image.fromarray(pixels).resize(size, Image.Resampling.NEAREST)
            tiles.append(
                Picture(
                    pixels=np.asarray(large, dtype=np.uint8),
                    label=f"layer {layer + 1}, head {head}",
                )
            )
    return ImageGrid(
        title=f"All heads at {data['shown_id'].values[sample]}",
        caption=(
            "From token (row) to token (column); bright is much attention, each tile on its own "
            "scale from 0. A diagonal: a head that looks at the token itself; a column: one that "
            "all look at."
        ),
        pictures=tuple(tiles),
    )


def _between_tokens(
    data: xr.Dataset, sample: int, weights: NDArray[np.float64], name: str
) -> Matrix:
    tokens = [str(token) for token in data["token"].values[sample]] if "token" in data else []
    words = [text for text, _ in readable_tokens(tokens[: len(weights)])]
    words = words if len(words) == len(weights) else [str(place) for place in range(len(weights))]
    return Matrix(
        title=f"Who looks at whom in {data['shown_id'].values[sample]}: {name}",
        caption=f"Attention from token to token in {data['shown_id'].values[sample]}; each row adds "
        "up to 1.",
        values=weights,
        rows=tuple(words),
        columns=tuple(f"{word} " for word in words),
        x=Axis(label="token that is looked at"),
        y=Axis(label="token that looks"),
        value=Axis(label="attention"),
        format=".2f",
    )
