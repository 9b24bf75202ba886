"""Cards of a few units: the pieces of pictures, or the words, to which they respond most."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from PIL import Image

from pellucid.analysis.shown import read_again, snippet
from pellucid.data import Data
from pellucid.inside.activations.preference import preference
from pellucid.inside.activations.shown import seen_picture
from pellucid.model import Model, TextInput

LAST, OTHERS = 12, 4
MOST_LAYERS = 6
TILE, GAP = 64, 3
CELLS, SMALLEST, FEWEST_PIXELS = 3, 0.2, 12
AROUND = 5


def unit_cards(model: Model, data: Data, arrays: xr.Dataset) -> dict[str, Any]:
    """Read the strongest samples of some units again, and cut out what they respond to, by name.

    `card_picture` shows nine pieces in rows, strongest first; `card_text` (card, rank) a token in
    its context, set apart by ‹ ›.
    """
    units = _chosen(arrays)
    picture = _is_picture(model, data)
    if not len(units) or not (picture or data.kind == "text"):
        return {}
    positions = arrays["met_position"].values
    wanted = arrays["top_sample"].values[units]
    finite = np.isfinite(arrays["top_value"].values[units])
    tiles: dict[tuple[int, int], Any] = {}
    for sample in np.unique(wanted[finite]):
        _, raws = read_again(data, [int(positions[sample])])
        for raw in raws:
            seen = seen_picture(model, data, raw) if picture else _tokens(model, raw)
            for card, rank in np.argwhere((wanted == sample) & finite):
                tiles[int(card), int(rank)] = _piece(arrays, int(units[card]), int(rank), seen)
    found: dict[str, Any] = {"card_unit": ("card", units)}
    if picture:
        sheets = [
            _sheet([tiles.get((c, r)) for r in range(wanted.shape[1])]) for c in range(len(units))
        ]
        return found | {"card_picture": (("card", "card_y", "card_x", "channel"), np.stack(sheets))}
    texts = [[tiles.get((c, r), "") for r in range(wanted.shape[1])] for c in range(len(units))]
    return found | {"card_text": (("card", "rank"), np.array(texts, dtype=np.str_))}


def _chosen(arrays: xr.Dataset) -> NDArray[np.int64]:
    """Units to show: twelve of the last layer, four of up to five others, at most two per class.

    First those that prefer a class most, with a response that is not weak; without classes those
    that stand out most from their own mean.
    """
    last = arrays.sizes["layer"] - 1
    places = np.unique(np.linspace(0, last, MOST_LAYERS).round().astype(int))
    found = [_of_layer(arrays, int(place), LAST if place == last else OTHERS) for place in places]
    return np.concatenate(found)


def _of_layer(arrays: xr.Dataset, layer: int, most: int) -> NDArray[np.int64]:
    units = np.flatnonzero((arrays["unit_layer"].values == layer) & ~arrays["unit_dead"].values)
    part = arrays.isel(unit=units)
    peak = part["top_value"].values[:, 0]
    outstanding = (peak - part["unit_mean"].values) / np.maximum(part["unit_std"].values, 1e-12)
    score = preference(arrays, units)
    score = score if np.isfinite(score).any() else outstanding
    order = np.argsort(-score, kind="stable")
    classes = part["selective_class"].values
    taken: dict[int, int] = {}
    chosen: list[int] = []
    for place in order:
        label = int(classes[place])
        if label < 0 or taken.get(label, 0) < max(2, most // 4):
            taken[label] = taken.get(label, 0) + 1
            chosen.append(int(place))
        if len(chosen) == most:
            break
    return units[np.array(chosen, dtype=np.int64)]


def _is_picture(model: Model, data: Data) -> bool:
    return model.input.kind == "image" or data.kind == "image"


def _tokens(model: Model, raw: str) -> list[str]:
    if not isinstance(model.input, TextInput):
        return [snippet(raw)]
    indices = model.prepare([raw])["input_ids"][0].tolist()
    return [str(token) for token in model.input.tokenizer.convert_ids_to_tokens(indices)]


def _piece(arrays: xr.Dataset, unit: int, rank: int, seen: Any) -> Any:
    if isinstance(seen, list):
        vector = str(arrays["form"].values[arrays["unit_layer"].values[unit]]) == "vector"
        place = int(arrays["top_place"].values[unit, rank])
        return in_context(seen, 0 if vector else place, whole=vector)
    y, x = (float(arrays[name].values[unit, rank]) for name in ("top_y", "top_x"))
    height = int(arrays["grid_height"].values[arrays["unit_layer"].values[unit]])
    return cut_out(seen, y, x, height)


def in_context(tokens: list[str], place: int, *, whole: bool = False) -> str:
    """A token between those around it; the beginning of the text if the `whole` counts."""
    if whole or not 0 <= place < len(tokens):
        return snippet(_spelled(tokens[1:-1] or tokens))
    before, after = tokens[max(0, place - AROUND) : place], tokens[place + 1 : place + 1 + AROUND]
    left = ("… " if place > AROUND else "") + _spelled(before)
    right = _spelled(after) + (" …" if place + AROUND + 1 < len(tokens) else "")
    return f"{left} ‹{_spelled([tokens[place]])}› {right}".strip()


def _spelled(tokens: list[str]) -> str:
    text = "".join(
        token[2:] if token.startswith("##") else f" {token.lstrip('Ġ▁')}" for token in tokens
    )
    return text.strip()


def cut_out(picture: NDArray[np.uint8], y: float, x: float, height: int) -> NDArray[np.uint8]:
    """The piece of a picture around the middle (y, x) of a cell of a grid `height` cells high.

    Three cells wide, but at least a fifth of the picture; the whole picture without a cell.
    """
    if not np.isfinite(y):
        return _tile(picture)
    tall, wide = picture.shape[:2]
    least = max(SMALLEST, FEWEST_PIXELS / min(tall, wide))
    side = round(min(1.0, max(CELLS / max(height, 1), least)) * min(tall, wide))
    top = min(max(round(y * tall - side / 2), 0), tall - side)
    left = min(max(round(x * wide - side / 2), 0), wide - side)
    return _tile(picture[top : top + side, left : left + side])


def _tile(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    small = max(pixels.shape[:2]) < TILE // 2
    how = Image.Resampling.NEAREST if small else Image.Resampling.LANCZOS
    return np.asarray(Image.fromarray(pixels).resize((TILE, TILE), how), dtype=np.uint8)


def _sheet(tiles: list[NDArray[np.uint8] | None]) -> NDArray[np.uint8]:
    """Tiles in rows on white, as nearly square as can be."""
    columns = math.ceil(math.sqrt(len(tiles)))
    rows = math.ceil(len(tiles) / columns)
    size = (rows * (TILE + GAP) - GAP, columns * (TILE + GAP) - GAP, 3)
    sheet: NDArray[np.uint8] = np.full(size, 255, dtype=np.uint8)
    for place, tile in enumerate(tiles):
        if tile is not None:
            top, left = (part * (TILE + GAP) for part in divmod(place, columns))
            sheet[top : top + TILE, left : left + TILE] = tile
    return sheet
