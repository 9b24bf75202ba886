"""A model taken apart into a dozen pieces, the largest further than the others."""

from __future__ import annotations

import math
from typing import NamedTuple

import xarray as xr

from pellucid.inside.structure.arrays import ROOT, group_sums
from pellucid.inside.structure.signatures import children_of

MOST_PIECES = 12
LEAST_SHARE = 0.12  # of the whole, for a piece to be taken apart further


class Piece(NamedTuple):
    """A part of a model, and how much of the whole it holds."""

    name: str
    value: float


def pieces_by(data: xr.Dataset, name: str) -> list[Piece]:
    """Pieces by ``seconds``, ``flops`` or ``parameters``, in the order of calls.

    Together they are the whole. Beginning with the model, the largest is taken apart into its
    modules and the operators that are in it directly, until there are a dozen.
    """
    children = children_of(
        data["group_parent"].values.tolist(), data["node_group"].values.tolist()
    )
    sums = group_sums(data, name)
    own = data[name].values
    pieces: list[tuple[int, str, float]] = [(ROOT, "", float(sums[ROOT]))]
    whole = float(sums[ROOT])
    while True:
        splittable = [p for p in pieces if p[0] >= 0 and any(g for g, _ in children[p[0]])]
        largest = max(splittable, key=lambda piece: piece[2], default=None)
        if largest is None or (largest[0] != ROOT and largest[2] < LEAST_SHARE * whole):
            break
        place = pieces.index(largest)
        parts = _apart(data, largest[0], children, sums.tolist(), own.tolist())
        if len(pieces) - 1 + len(parts) > MOST_PIECES and largest[0] != ROOT:
            break
        pieces[place : place + 1] = parts
    kept = [Piece(name, value) for _, name, value in pieces if value > 0]
    return _most(kept)


def _apart(
    data: xr.Dataset,
    group: int,
    children: list[list[tuple[bool, int]]],
    sums: list[float],
    own: list[float],
) -> list[tuple[int, str, float]]:
    found: list[tuple[int, str, float]] = []
    rest = 0.0
    for is_group, place in children[group]:
        if is_group:
            call = int(data["group_call"].values[place])
            name = str(data["group_name"].values[place])
            found.append((place, f"{name} (call {call})" if call > 1 else name, sums[place]))
        elif not math.isnan(own[place]):
            rest += own[place]
    if rest > 0:
        name = str(data["group_name"].values[group])
        found.append((-1, f"{name}: operators" if name else "operators outside modules", rest))
    return found


def _most(pieces: list[Piece]) -> list[Piece]:
    """The largest pieces in their order, and the others as one."""
    if len(pieces) <= MOST_PIECES + 2:
        return pieces
    least = sorted((p.value for p in pieces), reverse=True)[MOST_PIECES]
    kept = [p for p in pieces if p.value > least][:MOST_PIECES]
    rest = sum(p.value for p in pieces) - sum(p.value for p in kept)
    return [*kept, Piece(f"{len(pieces) - len(kept)} smaller ones", rest)]
