"""Integrated gradients to one percent: gradient evaluations and errors against Captum's 50 steps.

    python benchmarks/integrated_gradients.py [--reference 256] [--tolerance 0.01]
        [--record build/claims.jsonl]

EfficientNet-Lite0 with its trained weights, four photographs of scikit-image, the zero baseline.
The completeness error |Σ − (f(x) − f(b))| / |f(x) − f(b)| is computed from the maps here, for both.
`distance` is that of a map from one with many nodes, relative to its norm: a sum that is right does
not make every value right. 0 for `--reference` leaves it out.
"""

from __future__ import annotations

import argparse
import statistics
import warnings
from dataclasses import dataclass
from pathlib import Path

import torch
from captum.attr import IntegratedGradients
from PIL import Image
from skimage import data
from torch import Tensor, nn

import pellucid
from claims import Claim, note
from pellucid.model import Model

PHOTOGRAPHS = ("chelsea", "coffee", "rocket", "astronaut")
CAPTUM_STEPS = 50
AT_ONCE = 8


@dataclass(frozen=True)
class Outcome:
    evaluations: int
    forwards: int
    error: float
    distance: float | None


def judge(
    values: Tensor, change: float, passes: tuple[int, int], reference: Tensor | None
) -> Outcome:
    error = abs(values.sum().item() - change) / abs(change)
    away = None if reference is None else ((values - reference).norm() / reference.norm()).item()
    return Outcome(*passes, error, away)


def reference_map(module: nn.Module, pixels: Tensor, target: int, nodes: int) -> Tensor:
    """The integral by the midpoint rule in √α, whose nodes neither side uses."""
    root = (torch.arange(nodes) + 0.5) / nodes
    total = torch.zeros_like(pixels)
    for part in root.split(AT_ONCE):
        points = (part[:, None, None, None] ** 2 * pixels).requires_grad_()
        (gradients,) = torch.autograd.grad(module(points)[:, target].sum(), points)
        total += (2 / nodes * part[:, None, None, None] * gradients).sum(0, keepdim=True)
    return total * pixels


def compare(
    model: Model, pixels: Tensor, tolerance: float, nodes: int
) -> tuple[Outcome, Outcome, bool]:
    """Ours and Captum's for one picture, and whether we say that the tolerance was not reached."""
    ours, details = pellucid.attribute(
        model, pixels, baseline="zero", tolerance=tolerance, return_details=True
    )
    target = int(details.targets[0])
    module = model.module.eval().requires_grad_(requires_grad=False)
    with torch.no_grad():
        ends = module(torch.cat([torch.zeros_like(pixels), pixels]))[:, target]
    change = (ends[1] - ends[0]).item()
    theirs = IntegratedGradients(module).attribute(
        pixels, target=target, n_steps=CAPTUM_STEPS, internal_batch_size=AT_ONCE
    )
    exact = reference_map(module, pixels, target, nodes) if nodes else None
    passes = int(details.backwards[0]), int(details.forwards[0])
    told = bool(details.completeness_error[0] > tolerance)
    return (
        judge(ours, change, passes, exact),
        judge(theirs.float(), change, (CAPTUM_STEPS, CAPTUM_STEPS), exact),
        told,
    )


def line(name: str, outcome: Outcome) -> str:
    away = "" if outcome.distance is None else f", distance {outcome.distance:.2f}"
    return (
        f"  {name:9} {outcome.evaluations:4} gradients, {outcome.forwards:4} forwards, "
        f"completeness error {100 * outcome.error:6.2f} %{away}"
    )


def claims(used: list[int], errors: list[float], silent: int) -> list[Claim]:
    """Half of the peer's gradients on the median picture, and no silent miss."""
    subject = f"EfficientNet-Lite0, trained; {len(used)} photographs"
    command = "python benchmarks/integrated_gradients.py"
    theirs = f"Captum's {CAPTUM_STEPS}: error {100 * statistics.median(errors):.2g} %, median"
    return [
        Claim(
            text="integrated gradients to 1 %: gradient evaluations, median", subject=subject,
            promised=CAPTUM_STEPS / 2, measured=statistics.median(used), unit="",
            command=command, beside=theirs,
        ),
        Claim(
            text="integrated gradients: pictures over the tolerance without saying so",
            subject=subject, promised=0, measured=silent, unit="", command=command,
        ),
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--reference", type=int, default=256)
    parser.add_argument("--tolerance", type=float, default=0.01)
    parser.add_argument("--record", type=Path)
    options = parser.parse_args()
    warnings.filterwarnings("ignore", category=UserWarning, module="captum")
    model = pellucid.load("bundled:efficientnet-lite0")
    used: list[int] = []
    errors: list[float] = []
    silent = 0
    for name in PHOTOGRAPHS:
        pixels = model.prepare([Image.fromarray(getattr(data, name)())])
        pixels = pixels if isinstance(pixels, Tensor) else next(iter(pixels.values()))
        ours, theirs, told = compare(model, pixels, options.tolerance, options.reference)
        print(f"{name}\n{line('pellucid', ours)}\n{line('captum', theirs)}", flush=True)
        used.append(ours.evaluations)
        errors.append(theirs.error)
        silent += ours.error > options.tolerance and not told
    median = statistics.median(used)
    print(
        f"median: {median:g} gradient evaluations against {CAPTUM_STEPS}: "
        f"ratio {median / CAPTUM_STEPS:.2f}; over the tolerance without saying so: {silent}"
    )
    note(options.record, claims(used, errors, silent))


if __name__ == "__main__":
    main()
