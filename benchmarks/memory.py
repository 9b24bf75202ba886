"""Memory does not grow with the number of epochs: peak resident memory after few and after many.

    python benchmarks/memory.py [--few 3] [--many 60] [--record build/claims.jsonl]

Fine-tunes a small network on the bundled digits, cached and live, in one process.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
from pathlib import Path

from torch import nn

import pellucid
from claims import Claim, note
from pellucid.model import ImageInput


def peak() -> float:
    """Peak resident memory of this process, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def train(strategy: str, epochs: int) -> None:
    network = nn.Sequential(nn.Conv2d(1, 16, 3), nn.ReLU(), nn.Flatten(), nn.Linear(576, 10))
    digit = ImageInput(size=(8, 8), resize=8, mean=(0.5,), std=(0.5,))
    model = pellucid.wrap(network, input=digit)
    with tempfile.TemporaryDirectory() as folder:
        pellucid.finetune(
            model,
            pellucid.load_data("bundled:digits", limit=400),
            strategy=strategy,
            epochs=epochs,
            out=Path(folder, "run"),
            workspace=folder,
            show=False,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--few", type=int, default=3)
    parser.add_argument("--many", type=int, default=60)
    parser.add_argument("--record", type=Path)
    options = parser.parse_args()
    for strategy in ("head", "full"):
        train(strategy, options.few)
        few = peak()
        train(strategy, options.many)
        many = peak()
        print(
            f"{strategy}: {few:.0f} MiB after {options.few} epochs, {many:.0f} MiB after "
            f"{options.many}: ratio {many / few:.3f}"
        )
        claim = Claim(
            text=f"{strategy}: peak memory after {options.many} epochs to that after {options.few}",
            subject="bundled:digits, small network", promised=1.05, measured=many / few, unit="",
            command="python benchmarks/memory.py",
        )  # fmt: skip
        note(options.record, [claim])


if __name__ == "__main__":
    main()
