"""Find out why a loss is not a finite number, and say what to try."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pellucid.errors import TrainingError

HIGH_RATE = 0.1
SHOWN_SAMPLES = 8


class NonFiniteLoss(TrainingError):
    """The loss or its gradient became NaN or infinite."""


def explain_non_finite(
    network: nn.Module,
    tensors: Sequence[Tensor],
    *,
    what: str,
    step: int,
    samples: Sequence[str],
    rate: float,
    precision: str,
) -> NonFiniteLoss:
    """Look at inputs, weights and settings, and put the likely causes into an error to raise."""
    causes = _causes(network, tensors, rate, precision)
    shown = ", ".join(samples[:SHOWN_SAMPLES])
    more = f" and {len(samples) - SHOWN_SAMPLES} more" if len(samples) > SHOWN_SAMPLES else ""
    return NonFiniteLoss(
        f"{what} is not finite at step {step}. Samples in the batch: {shown}{more}. "
        f"Likely causes: {' '.join(f'({n}) {cause}' for n, cause in enumerate(causes, 1))} "
        "The last checkpoint is kept; change a setting and start a new run from it.",
        step=step,
        samples=list(samples),
        causes=causes,
    )


def _causes(
    network: nn.Module, tensors: Sequence[Tensor], rate: float, precision: str
) -> list[str]:
    causes = []
    rows = {
        int(row)
        for tensor in tensors
        if tensor.is_floating_point()
        for row in (~torch.isfinite(tensor.flatten(1))).any(1).nonzero().flatten()
    }
    if rows:
        causes.append(
            f"{len(rows)} of the batch's inputs hold NaN or infinite numbers (rows "
            f"{', '.join(map(str, sorted(rows)[:SHOWN_SAMPLES]))}): look at these samples."
        )
    broken = [name for name, p in network.named_parameters() if not torch.isfinite(p).all()]
    if broken:
        causes.append(
            f"{len(broken)} weights are not finite already, first {broken[0]}: an earlier step was "
            "too large, lower the learning rate."
        )
    if precision == "fp16":
        causes.append("fp16 overflows above 65,504: use bf16 or fp32.")
    if rate >= HIGH_RATE or not causes:
        causes.append(
            f"the learning rate {rate:g} is too high for this model: try a tenth of it, a longer "
            "warm-up, or a gradient clip."
        )
    return causes
