"""A long graph in several columns, as a long text on a page."""

from __future__ import annotations

import math
from itertools import pairwise

from pellucid.views.layered.layers import Arranged, Net, Point

GUTTER = 40.0
TURN = 12.0  # how far a line goes beyond its column


def in_columns(net: Net, placed: Arranged, most: float, pad: float) -> tuple[Arranged, set[int]]:
    """Go on in a further column where a graph is higher than `most`; the links that change it.

    A column ends where a single line leads on, so the graph stays whole where there is no such
    place.
    """
    starts = _starts(net, placed, most)
    if len(starts) == 1:
        return placed, set()
    column_of = [sum(rank >= start for start in starts) - 1 for rank in range(len(placed.tops))]
    edges = _edges(net, placed, column_of, len(starts))
    shifts: list[Point] = []
    left = pad
    for (low, high), start in zip(edges, starts, strict=True):
        shifts.append((left - low, pad + TURN - placed.tops[start]))
        left += high - low + GUTTER
    bottoms = _bottoms(placed, starts, shifts)
    moved = Arranged(
        x=[x + shifts[column_of[r]][0] for x, r in zip(placed.x, placed.ranks, strict=False)],
        y=[y + shifts[column_of[r]][1] for y, r in zip(placed.y, placed.ranks, strict=False)],
        lines=[],
        width=left - GUTTER + pad,
        height=max(bottoms) + TURN + pad / 2,
        ranks=placed.ranks,
        tops=placed.tops,
        depths=placed.depths,
        line_ranks=placed.line_ranks,
    )
    changed: set[int] = set()
    for number, (line, ranks) in enumerate(zip(placed.lines, placed.line_ranks, strict=True)):
        columns = [column_of[rank] for rank in ranks]
        points = [
            (x + shifts[c][0], y + shifts[c][1]) for (x, y), c in zip(line, columns, strict=True)
        ]
        moved.lines.append(_led(points, columns, shifts, edges, bottoms))
        if len(set(columns)) > 1:
            changed.add(number)
    return moved, changed


def _starts(net: Net, placed: Arranged, most: float) -> list[int]:
    """First layers of the columns, of about equal height."""
    ranks = len(placed.tops)
    if placed.height <= most or ranks < 3:
        return [0]
    crossing = [0] * (ranks + 1)
    for link in net.links:
        crossing[placed.ranks[link.start] + 1] += 1
        crossing[placed.ranks[link.end] + 1] -= 1
    lines, over = [], 0
    for rank in range(ranks):
        over += crossing[rank]
        lines.append(over)
    fair = placed.height / math.ceil(placed.height / most)
    starts, last = [0], 0
    for rank in range(1, ranks):
        if lines[rank] == 1:
            last = rank
        bottom = placed.tops[rank] + placed.depths[rank]
        if bottom - placed.tops[starts[-1]] > fair * 1.08 and last > starts[-1]:
            starts.append(last)
    return starts


def _edges(
    net: Net, placed: Arranged, column_of: list[int], columns: int
) -> list[tuple[float, float]]:
    """Left and right of each column."""
    lows, highs = [math.inf] * columns, [-math.inf] * columns

    def reach(rank: int, low: float, high: float) -> None:
        column = column_of[rank]
        lows[column], highs[column] = min(lows[column], low), max(highs[column], high)

    for x, width, rank in zip(placed.x, net.widths, placed.ranks, strict=False):
        reach(rank, x - width / 2, x + width / 2)
    for line, ranks in zip(placed.lines, placed.line_ranks, strict=True):
        for (x, _), rank in zip(line, ranks, strict=True):
            reach(rank, x, x)
    return list(zip(lows, highs, strict=True))


def _bottoms(placed: Arranged, starts: list[int], shifts: list[Point]) -> list[float]:
    ends = [*(start - 1 for start in starts[1:]), len(placed.tops) - 1]
    return [
        placed.tops[end] + placed.depths[end] + shift[1]
        for end, shift in zip(ends, shifts, strict=True)
    ]


def _led(
    points: list[Point],
    columns: list[int],
    shifts: list[Point],
    edges: list[tuple[float, float]],
    bottoms: list[float],
) -> list[Point]:
    """Lead a line down out of its column, up between the two, and into the next from above."""
    led = points[:1]
    for (before, after), (p, q) in zip(pairwise(columns), pairwise(points), strict=True):
        for column in range(before, after):
            middle = edges[column][1] + shifts[column][0] + GUTTER / 2
            below, above = bottoms[column] + TURN, TURN / 2
            led += [(p[0], below), (middle, below), (middle, above)]
            led.append((q[0], above) if column == after - 1 else (middle, above))
        led.append(q)
    return led
