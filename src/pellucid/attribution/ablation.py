"""Feature ablation and permutation: replace one segment after another, and watch the score.

    ablation:     map_i = f(x) − f(x with i's segment replaced by the baseline)
    permutation:  map_i = f(x) − mean over others x' of f(x with i's segment replaced by that of x')

For a linear model a segment's value is Σ w_j (x_j − b_j) over what it holds, with b a baseline,
or the mean of the other samples. Neither is complete for others.
"""

from __future__ import annotations

from typing import Annotated

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pellucid.attribution.baselines import Baseline, Filler, make_filler
from pellucid.attribution.call import Attribution, Call
from pellucid.attribution.game import Game, Shares, make_game
from pellucid.attribution.registry import Bounds, method
from pellucid.attribution.segments import Segmentation, make_segments
from pellucid.errors import MethodError


@method(
    title="Feature ablation",
    family="perturbation",
    paper="Zeiler and Fergus, 2014, section 4.2; Li, Monroe and Jurafsky, 2016, eq. 1",
    about=(
        "Feature ablation hides one part of the input after another and watches the score: red "
        "parts are missed when they are hidden, blue parts were in the way. It sees parts one at "
        "a time, so of two that say the same it may show neither."
    ),
    kinds=("image", "text", "array"),
    needs=("baseline",),
    cost="one prediction for each part",
    passes="1 forward for each segment, and 1",
)
def feature_ablation(
    call: Call,
    *,
    baseline: Baseline = None,
    segments: Segmentation = None,
    num_segments: Annotated[int, Bounds(1, 65_536)] = 64,
) -> Attribution:
    """How far does the score fall when a segment is hidden? Signed, of the input's shape.

    Every place has the fall of its whole segment. `baseline` fills what is hidden
    (`pellucid.attribution.baselines`). `segments` and `num_segments` cut the input
    (`pellucid.attribution.segments`): a grid for pictures, each token or value for others. Texts
    give (n, tokens). Zeiler and Fergus, 2014, section 4.2.
    """
    game = make_game(call, baseline, segments, num_segments, several=False)
    return game.painted(game.solve(_falls))


def _falls(game: Game, players: int, rows: Int[Tensor, " r"]) -> Shares:
    each = torch.arange(players, device=rows.device)
    without = game.table(rows, players, lambda part: part[:, None] != each)
    return game.full[rows.cpu()][:, None] - without, None


@method(
    title="Feature permutation",
    family="perturbation",
    paper="Breiman, 2001, section 10; Fisher, Rudin and Dominici, 2019, eq. 3",
    about=(
        "Feature permutation gives one part of the input after another the content it has in other "
        "samples, and watches the score: red parts are better than those of others, blue parts are "
        "worse. What it shows depends on which other samples there are."
    ),
    kinds=("image", "array"),
    cost="others × parts predictions",
    passes="samples × segments forwards, and 1",
)
def feature_permutation(
    call: Call,
    *,
    baseline: Baseline = None,
    segments: Segmentation = None,
    num_segments: Annotated[int, Bounds(1, 65_536)] = 64,
    samples: Annotated[int, Bounds(1, 100_000)] = 8,
    seed: Annotated[int, Bounds(0, 2**31 - 1)] = 0,
) -> Attribution:
    """How far does the score fall when a segment comes from another sample? Of the input's shape.

    The others are those of the batch, so a sample's map depends on the batch it is in; never the
    sample itself. Or, with `baseline`, the given samples of data (k, …), whatever the batch.
    `samples` of them are drawn without repetition, all if there are fewer. `standard_error` says
    how far the mean over those drawn may be from that over all; it is left out if only one of
    several is drawn. `segments` and `num_segments` cut the input
    (`pellucid.attribution.segments`). Every place has the fall of its whole segment. Raises
    MethodError for a single sample without `baseline`.
    Breiman, 2001, section 10; Fisher, Rudin and Dominici, 2019, eq. 3.
    """
    pool, index = _others(call, baseline, seed)
    chosen = index[:samples]
    cut = make_segments(call, segments, num_segments)
    games = [Game(call, cut, Filler(call, pool, each[None])) for each in chosen]

    def solve(_: Game, players: int, rows: Tensor) -> Shares:
        falls = torch.stack([_falls(game, players, rows)[0] for game in games])
        if len(chosen) == len(index):
            return falls.mean(0), torch.zeros_like(falls[0])
        if len(chosen) == 1:
            return falls[0], None
        left = 1 - len(chosen) / len(index)
        return falls.mean(0), falls.std(0) * (left / len(chosen)) ** 0.5

    return games[0].painted(games[0].solve(solve))


def _others(
    call: Call, baseline: Baseline, seed: int
) -> tuple[Float[Tensor, " p *shape"], Int[Tensor, "k n"]]:
    """Samples to take content from, and which of them each sample meets, in an order at random."""
    device, generator = call.explained.device, torch.Generator().manual_seed(seed)
    if baseline is not None:
        given = make_filler(call, baseline, several=True)
        if not isinstance(baseline, Tensor) or given.pool is None:
            raise MethodError(
                f"'feature_permutation' got baseline={baseline!r}; expected samples of data, a "
                "tensor (k, …), or None for the other samples of the batch."
            )
        order = torch.randperm(given.num_baselines, generator=generator).to(device)
        return given.pool, given.index[order]
    if call.size < 2:
        raise MethodError(
            "'feature_permutation' got one sample, which has no others to take content from. Give "
            "a batch of at least 2, or samples of data (k, …) as `baseline`; 'feature_ablation' "
            "needs neither."
        )
    circle = torch.randperm(call.size, generator=generator)
    ahead = torch.arange(1, call.size)[:, None] + circle.argsort()
    return call.explained, circle[ahead % call.size].to(device)
