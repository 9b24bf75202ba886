"""Plan an incremental run: which operators stay local, how far each window's change has spread.

A window of the picture is a pair of an interval down and an interval across. Operators treat the
axes alike, so that the two are followed apart from one another: 28 + 28 intervals stand for 784
windows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise, product
from math import ceil, prod
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, fx

from pellucid.graph.incremental.boxes import Layout, Region
from pellucid.graph.incremental.rules import Rule, Window, rule_of

aten = torch.ops.aten
PLAIN_COST = 8
ALMOST_WHOLE = 0.9
Spans = tuple[Int[Tensor, " _"], Int[Tensor, " _"]]


@dataclass(frozen=True)
class Step:
    """A local operator: its rule, and the places it changes for each interval down and across."""

    rule: Rule
    down: Spans
    across: Spans

    def region(self, i: Int[Tensor, " m"], j: Int[Tensor, " m"]) -> Region:
        """The smallest rectangles of one size, inside the map, for windows (i, j)."""
        top, height = _start(self.down, i, self.rule.layout.height)
        left, width = _start(self.across, j, self.rule.layout.width)
        return Region(top, left, height, width)

    def share(self, region: Region) -> float:
        """What part of the map a region is."""
        layout = self.rule.layout
        return region.height * region.width / (layout.height * layout.width)


@dataclass(frozen=True)
class Plan:
    """Steps of the local operators, from the explained input on, and each operator's cost.

    `fixed` nodes depend on no input. `numbers` counts those of each tensor.
    """

    steps: dict[fx.Node, Step]
    fixed: frozenset[fx.Node]
    costs: dict[fx.Node, float]
    numbers: dict[fx.Node, int]

    @property
    def total(self) -> float:
        """Work for a whole forward pass of one sample."""
        return sum(self.costs.values())

    @property
    def share(self) -> float:
        """Work for one window against a whole forward pass, on average."""
        saved = (
            cost * (1 - _mean_size(step.down) * _mean_size(step.across) / _area(step))
            for node, step in self.steps.items()
            if (cost := self.costs.get(node, 0.0))
        )
        return 1 - sum(saved) / self.total

    def most_numbers(self, done: Mapping[fx.Node, list[fx.Node]]) -> int:
        """Numbers that one window needs at once, at most; `done` says what each node needs last.

        An operator holds what it sees three times beside what it makes: as it was, as it is, and
        the difference.
        """
        sizes = {node: self._size(node) for node in self.numbers if node not in self.fixed}
        live = most = 0.0
        for node, size in sizes.items():
            live += size
            seen = max((sizes.get(source, 0.0) for source in node.all_input_nodes), default=0.0)
            most = max(most, live + 3 * seen + size)
            live -= sum(sizes.get(finished, 0.0) for finished in done.get(node, ()))
        return ceil(most)

    def _size(self, node: fx.Node) -> float:
        step = self.steps.get(node)
        share = 1.0 if step is None else _largest(step.down) * _largest(step.across) / _area(step)
        return self.numbers[node] * share

    def groups(self, number: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Gather windows whose changes spread alike: intervals down and intervals across."""
        counted = [(s, self.costs[node]) for node, s in self.steps.items() if node in self.costs]
        down = [(s.down, cost / s.rule.layout.height) for s, cost in counted]
        across = [(s.across, cost / s.rule.layout.width) for s, cost in counted]
        columns = _alike(across, number)
        return product(_alike(down, number), columns)


def make_plan(
    program: fx.GraphModule,
    explained: fx.Node,
    down: Spans,
    across: Spans,
) -> Plan:
    """Follow windows of the explained picture through a program."""
    shapes = _shapes(program, explained)
    picture = Rule(Layout(shapes[explained], (2, 3)), ())
    steps = {explained: Step(picture, down, across)}
    fixed: set[fx.Node] = set()
    costs: dict[fx.Node, float] = {}
    for node in program.graph.nodes:
        sources = node.all_input_nodes
        if node.op == "get_attr" or (node.op == "call_function" and fixed.issuperset(sources)):
            fixed.add(node)
        elif node.op == "call_function" and node in shapes:
            costs[node] = _cost(node, shapes)
            maps = {source: steps[source].rule.layout for source in sources if source in steps}
            rule = rule_of(node, maps, fixed, shapes[node]) if maps else None
            if rule is not None:
                steps[node] = _step(rule, [steps[source] for source in maps])
    numbers = {node: prod(shape) for node, shape in shapes.items()}
    return Plan(steps, frozenset(fixed), costs, numbers)


