"""KernelSHAP and LIME against Captum's: time at equal samples, error at equal cost.

    python benchmarks/shapley.py [--repeats 5] [--seeds 20] [--threads 1]
        [--case tabular photograph] [--record build/claims.jsonl]

Two cases: a network of three layers, trained on scikit-learn's diabetes data (10 features), and
EfficientNet-Lite0 with its ImageNet weights on the photograph of an astronaut, cut into a grid of
10 segments. A time is the median processor time of `repeats`, in the same process,
taken in turn, so that other work on the machine counts little; Captum gets the batches that serve
it best of 16, 32 and 128. The error of KernelSHAP is the mean absolute distance
from exact Shapley values, over their mean absolute value; that of LIME, which estimates something
else, is how far runs with different seeds spread around their mean, over the mean absolute value.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import captum.attr
import torch
from sklearn.datasets import load_diabetes
from torch import Tensor, nn

import pellucid
from claims import Claim, note
from pellucid import attribute

BATCHES = (16, 32, 128)
TITLES = {"kernel_shap": "KernelSHAP", "lime": "LIME"}


@dataclass(frozen=True)
class Case:
    """A model, one sample, the segment of each value, and the class that is explained."""

    name: str
    module: nn.Module
    inputs: Tensor
    segments: Tensor
    target: int
    samples: tuple[int, ...]
    timed: int


def tabular() -> Case:
    torch.manual_seed(0)
    features, outcome = load_diabetes(return_X_y=True)
    rows = torch.tensor(features, dtype=torch.float32)
    rows = (rows - rows.mean(0)) / rows.std(0)
    wanted = torch.tensor(outcome, dtype=torch.float32)
    wanted = (wanted - wanted.mean()) / wanted.std()
    module = nn.Sequential(
        nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1)
    )
    optimizer = torch.optim.Adam(module.parameters(), lr=1e-2)
    for _ in range(300):
        optimizer.zero_grad()
        (module(rows)[:, 0] - wanted).square().mean().backward()
        optimizer.step()
    segments = torch.arange(10)
    return Case("diabetes, MLP", module.eval(), rows[:1], segments, 0, (60, 120, 250, 500), 500)


def photograph() -> Case:
    model = pellucid.load("bundled:efficientnet-lite0")
    data = pellucid.load_data("bundled:photos")
    picture = data.read(data.ids.index("astronaut"))
    (inputs,) = model.prepare([picture]).values()
    module = model.module.eval()
    with torch.no_grad():
        target = int(module(inputs).argmax())
    places = torch.arange(224)
    segments = (places * 2 // 224)[:, None] * 5 + places * 5 // 224
    return Case("astronaut, EfficientNet-Lite0", module, inputs, segments, target, (60,), 60)


CASES = {"tabular": tabular, "photograph": photograph}


def ours(case: Case, method: str, samples: int, seed: int) -> Tensor:
    """Value of each segment."""
    found = attribute(
        case.module, case.inputs, method=method, target=case.target, baseline=0.0,
        segments=case.segments, samples=samples, seed=seed,
    )  # fmt: skip
    return per_segment(case, found, mean=method == "lime")


def per_segment(case: Case, values: Tensor, *, mean: bool) -> Tensor:
    index = case.segments.expand(values.shape[1:]).flatten()
    totals = torch.zeros(10).index_add_(0, index, values.flatten())
    return totals / torch.bincount(index) if mean else totals


def captums(case: Case, method: str, samples: int, seed: int, batch: int = 64) -> Tensor:
    torch.manual_seed(seed)
    kinds = {"kernel_shap": captum.attr.KernelShap, "lime": captum.attr.Lime}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = kinds[method](case.module).attribute(
            case.inputs, baselines=0.0, target=case.target, n_samples=samples + 2,
            feature_mask=case.segments[None].expand_as(case.inputs), perturbations_per_eval=batch,
        )  # fmt: skip
    return per_segment(case, found, mean=True)


def seconds(runs: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Median processor time of each run, taken in turn after one that does not count."""
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for repeat in range(repeats + 1):
        for name, run in runs.items():
            start = time.process_time()
            run()
            if repeat:
                taken[name].append(time.process_time() - start)
    return {name: statistics.median(times) for name, times in taken.items()}


def compare_times(case: Case, repeats: int) -> Iterator[Claim]:
    """Print, and claim, time at equal samples."""
    for method in ("kernel_shap", "lime"):
        runs: dict[str, Callable[[], object]] = {
            f"captum {batch}": lambda m=method, b=batch: captums(case, m, case.timed, 0, b)
            for batch in BATCHES
        }
        found = seconds(runs | {"ours": lambda m=method: ours(case, m, case.timed, 0)}, repeats)
        own = found.pop("ours")
        best = min(found.values())
        print(
            f"{case.name}: {method}, {case.timed} samples: {own:.3f} s, Captum {best:.3f} s: "
            f"ratio {own / best:.2f}"
        )
        text = f"{TITLES[method]} at equal samples: processor time to Captum's"
        yield claim(case, text, own / best)


def compare_errors(case: Case, seeds: int) -> Iterator[Claim]:
    """Print, and claim, how far from the limit runs with equal samples are."""
    exact = per_segment(
        case,
        attribute(
            case.module, case.inputs, method="exact_shapley", target=case.target, baseline=0.0,
            segments=case.segments,
        ),
        mean=False,
    )  # fmt: skip
    for samples in case.samples:
        for method in ("kernel_shap", "lime"):
            errors = []
            for run in (ours, captums):
                found = torch.stack([run(case, method, samples, seed) for seed in range(seeds)])
                limit = exact if method == "kernel_shap" else found.mean(0)
                errors.append(float((found - limit).abs().mean() / limit.abs().mean()))
            of = "error" if method == "kernel_shap" else "spread"
            print(
                f"{case.name}: {method}, {samples} samples: {of} {errors[0]:.4f}, "
                f"Captum {errors[1]:.4f}: ratio {errors[0] / errors[1]:.2f}"
            )
            what = "distance from exact Shapley values" if of == "error" else "spread over seeds"
            text = f"{TITLES[method]}, {samples} samples: {what}, to Captum's"
            yield claim(case, text, errors[0] / errors[1])


def claim(case: Case, text: str, ratio: float) -> Claim:
    return Claim(
        text=text, subject=case.name, promised=1, measured=ratio, unit="",
        command="python benchmarks/shapley.py",
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--case", choices=list(CASES), nargs="+", default=list(CASES))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--record", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    for name in options.case:
        case = CASES[name]()
        note(options.record, compare_times(case, options.repeats))
        note(options.record, compare_errors(case, options.seeds))


if __name__ == "__main__":
    main()
