"""One small view of each kind, all with their optional parts."""

from __future__ import annotations

import numpy as np
import pytest

from pellucid.views import (
    Axis,
    Bars,
    BarSeries,
    Column,
    Flow,
    Graph,
    Heatmap,
    Histogram,
    ImageGrid,
    Lines,
    Matrix,
    Overlay,
    Picture,
    Scatter,
    Series,
    Surface,
    Table,
    Text,
    Tokens,
    View,
)

X = np.arange(5.0)
PROBABILITIES = Bars(
    title="What the model answered",
    categories=("cat", "dog"),
    series=(BarSeries(name="probability", values=np.array([0.8, 0.2])),),
    value=Axis(label="probability", limits=(0.0, 1.0)),
)


def picture(size: int = 16, sample: str = "one") -> Picture:
    pixels = np.random.default_rng(0).integers(0, 255, (size, size, 3), dtype=np.uint8)
    return Picture(pixels=pixels, sample=sample, label="a cat", tone="good")


def graph(name: str = "block") -> Graph:
    """An input, a stack of two blocks of a convolution and a residual sum, and an output."""
    return Graph(
        title="How it is built",
        caption="Data flows from top to bottom.",
        labels=("pixels", f"{name} 0 and 1", f"{name} 0", "conv", "add", f"{name} 1", "conv", "add", "output"),
        types=("input", "Block", "Block", "Conv2d", "", "Block", "Conv2d", "", ""),
        kinds=("input", "repeat", "group", "layer", "residual", "group", "layer", "residual", "output"),
        parents=np.array([-1, -1, 1, 2, 2, 1, 5, 5, -1]),
        times=np.array([1, 2, 1, 1, 1, 1, 1, 1, 1]),
        sources=np.array([0, 3, 0, 4, 6, 4, 7]),
        targets=np.array([3, 4, 4, 6, 7, 7, 8]),
        edge_kinds=("data", "data", "residual", "data", "data", "residual", "data"),
        details=(
            Column(name="module", values=("", f"{name}s", f"{name} 0", "conv", "", f"{name} 1", "conv", "", "")),
            Column(name="output shape", values=("n × 3",) * 9),
        ),
        shares=np.array([0.0, 1.0, 0.5, 0.4, 0.1, 0.5, 0.4, 0.1, np.nan]),
        share_of="time",
        opened=(1,),
    )  # fmt: skip


