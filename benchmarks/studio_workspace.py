"""What the studio's benchmark looks at: a workspace of many runs, a large map and graph, photographs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.result import Provenance, Result
from pellucid.training.recorder import Recorder
from pellucid.views import (
    Axis,
    Bars,
    BarSeries,
    Graph,
    Heatmap,
    Overlay,
    Picture,
    Scatter,
    View,
)
from pellucid.workspace.workspace import Workspace

NUM_RUNS, NUM_STEPS, NUM_POINTS, NUM_OPERATORS, NUM_SAMPLES = 50, 1_000_000, 100_000, 8_000, 200
LONG = "long"
AXIS = Axis(label="value")


class Shown(Result):
    """What the browser is asked to draw: many points, and a large graph."""

    kind = "benchmark"

    def views(self) -> list[View]:
        return [points(), operators()]

    def summary(self) -> str:
        return "A map of many points, and a graph of many operators."


def points() -> Scatter:
    random = np.random.default_rng(0)
    group = random.integers(0, 8, NUM_POINTS)
    around = 5 * np.stack([np.cos(group), np.sin(group)])
    x, y = random.normal(size=(2, NUM_POINTS)) + around
    return Scatter(
        title="Map",
        x_values=x.astype(np.float32),
        y_values=y.astype(np.float32),
        samples=tuple(f"sample {n}" for n in range(NUM_POINTS)),
        groups=tuple(f"class {n}" for n in group),
        x=AXIS,
        y=AXIS,
    )


def operators() -> Graph:
    """A flat network of residual blocks: each operator feeds the next, every eighth also the eighth."""
    chain = np.arange(NUM_OPERATORS - 1)
    skips = np.arange(0, NUM_OPERATORS - 8, 8)
    kinds = ["operator"] * NUM_OPERATORS
    kinds[0], kinds[-1] = "input", "output"
    return Graph(
        title="Graph",
        labels=tuple(f"operator {n}" for n in range(NUM_OPERATORS)),
        types=("conv2d", "relu") * (NUM_OPERATORS // 2),
        kinds=tuple(kinds),
        parents=np.full(NUM_OPERATORS, -1),
        times=np.ones(NUM_OPERATORS, dtype=int),
        sources=np.concatenate([chain, skips]),
        targets=np.concatenate([chain + 1, skips + 8]),
        edge_kinds=("data",) * len(chain) + ("residual",) * len(skips),
    )


def make_workspace(folder: Path) -> Workspace:
    workspace = Workspace(folder)
    random = np.random.default_rng(0)
    for number in range(NUM_RUNS - 1):
        _run(workspace, f"run-{number:02d}", 400, random)
    _run(workspace, LONG, NUM_STEPS, random)
    workspace.add(Shown(data=_empty(), meta=Provenance(kind="benchmark")))
    return workspace


def _empty() -> Any:
    import xarray as xr

    return xr.Dataset()


def _run(workspace: Workspace, name: str, steps: int, random: np.random.Generator) -> None:
    identity = {"source": "folder:pets", "split": "train", "num_samples": 800, "samples": "ab"}
    record = {
        "config": {"strategy": "head", "epochs": 10},
        "model": {"source": "torchvision:resnet18", "weights": "cd", "run": ""},
        "data": {"train": identity, "validation": identity | {"num_samples": 80}},
        "parameters": 11_000_000,
        "trained_parameters": 5_130,
        "workspace": str(workspace.path),
    }
    path = workspace.new_run_path(name)
    recorder = Recorder.create(path, record, {"train": ["a"], "validation": ["b"]})
    loss = np.exp(-np.arange(steps) / steps * 3) + 0.05 * random.normal(size=steps)
    lines = [
        f'{{"kind": "step", "step": {n + 1}, "epoch": 1, "loss": {value:.6f}, '
        f'"learning_rate": 0.001, "gradient_norm": 1.0}}\n'
        for n, value in enumerate(loss)
    ]
    lines += [
        json.dumps(
            {
                "kind": "epoch",
                "epoch": epoch,
                "step": steps * epoch // 10,
                "train_loss": 2.0 / epoch,
                "train_accuracy": 1 - 0.5 / epoch,
                "validation_loss": 2.2 / epoch,
                "validation_accuracy": 1 - 0.6 / epoch,
                "seconds": 3.0 * epoch,
            }
        )
        + "\n"
        for epoch in range(1, 11)
    ]
    (path / "metrics.jsonl").write_text("".join(lines))
    recorder.update(status="finished", seconds=30.0, best={"epoch": 10, "validation_loss": 0.22})
    workspace.register_run(recorder.record, path)


class Explained:
    """Squares cut from photographs, each with three smooth maps of 224 × 224."""

    kind = "explanation"

    def views(self) -> list[View]:
        from PIL import Image
        from skimage import data

        random = np.random.default_rng(0)
        photographs = [Image.fromarray(getattr(data, name)()) for name in ("chelsea", "coffee")]
        return [self._overlay(photographs[n % 2], n, random) for n in range(NUM_SAMPLES)]

    def summary(self) -> str:
        return "Explained photographs."

    def _overlay(self, photograph: Any, number: int, random: np.random.Generator) -> Overlay:
        from PIL import Image

        left, top = random.integers(0, 100, 2)
        square = photograph.crop((left, top, left + 200, top + 200)).resize((224, 224))
        grids = (random.random((7, 7)), random.normal(size=(14, 14)), random.normal(size=(56, 56)))
        maps = [
            np.asarray(
                Image.fromarray(grid.astype(np.float32)).resize(
                    (224, 224), Image.Resampling.BICUBIC
                )
            )
            for grid in grids
        ]
        return Overlay(
            title=f"sample {number}",
            picture=Picture(pixels=np.asarray(square), sample=f"sample {number}"),
            maps=tuple(
                Heatmap(
                    name=f"map {n}", values=values, limit=float(abs(values).max()), signed=n > 0
                )
                for n, values in enumerate(maps)
            ),
            probabilities=Bars(
                title="What the model answered",
                categories=("cat", "cup"),
                series=(BarSeries(name="probability", values=np.array([0.9, 0.1])),),
                value=AXIS,
            ),
        )
