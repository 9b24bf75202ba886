"""Write packed views of every kind, small and large, for the front end's gallery.

    PYTHONPATH=src python tests/views/gallery.py FOLDER [MOST_POINTS]

The gallery itself is built by ``npx vite build --mode gallery --outDir FOLDER`` in the web folder,
and lies at ``src/views/gallery/index.html`` in it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from conftest import empty_views, views_of_each_kind
from pellucid.views import (
    Axis,
    Bars,
    BarSeries,
    Flow,
    Histogram,
    Lines,
    Scatter,
    Series,
    Surface,
    View,
)
from pellucid.views.pack import pack

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def large_views(most: int) -> dict[str, View]:
    """Views as large as real ones; those with more than `most` points are left out."""
    rng = np.random.default_rng(0)
    huge = (
        {}
        if most < 1_000_000
        else {
            "Lines-million": million(rng),
            "Scatter-million": clusters(rng, 1_000_000, 10),
        }
    )
    return huge | {
        "Lines-training": training(rng),
        "Lines-log": sweep(),
        "Lines-many": many(rng),
        "Bars-groups": bars(rng, horizontal=True),
        "Bars-upright": bars(rng, horizontal=False),
        "Histogram-overlap": histogram(rng),
        "Scatter-clusters": clusters(rng, 1_500, 5),
        "Scatter-many-groups": clusters(rng, 4_000, 14),
        "Scatter-100000": clusters(rng, 100_000, 10),
        "Flow-decision": decision(rng),
        "Surface-loss": landscape("linear"),
        "Surface-log": landscape("log"),
    }


def training(rng: np.random.Generator) -> Lines:
    steps = np.arange(2000.0)
    loss = 2.3 * np.exp(-steps / 500) + 0.3
    epochs = np.arange(0, 2001, 100.0)
    held_out = 2.3 * np.exp(-epochs / 550) + 0.42
    spread = 0.08 + 0 * epochs
    return Lines(
        title="How the loss fell during training",
        caption="Lower is better. The band shows the 95 % interval over the validation samples.",
        series=(
            Series(name="training", x=steps, y=loss * np.exp(rng.normal(0, 0.15, 2000))),
            Series(
                name="validation", x=epochs, y=held_out, low=held_out - spread, high=held_out + spread
            ),
            Series(name="always the commonest class", x=steps[[0, -1]], y=np.array([2.3, 2.3]), style="reference"),
        ),
        x=Axis(label="step"),
        y=Axis(label="loss", unit="nats"),
    )  # fmt: skip


def million(rng: np.random.Generator) -> Lines:
    x = np.arange(1_000_000.0)
    y = np.cumsum(rng.normal(size=len(x))).astype(np.float32) / 300
    y[400_000:430_000] = np.nan
    return Lines(
        title="One million points, with a gap",
        series=(Series(name="gradient norm", x=x, y=y),),
        x=Axis(label="step"),
        y=Axis(label="norm"),
    )


def sweep() -> Lines:
    rates = np.logspace(-6, 0, 25)
    loss = 0.4 + 0.2 * (np.log10(rates) + 3) ** 2
    few = rates[::6]
    return Lines(
        title="Loss by learning rate",
        series=(
            Series(name="after one epoch", x=rates, y=loss),
            Series(
                name="repeated", x=few, y=loss[::6] * 1.1, low=loss[::6], high=loss[::6] * 1.3, style="points"
            ),
            Series(name="schedule", x=rates, y=np.floor(loss * 3) / 3 + 0.1, style="step"),
            Series(name="failed", x=rates, y=loss * np.nan),
        ),
        x=Axis(label="learning rate", scale="log"),
        y=Axis(label="loss", scale="log"),
    )  # fmt: skip


def many(rng: np.random.Generator) -> Lines:
    epochs = np.arange(1, 13.0)
    return Lines(
        title="Accuracy of twelve runs",
        series=tuple(
            Series(
                name=f"run {run + 1} with a fairly long descriptive name",
                x=epochs,
                y=np.clip(
                    1 - (0.8 - run / 25) * np.exp(-epochs / 4) + rng.normal(0, 0.01, 12), 0, 1
                ),
            )
            for run in range(12)
        ),
        x=Axis(label="epoch"),
        y=Axis(label="accuracy", limits=(0.0, 1.0)),
    )


def bars(rng: np.random.Generator, *, horizontal: bool) -> Bars:
    found = rng.uniform(0.3, 0.97, (2, len(CLASSES)))
    names = (*CLASSES[:-1], "a truck with a very long name that cannot be shown")
    return Bars(
        title="How much of each class is found",
        caption="Recall with its 95 % interval, before and after fine-tuning.",
        categories=names,
        series=tuple(
            BarSeries(name=name, values=row, low=row - 0.06, high=np.minimum(row + 0.05, 1))
            for name, row in zip(("before", "after"), found, strict=True)
        ),
        value=Axis(label="recall", limits=(0.0, 1.0)),
        horizontal=horizontal,
    )


def histogram(rng: np.random.Generator) -> Histogram:
    edges = np.linspace(0, 1, 31)
    right, wrong = rng.beta(8, 1.6, 5000), rng.beta(3, 3, 600)
    return Histogram(
        title="How sure the model is",
        edges=edges,
        counts={
            "right answers": np.histogram(right, edges)[0].astype(float),
            "wrong answers": np.histogram(wrong, edges)[0].astype(float),
        },
        x=Axis(label="confidence", limits=(0.0, 1.0)),
    )


def clusters(rng: np.random.Generator, count: int, groups: int) -> Scatter:
    centres = rng.normal(0, 6, (groups, 2))
    chosen = rng.integers(0, groups, count)
    points = (
        centres[chosen] + rng.normal(0, 1, (count, 2)) * rng.uniform(0.5, 1.6, (groups, 1))[chosen]
    )
    names = [CLASSES[i] if i < len(CLASSES) else f"class {i}" for i in range(groups)]
    return Scatter(
        title=f"Map of {count:,} samples",
        caption="Samples that the model sees as alike lie close together.",
        x_values=points[:, 0].astype(np.float32),
        y_values=points[:, 1].astype(np.float32),
        samples=tuple(f"sample-{i}" for i in range(count)),
        groups=tuple(names[i] for i in chosen),
        x=Axis(label="first direction"),
        y=Axis(label="second direction"),
    )


def decision(rng: np.random.Generator) -> Flow:
    classes = ("cat", "dog", "bird")
    stages = np.repeat(np.arange(4), 3)
    sources, targets, values, members = [], [], [], {}
    for stage in range(3):
        for one in range(3):
            for other in range(3):
                members[len(values)] = tuple(f"{stage}-{one}-{other}-{n}" for n in range(3))
                sources.append(3 * stage + one)
                targets.append(3 * stage + 3 + other)
                values.append(
                    float(rng.integers(40, 90) if one == other else rng.integers(0, 18 - 5 * stage))
                )
    return Flow(
        title="Where the answer takes shape",
        caption="What a probe at each depth of the network would answer.",
        nodes=classes * 4,
        stages=stages,
        stage_names=("true class", "layer 1", "layer 3", "answer"),
        sources=np.array(sources),
        targets=np.array(targets),
        values=np.array(values),
        value=Axis(label="samples"),
        members=members,
    )


def landscape(scale: str) -> Surface:
    x, y = np.linspace(-1, 1, 41), np.linspace(-1, 1, 41)
    a, b = np.meshgrid(x, y)
    values = (
        0.05
        + 2 * (a - 0.2) ** 2
        + 3 * (b + 0.1 - 0.5 * a**2) ** 2
        + 0.12 * np.sin(7 * a) * np.cos(6 * b)
        + 0.1
    )
    steps = np.linspace(0, 1, 24)
    return Surface(
        title="The loss around the trained model",
        caption="Each place is a setting of the weights; the path shows how training moved.",
        values=values,
        x_values=x,
        y_values=y,
        x=Axis(label="first direction"),
        y=Axis(label="second direction"),
        value=Axis(label="loss", unit="nats", scale="log" if scale == "log" else "linear"),
        path_x=-0.9 + 1.1 * steps**0.6,
        path_y=0.85 - 0.95 * steps + 0.06 * np.sin(14 * steps),
    )


def write(folder: Path, most: int = 1_000_000) -> None:
    views = {f"{type(view).__name__}-example": view for view in views_of_each_kind()}
    views |= large_views(most)
    views |= {f"empty-{type(v).__name__}-{i}": v for i, v in enumerate(empty_views())}
    folder.mkdir(parents=True, exist_ok=True)
    for name, view in views.items():
        (folder / f"{name}.view").write_bytes(pack(view))
    (folder / "index.json").write_text(json.dumps(sorted(views)))


if __name__ == "__main__":
    write(Path(sys.argv[1]), *map(int, sys.argv[2:]))
