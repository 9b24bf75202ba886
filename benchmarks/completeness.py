"""How exact DeepLIFT is on each architecture, and what it costs.

    python benchmarks/completeness.py [--only resnet18,swin_t] [--write build/completeness.md]

Two samples of each architecture (random weights, calibrated batch norms, small inputs), one class
against the zero baseline. The completeness error is |Σ attributions − (f(x) − f(b))| / |f(x) − f(b)|,
the larger of both samples, for weights and inputs in float32 and in float64. Where float32 misses
1e-3, the method goes on in float64 by itself, and the table says so. The ratio is the time of DeepLIFT
to that of one forward pass in float32, the least of three each, tracing not counted.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import torch

from architectures import ARCHITECTURES, Architecture
from pellucid.attribution.attribute import open_call
from pellucid.attribution.call import Call
from pellucid.attribution.propagation.deeplift import deeplift
from pellucid.errors import PellucidError

HEAD = "| architecture | float32 | float64 | time, in forwards |\n|---|---|---|---|"
REPEATS = 3


def row(architecture: Architecture) -> str:
    try:
        single, ratio, wider = measure(architecture, torch.float32)
        double, _, _ = measure(architecture, torch.float64)
    except PellucidError as error:
        return f"| {architecture.name} | {error} | | |"
    note = " (in float64)" if wider else ""
    return f"| {architecture.name} | {single:.1e}{note} | {double:.1e} | {ratio:.1f} |"


def measure(architecture: Architecture, dtype: torch.dtype) -> tuple[float, float, bool]:
    """The completeness error, the time in forwards, and whether float64 had to help."""
    model, inputs = architecture.open()
    model.module.to(dtype)
    inputs = {name: t.to(dtype) if t.is_floating_point() else t for name, t in inputs.items()}
    with open_call(model, inputs, 0) as (call, _):
        before = call.forwards.clone() + call.own_scores.new_zeros(call.size, dtype=torch.int64)
        found = deeplift(call, baseline="zero")
        passes = int((call.forwards - before).max())
        forward = least(lambda: plain(call))
        ratio = least(lambda: deeplift(call, baseline="zero")) / forward
    assert found.completeness_error is not None
    return float(found.completeness_error.max()), ratio, passes > 3


def plain(call: Call) -> None:
    rows = torch.arange(call.size)
    with torch.no_grad():
        call.logits(call.explained, rows)


def least(run: Callable[[], object]) -> float:
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", default="", help="parts of names, with commas between")
    parser.add_argument("--write", type=Path, help="a Markdown file for the table")
    options = parser.parse_args()
    wanted = options.only.split(",")
    rows = [HEAD]
    print(HEAD, flush=True)
    for architecture in ARCHITECTURES:
        if any(part in architecture.name for part in wanted):
            rows.append(row(architecture))
            print(rows[-1], flush=True)
    if options.write:
        options.write.parent.mkdir(parents=True, exist_ok=True)
        options.write.write_text("\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
