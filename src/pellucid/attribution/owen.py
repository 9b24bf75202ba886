"""Owen values: the score is shared between regions, then within each between its parts, and so on.

    share(R, c) = v(c ∪ R) − v(c)
    the part L of R = L ∪ R′ gets   ½ share(L, c) + ½ share(L, c ∪ R′)

with c what is shown outside of R: at each level the other half of the region is hidden or shown,
half of the weight each. Complete, wherever the cutting stops: a region that is not cut further
shares evenly among its segments' places. Once all regions are cut these are Owen's values of the
hierarchy, and for segments that the hierarchy treats alike, symmetric.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import pad

from pellucid.attribution.baselines import Baseline
from pellucid.attribution.call import Attribution, Call
from pellucid.attribution.game import SMALLEST_CHANGE, Game, make_game
from pellucid.attribution.registry import Bounds, method
from pellucid.attribution.segments import Segmentation

CUTS_PER_ROUND = 32
FINEST_PRIORITY = 1e-4
STEPS_PER_OCTAVE = 8


@method(
    title="Owen values",
    family="perturbation",
    paper="Owen, 1977, section 3; by halving regions: Lundberg et al., 2020 (SHAP)",
    about=(
        "Owen values share the score between two halves of the input, then within each half, and "
        "so on down to small parts: red parts raised it, blue parts lowered it. Regions that "
        "matter are cut finest. Neighbouring parts count as a team, so where the cuts fall matters."
    ),
    kinds=("image", "text", "array"),
    needs=("baseline",),
    cost="as long as hundreds of predictions",
    passes="at most max_evaluations forwards and 2, for each baseline",
)
def owen(
    call: Call,
    *,
    baseline: Baseline = None,
    segments: Segmentation = None,
    num_segments: Annotated[int, Bounds(1, 65_536)] = 64,
    max_evaluations: Annotated[int, Bounds(0, 1_000_000)] = 512,
) -> Attribution:
    """What does each segment add to the score, in a hierarchy of regions? Of the input's shape.

    Regions are halved across their longer side, neighbours staying together; those with the
    largest share first, until `max_evaluations` coalitions are scored; k segments are all cut
    after about ⅔ k². `baseline` fills what is hidden; a tensor (k, …) is averaged over
    (`pellucid.attribution.baselines`). `segments` and `num_segments` cut the input
    (`pellucid.attribution.segments`): a grid for pictures, each token or value for others, where
    neighbours are next to each other in order. A segment's value is shared evenly among what it
    holds. Texts give (n, tokens). Complete. Owen, 1977.
    """
    game = make_game(call, baseline, segments, num_segments)
    areas, centres = game.segments.areas().cpu(), _centres(game)
    ends = zip(game.segments.counts.tolist(), game.empty.tolist(), game.full.tolist(), strict=True)
    searches = [
        _Search(_Tree.halving(centres[row, :count]), low, high, max_evaluations)
        for row, (count, low, high) in enumerate(ends)
    ]
    while any(map(len, questions := [search.ask() for search in searches])):
        for search, answer in zip(searches, _score(game, questions), strict=True):
            search.learn(answer)
    values = torch.zeros(areas.shape, dtype=torch.float64)
    for row, search in enumerate(searches):
        values[row, : search.players] = search.shares(areas[row, : search.players].double())
    return game.shared((values, None))


def _centres(game: Game) -> Float[Tensor, "n players axes"]:
    """Mean coordinates of each segment's places."""
    labels = game.segments.labels
    places = torch.cartesian_prod(*(torch.arange(side) for side in labels.shape[1:]))
    places = places.view(labels[0].numel(), -1)
    flat = labels.flatten(1).cpu() % (game.most + 1)
    index = flat[:, :, None].expand(-1, -1, places.shape[1])
    sums = torch.zeros(len(labels), game.most + 1, places.shape[1], dtype=torch.int64)
    sums.scatter_add_(1, index, places.expand_as(index))
    return sums[:, :-1] / game.segments.areas().cpu().clamp(min=1)[:, :, None].double()


def _score(game: Game, questions: list[Bool[Tensor, "_ _"]]) -> list[Float[Tensor, " _"]]:
    """Score the coalitions that the samples' searches ask for, all together."""
    device, counts = game.call.explained.device, torch.tensor([len(asked) for asked in questions])
    rows = torch.arange(len(questions)).repeat_interleave(counts).to(device)
    padded = [pad(asked, (0, game.most - asked.shape[1])) for asked in questions]
    kept = torch.cat(padded).to(device)
    return list(torch.split(game.values(rows, lambda part: kept[part]), counts.tolist()))


