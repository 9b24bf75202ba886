"""A card for each unit: the picture made for it, what excites it in data, the classes it feeds."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pellucid.attribution.freezing import frozen
from pellucid.data import Batches, Data, in_order
from pellucid.errors import DataError, SpecError
from pellucid.graph.addressing import resolve_layer
from pellucid.inside.features.aims import by_channel
from pellucid.inside.features.feeding import EFFECT, WEIGHTS, effects, head_weights
from pellucid.inside.features.objectives import Unit
from pellucid.inside.features.patches import TILE, boxes, framed, patch_of
from pellucid.inside.features.planning import check_pictures
from pellucid.inside.features.result import FeatureImage
from pellucid.inside.features.settings import Settings
from pellucid.inside.features.topk import TopSamples
from pellucid.inside.features.visualize import STEPS, visualize_feature
from pellucid.inside.features.watching import count_calls, watching
from pellucid.model import ImageInput, Model
from pellucid.model.labels import class_names
from pellucid.progress import progress

MOST_FED = 5
BATCH = 16
Variables = dict[str, Any]


def feature_cards(
    model: Model,
    data: Data,
    layer: str,
    units: Sequence[int],
    *,
    top: int = 7,
    steps: int = STEPS,
    images: int = 1,
    settings: Settings | None = None,
    seed: int = 0,
    show: bool | None = None,
) -> FeatureImage:
    """Make a card for each of some channels of a layer, in one pass over data and one ascent.

    A card has `images` pictures that excite the channel, the `top` samples that do, with the patch
    that causes it, and the classes that the channel speaks for and against most. Raises as
    `visualize_feature`, and DataError when no sample can be read.
    """
    started = time.perf_counter()
    check_pictures(model)
    if top < 1:
        raise SpecError(f"top={top} was given; expected at least 1.")
    if isinstance(units, int) or not len(units):
        raise SpecError(f"units={units!r} was given; expected a sequence of channels, as [3, 12].")
    name = resolve_layer(model.module, layer)
    chosen = [int(unit) for unit in units]
    result = visualize_feature(
        model,
        [Unit(name, unit) for unit in chosen],
        steps=steps,
        images=images,
        data=data,
        settings=settings,
        seed=seed,
        show=show,
    )
    with frozen(model):
        found = _cards(model, data, name, chosen, top, show)
    meta = replace(
        result.meta,
        parameters=result.meta.parameters | {"layer": name, "top": top},
        seconds=time.perf_counter() - started,
    )
    return FeatureImage(data=result.data.assign(found), meta=meta)


def _cards(
    model: Model, data: Data, layer: str, units: list[int], top: int, visible: bool | None
) -> Variables:
    assert isinstance(model.input, ImageInput)
    best = _top_samples(model, data, layer, units, min(top, len(data)), visible)
    shown = [_Card(model, data, layer, unit, best, row) for row, unit in enumerate(units)]
    linear = head_weights(model, layer, units, shown[0].pixels)
    rows = (
        linear.effects
        if linear is not None
        else torch.stack([effects(model, layer, card.unit, card.pixels) for card in shown])
    )
    return {
        **_top_variables(shown, data, best),
        **_fed_variables(model, data, rows, EFFECT if linear is None else WEIGHTS),
    }


def _top_samples(
    model: Model, data: Data, layer: str, units: list[int], top: int, visible: bool | None
) -> TopSamples:
    """Stream the data through the model as far as the layer."""
    best = TopSamples.none(len(units), top)
    batches = Batches(data, model.prepare, in_order(len(data), BATCH))
    calls: dict[str, int] = {}
    with torch.no_grad(), progress("Looking for samples", len(data), show=visible) as advance:
        for batch in batches:
            pixels = next(iter(batch.inputs.values())).to(model.device)
            calls = calls or count_calls(model, [layer], pixels[:1])[0]
            with watching(model, [layer], calls) as run:
                output = run(pixels.contiguous(memory_format=torch.channels_last))[layer]
            size = (pixels.shape[2], pixels.shape[3])
            best.add(by_channel(output, size)[:, units], batch.positions)
            advance(len(pixels))
    if not bool((best.positions >= 0).any()):
        raise DataError(f"{data.source}: there is no sample that can be read to excite a unit.")
    return best


class _Card:
    """Pictures of the samples that excite one unit most, read again, and the patches in them."""

    def __init__(
        self, model: Model, data: Data, layer: str, unit: int, best: TopSamples, row: int
    ) -> None:
        assert isinstance(model.input, ImageInput)
        self.unit = unit
        kept = best.positions[row] >= 0
        positions = best.positions[row][kept].tolist()
        self.pictures = [model.input.picture(data.read(position)) for position in positions]
        self.pixels: Tensor = torch.stack([model.input.tensor(p) for p in self.pictures])
        self.pixels = self.pixels.to(model.device)
        calls = count_calls(model, [layer], self.pixels[:1])[0]
        with watching(model, [layer], calls) as run:
            self.boxes = boxes(run, layer, self.pixels, unit, best.cells[row][kept].tolist())


def _top_variables(cards: list[_Card], data: Data, best: TopSamples) -> Variables:
    num, top = best.values.shape
    patches = np.full((num, top, TILE, TILE, 3), 255, dtype=np.uint8)
    pictures = patches.copy()
    for row, card in enumerate(cards):
        for rank, (picture, box) in enumerate(zip(card.pictures, card.boxes, strict=True)):
            patches[row, rank] = patch_of(picture, box)
            pictures[row, rank] = framed(picture, box)
    ids = [[data.ids[p] if p >= 0 else "" for p in row] for row in best.positions.tolist()]
    values = torch.where(best.positions >= 0, best.values, torch.nan)
    pixels = ("objective", "rank", "tile_y", "tile_x", "channel")
    return {
        "top_sample": (("objective", "rank"), np.array(ids, dtype=np.str_)),
        "top_value": (("objective", "rank"), values.numpy()),
        "top_patch": (pixels, patches),
        "top_picture": (pixels, pictures),
    }


def _fed_variables(model: Model, data: Data, rows: Tensor, how: str) -> Variables:
    """The classes that each unit speaks for most, and those it speaks against most."""
    labels = np.array(class_names(model.labels, data.labels, rows.shape[1]), dtype=np.str_)
    order = rows.argsort(dim=1, descending=True)
    half = min(MOST_FED, rows.shape[1] // 2)
    most = torch.cat([order[:, : max(1, half)], order[:, rows.shape[1] - half :]], 1)
    said = (
        "How each class' logit depends on the unit: the weight of the linear head."
        if how == WEIGHTS
        else "How each class' logit depends on the unit: gradient × activation, on average over "
        "the samples that excite it most."
    )
    attributes = {"long_name": how, "description": f"{said} The strongest for and against."}
    return {
        "fed_label": (("objective", "fed"), labels[most.numpy()]),
        "fed_value": (("objective", "fed"), rows.gather(1, most).numpy(), attributes),
    }
