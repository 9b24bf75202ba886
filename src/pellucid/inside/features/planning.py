"""What is to be done: aims, sizes of views and watched layers, checked before the work begins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from pellucid.attribution.layers import last_spatial_layer
from pellucid.errors import LayerError, ModelError, SpecError
from pellucid.inside.features.aims import Aim, by_channel, plan_aims
from pellucid.inside.features.objectives import Class, Objective
from pellucid.inside.features.optimizing import Task
from pellucid.inside.features.randomness import stream
from pellucid.inside.features.settings import Settings
from pellucid.inside.features.watching import LOGITS, count_calls, watching
from pellucid.model import ImageInput, Model
from pellucid.model.head import example_inputs

SMALL_VIEW = 4 / 7  # of the model's own side: 128 of 224
VIEW_STEP = 32
LEAST_VIEW = 96
KINDS = {"text": "texts", "array": "arrays"}
Size = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Aims and the layers that are watched for them; `view` and `own` are sizes in pixels.

    The model is shown views of size `view` while pictures are sought, and of its `own` size when
    they are read back.
    """

    model: Model
    aims: tuple[Aim, ...]
    diverse: tuple[str, ...]
    calls: dict[str, int]
    images: int
    own: Size
    view: Size
    settings: Settings
    seed: int

    @property
    def channels(self) -> int:
        assert isinstance(self.model.input, ImageInput)
        return len(self.model.input.mean)

    def streams(self, purpose: str) -> list[torch.Generator]:
        """One stream of random numbers for each picture."""
        return [
            stream(self.seed, purpose, aim.name, image)
            for aim in self.aims
            for image in range(self.images)
        ]

    @contextmanager
    def watched(self) -> Iterator[Task]:
        """Listen to the layers that are needed, as long as the block lasts."""
        layers = {aim.layer for aim in self.aims}
        layers |= set(self.diverse) if self.images > 1 else set()
        assert isinstance(self.model.input, ImageInput)
        device = self.model.device
        with watching(self.model, sorted(layers), self.calls) as run:
            yield Task(
                run=run,
                aims=self.aims,
                diverse=self.diverse,
                images=self.images,
                mean=torch.tensor(self.model.input.mean, device=device)[:, None, None],
                std=torch.tensor(self.model.input.std, device=device)[:, None, None],
                size=self.view,
                streams=self.streams("views"),
                settings=self.settings,
            )


def plan(
    model: Model, objectives: Sequence[Objective], images: int, settings: Settings, seed: int
) -> Plan:
    """Look at the model once with a neutral picture, and plan what to do.

    Raises ModelError for an unknown class, LayerError for units and places that are not there.
    """
    assert isinstance(model.input, ImageInput)
    own = model.input.size
    example = example_inputs(model.input)
    assert example is not None
    pixels = next(iter(example.values())).to(model.device)
    named = dict.fromkeys(LOGITS if isinstance(o, Class) else o.layer for o in objectives)
    spatial = _spatial_layer(model, example) if images > 1 and LOGITS in named else ""
    layers = list(dict.fromkeys([LOGITS, *named, *filter(None, [spatial])]))
    with torch.no_grad():
        calls, outputs = count_calls(model, layers, pixels)
        aims = plan_aims(objectives, model, outputs, own)
        view = _view_size(model, aims, settings, pixels, layers)
    diverse = tuple(spatial if aim.layer == LOGITS else aim.layer for aim in aims)
    return Plan(
        model=model,
        aims=tuple(aims),
        diverse=diverse,
        calls=calls,
        images=images,
        own=own,
        view=view,
        settings=settings,
        seed=seed,
    )


def check_pictures(model: Model) -> None:
    """Raise ModelError unless the model takes pictures, saying what to do instead."""
    if isinstance(model.input, ImageInput):
        return
    taken = KINDS.get(model.input.kind, model.input.kind)
    instead = (
        "For texts, look for the samples that excite a unit: pellucid.inspect with data."
        if model.input.kind == "text"
        else "If its arrays are pictures, load or wrap it with input=ImageInput(size=…, mean=…, std=…)."
    )
    raise ModelError(
        f"{model.source} takes {taken}; a feature is shown by changing the pixels of a picture, "
        f"so a model of pictures was expected. {instead}"
    )


def _spatial_layer(model: Model, example: dict[str, Tensor]) -> str:
    """Layer by which pictures of a class are kept different; the logits where there is no grid."""
    try:
        return last_spatial_layer(model, example)
    except LayerError:
        return LOGITS


def _view_size(
    model: Model, aims: Sequence[Aim], settings: Settings, pixels: Tensor, layers: Sequence[str]
) -> Size:
    """Choose the size of views: as asked for, else small where the model takes it.

    A neuron's place means the same at the model's own size only, and so do vectors whose length
    depends on the size.
    """
    assert isinstance(model.input, ImageInput)
    own = model.input.size
    if settings.view is not None:
        size = (settings.view, round(settings.view * own[1] / own[0]))
        if not _takes(model, aims, pixels, size, layers):
            raise SpecError(
                f"view={settings.view} was given, but {model.source} does not take pictures of "
                f"{size[0]} × {size[1]} pixels here; leave view out, or use {min(own)}."
            )
        return size
    if any(aim.at is not None for aim in aims):
        return own
    height, width = (VIEW_STEP * round(side * SMALL_VIEW / VIEW_STEP) for side in own)
    small = (height, width)
    fits = min(small) >= LEAST_VIEW and _takes(model, aims, pixels, small, layers)
    return small if fits else own


def _takes(
    model: Model, aims: Sequence[Aim], pixels: Tensor, size: Size, layers: Sequence[str]
) -> bool:
    """Tell whether a model runs on pictures of a size, with as many channels as at its own."""
    if size == tuple(pixels.shape[2:]):
        return True
    smaller = torch.nn.functional.interpolate(pixels, size=size)
    try:
        _, outputs = count_calls(model, layers, smaller)
        for aim in aims:
            aim.score(outputs[aim.layer], size)
    except Exception:  # noqa: BLE001 - models refuse sizes in any way
        return False
    return all(
        aim.weights is None or by_channel(outputs[aim.layer], size).shape[1] == len(aim.weights)
        for aim in aims
    )
