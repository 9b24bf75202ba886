"""Name a layer: by its dotted name, or by a shorthand that counts children.

`layer4[-1]` is the last child of `layer4`, `blocks[-1].norm1` the `norm1` inside the last block,
`encoder.layers[-2]` the last but one. Counting works for any module, in the order in which its
children were assigned.
"""

from __future__ import annotations

import re

from torch import nn

from pellucid.errors import LayerError, closest

STEP = re.compile(r"\.?(?P<name>[^.\[\]]+)|\[(?P<number>-?\d+)\]")


def resolve_layer(module: nn.Module, name: str) -> str:
    """Give the dotted name, as in `named_modules`, of a layer that is addressed by `name`.

    A module that is held under two names has the first. Raises LayerError with the nearest names.
    """
    first: dict[int, str] = {id(layer): known for known, layer in module.named_modules()}
    layers = {k: layer for k, layer in module.named_modules(remove_duplicate=False) if k}
    if name in layers:
        return first[id(layers[name])]
    known, end = "", 0
    while step := STEP.match(name, end):
        within = module.get_submodule(known)
        child = step["name"] or _counted(within, int(step["number"]), known, name)
        known, end = (f"{known}.{child}" if known else child), step.end()
        if known not in layers:
            break
    if known not in layers or end < len(name):
        raise LayerError(
            f"layer {name!r} is not in {type(module).__name__}. {closest(name, layers)}"
        )
    return first[id(layers[known])]


def find_layer(module: nn.Module, name: str) -> nn.Module:
    """Find a layer by its dotted name or a shorthand. Raises LayerError with the nearest names."""
    return module.get_submodule(resolve_layer(module, name))


def _counted(within: nn.Module, number: int, known: str, name: str) -> str:
    children = [child for child, _ in within.named_children()]
    if not -len(children) <= number < len(children):
        where = repr(known) if known else type(within).__name__
        raise LayerError(f"layer {name!r} does not exist: {where} has {len(children)} children.")
    return children[number]
