"""LIME and KernelSHAP: a linear model of the segments that scores as the model does.

    w = argmin_w Σ_z π(z) (v(z) − w_0 − Σ_i z_i w_i)²

over coalitions z ∈ {0, 1}^k of the segments that are shown.

    LIME        π(z) = exp(−(1 − √(|z| / k))² / width²), so that coalitions near the input count
    KernelSHAP  π(z) = (k − 1) / (C(k, |z|) |z| (k − |z|)), with w_0 = v(none), Σ w = v(all) − v(none)

Coalitions come in pairs, each with its complement. For a linear model, w_i is the sum of
its terms over what the segment holds, whatever the coalitions. KernelSHAP's weights are Shapley
values: complete, and exact once all coalitions are tried.
"""

from __future__ import annotations

from typing import Annotated

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from pellucid.attribution.baselines import Baseline
from pellucid.attribution.call import Attribution, Call
from pellucid.attribution.coalitions import Coalitions, draw_pairs
from pellucid.attribution.game import Game, Shares, make_game
from pellucid.attribution.registry import Bounds, method
from pellucid.attribution.segments import Segmentation
from pellucid.errors import MethodError

MOST_UNKNOWNS = 4096
FEWEST_PER_SEGMENT = 4
VARIANCE_OF_A_COIN = 0.25


@method(
    title="KernelSHAP",
    family="perturbation",
    paper="Lundberg and Lee, 2017, theorem 2; paired: Covert and Lee, 2021, section 3.3",
    about=(
        "KernelSHAP estimates Shapley values, which share the score among the parts of the input "
        "as if they were players of a team: red parts raised it, blue parts lowered it. Small "
        "values may be chance; the standard error says how small."
    ),
    kinds=("image", "text", "array"),
    needs=("baseline",),
    cost="as long as hundreds of predictions",
    passes="samples × 1 forward and 2, for each baseline",
)
def kernel_shap(
    call: Call,
    *,
    baseline: Baseline = None,
    segments: Segmentation = None,
    num_segments: Annotated[int, Bounds(1, MOST_UNKNOWNS)] = 36,
    samples: Annotated[int, Bounds(2, 1_000_000)] = 512,
    seed: Annotated[int, Bounds(0, 2**31 - 1)] = 0,
) -> Attribution:
    """What does each segment add to the score, as Shapley shares it? Signed, of the input's shape.

    `samples` coalitions are tried, at least four for each segment, and never more than there are:
    then the values are exact. Sizes of which few coalitions exist are tried completely.
    `standard_error` comes from how badly the linear model fits. `baseline` fills what is hidden; a
    tensor (k, …) is averaged over (`pellucid.attribution.baselines`). `segments` and `num_segments`
    cut the input (`pellucid.attribution.segments`): a grid for pictures, each token or value for
    others. A segment's value is shared evenly among what it holds. Texts give (n, tokens). Complete.
    Raises MethodError for more than 4096 segments. Lundberg and Lee, 2017; Covert and Lee, 2021.
    """
    game = _solvable("kernel_shap", make_game(call, baseline, segments, num_segments))

    def solve(game: Game, players: int, rows: Tensor) -> Shares:
        if players == 1:
            return game.change[rows.cpu()][:, None], torch.zeros(len(rows), 1, dtype=torch.float64)
        pairs = max(samples, FEWEST_PER_SEGMENT * players) // 2
        return _constrained_fit(game, rows, draw_pairs(players, pairs, seed))

    return game.shared(game.solve(solve))


def _constrained_fit(game: Game, rows: Int[Tensor, " r"], drawn: Coalitions) -> Shares:
    """Fit half the difference of complements, (v(z) − v(1 − z)) / 2 ≈ (z − ½)·w with Σ w given.

    That is the whole fit: sums of complements tell nothing of w. With w = Δ/k + ψ and Σ ψ = 0 the
    constraint is gone, once z − ½ is centred over the players.
    """
    count, players = drawn.shown.shape
    halves = _differences(game, rows, drawn.shown)
    change = game.change[rows.cpu()]
    signs = drawn.shown.double() - 0.5
    centred = signs - signs.mean(1, keepdim=True)
    rest = halves - change[:, None] * signs.mean(1)
    weighted = centred * drawn.weights[:, None]
    gram = centred.T @ weighted
    scale = gram.diagonal().mean() / players
    inverse = torch.linalg.inv(gram + scale)
    found = rest @ weighted @ inverse
    spread = drawn.spread(rest - found @ centred.T, weighted @ inverse)
    freedom = count / max(1, count - players + 1)
    return change[:, None] / players + found, (spread * freedom).sqrt()


