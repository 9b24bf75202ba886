"""Sensitivity-n, and max-sensitivity: two questions of a like name.

Sensitivity-n asks whether the parts of a map that are hidden add up to what the score loses: over
random subsets S of n units,

    correlation of Σ_{i∈S} map_i and f(x) − f(x with S hidden)

It is 1 for every n where the score is a sum over units, and the map holds its terms.
Max-sensitivity asks how much a map changes when the input hardly does:

    max over small noise δ of ‖map(x + δ) − map(x)‖ / ‖map(x)‖
"""

from __future__ import annotations

from typing import Annotated

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.attribution.baselines import Baseline
from pellucid.attribution.faithfulness.again import moved
from pellucid.attribution.faithfulness.subject import Measured, Subject, measure_card, positions
from pellucid.attribution.faithfulness.subsets import removals
from pellucid.attribution.registry import Bounds

SHARES = (0.1, 0.3, 0.5)
SMALLEST = 1e-12


@measure_card(
    title="Sensitivity-n",
    paper="Ancona, Ceolini, Öztireli and Gross, 2018, section 4",
    about=(
        "Hides random parts of the input and compares what the score loses with what the map says "
        "these parts are worth. 1 means that the map's numbers can be taken at their word, 0 that "
        "they say nothing about it."
    ),
    unit="correlation",
    better="higher",
    ranks=True,
    passes="3 × subsets forwards, shared by all maps",
)
def sensitivity_n(
    subject: Subject,
    *,
    subsets: Annotated[int, Bounds(4, 4096)] = 32,
    baseline: Baseline = None,
    cells: Annotated[int, Bounds(2, 1024)] = 14,
) -> Measured:
    """Do the parts of a map add up to what the score loses without them?

    The mean of the correlations over subsets of 10 %, 30 % and 50 % of the units, `subsets` of
    each. A map that is worth the same everywhere has 0; NaN where the score never changes.
    Ancona et al., 2018, section 4.
    """
    shares = torch.tensor(SHARES).repeat_interleave(subsets)
    found = removals(subject, shares, baseline, cells)
    pieces = (slice(first, first + subsets) for first in range(0, len(shares), subsets))
    sizes = [_correlation(found.promised[..., each], found.lost[:, each]) for each in pieces]
    return Measured(values=torch.stack(sizes).nanmean(0).float())


@measure_card(
    title="Max-sensitivity",
    paper="Yeh, Hsieh, Suggala, Inouye and Ravikumar, 2019, definition 2.2",
    about=(
        "Adds noise too small to see, explains again, and gives the largest relative change of "
        "the map. Small is stable. It says nothing about truth: a map that never changes has 0."
    ),
    unit="relative change",
    better="lower",
    passes="draws × the passes of the method",
)
def max_sensitivity(
    subject: Subject,
    *,
    radius: Annotated[float, Bounds(0, 10)] = 0.02,
    draws: Annotated[int, Bounds(1, 256)] = 4,
) -> Measured:
    """How much does a map change when the input hardly does?

    Uniform noise of at most `radius` times the sample's own standard deviation is added, `draws`
    times. NaN for controls, and for maps that are zero everywhere.
    Yeh et al., 2019, definition 2.2.
    """
    call = subject.call
    reach = radius * call.explained.float().flatten(1).std(1, correction=0)
    worst = torch.full(subject.maps.shape[:2], torch.nan, device=subject.maps.device)
    noises = [
        torch.stack(noise)
        for noise in zip(
            *(_noise(each, subject, draws) for each in subject.generators()), strict=True
        )
    ]
    for noise in noises:
        step = noise.to(reach) * reach.view(-1, *[1] * (call.explained.ndim - 1))
        around = moved(call, call.explained + step.to(call.explained))
        for row, explain in enumerate(subject.explain):
            if explain is not None:
                again = positions(around, explain(around))
                worst[row] = torch.fmax(worst[row], _change(again, subject.maps[row]))
    return Measured(values=worst)


def _noise(generator: torch.Generator, subject: Subject, draws: int) -> list[Tensor]:
    shape = subject.call.explained.shape[1:]
    return [2 * torch.rand(shape, generator=generator) - 1 for _ in range(draws)]


def _change(
    again: Float[Tensor, "n positions"], before: Float[Tensor, "n positions"]
) -> Float[Tensor, " n"]:
    """Relative change; NaN where there was nothing."""
    size = before.norm(dim=1)
    return torch.where(size > 0, (again - before).norm(dim=1) / size.clamp(min=SMALLEST), torch.nan)


def _correlation(
    promised: Float[Tensor, "rows n subsets"], lost: Float[Tensor, "n subsets"]
) -> Float[Tensor, "rows n"]:
    """Pearson's; 0 for a map that is constant over the subsets, NaN for a constant score."""
    x = promised - promised.mean(-1, keepdim=True)
    y = lost - lost.mean(-1, keepdim=True)
    widths = x.norm(dim=-1), y.norm(dim=-1)
    flat_map = widths[0] <= SMALLEST * promised.norm(dim=-1)
    flat_score = widths[1] <= 1e-7 * lost.norm(dim=-1)
    found: Tensor = (x * y).sum(-1) / (widths[0] * widths[1]).clamp(min=torch.finfo(x.dtype).tiny)
    return found.masked_fill(flat_map, 0).masked_fill(flat_score.expand_as(found), torch.nan)
