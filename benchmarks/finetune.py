"""What caching gains: `head` and `partial` against the plain recipe, in one process.

    python benchmarks/finetune.py folder:DIR [--epochs 10] [--timed-epochs N] [--seeds 3]
        [--limit N] [--record build/claims.jsonl]

DIR has train and test folders. The plain recipe runs the frozen backbone again in every epoch:
forward without gradients, a linear head, SGD with momentum. Prints seconds on the clock and of the
processors, test accuracy (mean over the seeds), and the ratios that docs/performance.md states. What else runs on the
machine hardly changes the ratio of processor seconds. With --timed-epochs the backbone runs in the
plain recipe's first epochs only; the others train on the features of those, which are the same, and
are counted at the same price.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import pellucid
from claims import Claim, note
from pellucid.data import Batches, Data, in_order
from pellucid.model import Model
from pellucid.model.head import find_head
from pellucid.training.network import example_inputs
from pellucid.training.seeds import shuffled

MODEL = "bundled:efficientnet-lite0"
BATCH = 32
RATE, MOMENTUM = 0.01, 0.9


class Row(NamedTuple):
    """What one recipe cost, everything included, and reached."""

    seconds: float
    processor_seconds: float
    accuracy: float


def plain(model: Model, train: Data, test: Data, epochs: int, timed: int, seeds: int) -> Row:
    """Train a linear head on a frozen backbone, without caching."""
    module = model.module.eval()
    name = find_head(model, example_inputs(model, train))
    old = module.get_submodule(name)
    module.set_submodule(name, nn.Identity())
    seen = torch.zeros(len(train), old.in_features)
    targets = torch.from_numpy(train.targets)
    fitting = Fitting(old.in_features, len(train.labels), seed=0)
    started, worked = time.perf_counter(), time.process_time()
    for epoch in range(timed):
        for batch in Batches(train, model.prepare, shuffled(len(train), BATCH, 0, epoch)):
            with torch.no_grad():
                features = model.logits(batch.inputs)
            seen[batch.positions] = features
            fitting.learn(features, batch.targets)
        print(f"  plain, epoch {epoch + 1}: {time.perf_counter() - started:.0f} s", flush=True)
    seconds, processor_seconds = time.perf_counter() - started, time.process_time() - worked
    accuracies = []
    for seed in range(seeds):
        first = timed if seed == 0 else 0
        fitting = fitting if seed == 0 else Fitting(old.in_features, len(train.labels), seed)
        for epoch in range(first, epochs):
            for positions in shuffled(len(train), BATCH, seed, epoch):
                fitting.learn(seen[positions], targets[positions])
        module.set_submodule(name, fitting.head)
        accuracies.append(accuracy(model, test))
        module.set_submodule(name, nn.Identity())
    share = epochs / timed
    return Row(share * seconds, share * processor_seconds, fmean(accuracies))


class Fitting:
    """A linear head and its optimizer, SGD with momentum."""

    def __init__(self, width: int, classes: int, seed: int) -> None:
        torch.manual_seed(seed)
        self.head = nn.Linear(width, classes)
        self.optimizer = torch.optim.SGD(self.head.parameters(), lr=RATE, momentum=MOMENTUM)

    def learn(self, features: Tensor, targets: Tensor) -> None:
        loss = F.cross_entropy(self.head(features), targets)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()


def tuned(train: Data, test: Data, strategy: str, epochs: int, seeds: int) -> Row:
    """Fine-tune with Pellucid; what it costs is the mean over the seeds too."""
    found = [trained(train, test, strategy, epochs, seed) for seed in range(seeds)]
    return Row(*(fmean(column) for column in zip(*found, strict=True)))


def trained(train: Data, test: Data, strategy: str, epochs: int, seed: int) -> Row:
    model = pellucid.load(MODEL, device="cpu")
    with tempfile.TemporaryDirectory() as folder:
        started, worked = time.perf_counter(), time.process_time()
        run = pellucid.finetune(
            model,
            train,
            strategy=strategy,
            epochs=epochs,
            seed=seed,
            out=Path(folder, "run"),
            workspace=folder,
            show=False,
        )
        seconds, processor_seconds = time.perf_counter() - started, time.process_time() - worked
        print(" ", run.summary(), flush=True)
        return Row(seconds, processor_seconds, accuracy(run.load_model(), test))


@torch.no_grad()
def accuracy(model: Model, data: Data) -> float:
    correct = 0
    with model.evaluating():
        for batch in Batches(data, model.prepare, in_order(len(data), BATCH)):
            correct += int((model.logits(batch.inputs).argmax(-1) == batch.targets).sum())
    return correct / len(data)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--timed-epochs", type=int)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--record", type=Path)
    options = parser.parse_args()
    train = pellucid.load_data(options.data, split="train", limit=options.limit)
    test = pellucid.load_data(options.data, split="test", limit=options.limit)
    rows = {
        strategy: tuned(train, test, strategy, options.epochs, options.seeds)
        for strategy in ("head", "partial")
    }
    timed = min(options.timed_epochs or options.epochs, options.epochs)
    model = pellucid.load(MODEL, device="cpu")
    rows["plain"] = plain(model, train, test, options.epochs, timed, options.seeds)
    print(f"{len(train)} training and {len(test)} test pictures, {options.epochs} epochs")
    print(f"plain: {timed} epochs timed; accuracies over {options.seeds} seeds")
    print(
        f"{'':10}{'seconds':>9}{'processor':>11}{'test accuracy':>15}{'time / plain':>14}{'processor':>11}"
    )
    plain_row = rows["plain"]
    for name, row in rows.items():
        ratio = row.seconds / plain_row.seconds
        processor_ratio = row.processor_seconds / plain_row.processor_seconds
        print(
            f"{name:10}{row.seconds:9.1f}{row.processor_seconds:11.1f}{row.accuracy:15.1%}"
            f"{ratio:14.3f}{processor_ratio:11.3f}"
        )
    gain = rows["partial"].accuracy - rows["head"].accuracy
    minutes = (rows["partial"].processor_seconds - rows["head"].processor_seconds) / 60
    said = f"{100 * gain:+.1f} points over head for {minutes:+.1f} processor minutes more"
    print(f"partial: {said}")
    subject = f"{len(train):,} pictures, EfficientNet-Lite0, {options.epochs} epochs"
    note(options.record, claims(rows, subject, said, options.seeds))


def claims(rows: dict[str, Row], subject: str, said: str, seeds: int) -> list[Claim]:
    """What is promised of `head`, and what `partial` costs and gains."""
    head, partial, simple = rows["head"], rows["partial"], rows["plain"]
    told = f"plain recipe {simple.accuracy:.1%}, head {head.accuracy:.1%}, mean of {seeds} seeds"
    measured = [
        ("head: processor time to the plain recipe's", 0.2, head, ""),
        ("partial: processor time to the plain recipe's", 1.0, partial, said),
    ]
    command = "python benchmarks/finetune.py folder:DIR"
    times = [
        Claim(
            text=text, subject=subject, promised=most, unit="", command=command, beside=beside,
            measured=row.processor_seconds / simple.processor_seconds,
        )
        for text, most, row, beside in measured
    ]  # fmt: skip
    gap = 100 * (simple.accuracy - head.accuracy)
    return [
        *times,
        Claim(
            text="head: accuracy below the plain recipe's", subject=subject, promised=1.0,
            measured=max(gap, 0.0), unit=" points", command=command, beside=told,
        ),
        Claim(
            text="head: error on the test pictures", subject=subject, promised=26.0,
            measured=100 * (1 - head.accuracy), unit=" %", command=command,
        ),
    ]  # fmt: skip


if __name__ == "__main__":
    main()