@dataclass(frozen=True, eq=False)
class _Tree:
    """Players in an order in which each region is a range, `starts` to `stops`; -1 has no half."""

    order: Int[Tensor, " players"]
    starts: Int[Tensor, " nodes"]
    stops: Int[Tensor, " nodes"]
    halves: Int[Tensor, "nodes 2"]

    @classmethod
    def halving(cls, centres: Float[Tensor, "players axes"]) -> _Tree:
        """Halve all players, then each half, across the axis along which the centres spread most."""
        order = torch.arange(len(centres))
        nodes: list[tuple[int, int]] = [(0, len(centres))]
        halves: list[tuple[int, int]] = []
        while len(halves) < len(nodes):
            start, stop = nodes[len(halves)]
            if stop - start < 2:
                halves.append((-1, -1))
                continue
            own = centres[order[start:stop]]
            axis = int((own.amax(0) - own.amin(0)).argmax())
            along, ranks = own[:, axis].sort(stable=True)
            order[start:stop] = order[start:stop][ranks]
            middle = start + _cut(along)
            halves.append((len(nodes), len(nodes) + 1))
            nodes += [(start, middle), (middle, stop)]
        starts, stops = torch.tensor(nodes).T
        return cls(order, starts, stops, torch.tensor(halves))

    def members(self, nodes: Int[Tensor, " m"]) -> Bool[Tensor, "m players"]:
        """Mark the players of some nodes."""
        places = torch.arange(len(self.order))
        inside = (places >= self.starts[nodes, None]) & (places < self.stops[nodes, None])
        return torch.zeros_like(inside).scatter_(1, self.order.expand_as(inside), inside)


def _cut(along: Float[Tensor, " m"]) -> int:
    """Where to cut sorted coordinates: nearest the middle, but not between equal ones if possible."""
    steps = along.diff().nonzero()[:, 0] + 1
    if not len(steps):
        return len(along) // 2
    return int(steps[(2 * steps - len(along)).abs().argmin()])


@final
class _Search:
    """The regions of one sample that may still be cut, those with the largest share first.

    An entry is a node, what is shown outside of it, the scores without and with the node's
    players, and the weight. Shares that differ by less than a tenth count as equal, and the older
    entry comes first, so that rounding in the scores does not change the order.
    """

    def __init__(self, tree: _Tree, low: float, high: float, evaluations: int) -> None:
        self.players, self._tree, self._left = len(tree.order), tree, evaluations
        self._nodes = torch.zeros(min(1, self.players), dtype=torch.int64)
        self._context = torch.zeros(len(self._nodes), self.players, dtype=torch.bool)
        self._scores = torch.tensor([[low, high]], dtype=torch.float64)[: len(self._nodes)]
        self._weights = torch.ones(len(self._nodes), dtype=torch.float64)
        self._chosen = torch.zeros(0, dtype=torch.int64)

    def ask(self) -> Bool[Tensor, "m players"]:
        """Choose regions to cut; give the coalitions to score, two for each."""
        inner = (self._tree.halves[self._nodes, 0] >= 0).nonzero()[:, 0]
        count = min(CUTS_PER_ROUND, len(inner), self._left // 2)
        shares = (self._scores.diff(dim=1)[:, 0] * self._weights)[inner].abs()
        finest = FINEST_PRIORITY * shares.max().clamp(min=SMALLEST_CHANGE) if len(inner) else 1
        priority = (shares.clamp(min=finest).log2() * STEPS_PER_OCTAVE).round()
        self._chosen = inner[priority.argsort(descending=True, stable=True)[:count]]
        self._left -= 2 * count
        halves = self._tree.members(self._tree.halves[self._nodes[self._chosen]].flatten())
        return halves | self._context[self._chosen].repeat_interleave(2, 0)

    def learn(self, answers: Float[Tensor, " m"]) -> None:
        """Replace the chosen regions by their halves, each with the other half hidden and shown."""
        old = self._chosen
        first, second = self._tree.halves[self._nodes[old]].T
        low, high = self._scores[old].T
        with_first, with_second = answers.view(-1, 2).T
        stay = torch.ones(len(self._nodes), dtype=torch.bool).index_fill_(0, old, False)
        entries = (
            (first, second, False, low, with_first),
            (first, second, True, with_second, high),
            (second, first, False, low, with_second),
            (second, first, True, with_first, high),
        )
        context, weights = self._context[old], self._weights[old] / 2
        self._context = torch.cat(
            [self._context[stay]]
            + [
                context | self._tree.members(other) if shown else context
                for _, other, shown, _, _ in entries
            ]
        )
        self._nodes = torch.cat([self._nodes[stay]] + [entry[0] for entry in entries])
        self._scores = torch.cat(
            [self._scores[stay]] + [torch.stack([low, high], 1) for *_, low, high in entries]
        )
        self._weights = torch.cat([self._weights[stay]] + [weights] * len(entries))

    def shares(self, areas: Float[Tensor, " players"]) -> Float[Tensor, " players"]:
        """What each player gets; a region that was not cut shares by area."""
        shares = self._scores.diff(dim=1)[:, 0] * self._weights
        total = torch.zeros(len(self._tree.starts), dtype=torch.float64)
        total.index_add_(0, self._nodes, shares)
        values = torch.zeros(self.players, dtype=torch.float64)
        for node in total.nonzero()[:, 0].tolist():
            within = self._tree.order[self._tree.starts[node] : self._tree.stops[node]]
            values[within] += total[node] * areas[within] / areas[within].sum()
        return values
