"""Integrals along a path, refined where they are wrong, until they add up to what they should.

On a path from α = 0 to α = 1 let y(α) be what is attributed to, g(α) the score's gradient there,
and F(α) the score. The integral of g dy, one number for each value of y, adds up to F(1) − F(0).
Between two places a < b it is taken by the trapezoid rule,

    ∫ g dy ≈ (g(a) + g(b)) / 2 ⊙ (y(b) − y(a)),

and since the scores at both places are known, so is the error there: the part's sum less
F(b) − F(a). The worst intervals are halved, at one pass each, which keeps all earlier passes. The
steep part of a path, mostly near its start, is found in this way wherever it is. That large errors
happen to cancel is not taken for a right sum: together they must stay below 15 % of the change, as
long as a quarter of the passes is left.

From then on, the sum is all that is still wrong, by E. A place t = 0 … 1 of the way through an
interval takes 3 t (1 − t) of its error e away, to third order. Where no interval holds as much,
the worst with the sign of E are halved, as many as that takes; else the next place is where
3 t (1 − t) e = E, in an interval with |e| > 4/3 |E| and the sign of E: in the one across which g dy
changes least, where a kink of the score can spoil the least. Each such place leaves a small part of
E, where halving leaves most of it.
No result is scaled or corrected: what does not add up is reported.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, reduce
from typing import final

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

SMALLEST_CHANGE = 1e-6
KEPT_BYTES = 2**29
NODES_PER_HALVING = 16
MOST_SCATTER = 0.15
MOST_TAKEN = 0.7
HALVING_TAKES = 0.75
LATE = 0.75  # of the passes


@dataclass(frozen=True, eq=False)
class Seen:
    """What is seen at places of some samples' paths, one row for each: F, y and g."""

    scores: Float[Tensor, " m"]
    outputs: Float[Tensor, " m *output"]
    gradients: Float[Tensor, " m *shape"] | None


Look = Callable[[Int[Tensor, " m"], Float[Tensor, " m"]], Seen]


@dataclass(frozen=True, eq=False)
class Integral:
    """Integrals of n samples, and how far each is from adding up, relative to F(1) − F(0)."""

    values: Float[Tensor, " n *shape"]
    errors: Float[Tensor, " n"]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How to integrate: with `steps` nodes, then more up to `most`, to a relative `tolerance`.

    On `straight` paths, where y(α) = α, the first nodes are tried with the weights of Gauss and
    Legendre before the trapezoid rule: for smooth models they are right with few.
    """

    steps: int
    most: int
    tolerance: float
    straight: bool = False


@cache
def gauss(steps: int) -> tuple[Float[Tensor, " steps"], Float[Tensor, " steps"]]:
    """Nodes and weights of Gauss–Legendre quadrature in √α, for α = 0 … 1, in float64.

    Nodes lie closer near α = 0, where scores are steep before they saturate. Exact for polynomials
    in α of degree below `steps`.
    """
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    root = torch.from_numpy((1 + nodes) / 2)
    return root**2, root * torch.from_numpy(weights)


def integrate(ends: Look, inside: Look, size: int, row_bytes: int, plan: Plan) -> Integral:
    """Integrate along the paths of `size` samples.

    `ends(rows, places)` looks at the ends of paths, without gradients, `inside` at places between,
    with gradients. Those of a sample are kept until it is done: samples are taken in groups whose
    gradients, of `row_bytes` each, stay bounded.
    """
    at_once = max(1, KEPT_BYTES // (row_bytes * plan.most))
    values, errors = [], []
    for rows in torch.split(torch.arange(size), at_once):
        for curve in _refined(ends, inside, rows, plan):
            values.append(curve.integral())
            errors.append(curve.error)
    return Integral(torch.stack(values), torch.tensor(errors, device=values[0].device))


def _refined(ends: Look, inside: Look, rows: Tensor, plan: Plan) -> list[_Curve]:
    """Look at the ends, then at the first nodes, then where each sample's curve wants it."""
    both = torch.tensor([0.0, 1.0], dtype=torch.float64).repeat(len(rows))
    found = list(_nodes(ends(rows.repeat_interleave(2), both), both))
    curves = [_Curve(*pair, plan) for pair in zip(found[::2], found[1::2], strict=True)]
    wanted = {i: gauss(plan.steps)[0].tolist() for i in range(len(rows))}
    while wanted:
        order = [(i, place) for i, places in wanted.items() for place in places]
        places = torch.tensor([place for _, place in order], dtype=torch.float64)
        seen = inside(rows[torch.tensor([i for i, _ in order])], places)
        for (i, _), node in zip(order, _nodes(seen, places), strict=True):
            curves[i].add(node)
        wanted = {i: more for i in wanted if (more := curves[i].wanted())}
    return curves


def _nodes(seen: Seen, places: Tensor) -> Iterator[_Node]:
    for i, (place, score) in enumerate(zip(places.tolist(), seen.scores.tolist(), strict=True)):
        gradient = None if seen.gradients is None else seen.gradients[i]
        yield _Node(place, score, seen.outputs[i], gradient)


