"""The layers that are looked at when none is named: the blocks of the network in their order.

No names are known in advance. From the whole network on, the part in which most happens is opened,
with all of its kind, into the parts that it calls, until there are enough; attention and recurrent
layers stay whole.
"""

from __future__ import annotations

import numpy as np
from torch import nn

from pellucid.attribution.layers import ATTENTION
from pellucid.inside.activations.layout import Layer
from pellucid.inside.activations.survey import Called

ENOUGH, MOST = 8, 12
PASSING = ("Dropout", "Identity", "Flatten")


def default_layers(
    called: list[Called], layers: dict[str, Layer], head: str, head_width: int
) -> tuple[str, ...]:
    """Names of at most twelve blocks and of the layer before the head, in order of calls.

    `layers` are those that can be watched, in that order. `head` is the layer that makes the
    logits from `head_width` features; "" if there is none.
    """
    before = _before_head(called, layers, head, head_width)
    useful = [name for name in _blocks(called) if name in layers and not _within(head, name)]
    useful = [name for name in useful if not _is_second_head(layers, name, before, head)]
    if len(useful) > MOST:
        places = np.linspace(0, len(useful) - 1, MOST).round().astype(int)
        useful = [useful[place] for place in places]
    repeated = any(name.startswith(f"{before}.") for name in useful)
    chosen = {*useful, before} if before and not repeated else {*useful}
    return tuple(name for name in layers if name in chosen)


def _blocks(called: list[Called]) -> list[str]:
    by_name = {each.name: each for each in called}
    parts = _opened("", by_name)
    while sum(_has_weights(by_name[name]) for name in parts) < ENOUGH:
        sizes = {name: _size(name, by_name) for name in parts if _opens(name, by_name)}
        if not sizes:
            break
        largest = max(sizes, key=lambda name: sizes[name])
        kind = type(by_name[largest].module)
        parts = [
            inner
            for name in parts
            for inner in (
                _opened(name, by_name)
                if name in sizes and type(by_name[name].module) is kind
                else [name]
            )
        ]
    order = {each.name: rank for rank, each in enumerate(called)}
    return _ends(sorted(parts, key=lambda name: order[name]), by_name)


def _ends(parts: list[str], by_name: dict[str, Called]) -> list[str]:
    """Of each part with weights, it or the activation that directly follows it."""
    ends: list[str] = []
    for name in parts:
        each = by_name[name]
        if _has_weights(each):
            ends.append(name)
        elif ends and _is_activation(each.module):
            ends[-1] = name
    return ends


def _opened(name: str, by_name: dict[str, Called]) -> list[str]:
    """The nearest called modules inside a module."""
    prefix = f"{name}." if name else ""
    inside = [other for other in by_name if other and other.startswith(prefix) and other != name]
    nested = set(inside)
    return [
        other
        for other in inside
        if not any(other[:place] in nested for place, letter in enumerate(other) if letter == ".")
    ]


def _opens(name: str, by_name: dict[str, Called]) -> bool:
    kind = by_name[name].module
    if ATTENTION.search(type(kind).__name__) or isinstance(kind, nn.RNNBase):
        return False
    return any(_has_weights(by_name[inner]) for inner in _opened(name, by_name))


def _size(name: str, by_name: dict[str, Called]) -> int:
    return sum(other.startswith(f"{name}.") for other in by_name)


def _has_weights(each: Called) -> bool:
    if _is_norm(each.module) or isinstance(each.module, nn.Embedding):
        return False
    return any(True for _ in each.module.parameters())


def _is_norm(module: nn.Module) -> bool:
    return "Norm" in type(module).__name__


def _is_activation(module: nn.Module) -> bool:
    return type(module).__module__ == nn.ReLU.__module__ or "Activation" in type(module).__name__


def _within(head: str, name: str) -> bool:
    return bool(head) and (name == head or head.startswith(f"{name}."))


def _is_second_head(layers: dict[str, Layer], name: str, before: str, head: str) -> bool:
    """Tell whether a layer after the one before the head gives logits too, as in distilled models."""
    order = list(layers)
    if not before or head not in layers or order.index(name) < order.index(before):
        return False
    return layers[name].form == "vector" and layers[name].units == layers[head].units


def _before_head(called: list[Called], layers: dict[str, Layer], head: str, head_width: int) -> str:
    """The last layer called before the head that gives as many units as the head takes."""
    names = [each.name for each in called]
    end = names.index(head) if head in names else len(names)
    fitting = [
        name
        for name in names[:end]
        if name in layers and layers[name].units == head_width and not _within(head, name)
    ]
    plain = [name for name in fitting if layers[name].form == "vector"] or fitting
    telling = [name for name in plain if layers[name].kind not in PASSING]
    return (telling or plain or [""])[-1] if head else ""
