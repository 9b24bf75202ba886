"""A structure's arrays as the items of a graph: groups folded, single operators named."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from pellucid.inside.structure.amounts import amount, memory, seconds_in_words
from pellucid.inside.structure.arrays import ROOT, group_sums
from pellucid.inside.structure.signatures import children_of
from pellucid.views import Column, Graph
from pellucid.views.prose import percent
from pellucid.views.wording import MISSING

MOST_OPEN = 24  # boxes, that are to be seen at first
FEW_OPEN, MORE_OPEN = 12, 48  # fewer say too little: then so many may be seen


@dataclass(frozen=True)
class Item:
    """A box: a group, a node, a node that is all of a group, or a run of groups built alike."""

    parent: int
    group: int = -1
    node: int = -1
    times: int = 1
    twins: tuple[int, ...] = ()


class Figures:
    """Sums of a structure's figures over nodes and groups."""

    def __init__(self, data: xr.Dataset) -> None:
        self.data = data
        self.sums = {name: group_sums(data, name) for name in ("flops", "bytes", "seconds")}
        self.share_of = share_of(data)

    def of(self, name: str, item: Item) -> float:
        """Sum of a figure over an item: ``flops``, ``bytes``, ``seconds``, ``parameters``."""
        groups = item.twins or ((item.group,) if item.group >= 0 else ())
        if name == "parameters":
            own = self.data["group_parameters"].values if groups else self.data[name].values
        else:
            own = self.sums[name] if groups else self.data[name].values
        return float(sum(float(own[place]) for place in groups or (item.node,)))

    def share(self, item: Item) -> float:
        """Part of an item in the whole, of time, FLOPs or parameters."""
        name = {"time": "seconds", "FLOPs": "flops", "parameters": "parameters"}[self.share_of]
        whole = self.of(name, Item(parent=-1, group=ROOT))
        return self.of(name, item) / whole if whole else math.nan


def share_of(data: xr.Dataset) -> str:
    """What shares are of: the time where it was measured, else FLOPs, else parameters."""
    if np.isfinite(data["seconds"].values).any():
        return "time"
    return "FLOPs" if np.nansum(data["flops"].values) > 0 else "parameters"


def items_of(data: xr.Dataset) -> list[Item]:
    """Boxes in the order of calls, each group before what it holds."""
    parents, groups = data["group_parent"].values.tolist(), data["node_group"].values.tolist()
    children = children_of(parents, groups)
    twin = data["group_twin"].values.tolist()
    found: list[Item] = []

    def add(siblings: Sequence[tuple[bool, int]], parent: int) -> None:
        folded = -1
        for is_group, place in siblings:
            if not is_group:
                found.append(Item(parent=parent, node=place))
                continue
            holder = parent
            if twin[place] >= 0:
                if twin[place] == place:
                    alike = tuple(g for _, g in siblings if _ and twin[g] == place)
                    found.append(Item(parent=parent, times=len(alike), twins=alike))
                    folded = len(found) - 1
                holder = folded
            inside = children[place]
            if len(inside) == 1 and not inside[0][0]:
                found.append(Item(parent=holder, group=place, node=inside[0][1]))
                continue
            found.append(Item(parent=holder, group=place))
            add(inside, len(found) - 1)

    add(children[ROOT], -1)
    return found


def graph_view(
    data: xr.Dataset,
    *,
    title: str,
    caption: str,
    marks: Callable[[Item], tuple[str, str]] | None = None,
) -> Graph:
    """The graph of a structure; `marks` says of an item what became of it, and how."""
    found = items_of(data)
    figures = Figures(data)
    places = {item.node: place for place, item in enumerate(found) if item.node >= 0}
    told = [marks(item) for item in found] if marks else []
    return Graph(
        title=title,
        caption=caption,
        labels=tuple(label(data, item) for item in found),
        types=tuple(type_of(data, item) for item in found),
        kinds=tuple(kind_of(data, item) for item in found),
        parents=np.array([item.parent for item in found], dtype=np.int32),
        times=np.array([item.times for item in found], dtype=np.int32),
        sources=_placed(data["edge_source"].values, places),
        targets=_placed(data["edge_target"].values, places),
        edge_kinds=tuple(data["edge_kind"].values.tolist()),
        details=(*_details(data, found, figures), *_changes(told)),
        shares=np.array([figures.share(item) for item in found], dtype=np.float64),
        share_of=figures.share_of,
        marks=tuple(mark for mark, _ in told),
        opened=_opened(found, [mark != "same" for mark, _ in told]),
    )


def _placed(nodes: NDArray[np.int32], places: dict[int, int]) -> NDArray[np.int32]:
    return np.array([places[node] for node in nodes.tolist()], dtype=np.int32)


