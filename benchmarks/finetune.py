"""What caching gains: `head` and `partial` against the plain recipe, in one process.

    python benchmarks/finetune.py folder:DIR [--epochs 10] [--limit N]

DIR has train and test folders. The plain recipe runs the frozen backbone again in every epoch:
forward without gradients, a linear head, SGD with momentum. Prints seconds, test accuracy, and the
ratios that docs/performance.md states.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

import pellucid
from pellucid.data import Batches, Data, in_order
from pellucid.model import Model
from pellucid.model.head import find_head
from pellucid.training.network import example_inputs
from pellucid.training.seeds import shuffled

BATCH = 32
RATE, MOMENTUM = 0.01, 0.9


def plain(model: Model, train: Data, test: Data, epochs: int) -> tuple[float, float]:
    """Train a linear head on a frozen backbone, without caching; returns seconds and accuracy."""
    torch.manual_seed(0)
    module = model.module.eval()
    name = find_head(model, example_inputs(model, train))
    old = module.get_submodule(name)
    head = nn.Linear(old.in_features, len(train.labels))
    module.set_submodule(name, nn.Identity())
    optimizer = torch.optim.SGD(head.parameters(), lr=RATE, momentum=MOMENTUM)
    started = time.perf_counter()
    for epoch in range(epochs):
        for batch in Batches(train, model.prepare, shuffled(len(train), BATCH, 0, epoch)):
            with torch.no_grad():
                features = model.logits(batch.inputs)
            loss = F.cross_entropy(head(features), batch.targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print(f"  plain, epoch {epoch + 1}: {time.perf_counter() - started:.0f} s", flush=True)
    seconds = time.perf_counter() - started
    module.set_submodule(name, head)
    return seconds, accuracy(model, test)


def tuned(model: Model, train: Data, test: Data, strategy: str, epochs: int) -> tuple[float, float]:
    """Fine-tune with Pellucid; returns seconds, everything included, and accuracy."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        run = pellucid.finetune(
            model,
            train,
            strategy=strategy,
            epochs=epochs,
            out=Path(folder, "run"),
            workspace=folder,
            show=False,
        )
        seconds = time.perf_counter() - started
        print(" ", run.summary(), flush=True)
        return seconds, accuracy(run.load_model(), test)


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
    parser.add_argument("--limit", type=int)
    options = parser.parse_args()
    train = pellucid.load_data(options.data, split="train", limit=options.limit)
    test = pellucid.load_data(options.data, split="test", limit=options.limit)
    rows = {}
    for strategy in ("head", "partial"):
        model = pellucid.load("bundled:efficientnet-lite0", device="cpu")
        rows[strategy] = tuned(model, train, test, strategy, options.epochs)
    model = pellucid.load("bundled:efficientnet-lite0", device="cpu")
    rows["plain"] = plain(model, train, test, options.epochs)
    print(f"{len(train)} training and {len(test)} test pictures, {options.epochs} epochs")
    print(f"{'':10}{'seconds':>9}{'test accuracy':>15}{'time / plain':>14}")
    for name, (seconds, share) in rows.items():
        ratio = seconds / rows["plain"][0]
        print(f"{name:10}{seconds:9.1f}{share:15.1%}{ratio:14.3f}")
    gain = rows["partial"][1] - rows["head"][1]
    minutes = (rows["partial"][0] - rows["head"][0]) / 60
    print(f"partial over head: {100 * gain:+.1f} points for {minutes:+.1f} minutes more")


if __name__ == "__main__":
    main()
