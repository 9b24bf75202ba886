"""What caching gains: `head` and `partial` against the plain recipe, in one process.

    python benchmarks/finetune.py folder:DIR [--epochs 10] [--timed-epochs N] [--limit N]

DIR has train and test folders. The plain recipe runs the frozen backbone again in every epoch:
forward without gradients, a linear head, SGD with momentum. Prints seconds on the clock and of the
processors, test accuracy, and the ratios that docs/performance.md states. What else runs on the
machine hardly changes the ratio of processor seconds. With --timed-epochs the backbone runs in the
plain recipe's first epochs only; the others train on the features of those, which are the same, and
are counted at the same price.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import pellucid
from pellucid.data import Batches, Data, in_order
from pellucid.model import Model
from pellucid.model.head import find_head
from pellucid.training.network import example_inputs
from pellucid.training.seeds import shuffled

BATCH = 32
RATE, MOMENTUM = 0.01, 0.9


class Row(NamedTuple):
    """What one recipe cost, everything included, and reached."""

    seconds: float
    processor_seconds: float
    accuracy: float


def plain(model: Model, train: Data, test: Data, epochs: int, timed: int) -> Row:
    """Train a linear head on a frozen backbone, without caching."""
    torch.manual_seed(0)
    module = model.module.eval()
    name = find_head(model, example_inputs(model, train))
    old = module.get_submodule(name)
    head = nn.Linear(old.in_features, len(train.labels))
    module.set_submodule(name, nn.Identity())
    optimizer = torch.optim.SGD(head.parameters(), lr=RATE, momentum=MOMENTUM)
    seen = torch.zeros(len(train), old.in_features)
    targets = torch.from_numpy(train.targets)
    started, worked = time.perf_counter(), time.process_time()

    def learn(features: Tensor, targets: Tensor) -> None:
        loss = F.cross_entropy(head(features), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    for epoch in range(timed):
        for batch in Batches(train, model.prepare, shuffled(len(train), BATCH, 0, epoch)):
            with torch.no_grad():
                features = model.logits(batch.inputs)
            seen[batch.positions] = features
            learn(features, batch.targets)
        print(f"  plain, epoch {epoch + 1}: {time.perf_counter() - started:.0f} s", flush=True)
    seconds, processor_seconds = time.perf_counter() - started, time.process_time() - worked
    for epoch in range(timed, epochs):
        for positions in shuffled(len(train), BATCH, 0, epoch):
            learn(seen[positions], targets[positions])
    module.set_submodule(name, head)
    share = epochs / timed
    return Row(share * seconds, share * processor_seconds, accuracy(model, test))


def tuned(model: Model, train: Data, test: Data, strategy: str, epochs: int) -> Row:
    """Fine-tune with Pellucid."""
    with tempfile.TemporaryDirectory() as folder:
        started, worked = time.perf_counter(), time.process_time()
        run = pellucid.finetune(
            model,
            train,
            strategy=strategy,
            epochs=epochs,
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
    parser.add_argument("--limit", type=int)
    options = parser.parse_args()
    train = pellucid.load_data(options.data, split="train", limit=options.limit)
    test = pellucid.load_data(options.data, split="test", limit=options.limit)
    rows = {}
    for strategy in ("head", "partial"):
        model = pellucid.load("bundled:efficientnet-lite0", device="cpu")
        rows[strategy] = tuned(model, train, test, strategy, options.epochs)
    model = pellucid.load("bundled:efficientnet-lite0", device="cpu")
    timed = min(options.timed_epochs or options.epochs, options.epochs)
    rows["plain"] = plain(model, train, test, options.epochs, timed)
    print(f"{len(train)} training and {len(test)} test pictures, {options.epochs} epochs")
    print(f"plain: {timed} epochs timed")
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
    print(f"partial over head: {100 * gain:+.1f} points for {minutes:+.1f} processor minutes more")


if __name__ == "__main__":
    main()
