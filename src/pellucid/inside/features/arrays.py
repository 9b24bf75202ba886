"""The labelled arrays of feature images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from pellucid.inside.features.aims import Aim
from pellucid.inside.features.maco import opacity
from pellucid.inside.features.optimizing import Trail
from pellucid.inside.features.reading import contrast


def gather(
    aims: Sequence[Aim], images: int, trail: Trail, read: dict[str, Any], *, with_opacity: bool
) -> xr.Dataset:
    """Put pictures, scores and readings under the names of their objectives."""
    rows = (len(aims), images)
    pixels = uint8(trail.pictures)
    pictures = pixels.reshape(*rows, *pixels.shape[1:])
    scores = torch.stack(trail.scores, 1).numpy().reshape(*rows, -1)
    variables: dict[str, Any] = {
        "images": (("objective", "image", "y", "x", "channel"), pictures),
        "score": (("objective", "image", "step"), scores.astype(np.float32)),
        "title": ("objective", _texts(aim.title for aim in aims)),
        "aim": ("objective", _texts(aim.kind for aim in aims)),
        "layer": ("objective", _texts(aim.layer for aim in aims)),
        **read,
        **contrast(pictures),
    }
    if with_opacity:
        shown = opacity(trail.looked).cpu().numpy()
        values = shown.reshape(*rows, *shown.shape[1:]).astype(np.float32)
        variables["opacity"] = (("objective", "image", "y", "x"), values)
    coordinates = {"objective": _texts(aim.name for aim in aims)}
    return xr.Dataset(variables, coords=coordinates)


def uint8(pictures: Float[Tensor, "n c h w"]) -> NDArray[np.uint8]:
    """Pictures between 0 and 1 as (n, y, x, channel) in 256 levels; grey ones as RGB."""
    levels = (pictures.detach() * 255).round().clamp(0, 255).to(torch.uint8).cpu()
    rows: NDArray[np.uint8] = levels.permute(0, 2, 3, 1).numpy()
    return np.repeat(rows, 3, axis=3) if rows.shape[3] == 1 else np.ascontiguousarray(rows)


def _texts(words: Any) -> NDArray[np.str_]:
    return np.array(list(words), dtype=np.str_)
