"""Infidelity: how far is what a map promises from what the score does?

For random subsets S, with a = Σ_{i∈S} map_i and d = f(x) − f(x with S hidden):

    infidelity = min over β ≥ 0 of E[(β a − d)²] / E[d²],   β = max(0, E[a d] / E[a²])

0 is perfect; 1 is no better than a map of zeros. β takes away the scale of the map, on which
methods do not agree (optimal scaling); it is never negative, as a map that is right but for its
sign is wrong.
"""

from __future__ import annotations

from typing import Annotated

import torch

from pellucid.attribution.baselines import Baseline
from pellucid.attribution.faithfulness.subject import Measured, Subject, measure_card
from pellucid.attribution.faithfulness.subsets import removals
from pellucid.attribution.registry import Bounds


@measure_card(
    title="Infidelity",
    paper="Yeh, Hsieh, Suggala, Inouye and Ravikumar, 2019, definition 2.1, with optimal scaling",
    about=(
        "Hides random parts of the input of all sizes, and measures how far what the map promises "
        "for them is from what happens, once the map is scaled as well as can be. 0 is perfect, 1 "
        "no better than an empty map."
    ),
    unit="share of the change",
    better="lower",
    ranks=True,
    passes="subsets forwards, shared by all maps",
)
def infidelity(
    subject: Subject,
    *,
    subsets: Annotated[int, Bounds(2, 4096)] = 64,
    baseline: Baseline = None,
    cells: Annotated[int, Bounds(2, 1024)] = 14,
    scaled: bool = True,
) -> Measured:
    """How far is what a map promises from what the score loses?

    `subsets` of all sizes are hidden. `scaled=False` gives the mean square itself, without the
    best scale β and in the square of the score's unit. NaN where the score never changes.
    Yeh et al., 2019, definition 2.1; the scaling is theirs, of section 2.1.
    """
    shares = torch.linspace(0, 1, subsets)
    found = removals(subject, shares, baseline, cells)
    promised, lost = found.promised, found.lost
    if not scaled:
        return Measured(values=(promised - lost).square().mean(-1).float())
    energy = promised.square().mean(-1)
    scale = ((promised * lost).mean(-1) / energy.where(energy > 0, 1)).clamp(min=0)
    rest = (scale[..., None] * promised - lost).square().mean(-1)
    change = lost.square().mean(-1).expand_as(rest)
    values = torch.where(change > 0, rest / change.where(change > 0, 1), torch.nan)
    return Measured(values=values.float())