@dataclass(frozen=True, eq=False)
class _Node:
    place: float
    score: float
    output: Tensor
    gradient: Tensor | None


@dataclass(frozen=True)
class _Gap:
    """The error of an interval, and how much the sum of g dy changes from one of its ends to the other."""

    error: float
    swing: float


@final
class _Curve:
    """What is known of one sample's path: its nodes in order, and the error between each two."""

    def __init__(self, first: _Node, last: _Node, plan: Plan) -> None:
        self._plan = plan
        self._nodes = [first, last]
        self._known: list[_Gap | None] = [None]
        self._by_gauss = plan.straight
        self._change = last.score - first.score
        self._scale = max(abs(self._change), SMALLEST_CHANGE)

    @property
    def error(self) -> float:
        """How far the integral is from adding up, relative to what it should add up to."""
        if self._by_gauss:
            return abs(self.integral().sum().item() - self._change) / self._scale
        return abs(sum(self._errors)) / self._scale

    def integral(self) -> Tensor:
        """The integral, of the shape of the gradients."""
        if self._by_gauss:
            inner = [node.gradient for node in self._nodes if node.gradient is not None]
            weights = gauss(len(inner))[1].tolist()
            parts = [weight * slope for weight, slope in zip(weights, inner, strict=True)]
        else:
            parts = [self._part(i) for i in range(len(self._nodes) - 1)]
        total: Tensor = reduce(torch.add, parts)
        return total

    def add(self, node: _Node) -> None:
        """Add a node between others."""
        index = bisect_left(self._nodes, node.place, key=lambda known: known.place)
        self._nodes.insert(index, node)
        self._known[index - 1 : index] = [None, None]

    def wanted(self) -> list[float]:
        """Where to look next: the middles of the intervals that are most wrong; [] when done."""
        done = len(self._nodes) - 2
        if done >= self._plan.most or self._settled():
            return []
        self._by_gauss = False
        if self._settled():
            return []
        if self._settling:
            place = self._aimed()
            return [place] if place is not None else self._middles(self._enough())
        many = max(1, done // NODES_PER_HALVING)
        return self._middles(np.argsort(-np.abs(self._errors), kind="stable")[:many].tolist())

    def _middles(self, intervals: list[int]) -> list[float]:
        """Middles of intervals, as many as passes are left for."""
        left = self._plan.most - (len(self._nodes) - 2)
        return [(self._nodes[i].place + self._nodes[i + 1].place) / 2 for i in intervals[:left]]

    def _enough(self) -> list[int]:
        """The worst intervals with the sign of the sum's error that, halved, should take it away."""
        errors = np.array(self._errors)
        excess = errors.sum()
        worst = np.argsort(-errors * np.sign(excess), kind="stable")
        taken = HALVING_TAKES * np.abs(np.cumsum(errors[worst]))
        number = max(1, int((taken <= abs(excess)).argmin()))
        return [int(index) for index in worst[:number]]

    def _aimed(self) -> float | None:
        """The place that should make the sum right by itself; None where no single one can."""
        excess = sum(self._errors)
        shares = [excess / gap.error if gap.error else math.inf for gap in self._gaps]
        fit = [i for i, share in enumerate(shares) if 0 < share <= MOST_TAKEN]
        if not fit:
            return None
        index = min(fit, key=lambda i: self._gaps[i].swing)
        way = (1 - math.sqrt(1 - shares[index] * 4 / 3)) / 2
        left, right = self._nodes[index].place, self._nodes[index + 1].place
        place = left + way * (right - left)
        return place if left < place < right else None

    @property
    def _gaps(self) -> list[_Gap]:
        """What is known of each interval."""
        filled = [self._gap(i) if gap is None else gap for i, gap in enumerate(self._known)]
        self._known = list(filled)
        return filled

    @property
    def _errors(self) -> list[float]:
        """The error of each interval."""
        return [gap.error for gap in self._gaps]

    def _settled(self) -> bool:
        """Tell whether the sum is right, and not only because large errors cancel."""
        return self.error <= self._plan.tolerance and self._settling

    @property
    def _settling(self) -> bool:
        """Whether it is time to make the sum right: errors are small, or passes are few."""
        late = len(self._nodes) - 2 >= LATE * self._plan.most
        return late or self._scattered <= MOST_SCATTER

    @property
    def _scattered(self) -> float:
        return float(np.abs(self._errors).sum()) / self._scale

    def _part(self, index: int) -> Tensor:
        """The integral over one interval; at the ends of the path, one gradient stands for two."""
        left, right = self._nodes[index], self._nodes[index + 1]
        known = [node.gradient for node in (left, right) if node.gradient is not None]
        slope: Tensor = reduce(torch.add, known) / len(known)
        return slope * (right.output - left.output)

    def _gap(self, index: int) -> _Gap:
        left, right = self._nodes[index], self._nodes[index + 1]
        known = [node.gradient for node in (left, right) if node.gradient is not None]
        sums = [(slope * (right.output - left.output)).sum().item() for slope in known]
        swing = abs(sums[0] - sums[-1]) if len(sums) == 2 else math.inf
        return _Gap(sum(sums) / len(sums) - (right.score - left.score), swing)
