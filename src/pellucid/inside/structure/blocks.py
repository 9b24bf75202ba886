"""Blocks of operators where a file names no modules: what lies between narrow places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pellucid.inside.structure.parts import Operator

FEWEST = 40  # operators, below which a graph is clear without blocks
LEAST_BLOCK = 4  # operators between two narrow places that make a block of their own
LONGEST_STRAIGHT = 12  # operators of a chain that are put together
LONG = 40  # operators that an edge goes past, for it not to count as local wiring


def in_blocks(operators: Sequence[Operator]) -> tuple[Operator, ...]:
    """Put operators without modules in blocks, ``block 1`` and so on, where there are many.

    A block ends where a single value leads on. Short stretches go with the block after them, so
    that a normalization or activation before a block belongs to it.
    """
    if len(operators) < FEWEST or any(one.path for one in operators):
        return tuple(operators)
    names: dict[int, str] = {}
    held: list[int] = []
    number = 0
    for stretch in [*_stretches(operators), []]:
        is_block = len(stretch) >= LEAST_BLOCK
        full = len(held) + len(stretch) > LONGEST_STRAIGHT and not is_block
        if held and (full or not stretch or (is_block and len(held) >= LONGEST_STRAIGHT)):
            number += 1
            names |= dict.fromkeys(held, f"block {number}")
            held = []
        held += stretch
        if is_block:
            number += 1
            names |= dict.fromkeys(held, f"block {number}")
            held = []
    return tuple(
        replace(one, path=(names[place],)) if place in names else one
        for place, one in enumerate(operators)
    )


def _stretches(operators: Sequence[Operator]) -> list[list[int]]:
    """Operators between places where one value leads on; inputs and outputs are left out."""
    last_use: dict[int, int] = {}
    for place, one in enumerate(operators):
        for source in one.inputs:
            if place - source <= LONG:
                last_use[source] = place
    stretches: list[list[int]] = [[]]
    alive: set[int] = set()
    for place, one in enumerate(operators):
        if one.kind == "operator":
            stretches[-1].append(place)
        alive.add(place)
        alive = {source for source in alive if last_use.get(source, -1) > place}
        if len(alive) <= 1 and stretches[-1]:
            stretches.append([])
    return [stretch for stretch in stretches if stretch]
