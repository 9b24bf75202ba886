"""From a graph in groups, and which of them are open, to boxes and lines.

The algorithm is that of Sugiyama, Tagawa and Toda (1981), group by group: layers by longest path,
order by barycentres, places by least squares. `reporting/graph.js` does the same on the page; a
test holds the two together.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import NamedTuple

from pellucid.views.layered.columns import in_columns
from pellucid.views.layered.hierarchy import Hierarchy
from pellucid.views.layered.layers import Layer, Link, Net, arrange

WIDTH, HEIGHT = 148.0, 40.0  # of a closed item
SMALL = 26.0  # height of an operator that belongs to no module of its own
PAD, HEAD = 14.0, 26.0
MOST_PORTS = 8
PLAIN = frozenset({"operator", "residual", "join", "gate", "input", "output"})

Point = tuple[float, float]


class Spot(NamedTuple):
    """An item's box, left and top first."""

    item: int
    x: float
    y: float
    width: float
    height: float
    is_open: bool


class Route(NamedTuple):
    """A line through points, from the top down.

    `square` ones have corners. It `has_head` where it ends at a closed item.
    """

    points: list[Point]
    kind: str
    source: int
    square: bool
    has_head: bool


@dataclass
class Drawing:
    """Boxes, outer before inner, and lines; `width` × `height` of all."""

    width: float
    height: float
    spots: list[Spot] = field(default_factory=list)
    routes: list[Route] = field(default_factory=list)


@dataclass
class Frame:
    """The inside of an open group, from its own left top; where its lines cross the border."""

    width: float
    height: float
    spots: list[Spot]
    routes: list[Route]
    frames: dict[int, Frame]
    ports_in: dict[int, float]
    ports_out: dict[int, float]


def lay_out(
    hierarchy: Hierarchy, opened: Collection[int], *, height: float | None = None
) -> Drawing:
    """Lay out a graph; what is higher than `height` goes on in a further column."""
    frame = _frame(hierarchy, hierarchy.root, frozenset(opened), height)
    drawing = Drawing(frame.width, frame.height)
    _collect(frame, 0.0, 0.0, drawing)
    return drawing


def _collect(frame: Frame, left: float, top: float, drawing: Drawing) -> None:
    for route in frame.routes:
        moved = [(x + left, y + top) for x, y in route.points]
        drawing.routes.append(route._replace(points=moved))
    for spot in frame.spots:
        drawing.spots.append(spot._replace(x=spot.x + left, y=spot.y + top))
        if spot.is_open:
            _collect(frame.frames[spot.item], left + spot.x, top + spot.y, drawing)


def _frame(hierarchy: Hierarchy, item: int, opened: frozenset[int], height: float | None) -> Frame:
    shown = hierarchy.shown(item)
    items = hierarchy.children[shown]
    frames = {child: _frame(hierarchy, child, opened, None) for child in items if child in opened}
    net, places, sources = _net(hierarchy, shown, frames)
    head = 0.0 if item == hierarchy.root else HEAD
    placed = arrange(net, head=head, pad=PAD)
    turned: set[int] = set()
    if height is not None:
        placed, turned = in_columns(net, placed, height, PAD)
    spots = [
        Spot(
            child,
            placed.x[place] - net.widths[place] / 2,
            placed.y[place],
            net.widths[place],
            net.heights[place],
            child in frames,
        )
        for child, place in places.items()
    ]
    closed = {place for child, place in places.items() if child not in frames}
    routes = [
        Route(points, link.kind, link.source, number in turned, link.end in closed)
        for number, (link, points) in enumerate(zip(net.links, placed.lines, strict=True))
    ]
    ports_in = {s: placed.x[p] for s, p in sources[0].items()}
    ports_out = {s: placed.x[p] for s, p in sources[1].items()}
    return Frame(placed.width, placed.height, spots, routes, frames, ports_in, ports_out)


def _net(
    hierarchy: Hierarchy, shown: int, frames: dict[int, Frame]
) -> tuple[Net, dict[int, int], tuple[dict[int, int], dict[int, int]]]:
    """Nodes to be placed: ports above, items, ports below; and their lines."""
    items = hierarchy.children[shown]
    entering = _ports([(c.source, c.source) for c in hierarchy.entering[shown]])
    leaving = _ports([(c.source, c.source) for c in hierarchy.leaving[shown]])
    tops = sorted(set(entering.values()))
    first, last = len(tops), len(tops) + len(items)
    places = {child: first + place for place, child in enumerate(items)}
    ups = {source: tops.index(port) for source, port in entering.items()}
    bottoms = sorted(set(leaving.values()))
    downs = {source: last + bottoms.index(port) for source, port in leaving.items()}
    sizes = [_size(hierarchy, child, frames) for child in items]
    net = Net(
        widths=[0.0] * len(tops) + [w for w, _ in sizes] + [0.0] * len(bottoms),
        heights=[0.0] * len(tops) + [h for _, h in sizes] + [0.0] * len(bottoms),
        layers=[Layer.TOP] * len(tops) + [Layer.FREE] * len(items) + [Layer.BOTTOM] * len(bottoms),
        links=_links(hierarchy, shown, frames, places, ups, downs),
    )
    return net, places, (ups, downs)


def _ports(sources: list[tuple[int, int]]) -> dict[int, int]:
    """A port for each source; one for all if there are too many."""
    found = dict(sources)
    return found if len(found) <= MOST_PORTS else dict.fromkeys(found, min(found))


def _size(hierarchy: Hierarchy, child: int, frames: dict[int, Frame]) -> tuple[float, float]:
    if child in frames:
        return frames[child].width, frames[child].height
    return WIDTH, SMALL if hierarchy.kinds[child] in PLAIN else HEIGHT


def _links(
    hierarchy: Hierarchy,
    shown: int,
    frames: dict[int, Frame],
    places: dict[int, int],
    ups: dict[int, int],
    downs: dict[int, int],
) -> list[Link]:
    """One line per value between two places; plain data hides what else goes the same way."""
    found: dict[tuple[int, int, float, float], Link] = {}

    def add(start: int, end: int, source: int, kind: str, out: float, into: float) -> None:
        key = (start, end, out, into)
        if key not in found or (found[key].kind != kind and kind == "data"):
            found[key] = Link(start, end, out, into, source, kind)

    for child, source, kind in hierarchy.entering[shown]:
        add(ups[source], places[child], source, kind, 0.0, _into(child, source, frames))
    for start, end, source, kind in hierarchy.inner[shown]:
        out = _out(hierarchy, start, source, frames)
        into = _into(end, source, frames)
        add(places[start], places[end], source, kind, out, into)
    for child, source, _ in hierarchy.leaving[shown]:
        add(
            places[child],
            downs[source],
            source,
            "data",
            _out(hierarchy, child, source, frames),
            0.0,
        )
    return list(found.values())


def _into(child: int, source: int, frames: dict[int, Frame]) -> float:
    """How far from the middle of a child's top a value enters."""
    frame = frames.get(child)
    if frame is None or not frame.ports_in:
        return 0.0
    port = frame.ports_in.get(source, next(iter(frame.ports_in.values())))
    return port - frame.width / 2


def _out(hierarchy: Hierarchy, child: int, source: int, frames: dict[int, Frame]) -> float:
    """How far from the middle of a child's bottom a value leaves."""
    frame = frames.get(child)
    if frame is None or not frame.ports_out:
        return 0.0
    key = hierarchy.counterpart(child, source)
    port = frame.ports_out.get(key, next(iter(frame.ports_out.values())))
    return port - frame.width / 2
