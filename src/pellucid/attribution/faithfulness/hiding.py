"""The score while parts of the input are hidden: what curves and random subsets are made of."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from pellucid.attribution.baselines import Baseline, make_baseline
from pellucid.attribution.call import Call
from pellucid.attribution.faithfulness.units import Units
from pellucid.errors import MethodError

Score = Literal["probability", "logit"]
HIDDEN_WORDS = ("mask", "pad", "unk")


def hidden_input(call: Call, baseline: Baseline) -> Float[Tensor, " n *shape"]:
    """The input with everything hidden."""
    return make_baseline(call, baseline, words=HIDDEN_WORDS)


def score_hidden(
    call: Call,
    units: Units,
    blank: Float[Tensor, " n *shape"],
    hidden: Bool[Tensor, "m units"],
    rows: Int[Tensor, " m"],
    score: Score = "logit",
) -> Float[Tensor, " m"]:
    """Score of sample `rows[i]` with the units `hidden[i]` replaced by `blank`, in float32.

    Raises MethodError where the model's output is not finite.
    """
    parts = [torch.empty(0, device=blank.device)]
    for part in call.chunks(len(rows)) if len(rows) else ():
        covered = units.over_input(hidden[part])
        points = torch.where(covered, blank[rows[part]], call.explained[rows[part]])
        parts.append(score_at(call, points, rows[part], score))
    found = torch.cat(parts)
    if not found.isfinite().all():
        raise MethodError(
            "the model's output is not finite (NaN or infinite) while parts of the input are "
            "hidden, so its maps cannot be measured. Try another baseline."
        )
    return found


def score_at(
    call: Call, points: Float[Tensor, " m *shape"], rows: Int[Tensor, " m"], score: Score
) -> Float[Tensor, " m"]:
    """Probability of the explained class at points, or the score that is explained."""
    if score == "logit":
        return call.scores(points, rows).float()
    with torch.no_grad():
        return _probability(call.logits(points, rows), call.targets[rows])


def own_score(call: Call, score: Score) -> Float[Tensor, " n"]:
    """The same for the samples themselves, without a pass."""
    if score == "logit":
        return call.own_scores.float()
    return _probability(call.own_logits, call.targets)


def score_of(call: Call, wanted: Score) -> Score:
    """The score to measure by: a probability only where the logit of one class is explained.

    Raises MethodError for another word.
    """
    if wanted not in ("probability", "logit"):
        raise MethodError(f"score {wanted!r} was given; expected 'probability' or 'logit'.")
    if wanted == "logit" or call.own_logits.ndim != 2:
        return "logit"
    logits = call.own_logits.gather(1, call.targets[:, None])[:, 0]
    return "probability" if torch.equal(logits, call.own_scores) else "logit"


def _probability(logits: Tensor, classes: Tensor) -> Float[Tensor, " m"]:
    logits = logits.float()
    if logits.shape[1] == 1:
        return logits[:, 0].sigmoid()
    return logits.softmax(1).gather(1, classes[:, None])[:, 0]