def label(data: xr.Dataset, item: Item) -> str:
    """The name on a box."""
    if item.twins:
        names = [str(data["group_label"].values[group]) for group in item.twins]
        return f"{names[0]} … {names[-1]}" if len(names) > 2 else " and ".join(names)
    if item.group >= 0:
        name = str(data["group_label"].values[item.group])
        call = int(data["group_call"].values[item.group])
        return f"{name} (call {call})" if call > 1 else name
    if str(data["node_kind"].values[item.node]) == "input":
        return str(data["node_name"].values[item.node])
    return str(data["operator"].values[item.node])


def type_of(data: xr.Dataset, item: Item) -> str:
    """The class of a module; of an operator without one, what it does there."""
    if item.twins or item.group >= 0:
        group = item.twins[0] if item.twins else item.group
        known = str(data["group_type"].values[group])
        return known or (str(data["operator"].values[item.node]) if item.node >= 0 else "")
    return {"residual": "residual sum", "attention": "attention", "input": "input"}.get(
        str(data["node_kind"].values[item.node]), ""
    )


def kind_of(data: xr.Dataset, item: Item) -> str:
    """Kind of an item, as in `pellucid.views.Graph`."""
    if item.node >= 0:
        kind = str(data["node_kind"].values[item.node])
        return "layer" if kind == "operator" and item.group >= 0 else kind
    if item.twins:
        return "repeat"
    return "attention" if data["group_attends"].values[item.group] else "group"


def _opened(found: Sequence[Item], touched: Sequence[bool]) -> tuple[int, ...]:
    opened = opened_at_first(found, touched, MOST_OPEN)
    around = {-1, *opened}
    if sum(item.parent in around for item in found) >= FEW_OPEN:
        return opened
    return opened_at_first(found, touched, MORE_OPEN)


def opened_at_first(found: Sequence[Item], touched: Sequence[bool], most: int) -> tuple[int, ...]:
    """Groups to open so that at most `most` boxes are seen: outer ones first, runs alike as one.

    Where some are `touched` by a comparison, only those.
    """
    children: dict[int, list[int]] = {}
    for place, item in enumerate(found):
        children.setdefault(item.parent, []).append(place)
    visible, opened = len(children.get(-1, ())), []
    row = list(children.get(-1, ()))
    while row:
        following = []
        for place in row:
            inside = children.get(place, [])
            if found[place].twins:
                inside = children.get(inside[0], [])
            wanted = not touched or touched[place]
            if inside and wanted and visible + len(inside) <= most:
                visible += len(inside)
                opened.append(place)
                following += inside
        row = following
    return tuple(opened)


def _details(data: xr.Dataset, found: list[Item], figures: Figures) -> Iterator[Column]:
    ends = last_nodes(data)

    def column(name: str, say: Callable[[Item], str]) -> Column:
        return Column(name=name, values=tuple(say(item) for item in found))

    def text(name: str, item: Item) -> str:
        node = item.node if item.node >= 0 else ends[item.twins[-1] if item.twins else item.group]
        return str(data[name].values[node])

    yield column("module", lambda item: path_of(data, item))
    yield column("operator", lambda i: str(data["operator"].values[i.node]) if i.node >= 0 else "")
    yield column("output shape", lambda item: text("shape", item))
    yield column("type", lambda item: text("dtype", item))
    yield column("parameters", lambda item: _number(figures.of("parameters", item)))
    yield column("FLOPs", lambda item: amount(figures.of("flops", item)))
    yield column("activations", lambda item: memory(figures.of("bytes", item)))
    if figures.share_of == "time":
        yield column("time", lambda item: _time(figures, item))


def _changes(told: Sequence[tuple[str, str]]) -> Iterator[Column]:
    if told:
        yield Column(name="compared", values=tuple(mark for mark, _ in told))
        yield Column(name="what changed", values=tuple(words for _, words in told))


def _number(value: float) -> str:
    return MISSING if math.isnan(value) else f"{value:,.0f}"


def _time(figures: Figures, item: Item) -> str:
    seconds = figures.of("seconds", item)
    if math.isnan(seconds):
        return MISSING
    return f"{seconds_in_words(seconds)} ({percent(figures.share(item))})"


def path_of(data: xr.Dataset, item: Item) -> str:
    """The full name of the module around an item."""
    names = data["group_name"].values
    if item.twins:
        return f"{names[item.twins[0]]} to {names[item.twins[-1]]}"
    group = item.group if item.group >= 0 else int(data["node_group"].values[item.node])
    return str(names[group]) or "the model itself"


def last_nodes(data: xr.Dataset) -> NDArray[np.int64]:
    """The last operator in each group, whose output is taken for the group's."""
    parents = data["group_parent"].values
    found = np.zeros(len(parents), dtype=np.int64)
    np.maximum.at(found, data["node_group"].values, np.arange(data.sizes["node"]))
    for group in range(len(parents) - 1, 0, -1):
        found[parents[group]] = max(found[parents[group]], found[group])
    return found
