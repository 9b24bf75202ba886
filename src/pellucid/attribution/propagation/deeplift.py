"""DeepLIFT: every difference from the baseline, carried exactly from the score to the input.

    attribution_i = m_i · (x_i − b_i),   Σ_i attribution_i = f(x) − f(b)

The multipliers m follow from a rule for each operator (`pellucid.graph.propagation.differences`).
Complete by construction, on any architecture whose operators have rules; where rounding in
float32 costs more than `TOLERANCE`, a sample is computed again in float64.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pellucid.attribution.baselines import Baseline, make_baseline
from pellucid.attribution.call import EVERY, Attribution, Call
from pellucid.attribution.propagation.passes import Passes, as_table, score_rules
from pellucid.attribution.registry import method
from pellucid.errors import MethodError
from pellucid.graph.propagation import moves
from pellucid.graph.propagation.differences import rules

TOLERANCE = 1e-3
SMALLEST_CHANGE = 1e-6
STRAIGHT = 1e-4


@dataclass(frozen=True)
class Differences:
    """Attributions of samples, and the change of their score that they should add up to."""

    values: Float[Tensor, " m *shape"]
    change: Float[Tensor, " m"]

    @property
    def error(self) -> Float[Tensor, " m"]:
        """Relative completeness error."""
        total = self.values.double().flatten(1).sum(1)
        scale = self.change.abs().clamp(min=SMALLEST_CHANGE)
        return ((total - self.change).abs() / scale).float()


@method(
    title="DeepLIFT",
    family="propagation",
    paper="Shrikumar, Greenside and Kundaje, 2017, eq. 1–7",
    about=(
        "DeepLIFT compares the input with a neutral one and follows every difference back through "
        "the network: red raised the answer's score, blue lowered it. It is exact in sum; single "
        "values are noisy, and parts that look like the neutral input get nothing."
    ),
    kinds=("image", "text", "array"),
    needs=("gradient", "baseline"),
    per_pixel=True,
    cost="as long as five predictions",
    passes="2 forward, 1 backward",
)
def deeplift(call: Call, *, baseline: Baseline = None) -> Attribution:
    """How much did each value's difference from the baseline add to the score? Signed, as the input.

    `baseline` is the neutral input (`pellucid.attribution.baselines`). Non-linearities
    follow the rescale rule. Raises MethodError for an operator without a rule.
    Shrikumar, Greenside and Kundaje, 2017, eq. 1–7, and section 3.5 for the rules.
    """
    found = differences(call, make_baseline(call, baseline, words=("pad", "mask", "unk")))
    return Attribution(
        values=_of_input(call, found.values),
        resolution=EVERY[call.kind],
        completeness_error=found.error,
    )


def differences(call: Call, baseline: Float[Tensor, " n *shape"]) -> Differences:
    """DeepLIFT of all samples of a call against one baseline each."""
    passes = Passes.of(call, rules)
    values = torch.zeros_like(call.explained, dtype=passes.dtype)
    change = torch.zeros(call.size, dtype=torch.float64, device=values.device)
    rows = torch.arange(call.size, device=values.device)
    for dtype in _precisions(passes.dtype, values.device):
        for piece in passes.pieces(rows):
            found = _of_piece(passes, baseline[piece], piece, dtype)
            values[piece], change[piece] = found.values.to(values.dtype), found.change
        error = Differences(values, change).error
        rows = (~(error <= TOLERANCE)).nonzero()[:, 0]
        if not len(rows):
            break
    return Differences(values, change)


def _precisions(dtype: torch.dtype, device: torch.device) -> tuple[torch.dtype, ...]:
    wider = dtype != torch.float64 and device.type != "mps"
    return (dtype, torch.float64) if wider else (dtype,)


def _of_piece(passes: Passes, baseline: Tensor, rows: Tensor, dtype: torch.dtype) -> Differences:
    point = passes.call.explained[rows].detach().to(dtype).requires_grad_()
    base = baseline.detach().to(dtype)
    logits, base_logits = map(as_table, passes.propagation(rows, dtype).run(point, base))
    passes.count(rows, forwards=2)
    scores, base_scores = _scores(passes.call, rows, logits, base_logits)
    change = (scores - base_scores).detach().double()
    if not moves(scores):
        return Differences(torch.zeros_like(base), change)
    (multipliers,) = torch.autograd.grad(scores.sum(), point, materialize_grads=True)
    return Differences(multipliers * (point.detach() - base), change)


def _scores(
    call: Call, rows: Int[Tensor, " m"], logits: Tensor, base_logits: Tensor
) -> tuple[Tensor, Tensor]:
    """Scores at both points, sent back by their gradient if they are linear in the logits."""
    leaf = logits.detach().requires_grad_()
    scores, base_scores = call.score(leaf, rows), call.score(base_logits, rows)
    (gradient,) = torch.autograd.grad(scores.sum(), leaf)
    change = scores.detach() - base_scores
    along = (gradient * (leaf.detach() - base_logits)).flatten(1).sum(1)
    if bool(((along - change).abs() <= STRAIGHT * change.abs()).all()):
        return call.score(logits, rows), base_scores
    return score_rules(call, rules, rows, logits).run(logits, base_logits)


@method(
    title="DeepSHAP",
    family="propagation",
    paper="Lundberg and Lee, 2017, section 4.2; Chen, Lundberg and Lee, 2022",
    about=(
        "DeepSHAP compares the input with several others, by DeepLIFT, and averages: red raised "
        "the answer's score over theirs, blue lowered it. The more inputs it is compared with, the "
        "less the map depends on the choice of one."
    ),
    kinds=("image", "text", "array"),
    needs=("gradient", "baseline"),
    per_pixel=True,
    cost="as long as five predictions for each baseline",
    passes="baselines × (2 forward, 1 backward)",
)
def deep_shap(call: Call, *, baseline: Baseline = None) -> Attribution:
    """How much did each value add to the score, against several baselines? Signed, as the input.

    `baseline` is a tensor (k, …) of k samples that each input is compared with, or anything that
    `deeplift` takes as a single one. The attributions add up to f(x) − the mean of f over the
    baselines; `standard_error` is that of the mean over baselines (0 for a single one).
    Lundberg and Lee, 2017, section 4.2.
    """
    several = _several(call, baseline)
    found = [differences(call, one) for one in several]
    each = torch.stack([_of_input(call, one.values).double() for one in found])
    change = torch.stack([one.change for one in found]).mean(0)
    mean, count = each.mean(0), len(several)
    error = each.std(0) / count**0.5 if count > 1 else torch.zeros_like(mean)
    dtype = found[0].values.dtype
    return Attribution(
        values=mean.to(dtype),
        resolution=f"{EVERY[call.kind]}, against {count} baseline{'s' if count > 1 else ''}",
        completeness_error=Differences(mean, change).error,
        standard_error=error.to(dtype),
    )


def _several(call: Call, baseline: Baseline) -> list[Float[Tensor, " n *shape"]]:
    """Baselines for all samples: k samples of data, each for everyone, or a single one."""
    shape = call.explained.shape
    if isinstance(baseline, Tensor) and baseline.ndim == len(shape):
        if baseline.shape[1:] != shape[1:] or not len(baseline):
            raise MethodError(
                f"baselines of shape {tuple(baseline.shape)} were given; expected samples of shape "
                f"(k, {', '.join(map(str, shape[1:]))})."
            )
        return [one.to(call.explained).expand(shape) for one in baseline]
    return [make_baseline(call, baseline, words=("pad", "mask", "unk"))]


def _of_input(call: Call, values: Float[Tensor, " n *shape"]) -> Float[Tensor, " n *parts"]:
    return values.sum(-1) if call.kind == "text" else values
