"""What excites a unit, a direction or a class: pictures made for it by gradient ascent."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import torch
from PIL import Image

from pellucid.attribution.freezing import batch_norms_in_order, frozen
from pellucid.data import Data
from pellucid.errors import SpecError
from pellucid.inside.features.arrays import gather, uint8
from pellucid.inside.features.objectives import Written, read_objectives
from pellucid.inside.features.optimizing import Task, Trail, optimize
from pellucid.inside.features.planning import Plan, Size, check_pictures, plan
from pellucid.inside.features.reading import natural_percentile, read_back
from pellucid.inside.features.result import FeatureImage
from pellucid.inside.features.settings import Settings
from pellucid.inside.features.starting import (
    check_parameterization,
    dream_size,
    from_noise,
    from_pictures,
    next_octave,
    octaves,
    photograph,
    photograph_tensor,
)
from pellucid.model import Model
from pellucid.progress import Advance, progress
from pellucid.result import Provenance

STEPS = 128
SMALLEST_OCTAVE = 64


def visualize_feature(
    model: Model,
    objectives: Written | Sequence[Written],
    *,
    layer: str | None = None,
    steps: int = STEPS,
    size: int | Size | None = None,
    parameterization: str = "fourier",
    images: int = 1,
    start: Any = None,
    data: Data | None = None,
    settings: Settings | None = None,
    seed: int = 0,
    show: bool | None = None,
) -> FeatureImage:
    """Make the pictures that excite units, directions or classes most, all in one batch.

    `objectives` are one or several: ``"class:tabby"``, ``"class:tabby-lynx"``, ``"blocks.5:12"``
    (channel), ``"blocks.5:12@3,4"`` (neuron), ``"blocks.5"`` (layer), or records
    (`pellucid.inside.features.objectives`); with `layer`, also units alone. `images` pictures are
    made for each, kept different where there are several. `size` is their side in pixels or
    (height, width), the model's own if None. `parameterization` is "fourier", "pixels" or "maco".
    `start` is a photograph (PIL, array, path) that is dreamt into instead of noise. With `data`,
    the scores of the pictures are compared with those of natural samples. Memory grows with the
    number of pictures: ask for many in several calls.

    Parameters get no gradient and the model is left as it was. Ctrl-C keeps the best so far; the
    result's notes say so. Raises ModelError for a model that does not take pictures or an unknown
    class, LayerError for unknown layers, units and places, SpecError for anything else that cannot
    be understood.
    """
    started = time.perf_counter()
    settings = settings or Settings()
    check_pictures(model)
    _check(parameterization, steps, images)
    photo = None if start is None else photograph(start)
    wanted = read_objectives(objectives, model, layer)
    with frozen(model), batch_norms_in_order(model.module):
        made = plan(model, wanted, images, settings, seed)
        full = _full_size(size, made.own, photo)
        with made.watched() as task, progress("Optimizing", steps, show=show) as advance:
            trail, origin = _seek(parameterization, photo, full, task, made, steps, advance)
            if not trail.scores:
                raise KeyboardInterrupt
            reading = replace(task, size=made.own, streams=made.streams("reading"))
            read = read_back(_rounded(trail.pictures), reading)
            if data is not None and not trail.stopped:
                scores = read["read_score"][1]
                read |= natural_percentile(model, data, reading, scores, show)
    if photo is not None:
        start_pixels = uint8(photograph_tensor(photo, full, made.channels))[0]
        read["start"] = (("y", "x", "channel"), start_pixels)
    arrays = gather(made.aims, images, trail, read, with_opacity=parameterization == "maco")
    meta = Provenance(
        kind=FeatureImage.kind,
        model=model.identity,
        data=None if data is None else data.identity,
        method=parameterization,
        parameters={
            "steps": steps,
            "size": list(full),
            "images": images,
            "dream": photo is not None,
            **asdict(settings),
            "view": list(made.view),
        },
        target=", ".join(aim.name for aim in made.aims),
        seed=seed,
        seconds=time.perf_counter() - started,
        notes=_notes(trail, steps, origin),
    )
    return FeatureImage(data=arrays, meta=meta)


def _check(parameterization: str, steps: int, images: int) -> None:
    check_parameterization(parameterization)
    for name, value in (("steps", steps), ("images", images)):
        if value < 1:
            raise SpecError(f"{name}={value} was given; expected at least 1.")


def _full_size(size: int | Size | None, own: Size, photo: Image.Image | None) -> Size:
    """Size of the pictures: as asked for, else the model's, in a photograph's proportions."""
    if size is None:
        return own if photo is None else dream_size(photo, own)
    full = (size, size) if isinstance(size, int) else size
    if min(full) < 8:
        raise SpecError(f"size={size} was given; expected at least 8 pixels each way.")
    return dream_size(photo, full) if photo is not None and isinstance(size, int) else full


def _seek(
    parameterization: str,
    photo: Image.Image | None,
    full: Size,
    task: Task,
    made: Plan,
    steps: int,
    advance: Advance,
) -> tuple[Trail, str]:
    """Climb from noise or from a photograph; also tells where natural amplitudes are from."""
    if photo is not None:
        return _dream(parameterization, photo, full, task, made, steps, advance), ""
    streams, settings = made.streams("noise"), task.settings
    sought = from_noise(parameterization, streams, made.channels, full, settings, made.model.device)
    return optimize(sought, task, steps, advance), getattr(sought, "origin", "")


def _dream(
    parameterization: str,
    photo: Image.Image,
    full: Size,
    task: Task,
    made: Plan,
    steps: int,
    advance: Advance,
) -> Trail:
    """Climb from a photograph at growing sizes, the steps shared among them."""
    sizes = octaves(full, task.settings.octaves, SMALLEST_OCTAVE)
    number = len(task.aims) * task.images
    pictures = photograph_tensor(photo, sizes[0], made.channels).to(made.model.device)
    pictures = pictures.expand(number, -1, -1, -1).contiguous()
    scores: list[torch.Tensor] = []
    for position, each in enumerate(sizes):
        if position:
            pictures = next_octave(pictures, photo, each)
        share = steps // len(sizes) + (position < steps % len(sizes))
        sought = from_pictures(parameterization, pictures)
        trail = optimize(sought, task, share, advance)
        pictures = trail.pictures
        scores += trail.scores
        if trail.stopped:
            break
    if each != full:
        trail.pictures = next_octave(pictures, photo, full)
    trail.scores = scores
    return trail


def _rounded(pictures: torch.Tensor) -> torch.Tensor:
    """Pictures as they are kept, in 256 levels."""
    return (pictures * 255).round() / 255


def _notes(trail: Trail, steps: int, origin: str) -> tuple[str, ...]:
    done = len(trail.scores)
    found = (
        trail.stopped
        and f"Stopped by Ctrl-C after {done} of {steps} steps; the best pictures so far are kept.",
        origin and f"The strength of each wave is {origin}.",
    )
    return tuple(note for note in found if note)
