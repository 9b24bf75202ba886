"""What a phase trains: the modules' part of the network, its batches, and its parameter groups."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pellucid.data import Batches, Data, in_order
from pellucid.errors import ModelError
from pellucid.graph.cut import Cut, cut, cut_at_layer
from pellucid.graph.trace import Logits
from pellucid.model import Inputs, Model
from pellucid.training.augment import Augment
from pellucid.training.cache import ActivationCache, Uncacheable, fill
from pellucid.training.config import TrainingConfig
from pellucid.training.feeds import CachedFeed, Feed, LiveFeed
from pellucid.training.seeds import derive
from pellucid.training.strategies import Phase


@dataclass(frozen=True)
class PhaseNetwork:
    """`training` and `resting` map a feed's tensors to logits and share their weights."""

    training: nn.Module
    resting: nn.Module
    train: Feed
    validation: Feed | None
    note: str


def freeze_all_but(model: Model, modules: tuple[str, ...]) -> dict[str, nn.Parameter]:
    """Let only the named modules learn, in training mode; everything else rests in eval mode.

    Returns the trained parameters by name.
    """
    model.module.eval().requires_grad_(False)
    for name in modules:
        model.module.get_submodule(name).train().requires_grad_(True)
    return {name: p for name, p in model.module.named_parameters() if p.requires_grad}


def trained_state(model: Model, modules: tuple[str, ...]) -> dict[str, Tensor]:
    """Parameters and buffers of the named modules, by their names in the model."""
    prefixes = tuple(f"{name}." if name else "" for name in modules)
    return {
        name: tensor
        for name, tensor in model.module.state_dict().items()
        if name.startswith(prefixes) and isinstance(tensor, Tensor)
    }


def parameter_groups(phase: Phase, parameters: dict[str, nn.Parameter]) -> list[dict[str, Any]]:
    """Group parameters by their share of the learning rate, kept as `scale`."""
    groups: dict[float, list[nn.Parameter]] = {}
    for name, parameter in parameters.items():
        matching = [key for key in phase.scales if not key or name.startswith(f"{key}.")]
        scale = phase.scales[max(matching, key=len)] if matching else 1.0
        groups.setdefault(scale, []).append(parameter)
    return [{"params": group, "scale": scale} for scale, group in groups.items()]


def example_inputs(model: Model, data: Data) -> Inputs:
    """Prepare two readable samples, to trace the model with."""
    for batch in Batches(data, model.prepare, in_order(len(data), 8)):
        if len(batch.positions) >= 2:
            return {name: tensor[:2] for name, tensor in batch.inputs.items()}
    raise ModelError(f"{data.source}: fewer than two samples can be read.")


def build(
    model: Model,
    phase: Phase,
    config: TrainingConfig,
    train: Data,
    validation: Data | None,
    folder: Path,
    show: bool | None,
) -> PhaseNetwork:
    """Prepare a phase: cut the model and cache what never changes, or run all of it each time."""
    augment = Augment(config.augment) if config.augment else None
    if phase.cached and config.cache_bytes:
        inputs = example_inputs(model, train)
        try:
            halves, note = _halves(model, phase, inputs)
            return _cached(model, halves, note, config, train, validation, augment, folder, show)
        except (ModelError, Uncacheable) as error:
            note = f"Nothing could be cached, so every epoch ran the whole model: {error}"
    else:
        note = "Every epoch ran the whole model."
    names = tuple(example_inputs(model, train))
    network = Logits(model.module, names)
    live = LiveFeed(model, train, augment, config.seed, config.num_workers)
    held_out = None
    if validation is not None:
        held_out = LiveFeed(model, validation, None, config.seed, config.num_workers)
    return PhaseNetwork(network, network, live, held_out, note)


def _halves(model: Model, phase: Phase, inputs: Inputs) -> tuple[Cut, str]:
    try:
        return cut(model, inputs, phase.modules), ""
    except ModelError as error:
        if phase.modules != (model.head,):
            raise
        return cut_at_layer(model, inputs, model.head), f" ({error})"


def _cached(
    model: Model,
    halves: Cut,
    note: str,
    config: TrainingConfig,
    train: Data,
    validation: Data | None,
    augment: Augment | None,
    folder: Path,
    show: bool | None,
) -> PhaseNetwork:
    shutil.rmtree(folder, ignore_errors=True)

    def feed(data: Data, change: Augment | None, views: int) -> CachedFeed:
        cache = fill(
            model,
            halves,
            data,
            augment=change,
            num_views=views,
            seed=derive(config.seed, 0),
            batch_size=config.batch_size,
            workers=config.num_workers,
            memory=config.cache_bytes,
            folder=folder,
            show=show,
        )
        return CachedFeed(cache, torch.from_numpy(data.targets))

    started = time.monotonic()
    learned = feed(train, augment, config.num_views)
    held_out = feed(validation, None, 1) if validation is not None else None
    told = _describe(learned.cache, time.monotonic() - started) + note
    return PhaseNetwork(halves.training_suffix, halves.suffix, learned, held_out, told)


def _describe(cache: ActivationCache, seconds: float) -> str:
    shapes = ", ".join(" × ".join(map(str, array.shape[1:])) for array in cache.arrays)
    views = f", {cache.num_views} augmented views of each" if cache.num_views > 1 else ""
    return (
        f"The frozen part ran once over the data{views}, in {seconds:.0f} s; its activations ({shapes} numbers per "
        f"sample, {cache.num_bytes / 2**20:.0f} MiB) were kept {cache.where}."
    )
