"""The house's colours, all safe for colour-blind readers, and how maps become pixels.

A heat map is coloured by one table of 256 colours with opacity. Where a map says little it is
nearly transparent, so that a picture stays visible under it; drawn alone it lies on `base`. The
map alone, the map over a picture and the colour bar therefore agree.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pellucid.views.kinds import Floats, Heatmap, Matrix, Picture, Pixels

# Chosen so that all eight differ for protanopes and deuteranopes too, with a contrast of 3:1.
SERIES = ("#0072b2", "#d55e00", "#12a37c", "#5a1a4a", "#c877a6", "#5b6cff", "#0b2a6b", "#6e6e6e")
SERIES_DARK = (
    "#5bb4ea",
    "#f08a4b",
    "#86efcb",
    "#efe36a",
    "#8179f5",
    "#e9b3d7",
    "#3b9482",
    "#ffffff",
)
GOOD, BAD = "#0a5c96", "#a84400"
MATRIX_RIGHT, MATRIX_WRONG = "#0a5c96", "#9a3f00"
SPEAKS_FOR, SPEAKS_AGAINST = "#b2182b", "#2166ac"

NUM_COLOURS = 256
# The house's own first; the others differ for colour-blind readers as well.
SIGNED_MAPS = ("RdBu_r", "PuOr_r", "BrBG_r")
UNSIGNED_MAPS = ("inferno", "viridis", "cividis")
FAINTEST, STRONGEST = 0.3, 0.86  # part of RdBu used: neither white at zero nor black at the ends


def is_confusion(view: Matrix) -> bool:
    """Say whether rows and columns are the same classes, so that the diagonal is what is right."""
    return view.rows == view.columns and len(view.rows) > 1 and not view.signed


def matrix_shades(view: Matrix) -> NDArray[np.float64]:
    """Shade of each cell, from -1 to 1: 0 is the ground, 1 full strength.

    Signed matrices are scaled to their largest absolute value. A confusion matrix shows each
    cell's share of its row, with the cells off the diagonal negative; any other matrix each
    cell's share of the largest value. Both take the square root, so that rare cells stay visible
    beside full ones.
    """
    values = np.nan_to_num(view.values).astype(np.float64)
    shades: NDArray[np.float64]
    if view.signed:
        return values / matrix_limit(view)
    values = np.maximum(values, 0)
    if not is_confusion(view):
        shades = np.sqrt(values / matrix_limit(view))
        return shades
    totals = values.sum(1, keepdims=True)
    shades = np.sqrt(np.divide(values, totals, out=np.zeros_like(values), where=totals > 0))
    np.copyto(shades, -shades, where=~np.eye(len(shades), dtype=bool))
    return shades


def matrix_limit(view: Matrix) -> float:
    """The largest absolute value, or 1 where all are zero."""
    return float(np.abs(np.nan_to_num(view.values)).max(initial=0)) or 1.0


@functools.cache
def colour_table(signed: bool, name: str = "") -> NDArray[np.uint8]:
    """Colours of a heat map: (256, 4) uint8 red, green, blue, opacity, from low to high.

    `name` is one of SIGNED_MAPS or UNSIGNED_MAPS; by default the first of them.
    """
    from matplotlib import colormaps

    name = name or (SIGNED_MAPS if signed else UNSIGNED_MAPS)[0]
    ramp = np.linspace(0, 1, NUM_COLOURS)
    if signed:
        value = 2 * ramp - 1
        strength = np.sign(value) * (FAINTEST + (STRONGEST - FAINTEST) * np.abs(value))
        colours = colormaps[name]((strength + 1) / 2)
        opacity = np.abs(value) ** 0.8
    else:
        colours = colormaps[name](0.12 + 0.86 * ramp)
        opacity = ramp**0.85
    table = np.concatenate([colours[:, :3], opacity[:, None]], 1)
    return np.round(table * 255).astype(np.uint8)


def written_tables() -> dict[str, dict[str, str]]:
    """All tables as the page reads them: red, green, blue and opacity of 256 colours, in hex."""
    families = {"signed": (True, SIGNED_MAPS), "unsigned": (False, UNSIGNED_MAPS)}
    return {
        family: {name: colour_table(signed, name).tobytes().hex() for name in names}
        for family, (signed, names) in families.items()
    }


def base(signed: bool) -> tuple[int, int, int]:
    """The ground on which a map is drawn alone: near white for signed maps, else near black."""
    red, green, blue = (250, 250, 250) if signed else colour_table(False)[0, :3].tolist()
    return red, green, blue


def ramp_pixels(signed: bool, steps: int = NUM_COLOURS) -> Pixels:
    """Colours of the colour bar from low to high: (1, steps, 3) uint8."""
    positions = np.round(np.linspace(0, NUM_COLOURS - 1, steps)).astype(np.int64)
    return _flatten(colour_table(signed)[positions][None], np.array(base(signed)))


def heatmap_levels(heatmap: Heatmap) -> NDArray[np.uint8]:
    """Position of each value in the colour table: (y, x) uint8. NaN counts as zero."""
    limit = heatmap.limit if np.isfinite(heatmap.limit) and heatmap.limit > 0 else 1.0
    values = np.nan_to_num(heatmap.values.astype(np.float64), posinf=limit, neginf=-limit) / limit
    position = (values + 1) / 2 if heatmap.signed else values
    return np.round(np.clip(position, 0, 1) * (NUM_COLOURS - 1)).astype(np.uint8)


def heatmap_pixels(heatmap: Heatmap) -> Pixels:
    """Draw a map alone: (y, x, 3) uint8, in the map's own resolution."""
    colours = colour_table(heatmap.signed)[heatmap_levels(heatmap)]
    return _flatten(colours, np.array(base(heatmap.signed)))


def overlay_pixels(picture: Picture, heatmap: Heatmap, opacity: float = 0.75) -> Pixels:
    """Draw a map over its picture: (y, x, 3) uint8, in the picture's resolution.

    `opacity` from 0 (the picture alone) to 1 scales the map's own opacity, which grows with the
    absolute value. The map is enlarged smoothly.
    """
    height, width = picture.pixels.shape[:2]
    fitted = resize(heatmap.values, height, width)
    levels = heatmap_levels(
        Heatmap(name="", values=fitted, limit=heatmap.limit, signed=heatmap.signed)
    )
    layer = colour_table(heatmap.signed)[levels].astype(np.float64)
    layer[..., 3] *= np.clip(opacity, 0, 1)
    return _flatten(layer, picture.pixels)


def resize(values: Floats, height: int, width: int) -> Floats:
    """Resample (y, x) values to (height, width), bilinearly."""
    if values.shape == (height, width) or not values.size:
        return values if values.size else np.zeros((height, width), dtype=np.float32)
    plane = Image.fromarray(np.nan_to_num(values.astype(np.float32)))
    return np.asarray(plane.resize((width, height), Image.Resampling.BILINEAR))


def _flatten(layer: NDArray[Any], ground: NDArray[Any]) -> Pixels:
    """Lay (…, 4) colours with opacity, 0–255, on an opaque ground (…, 3)."""
    opacity = layer[..., 3:].astype(np.float64) / 255
    mixed = layer[..., :3] * opacity + ground * (1 - opacity)
    return np.round(mixed).astype(np.uint8)
