"""Deletion and insertion: does what a map marks as important carry the answer?

The units of the input are hidden from the most important to the least, and the score s after a
share t of them is hidden is followed (deletion), or shown again on an empty input (insertion):

    AUC = ∫₀¹ s(t) dt

As the score is a probability, both areas lie between 0 and 1. A map that marks what matters has a
small deletion area and a large insertion area, in comparison with the controls of the same input.
"""

from __future__ import annotations

from typing import Annotated

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pellucid.attribution.baselines import Baseline
from pellucid.attribution.call import Call
from pellucid.attribution.faithfulness.hiding import (
    Score,
    hidden_input,
    own_score,
    score_hidden,
    score_of,
)
from pellucid.attribution.faithfulness.subject import Measured, Subject, measure_card
from pellucid.attribution.faithfulness.units import Units, units_of
from pellucid.attribution.registry import Bounds

LEAST_CHANGE = 1e-3


@measure_card(
    title="Deletion",
    paper="Petsiuk, Das and Saenko, 2018, section 3.2, by regions as in Samek et al., 2017",
    about=(
        "Hides the input piece by piece, the most important piece first, and watches the "
        "probability fall. The value is the mean probability on the way: the lower, the better "
        "the map knows what the answer hangs on."
    ),
    unit="mean probability",
    better="lower",
    ranks=True,
    passes="steps − 1 forwards per map and control, and 1",
)
def deletion(
    subject: Subject,
    *,
    steps: Annotated[int, Bounds(2, 1024)] = 16,
    baseline: Baseline = None,
    cells: Annotated[int, Bounds(2, 1024)] = 14,
    score: Score = "probability",
) -> Measured:
    """How fast does the score fall when the most important units are hidden first?

    `steps` intervals of equal shares are followed. `baseline` is what hidden units are filled
    with. Pictures are hidden in at most `cells` × `cells` cells. `score` is the "probability" of
    the explained class, or the "logit", normalised so that the whole input has 1 and the hidden
    one 0; NaN for samples where the two hardly differ. Where something else than one class's logit
    is explained, that is normalised in the same way.
    Petsiuk, Das and Saenko, 2018, section 3.2.
    """
    return _measured(subject, steps, baseline, cells, score, insert=False)


@measure_card(
    title="Insertion",
    paper="Petsiuk, Das and Saenko, 2018, section 3.2, by regions as in Samek et al., 2017",
    about=(
        "Begins with an empty or blurred input, shows the most important pieces first, and "
        "watches the probability rise. The value is the mean probability on the way: the higher, "
        "the sooner what the map marks is enough for the answer."
    ),
    unit="mean probability",
    better="higher",
    ranks=True,
    passes="steps − 1 forwards per map and control, and 1",
)
def insertion(
    subject: Subject,
    *,
    steps: Annotated[int, Bounds(2, 1024)] = 16,
    baseline: Baseline = None,
    cells: Annotated[int, Bounds(2, 1024)] = 14,
    score: Score = "probability",
) -> Measured:
    """How fast does the score rise when the most important units are shown first?

    The parameters are those of `deletion`; `baseline` is "blur" for pictures if None, since a
    piece on a plain ground has sharp edges of its own.
    Petsiuk, Das and Saenko, 2018, section 3.2.
    """
    if baseline is None and subject.call.kind == "image":
        baseline = "blur"
    return _measured(subject, steps, baseline, cells, score, insert=True)


def _measured(
    subject: Subject, steps: int, baseline: Baseline, cells: int, score: Score, *, insert: bool
) -> Measured:
    call, units = subject.call, units_of(subject.call, cells)
    blank, kind = hidden_input(call, baseline), score_of(call, score)
    ranks = units.ranks(subject.maps)
    curves = _curves(call, units, ranks, blank, steps, kind, insert=insert)
    if kind == "logit":
        curves = _normalised(curves, insert=insert)
    return Measured(values=torch.trapezoid(curves, dim=-1) / steps, curves=curves)


def _curves(
    call: Call,
    units: Units,
    ranks: Int[Tensor, "rows n units"],
    blank: Float[Tensor, " n *shape"],
    steps: int,
    score: Score,
    *,
    insert: bool,
) -> Float[Tensor, "rows n points"]:
    """Scores after 0, 1, … `steps` equal shares of the units; equal inputs are run once."""
    free = units.free.sum(1)
    shares = torch.arange(steps + 1, device=free.device) / steps
    counts = (free[:, None] * shares).round().long()
    samples = torch.arange(call.size, device=free.device)
    nothing = score_hidden(call, units, blank, units.free, samples, score)
    first, last = (nothing, own_score(call, score)) if insert else (own_score(call, score), nothing)
    curves = torch.where(counts > 0, last[:, None], first[:, None]).repeat(len(ranks), 1, 1)
    fresh = counts.diff(dim=1, prepend=counts[:, :1]) > 0
    wanted = (fresh & (counts < free[:, None])).expand_as(curves).nonzero()
    for part in call.chunks(len(wanted)):
        row, sample, point = wanted[part].T
        chosen = ranks[row, sample] < counts[sample, point, None]
        hidden = units.free[sample] & (~chosen if insert else chosen)
        curves[row, sample, point] = score_hidden(call, units, blank, hidden, sample, score)
    firsts = (counts[:, None, :] == counts[:, :, None]).int().argmax(-1)
    return curves.gather(2, firsts.expand_as(curves))


def _normalised(
    curves: Float[Tensor, "rows n points"], *, insert: bool
) -> Float[Tensor, "rows n points"]:
    whole, nothing = (
        (curves[..., -1:], curves[..., :1])
        if insert
        else (
            curves[..., :1],
            curves[..., -1:],
        )
    )
    change = whole - nothing
    least = LEAST_CHANGE * torch.maximum(whole.abs(), nothing.abs())
    known = (change.abs() > least) & (change != 0)
    return torch.where(known, (curves - nothing) / change.where(known, 1), torch.nan)
