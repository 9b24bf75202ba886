"""Occlusion against Captum's, on the same network and picture, in one process.

    python benchmarks/occlusion.py [resnet18 resnet50] [--repeats 3] [--threads 2] [--side 224]
        [--batched] [--record build/claims.jsonl]

A window of 15 × 15 pixels moves by 8. Captum runs at its defaults (one window in a forward pass),
and with 16 windows in one if `--batched`. The rivals take turns, and the median of their ratios is
printed, in seconds on the clock and of the processors. Recording the model, which happens once, is
timed apart. Weights are random; the batch norms hold the statistics of noise, so that scores are of
the size that they have in trained networks. Whether values are equal is told in float64, on a picture
of 128 × 128: the last digits of float32 depend on the order in which sums are taken.
"""

from __future__ import annotations

import argparse
import copy
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import NamedTuple

import torch
import torchvision
from captum.attr import Occlusion
from torch import Tensor, nn

import pellucid
from claims import Claim, note
from pellucid.attribution.attribute import open_call

WINDOW, STRIDE = 15, 8
TARGET = 7
ALLOWED = 1 / 3
SAME = 1e-6
EXACT_SIDE = 128


class Time(NamedTuple):
    """What one run took, on the clock and of the processors."""

    seconds: float
    processor_seconds: float


def network(name: str) -> nn.Module:
    """A torchvision network with random weights, whose batch norms have seen noise."""
    torch.manual_seed(0)
    module: nn.Module = getattr(torchvision.models, name)(weights=None)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.momentum = None  # the mean over all that was seen
    with torch.no_grad():
        module.train()(torch.randn(8, 3, 112, 112))
    return module.eval()


def timed(run: Callable[[], Tensor]) -> tuple[Time, Tensor]:
    started, worked = time.perf_counter(), time.process_time()
    values = run()
    return Time(time.perf_counter() - started, time.process_time() - worked), values.detach()


def rivals(module: nn.Module, picture: Tensor, *, batched: bool) -> dict[str, Callable[[], Tensor]]:
    captum = Occlusion(module)
    shape, strides = (3, WINDOW, WINDOW), (3, STRIDE, STRIDE)

    def theirs(together: int) -> Tensor:
        found: Tensor = captum.attribute(
            picture, shape, strides, target=TARGET, perturbations_per_eval=together
        )
        return found

    def ours() -> Tensor:
        return pellucid.attribute(
            module, picture, method="occlusion", target=TARGET, window=WINDOW, stride=STRIDE
        )

    taking_part = {"pellucid": ours, "captum": lambda: theirs(1)}
    return taking_part | ({"captum, 16": lambda: theirs(16)} if batched else {})


def measure(name: str, side: int, repeats: int, *, batched: bool, record: Path | None) -> bool:
    """Print one network's table; whether time and values are as promised."""
    module, picture = network(name), torch.randn(1, 3, side, side)
    started = time.perf_counter()
    with open_call(module, picture, target=TARGET) as (call, _):
        how = call.graph.how
    print(f"{name}: recorded once in {time.perf_counter() - started:.1f} s ({how})", flush=True)
    taken: dict[str, list[Time]] = {}
    values: dict[str, Tensor] = {}
    for repeat in range(repeats):
        for rival, run in rivals(module, picture, batched=batched).items():
            spent, values[rival] = timed(run)
            taken.setdefault(rival, []).append(spent)
            print(
                f"  {repeat + 1}  {rival:11} {spent.seconds:8.1f} s on the clock,"
                f" {spent.processor_seconds:8.1f} s of processors",
                flush=True,
            )
    good = True
    for rival in list(taken)[1:]:
        pairs = list(zip(taken["pellucid"], taken[rival], strict=True))
        clock = median(ours.seconds / theirs.seconds for ours, theirs in pairs)
        processors = median(a.processor_seconds / b.processor_seconds for a, b in pairs)
        scale = values[rival].abs().max()
        difference = float((values["pellucid"] - values[rival]).abs().max() / scale)
        print(
            f"  time / {rival}: {clock:.3f} on the clock, {processors:.3f} of processors;"
            f" values differ by {difference:.1e} of the largest",
            flush=True,
        )
        if rival == "captum":
            exact = exact_difference(module)
            print(f"  values in float64 differ by {exact:.1e} of the largest", flush=True)
            note(record, claims(f"{name}, {side}²", clock, exact))
            good &= exact < SAME and clock <= ALLOWED
    return good


def exact_difference(module: nn.Module) -> float:
    """Largest difference to Captum's values in float64, as a part of the largest value."""
    picture = torch.randn(1, 3, EXACT_SIDE, EXACT_SIDE, dtype=torch.float64)
    found = rivals(copy.deepcopy(module).double(), picture, batched=True)
    ours, theirs = found["pellucid"](), found["captum, 16"]()
    return float((ours - theirs).abs().max() / theirs.abs().max())


def claims(subject: str, ratio: float, difference: float) -> list[Claim]:
    command = f"python benchmarks/occlusion.py {subject.partition(',')[0]}"
    return [
        Claim(
            text="occlusion, 15² by 8: time to that of Captum's default",
            subject=subject, promised=ALLOWED, measured=ratio, unit="", command=command,
        ),
        Claim(
            text="occlusion: largest difference to Captum's values in float64, of the largest value",
            subject=subject, promised=SAME, measured=difference, unit="", command=command,
        ),
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("networks", nargs="*", default=["resnet18", "resnet50"])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--side", type=int, default=224)
    parser.add_argument("--batched", action="store_true")
    parser.add_argument("--record", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    good = [
        measure(name, options.side, options.repeats, batched=options.batched, record=options.record)
        for name in options.networks
    ]
    raise SystemExit(0 if all(good) else "a ratio or a difference is above what is promised")


if __name__ == "__main__":
    main()