def views_of_each_kind() -> list[View]:
    return [
        Lines(
            title="Loss",
            caption="Lower is better.",
            series=(
                Series(name="training", x=X, y=4 - X / 2),
                Series(name="validation", x=X, y=5 - X / 2, low=4 - X / 2, high=6 - X / 2),
                Series(name="best possible", x=X, y=np.ones(5), style="reference"),
            ),
            x=Axis(label="epoch"),
            y=Axis(label="loss", unit="nats"),
        ),
        Bars(
            title="Recall",
            categories=("cat", "dog", "bird"),
            series=(
                BarSeries(
                    name="recall",
                    values=np.array([0.5, 0.75, 1.0]),
                    low=np.array([0.4, 0.6, 0.9]),
                    high=np.array([0.6, 0.9, 1.0]),
                ),
            ),
            value=Axis(label="share found", limits=(0.0, 1.0)),
        ),
        Histogram(
            title="Confidence",
            edges=np.linspace(0, 1, 5),
            counts={"right": np.array([0.0, 1, 4, 9]), "wrong": np.array([1.0, 2, 1, 0])},
            x=Axis(label="confidence"),
        ),
        Matrix(
            title="Confusion",
            values=np.array([[8.0, 2.0], [1.0, 9.0]]),
            rows=("cat", "dog"),
            columns=("cat", "dog"),
            x=Axis(label="predicted"),
            y=Axis(label="true"),
            value=Axis(label="samples"),
            members={(0, 1): ("a", "b"), (1, 0): ("c",)},
        ),
        ImageGrid(title="Mistakes", pictures=(picture(), picture(24, "two"))),
        Overlay(
            title="cat",
            picture=picture(64),
            maps=(
                Heatmap(name="Grad-CAM", values=np.eye(4), limit=1.0, signed=False),
                Heatmap(name="Occlusion", values=np.eye(4) - 0.5, limit=0.5, signed=True),
            ),
            probabilities=PROBABILITIES,
        ),
        Tokens(
            title="positive",
            tokens=("[CLS]", "good", "mo", "##vie"),
            values=np.array([0.0, 1.0, -0.5, 0.25]),
            limit=1.0,
            special=(True, False, False, False),
            sample="one",
            probabilities=PROBABILITIES,
        ),
        Table(
            title="Classes",
            columns=(
                Column(name="class", values=("cat", "dog", None)),
                Column(name="recall", values=(0.5, float("nan"), None), format=".1%"),
                Column(name="samples", values=(10, np.int64(12), 3), format=",d", unit="n"),
            ),
        ),
        Text(title="Notes", paragraphs=("One paragraph.", "Another.")),
        graph(),
        Scatter(
            title="Two units",
            x_values=X,
            y_values=X**2,
            samples=("a", "b", "c", "d", "e"),
            groups=("cat", "dog", "cat", "", "cat"),
            x=Axis(label="layer4:1"),
            y=Axis(label="layer4:2"),
        ),
        Flow(
            title="How the answer came about",
            caption="Samples go from class to answer.",
            nodes=("cats", "dogs", "cat", "dog"),
            stages=np.array([0, 0, 1, 1]),
            stage_names=("true class", "answer"),
            sources=np.array([0, 0, 1]),
            targets=np.array([2, 3, 3]),
            values=np.array([2.0, 1.0, 3.0]),
            value=Axis(label="samples"),
            members={0: ("a", "b"), 1: ("c",)},
        ),
        Surface(
            title="Loss around the solution",
            values=X[:, None] ** 2 + (X[None, :4] - 2) ** 2,
            x_values=X[:4],
            y_values=X,
            x=Axis(label="first direction"),
            y=Axis(label="second direction"),
            value=Axis(label="loss", unit="nats"),
            path_x=np.array([0.0, 1.0, 2.0]),
            path_y=np.array([4.0, 2.0, 0.5]),
        ),
    ]


def empty_views() -> list[View]:
    axis = Axis(label="x")
    nobody = np.zeros((0, 0, 3), dtype=np.uint8)
    return [
        Lines(title="lines", series=(), x=axis, y=axis),
        Lines(title="nan", series=(Series(name="a", x=X, y=X * np.nan),), x=axis, y=axis),
        Bars(title="bars", categories=(), series=(), value=axis),
        Histogram(title="histogram", edges=np.zeros(0), counts={}, x=axis),
        Matrix(
            title="matrix", values=np.zeros((0, 0)), rows=(), columns=(), x=axis, y=axis, value=axis
        ),
        ImageGrid(title="grid", pictures=()),
        Overlay(title="overlay", picture=Picture(pixels=nobody), maps=()),
        Tokens(title="tokens", tokens=(), values=np.zeros(0), limit=1.0),
        Table(title="table", columns=()),
        Text(title="text", paragraphs=()),
        Graph(
            title="graph",
            labels=(),
            types=(),
            kinds=(),
            parents=np.zeros(0, int),
            times=np.zeros(0, int),
            sources=np.zeros(0, int),
            targets=np.zeros(0, int),
            edge_kinds=(),
        ),
        Scatter(
            title="scatter", x_values=X * np.nan, y_values=X, samples=tuple("abcde"), x=axis, y=axis
        ),
        Flow(
            title="flow",
            nodes=(),
            stages=np.zeros(0, int),
            stage_names=(),
            sources=np.zeros(0, int),
            targets=np.zeros(0, int),
            values=np.zeros(0),
            value=axis,
        ),
        Surface(
            title="surface",
            values=np.full((2, 2), np.nan),
            x_values=X[:2],
            y_values=X[:2],
            x=axis,
            y=axis,
            value=axis,
        ),
    ]


@pytest.fixture
def each_kind() -> list[View]:
    return views_of_each_kind()


@pytest.fixture
def empty() -> list[View]:
    return empty_views()
