"""Which parts of a model are trained, when, and at which share of the learning rate.

A strategy turns a model and a configuration into phases. Fine-tuning the head, the last blocks or
the whole; gradual unfreezing with discriminative rates (Howard and Ruder, 2018, sections 3.2 and
3.3); low-rank adapters (Hu et al., 2022).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import nn

from pellucid.errors import SpecError, TrainingError
from pellucid.model import Model
from pellucid.plugins import require
from pellucid.training.config import TrainingConfig

RATE_PER_GROUP = 2.6
CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)


@dataclass(frozen=True, kw_only=True)
class Phase:
    """Train `modules` (names; "" is the whole model) for some epochs.

    `scales` gives modules another share of the learning rate; the longest matching name counts.
    `cached` says that what lies before the modules never changes and is worth keeping.
    """

    name: str
    modules: tuple[str, ...]
    epochs: int
    cached: bool = True
    scales: dict[str, float] = field(default_factory=dict)


def plan(model: Model, config: TrainingConfig) -> list[Phase]:
    """Make the phases of a strategy; `lora` also puts its adapters into the model."""
    return STRATEGIES[config.strategy](model, config)


def _head(model: Model, config: TrainingConfig) -> list[Phase]:
    return [Phase(name="head", modules=(model.head,), epochs=config.epochs)]


def _full(_: Model, config: TrainingConfig) -> list[Phase]:
    return [Phase(name="full", modules=("",), epochs=config.epochs, cached=False)]


def _partial(model: Model, config: TrainingConfig) -> list[Phase]:
    if config.pattern:
        chosen = _matching(model, config.pattern)
    else:
        chosen = from_block(model, -config.last_blocks)
    modules = _outermost([*chosen, model.head])
    return [Phase(name="partial", modules=modules, epochs=config.epochs)]


def _gradual(model: Model, config: TrainingConfig) -> list[Phase]:
    if config.epochs < 3:
        raise SpecError(f"gradual unfreezing has three phases; epochs={config.epochs} is too few.")
    count = len(blocks(model))
    upper = from_block(model, -max(1, count // 4))
    share = config.epochs // 3
    lower_rate = {"": RATE_PER_GROUP**-2}
    upper_rate = dict.fromkeys(upper, RATE_PER_GROUP**-1)
    head_rate = {model.head: 1.0}
    return [
        Phase(name="head", modules=(model.head,), epochs=share),
        Phase(
            name="upper blocks",
            modules=_outermost([*upper, model.head]),
            epochs=share,
            scales=upper_rate | head_rate,
        ),
        Phase(
            name="all",
            modules=("",),
            epochs=config.epochs - 2 * share,
            cached=False,
            scales=lower_rate | upper_rate | head_rate,
        ),
    ]


def _lora(model: Model, config: TrainingConfig) -> list[Phase]:
    peft = require("peft", extra="lora", why="for the strategy 'lora'")
    settings = peft.LoraConfig(
        r=config.lora_rank,
        lora_alpha=2 * config.lora_rank,
        target_modules=_adaptable(model),
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        peft.inject_adapter_in_model(settings, model.module)
    adapters = [
        name for name, _ in model.module.named_modules() if re.search(r"\.lora_[AB]$", name)
    ]
    modules = (*adapters, model.head)
    return [Phase(name="lora", modules=modules, epochs=config.epochs, cached=False)]


def merge_adapters(module: nn.Module) -> None:
    """Fold low-rank adapters into the layers they adapt, and take them out, in place."""
    layers = [(name, layer) for name, layer in module.named_modules() if hasattr(layer, "lora_A")]
    for name, layer in layers:
        layer.merge()
        module.set_submodule(name, layer.get_base_layer())


STRATEGIES: dict[str, Callable[[Model, TrainingConfig], list[Phase]]] = {
    "head": _head,
    "full": _full,
    "partial": _partial,
    "gradual": _gradual,
    "lora": _lora,
}


def blocks(model: Model) -> list[str]:
    """Names of the model's repeated blocks, in order: residual, inverted, transformer blocks.

    A block is a composite child of a container (Sequential, ModuleList) that lies in no other
    block. A model without any (VGG) has its layers with parameters instead.
    """
    found: list[str] = []
    for name, module in model.module.named_modules():
        if any(name.startswith(f"{block}.") for block in found):
            continue
        parent = model.module.get_submodule(name.rpartition(".")[0]) if name else None
        if isinstance(parent, CONTAINERS) and _is_block(module):
            found.append(name)
    return found or [name for name, _ in _layers(model.module)]


def _is_block(module: nn.Module) -> bool:
    holds_blocks = isinstance(module, CONTAINERS) and any(map(_is_block, module.children()))
    return not holds_blocks and len(_layers(module)) > 1


def _layers(module: nn.Module) -> list[tuple[str, nn.Module]]:
    """Modules that have parameters of their own."""
    return [
        (name, layer)
        for name, layer in module.named_modules()
        if next(layer.parameters(recurse=False), None) is not None
    ]


def from_block(model: Model, start: int) -> list[str]:
    """The block at position `start` and everything with parameters that is defined after it.

    Raises SpecError where there are fewer blocks.
    """
    names = blocks(model)
    if -start > len(names):
        raise SpecError(f"last_blocks={-start}, but {model.source} has {len(names)} blocks.")
    first = names[start]
    order = [name for name, _ in model.module.named_modules()]
    after = set(order[order.index(first) :])
    return list(_outermost([first, *(name for name, _ in _layers(model.module) if name in after)]))


def _matching(model: Model, pattern: str) -> list[str]:
    try:
        regex = re.compile(pattern)
    except re.error as error:
        raise SpecError(f"pattern={pattern!r} is no regular expression: {error}.") from error
    names = [name for name, _ in model.module.named_parameters() if regex.search(name)]
    if not names:
        first = next(iter(dict(model.module.named_parameters())), "none")
        raise SpecError(
            f"pattern={pattern!r} matches no parameter of {model.source}. "
            f"Parameters are named like {first!r}."
        )
    return [name.rpartition(".")[0] for name in names]


def _outermost(names: list[str]) -> tuple[str, ...]:
    """Names without repeats and without those that lie inside another."""
    unique = list(dict.fromkeys(names))
    if "" in unique:
        return ("",)
    return tuple(
        name for name in unique if not any(name.startswith(f"{other}.") for other in unique)
    )


def _adaptable(model: Model) -> list[str]:
    """Layers that take a low-rank adapter: linear ones, else ungrouped convolutions."""
    body = [(name, m) for name, m in model.module.named_modules() if name != model.head]
    linear = [name for name, module in body if isinstance(module, nn.Linear)]
    convolutions = [
        name for name, m in body if isinstance(m, nn.Conv2d) and m.groups == 1 and m.in_channels > 4
    ]
    if not (linear or convolutions):
        raise TrainingError(
            f"{model.source} has no linear layer or ungrouped convolution below its head to adapt; "
            "use another strategy."
        )
    return linear or convolutions
