"""Sparseness: on how little of the input does a map lie?

The Gini index of the absolute values v₁ ≤ … ≤ v_d:

    Gini = 1 − 2 Σ_k (v_k / ‖v‖₁) · (d − k + ½) / d

0 for a map that is the same everywhere, and near 1 for one that marks a single place.
"""

from __future__ import annotations

import torch

from pellucid.attribution.faithfulness.subject import Measured, Subject, measure_card
from pellucid.attribution.faithfulness.units import units_of


@measure_card(
    title="Sparseness",
    paper="Chalasani, Chen, Chowdhury, Jha and Wu, 2020, section 4.2",
    about=(
        "Says on how little of the input a map lies: 0 if it is the same everywhere, near 1 if it "
        "marks a single place. Sparse maps are easier to read; they are not truer for that."
    ),
    unit="Gini index",
    better="neither",
    passes="none",
)
def sparseness(subject: Subject) -> Measured:
    """On how little of the input does a map lie? Special tokens and padding do not count.

    Chalasani et al., 2020, section 4.2. A map of zeros has 0.
    """
    strength = subject.maps.abs().double()
    if subject.call.kind == "text":
        free = units_of(subject.call, 1).free
    else:
        free = torch.ones_like(strength[0], dtype=torch.bool)
    ordered = strength.masked_fill(~free, 0).sort(-1).values
    size = free.sum(-1)
    place = torch.arange(1, ordered.shape[-1] + 1, device=ordered.device)
    above = (ordered.shape[-1] - place + 0.5) * ordered
    total = ordered.sum(-1)
    known = total > 0
    gini = 1 - 2 * above.sum(-1) / (total.where(known, 1) * size.clamp(min=1))
    return Measured(values=gini.where(known, 0).float())
