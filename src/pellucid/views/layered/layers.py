"""Nodes in layers: ranks by longest path, order by barycentres, places by least squares."""

from __future__ import annotations

import enum
import itertools
from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

from pellucid.views.layered.isotonic import fit_apart

GAP_X, GAP_LINE, GAP_Y = 22.0, 12.0, 20.0
LONGEST = 250  # layers that a line may cross and still be led between the nodes
SWEEPS = 4
FAINT = 0.02  # pull of what goes past, against that of what goes through

Point = tuple[float, float]


class Layer(enum.Enum):
    """Where a node may be: above all others, where its links want it, or below."""

    TOP = 0
    FREE = 1
    BOTTOM = 2


class Link(NamedTuple):
    """A line from the bottom of one node to the top of a later one, `out` and `into` from the
    middle.
    """

    start: int
    end: int
    out: float
    into: float
    source: int
    kind: str


@dataclass
class Net:
    """Nodes by number: all tops, then the others so that links go forward, then all bottoms."""

    widths: list[float]
    heights: list[float]
    layers: list[Layer]
    links: list[Link]


@dataclass
class Arranged:
    """Middle `x` and top `y` of each node, the points of each link, and the size of all.

    `ranks` are the nodes' layers, `line_ranks` those of the points; layers have `tops` and
    `depths`.
    """

    x: list[float]
    y: list[float]
    lines: list[list[Point]]
    width: float
    height: float
    ranks: list[int]
    tops: list[float]
    depths: list[float]
    line_ranks: list[list[int]]


def arrange(net: Net, *, head: float, pad: float) -> Arranged:
    """Place nodes below each other, with `pad` around and `head` above them."""
    ranks = _ranks(net)
    chained = _Chained(net, ranks)
    order = _ordered(chained)
    x = _placed(chained, order)
    tops, depths, height = _heights(net, ranks, head, pad)
    widths = chained.widths
    left = min((a - w / 2 for a, w in zip(x, widths, strict=True)), default=0.0) - pad
    right = max((a + w / 2 for a, w in zip(x, widths, strict=True)), default=0.0) + pad
    x = [each - left for each in x]
    y = [tops[r] + (depths[r] - h) / 2 for r, h in zip(ranks, net.heights, strict=True)]
    lines = [_line(net, chained, number, x, y, tops, depths) for number in range(len(net.links))]
    return Arranged(
        x=x[: len(net.widths)],
        y=y,
        lines=lines,
        width=right - left,
        height=height,
        ranks=ranks,
        tops=tops,
        depths=depths,
        line_ranks=[_line_ranks(net, chained, number) for number in range(len(net.links))],
    )


def _ranks(net: Net) -> list[int]:
    """Longest way from above; what takes nothing goes right above what takes it."""
    has_top = Layer.TOP in net.layers
    ranks = [0 if layer is Layer.TOP else int(has_top) for layer in net.layers]
    taken = {link.end for link in net.links}
    following: dict[int, list[int]] = {}
    for link in sorted(net.links, key=lambda link: link.end):
        ranks[link.end] = max(ranks[link.end], ranks[link.start] + 1)
        following.setdefault(link.start, []).append(link.end)
    for node in reversed(range(len(ranks))):
        if net.layers[node] is Layer.FREE and node not in taken and node in following:
            ranks[node] = min(ranks[end] for end in following[node]) - 1
    last = max(
        (r for r, layer in zip(ranks, net.layers, strict=True) if layer is not Layer.BOTTOM),
        default=-1,
    )
    return [last + 1 if la is Layer.BOTTOM else r for r, la in zip(ranks, net.layers, strict=True)]


class _Chained:
    """The nodes, and a thin one wherever a link crosses a layer; `chains[link]` are their numbers.

    `above` and `below` of a node are (node, shift, pull): it wants to be `shift` from there.
    """

    def __init__(self, net: Net, ranks: list[int]) -> None:
        self.widths = list(net.widths)
        self.ranks = list(ranks)
        self.weights = [50.0 if layer is Layer.FREE else 1.0 for layer in net.layers]
        self.above: list[list[tuple[int, float, float]]] = [[] for _ in net.widths]
        self.below: list[list[tuple[int, float, float]]] = [[] for _ in net.widths]
        self.joined = Counter(link.end for link in net.links if link.kind == "skip")
        self.chains: list[list[int]] = [self._chain(link) for link in net.links]

    def _chain(self, link: Link) -> list[int]:
        first, last = self.ranks[link.start], self.ranks[link.end]
        pull = self._pull(link)
        chain = []
        if last - first - 1 <= LONGEST:
            for rank in range(first + 1, last):
                chain.append(len(self.widths))
                self.widths.append(0.0)
                self.ranks.append(rank)
                self.weights.append(2.0 if link.kind == "data" else 1.0)
                self.above.append([])
                self.below.append([])
        way = [link.start, *chain, link.end]
        for place, (upper, lower) in enumerate(itertools.pairwise(way)):
            out = link.out if place == 0 else 0.0
            into = link.into if place == len(way) - 2 else 0.0
            self.above[lower].append((upper, out - into, pull))
            self.below[upper].append((lower, into - out, pull))
        return chain

    def _pull(self, link: Link) -> float:
        """How much a link draws its ends to each other; all that is joined somewhere, as one."""
        if link.kind == "skip":
            return 1.0 / self.joined[link.end]
        return 1.0 if link.kind == "data" else FAINT


