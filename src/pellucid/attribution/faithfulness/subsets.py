"""Random parts of the input, hidden: what the score loses, and what a map says it should lose."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pellucid.attribution.baselines import Baseline
from pellucid.attribution.faithfulness.hiding import hidden_input, score_hidden
from pellucid.attribution.faithfulness.subject import Subject
from pellucid.attribution.faithfulness.units import units_of


@dataclass(frozen=True)
class Removals:
    """Of each subset: the sum of each map over what was hidden, and the fall of the score."""

    promised: Float[Tensor, "rows n subsets"]
    lost: Float[Tensor, "n subsets"]


def removals(
    subject: Subject, shares: Float[Tensor, " subsets"], baseline: Baseline, cells: int
) -> Removals:
    """Hide random subsets of the given shares of the units, at least one unit each.

    The same subsets serve all maps of a sample, so that methods differ by their maps alone.
    """
    call, units = subject.call, units_of(subject.call, cells)
    hidden = _subsets(subject, units.free, shares)
    samples, draws = hidden.shape[:2]
    rows = torch.arange(samples, device=hidden.device).repeat_interleave(draws)
    scores = score_hidden(call, units, hidden_input(call, baseline), hidden.flatten(0, 1), rows)
    lost = call.own_scores.double()[:, None] - scores.double().view(samples, draws)
    promised = torch.einsum("rnu,nsu->rns", units.sums(subject.maps), hidden.double())
    return Removals(promised, lost)


def _subsets(
    subject: Subject, free: Bool[Tensor, "n units"], shares: Float[Tensor, " subsets"]
) -> Bool[Tensor, "n subsets units"]:
    size = (len(shares), free.shape[1])
    keys = torch.stack([torch.rand(size, generator=each) for each in subject.generators()])
    keys = keys.to(free.device).masked_fill(~free[:, None], torch.inf)
    counts = (free.sum(1)[:, None] * shares.to(free.device)).round().clamp(min=1)
    return (keys.argsort(-1).argsort(-1) < counts[..., None]) & free[:, None]
