"""The samples that are shown in full: which ones, and the arrays of what was seen in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from PIL import Image

from pellucid.analysis.shown import read_again, snippet
from pellucid.data import Data
from pellucid.data.splits import spread
from pellucid.errors import DataError, SpecError, closest
from pellucid.inside.activations.plan import Plan
from pellucid.inside.activations.recollect import look_again
from pellucid.inside.activations.shown_heads import attention_arrays
from pellucid.inside.activations.shown_maps import map_arrays
from pellucid.inside.activations.shown_states import state_arrays
from pellucid.model import ImageInput, Model, TextInput
from pellucid.model.inputs import as_picture

MOST_SHOWN = 12
SIDE = 224


def shown_arrays(
    model: Model,
    data: Data,
    plan: Plan,
    arrays: xr.Dataset,
    shown: int | Sequence[int | str],
    seed: int,
) -> dict[str, Any]:
    """Read the shown samples again, run each by itself, and keep what was seen, by name."""
    kept, raws = read_again(data, positions := _positions(data, shown, seed))
    positions = [positions[row] for row in kept]
    if not raws:
        return {}
    seen = [
        look_again(model, plan.layers, plan.recurrent, raw, heads=plan.has_heads) for raw in raws
    ]
    labels = [data.labels[t] if 0 <= t < len(data.labels) else "" for t in data.targets[positions]]
    tokens = _tokens(model, [each.inputs for each in seen])
    return {
        "shown_id": ("shown", np.array([data.ids[i] for i in positions], dtype=np.str_)),
        "shown_class": ("shown", np.array(labels, dtype=np.str_)),
        **_inputs(model, data, raws),
        **map_arrays([each.maps for each in seen], arrays, data.targets[positions]),
        **attention_arrays([each.attention for each in seen], plan.picture),
        **state_arrays([each.states for each in seen]),
        **tokens,
    }


def _positions(data: Data, shown: int | Sequence[int | str], seed: int) -> list[int]:
    """Positions of the shown samples. Raises DataError for one that does not exist."""
    if isinstance(shown, int):
        if not 0 <= shown <= MOST_SHOWN:
            raise SpecError(f"shown={shown} was given; expected 0 to {MOST_SHOWN} samples.")
        if not shown:
            return []
        places = {name: place for place, name in enumerate(data.ids)}
        return [places[name] for name in spread(data, shown, seed).ids]
    if len(shown) > MOST_SHOWN or isinstance(shown, str):
        raise SpecError(
            f"shown names {len(shown)} samples; expected at most {MOST_SHOWN} in a list."
        )
    return [_position(data, each) for each in shown]


def _position(data: Data, sample: int | str) -> int:
    if isinstance(sample, str):
        if sample not in data.ids:
            raise DataError(
                f"sample {sample!r} is not in {data.source}. {closest(sample, data.ids)}"
            )
        return data.ids.index(sample)
    if not 0 <= sample < len(data):
        raise DataError(f"sample {sample} is out of range: {data.source} has 0 to {len(data) - 1}.")
    return int(sample)


def seen_picture(model: Model, data: Data, raw: Any) -> NDArray[np.uint8] | None:
    """What the model sees of a raw sample, as a picture (y, x, 3); None if it is none."""
    if isinstance(model.input, ImageInput):
        picture = model.input.picture(raw)
    elif data.kind == "image":
        picture = raw if isinstance(raw, Image.Image) else as_picture(raw)
    else:
        return None
    return np.asarray(picture.convert("RGB"), dtype=np.uint8)


def _inputs(model: Model, data: Data, raws: Sequence[Any]) -> dict[str, Any]:
    pictures = [seen_picture(model, data, raw) for raw in raws]
    if all(picture is not None for picture in pictures):
        size = pictures[0].shape[:2] if pictures[0] is not None else (SIDE, SIDE)
        scale = min(1.0, SIDE / max(size))
        width, height = max(1, round(size[1] * scale)), max(1, round(size[0] * scale))
        fitted = [
            np.asarray(Image.fromarray(picture).resize((width, height)), dtype=np.uint8)
            for picture in pictures
            if picture is not None
        ]
        return {"picture": (("shown", "y", "x", "channel"), np.stack(fitted))}
    if data.kind == "text":
        texts = np.array([snippet(raw) for raw in raws], dtype=np.str_)
        return {"shown_text": ("shown", texts)}
    return {}


def _tokens(model: Model, inputs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    if not isinstance(model.input, TextInput):
        return {}
    rows = [
        model.input.tokenizer.convert_ids_to_tokens(each["input_ids"][0].tolist())
        for each in inputs
    ]
    most = max(map(len, rows))
    padded = [[*row, *[""] * (most - len(row))] for row in rows]
    return {"token": (("shown", "place"), np.array(padded, dtype=np.str_))}