def _differences(
    game: Game, rows: Int[Tensor, " r"], shown: Bool[Tensor, "pairs players"]
) -> Float[Tensor, "r pairs"]:
    """Half of what a coalition scores more than its complement."""
    both = torch.stack([shown, ~shown], 1).flatten(0, 1).to(rows.device)
    scores = game.table(rows, len(both), lambda part: both[part])
    return scores.view(len(rows), len(shown), 2) @ torch.tensor([0.5, -0.5], dtype=torch.float64)


@method(
    title="LIME",
    family="perturbation",
    paper="Ribeiro, Singh and Guestrin, 2016, eq. 1–2",
    about=(
        "LIME hides parts of the input at random, and fits the simplest model, a weighted sum of "
        "the parts that are shown, to the scores: red parts raise it, blue parts lower it. It says "
        "what holds on average near the input, and misses what parts do only together."
    ),
    kinds=("image", "text", "array"),
    needs=("baseline",),
    cost="as long as hundreds of predictions",
    passes="samples × 1 forward, and 1",
)
def lime(
    call: Call,
    *,
    baseline: Baseline = None,
    segments: Segmentation = None,
    num_segments: Annotated[int, Bounds(1, MOST_UNKNOWNS)] = 36,
    samples: Annotated[int, Bounds(2, 1_000_000)] = 512,
    kernel_width: Annotated[float, Bounds(0.01, 100)] = 0.25,
    ridge: Annotated[float, Bounds(0, 1e6)] = 0.0,
    seed: Annotated[int, Bounds(0, 2**31 - 1)] = 0,
) -> Attribution:
    """How does the score change with each segment, near the input? Signed, of the input's shape.

    Every place has the slope of its segment. `samples` coalitions are drawn, each segment shown
    with probability ½, at least four for each segment; half of them are the complements of the
    others. `kernel_width` says how fast their weight falls with the cosine distance from the
    input; `ridge` is the penalty on squared slopes, as a share of the variance of a segment.
    `standard_error` comes from how badly the linear model fits. `baseline` fills what is hidden
    (`pellucid.attribution.baselines`). `segments` and `num_segments` cut the input
    (`pellucid.attribution.segments`): superpixels for pictures, each token or value for others.
    Texts give (n, tokens). Raises MethodError for more than 4096 segments.
    Ribeiro, Singh and Guestrin, 2016, eq. 1–2.
    """
    cut = make_game(call, baseline, segments, num_segments, several=False, default="slic")
    game = _solvable("lime", cut)

    def solve(game: Game, players: int, rows: Tensor) -> Shares:
        pairs = max(samples, FEWEST_PER_SEGMENT * players) // 2
        drawn = torch.rand(pairs, players, generator=torch.Generator().manual_seed(seed)) < 0.5
        return _local_fit(game, rows, drawn, kernel_width, ridge)

    return game.painted(game.solve(solve))


def _local_fit(
    game: Game,
    rows: Int[Tensor, " r"],
    drawn: Bool[Tensor, "pairs players"],
    kernel_width: float,
    ridge: float,
) -> Shares:
    """Fit slopes and an intercept to the input, the drawn coalitions, and their complements."""
    pairs, players = drawn.shape
    shown = torch.cat([torch.ones_like(drawn[:1]), drawn, ~drawn])
    on_device = shown[1:].to(rows.device)
    scores = game.table(rows, 2 * pairs, lambda part: on_device[part])
    scores = torch.cat([game.full[rows.cpu()][:, None], scores], 1)
    signs = shown.double()
    distance = 1 - signs.mean(1).sqrt()
    weights = (-((distance / kernel_width) ** 2)).exp()
    weights = weights / weights.sum()
    centred = signs - weights @ signs
    weighted = centred * weights[:, None]
    gram = centred.T @ weighted + ridge * VARIANCE_OF_A_COIN * torch.eye(players).double()
    solver = weighted @ torch.linalg.pinv(gram, hermitian=True)
    rest = scores - (scores @ weights)[:, None]
    found = rest @ solver
    one, other = (slice(1, pairs + 1), slice(pairs + 1, None))
    left = rest - found @ centred.T
    spread = (
        left[:, one] ** 2 @ solver[one] ** 2
        + 2 * (left[:, one] * left[:, other]) @ (solver[one] * solver[other])
        + left[:, other] ** 2 @ solver[other] ** 2
    )
    unknowns = min(players, pairs - 1)
    return found, (spread.clamp(min=0) * pairs / (pairs - unknowns)).sqrt()


def _solvable(name: str, game: Game) -> Game:
    if game.most > MOST_UNKNOWNS:
        raise MethodError(
            f"{name!r} got {game.most} segments, and would solve as many equations; expected at "
            f"most {MOST_UNKNOWNS}. Give `segments` that join some of them, or use "
            "'feature_ablation', 'rise' or 'shapley_sampling'."
        )
    return game
