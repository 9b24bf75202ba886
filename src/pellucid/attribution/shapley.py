"""Shapley values: what a segment adds to a coalition of others, averaged over all orders.

    φ_i = Σ_{S ∌ i} |S|! (k − |S| − 1)! / k! · (v(S ∪ i) − v(S))

Complete, and the only way to share that is also linear, symmetric, and gives nothing to segments
that never change the score. `exact_shapley` takes all 2^k coalitions. `shapley_sampling` walks
orders at random, each also backwards: what a segment adds early in one, it adds late in the
other, so that the mean of both varies less. Each order alone adds up to v(all) − v(none).
"""

from __future__ import annotations

from math import lgamma
from typing import Annotated

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pellucid.attribution.baselines import Baseline
from pellucid.attribution.call import Attribution, Call
from pellucid.attribution.game import Game, Shares, make_game
from pellucid.attribution.registry import Bounds, method
from pellucid.attribution.segments import Segmentation
from pellucid.errors import MethodError

MOST_EXACT = 16


@method(
    title="Exact Shapley values",
    family="perturbation",
    paper="Shapley, 1953, eq. 12",
    about=(
        "Shapley values share the score among the parts of the input as if they were players of a "
        "team: red parts raised it, blue parts lowered it. Every combination of hidden and shown "
        "parts is tried, so there is no sampling error, but only few parts can be told apart."
    ),
    kinds=("image", "text", "array"),
    needs=("baseline",),
    cost="two to the power of the number of parts predictions",
    passes="2^segments forwards, for each baseline",
)
def exact_shapley(
    call: Call,
    *,
    baseline: Baseline = None,
    segments: Segmentation = None,
    num_segments: Annotated[int, Bounds(1, MOST_EXACT)] = 9,
) -> Attribution:
    """What does each segment add to the score, over all coalitions? Signed, of the input's shape.

    `baseline` fills what is hidden; a tensor (k, …) is averaged over
    (`pellucid.attribution.baselines`). `segments` and `num_segments` cut the input
    (`pellucid.attribution.segments`): a grid for pictures, each token or value for others. A
    segment's value is shared evenly among what it holds. Texts give (n, tokens). Raises
    MethodError for more than 16 segments. Shapley, 1953, eq. 12.
    """
    game = make_game(call, baseline, segments, num_segments)
    if game.most > MOST_EXACT:
        raise MethodError(
            f"'exact_shapley' got {game.most} segments, which form 2^{game.most} coalitions; "
            f"expected at most {MOST_EXACT}. Give `segments` that join some of them, or use "
            "'shapley_sampling', 'kernel_shap' or 'owen'."
        )
    return game.shared(game.solve(_exactly))


def _exactly(game: Game, players: int, rows: Int[Tensor, " r"]) -> Shares:
    bits = torch.arange(players, device=rows.device)
    inner = game.table(rows, 2**players - 2, lambda part: (part[:, None] + 1 >> bits) & 1 == 1)
    ends = game.empty[rows.cpu(), None], game.full[rows.cpu(), None]
    values = torch.cat([ends[0], inner, ends[1]], 1)
    return values @ _shares_of_coalitions(players), None


def _shares_of_coalitions(players: int) -> Float[Tensor, "coalitions players"]:
    """How much of each coalition's value goes to each player; coalition S is the number Σ 2^i."""
    inside = (torch.arange(2**players)[:, None] >> torch.arange(players)) & 1
    sizes = torch.arange(players, dtype=torch.float64)
    log_factorials = torch.lgamma(sizes + 1) + torch.lgamma(players - sizes)
    weights = (log_factorials - lgamma(players + 1)).exp()
    size = inside.sum(1, keepdim=True)
    joined = weights[(size - 1).clamp(min=0)]
    stayed_out = weights[size.clamp(max=players - 1)]
    return torch.where(inside == 1, joined, -stayed_out)


@method(
    title="Shapley sampling",
    family="perturbation",
    paper="Castro, Gómez and Tejada, 2009, section 3; antithetic: Mitchell et al., 2022, section 4",
    about=(
        "Shapley values share the score among the parts of the input as if they were players of a "
        "team: red parts raised it, blue parts lowered it. Orders in which the parts appear are "
        "drawn at random, so small values may be chance; the standard error says how small."
    ),
    kinds=("image", "text", "array"),
    needs=("baseline",),
    cost="orders × parts predictions",
    passes="samples × (segments − 1) forwards and 2, for each baseline",
)
def shapley_sampling(
    call: Call,
    *,
    baseline: Baseline = None,
    segments: Segmentation = None,
    num_segments: Annotated[int, Bounds(1, 4096)] = 16,
    samples: Annotated[int, Bounds(4, 100_000)] = 32,
    seed: Annotated[int, Bounds(0, 2**31 - 1)] = 0,
) -> Attribution:
    """What does each segment add to the score, in orders at random? Signed, of the input's shape.

    `samples` orders are walked, an even number: each drawn one also backwards. `standard_error`
    comes from how far these pairs differ. `baseline` fills what is hidden; a tensor (k, …) is
    averaged over (`pellucid.attribution.baselines`). `segments` and `num_segments` cut the input
    (`pellucid.attribution.segments`): a grid for pictures, each token or value for others. A
    segment's value is shared evenly among what it holds. Texts give (n, tokens). Complete.
    Castro, Gómez and Tejada, 2009; Mitchell, Cooper, Frank and Holmes, 2022.
    """
    game = make_game(call, baseline, segments, num_segments)
    pairs = (samples + 1) // 2

    def solve(game: Game, players: int, rows: Tensor) -> Shares:
        return _by_orders(game, rows, _places_in_orders(players, pairs, seed))

    return game.shared(game.solve(solve))


def _places_in_orders(players: int, pairs: int, seed: int) -> Int[Tensor, "orders players"]:
    """Draw at which place each player joins; after each order comes the same one backwards."""
    drawn = torch.rand(pairs, players, generator=torch.Generator().manual_seed(seed))
    places = drawn.argsort(1)
    return torch.stack([places, players - 1 - places], 1).flatten(0, 1)


def _by_orders(
    game: Game, rows: Int[Tensor, " r"], places: Int[Tensor, "orders players"]
) -> Shares:
    orders, players = places.shape
    on_device, steps = places.to(rows.device), players - 1
    inner = game.table(
        rows, orders * steps, lambda part: on_device[part // steps] <= (part % steps)[:, None]
    ).view(len(rows), orders, steps)
    own = rows.cpu()
    first = game.empty[own][:, None, None].expand(-1, orders, 1)
    last = game.full[own][:, None, None].expand(-1, orders, 1)
    added = torch.cat([first, inner, last], 2).diff(dim=2)
    joined = added.gather(2, places.expand(len(rows), -1, -1))
    pairs = joined.view(len(rows), orders // 2, 2, players).mean(2)
    return pairs.mean(1), pairs.std(1) / (orders // 2) ** 0.5