def _ordered(chained: _Chained) -> list[list[int]]:
    """Nodes of each layer from left to right, so that few lines cross."""
    order: list[list[int]] = [[] for _ in range(max(chained.ranks, default=-1) + 1)]
    for node, rank in enumerate(chained.ranks):
        order[rank].append(node)
    place = [0.0] * len(chained.ranks)
    for layer in order:
        _number(layer, place)
    for sweep in range(SWEEPS):
        downward = sweep % 2 == 0
        near = chained.above if downward else chained.below
        for layer in order if downward else reversed(order):
            key = {node: _barycentre(near[node], place, place[node]) for node in layer}
            layer.sort(key=key.__getitem__)
            _number(layer, place)
    return order


def _number(layer: list[int], place: list[float]) -> None:
    for number, node in enumerate(layer):
        place[node] = float(number)


def _barycentre(near: list[tuple[int, float, float]], place: list[float], own: float) -> float:
    return sum(place[node] for node, _, _ in near) / len(near) if near else own


def _placed(chained: _Chained, order: list[list[int]]) -> list[float]:
    """Middle of each node: as near as can be to its neighbours', without overlap."""
    x = [0.0] * len(chained.widths)
    for layer in order:
        _settle(layer, [0.0] * len(layer), chained, x)
    for sweep in range(2 * SWEEPS):
        downward = sweep % 2 == 0
        near = chained.above if downward else chained.below
        for layer in order if downward else reversed(order):
            _settle(layer, [_wanted(near[node], x, x[node]) for node in layer], chained, x)
    for layer in order:
        _settle(layer, [_wanted(chained.above[node], x, x[node]) for node in layer], chained, x)
    return x


def _wanted(near: list[tuple[int, float, float]], x: list[float], own: float) -> float:
    total = sum(pull for _, _, pull in near)
    return sum((x[node] + shift) * pull for node, shift, pull in near) / total if total else own


def _settle(layer: list[int], wanted: list[float], chained: _Chained, x: list[float]) -> None:
    widths = [chained.widths[node] for node in layer]
    apart = [
        (one + other) / 2 + (GAP_X if one and other else GAP_LINE)
        for one, other in itertools.pairwise(widths)
    ]
    fitted = fit_apart(wanted, apart, [chained.weights[node] for node in layer])
    for node, place in zip(layer, fitted, strict=True):
        x[node] = place


def _heights(
    net: Net, ranks: list[int], head: float, pad: float
) -> tuple[list[float], list[float], float]:
    """Top and depth of each layer, and the height of all."""
    depths = [0.0] * (max(ranks, default=-1) + 1)
    for rank, height in zip(ranks, net.heights, strict=True):
        depths[rank] = max(depths[rank], height)
    tops: list[float] = []
    has_top, has_bottom = Layer.TOP in net.layers, Layer.BOTTOM in net.layers
    y = head + pad
    for rank, depth in enumerate(depths):
        if has_top and rank == 0:
            tops.append(0.0)
        elif has_bottom and rank == len(depths) - 1:
            tops.append(y - GAP_Y + pad)
        else:
            tops.append(y)
            y += depth + GAP_Y
    return tops, depths, y - GAP_Y + pad


def _line(
    net: Net,
    chained: _Chained,
    number: int,
    x: list[float],
    y: list[float],
    tops: list[float],
    depths: list[float],
) -> list[Point]:
    """From the bottom of one node, straight through each layer between, to the top of another."""
    link = net.links[number]
    points = [(x[link.start] + link.out, y[link.start] + net.heights[link.start])]
    for node in chained.chains[number]:
        rank = chained.ranks[node]
        points += [(x[node], tops[rank]), (x[node], tops[rank] + depths[rank])]
    return [*points, (x[link.end] + link.into, y[link.end])]


def _line_ranks(net: Net, chained: _Chained, number: int) -> list[int]:
    link = net.links[number]
    between = [chained.ranks[node] for node in chained.chains[number] for _ in range(2)]
    return [chained.ranks[link.start], *between, chained.ranks[link.end]]
