"""A model taken apart into a few pieces, the largest further than the others."""

from __future__ import annotations

import math
from typing import NamedTuple

import xarray as xr

from pellucid.inside.structure.arrays import ROOT, group_sums
from pellucid.inside.structure.signatures import children_of

MOST_PIECES = 18
LEAST_SHARE = 0.12  # of the whole, for a piece to be taken apart further
SMALL_SHARE = 0.004  # of the whole, for a piece to have a bar of its own


class Piece(NamedTuple):
    """A part of a model, and how much of the whole it holds."""

    name: str
    value: float


def pieces_by(data: xr.Dataset, name: str) -> list[Piece]:
    """Pieces by ``seconds``, ``flops`` or ``parameters``, in the order of calls.

    Together they are the whole. Beginning with the model, the largest is taken apart into its
    modules and the operators that are in it directly, until there are enough.
    """
    if data.sizes["group"] == 1:
        return _by_operator(data, name)
    children = children_of(data["group_parent"].values.tolist(), data["node_group"].values.tolist())
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
    return _merged([Piece(name, value) for _, name, value in pieces if value > 0], whole)


def _by_operator(data: xr.Dataset, name: str) -> list[Piece]:
    """Where there are no modules, pieces are kinds of operators, the largest first."""
    found: dict[str, float] = {}
    for operator, value in zip(data["operator"].values, data[name].values, strict=True):
        if value > 0:
            found[str(operator)] = found.get(str(operator), 0.0) + float(value)
    pieces = [Piece(operator, value) for operator, value in found.items()]
    pieces.sort(key=lambda piece: -piece.value)
    return _merged(pieces, sum(found.values()))


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


def _merged(pieces: list[Piece], whole: float) -> list[Piece]:
    """The pieces in their order, and those too small to be seen as one."""
    large = sorted((p.value for p in pieces), reverse=True)
    least = max(SMALL_SHARE * whole, large[MOST_PIECES] if len(large) > MOST_PIECES else 0.0)
    kept = [piece for piece in pieces if piece.value > least]
    rest = [piece for piece in pieces if piece.value <= least]
    if len(rest) < 2:
        return pieces
    return [*kept, Piece(f"{len(rest)} smaller ones", sum(piece.value for piece in rest))]