def _shapes(program: fx.GraphModule, explained: fx.Node) -> dict[fx.Node, tuple[int, ...]]:
    """Shapes of all tensors for one sample."""
    batch = explained.meta["val"].shape[0]
    symbol = batch.node.expr if isinstance(batch, torch.SymInt) else None
    shapes = {}
    for node in program.graph.nodes:
        value = node.meta.get("val")
        if isinstance(value, Tensor):
            shapes[node] = tuple(_length(length, symbol) for length in value.shape)
    return shapes


def _length(length: int | torch.SymInt, symbol: Any) -> int:
    return length if isinstance(length, int) else int(length.node.expr.subs({symbol: 1}))


def _step(rule: Rule, sources: list[Step]) -> Step:
    layout = rule.layout
    down = _spread(rule.window, 0, [source.down for source in sources], layout.height)
    across = _spread(rule.window, 1, [source.across for source in sources], layout.width)
    return Step(rule, down, across)


def _spread(window: Window, axis: int, spans: list[Spans], length: int) -> Spans:
    low = torch.stack([low for low, _ in spans]).amin(0)
    high = torch.stack([high for _, high in spans]).amax(0)
    return window.reach(axis, low, high, length)


def _start(spans: Spans, which: Tensor, length: int) -> tuple[Tensor, int]:
    low, high = spans[0][which], spans[1][which]
    size = int((high - low).max())
    return low.clamp(max=length - size), size


def _mean_size(spans: Spans) -> float:
    return float((spans[1] - spans[0]).float().mean())


def _largest(spans: Spans) -> int:
    return int((spans[1] - spans[0]).max())


def _area(step: Step) -> int:
    return step.rule.layout.height * step.rule.layout.width


def _cost(node: fx.Node, shapes: Mapping[fx.Node, tuple[int, ...]]) -> float:
    """Multiplications of one operator; for the others, a few for each number they write."""
    numbers = prod(shapes[node])
    args: Any = node.args
    if node.target is aten.convolution.default:
        return float(numbers * prod(args[1].meta["val"].shape[1:]))
    if node.target in (aten.linear.default, aten.matmul.default):
        return float(numbers * args[0].meta["val"].shape[-1])
    return float(numbers * PLAIN_COST)


def _alike(steps: list[tuple[Spans, float]], number: int) -> list[Int[Tensor, " k"]]:
    """Sort intervals by how far they spread, and join neighbours while that costs least.

    A step weighs as much as one place more along the axis costs there.
    """
    work = torch.stack([(high - low).double() * weight for (low, high), weight in steps])
    groups = [[int(which)] for which in work.sum(0).argsort(stable=True)]
    losses = [_loss(work, *two) for two in pairwise(groups)]
    while len(groups) > number:
        best = min(range(len(losses)), key=losses.__getitem__)
        groups[best : best + 2] = [groups[best] + groups[best + 1]]
        losses[best : best + 1] = []
        for near in range(max(best - 1, 0), min(best + 1, len(losses))):
            losses[near] = _loss(work, groups[near], groups[near + 1])
    return [torch.tensor(sorted(group)) for group in groups]


def _loss(work: Float[Tensor, "steps n"], one: list[int], two: list[int]) -> float:
    """What is computed in vain when two groups take the larger size of both, at each step."""
    apart = sum(work[:, group].amax(1) * len(group) for group in (one, two))
    together = work[:, one + two].amax(1) * (len(one) + len(two))
    return float((together - apart).sum())
