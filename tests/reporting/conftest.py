"""A made-up but plausible project: a run, its evaluation, and explanations of 16 pictures."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray
from PIL import Image

from pellucid.result import DataIdentity, ModelIdentity, Provenance, Result
from pellucid.views import (
    Axis,
    Bars,
    BarSeries,
    Column,
    Heatmap,
    Histogram,
    ImageGrid,
    Lines,
    Matrix,
    Overlay,
    Picture,
    Series,
    Table,
    Text,
    Tokens,
    View,
)
from pellucid.views.colours import resize

CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
PHOTOS = ("chelsea", "astronaut", "coffee", "rocket")
PROBABILITY = Axis(label="probability", limits=(0.0, 1.0))


@dataclass(frozen=True, kw_only=True)
class Made(Result):
    """A result whose views, words and key figures are given."""

    kind: ClassVar[str] = "made"
    shown: tuple[View, ...] = ()
    words: str = ""
    figures: list[tuple[str, str, str]] = field(default_factory=list)

    def views(self) -> list[View]:
        return list(self.shown)

    def summary(self) -> str:
        return self.words

    def headline(self) -> list[tuple[str, str, str]]:
        return self.figures


def result(kind: str, views: list[View], words: str, **options: Any) -> Made:
    meta = Provenance(
        kind=kind,
        model=ModelIdentity(
            source="torchvision:resnet18", weights="3f1c88d2a90b4e57", run="20250601-0914-pets"
        ),
        data=DataIdentity(
            source="folder:cifar10", split="test", num_samples=600, samples="a77e02b1c9d0f344"
        ),
        method=options.pop("method", ""),
        parameters=options.pop("parameters", {}),
        target=options.pop("target", ""),
        seed=0,
        seconds=options.pop("seconds", 84.2),
        versions={"python": "3.11.7", "pellucid": "0.1.0", "torch": "2.9.0"},
        created="2025-06-01T09:14:22+00:00",
        notes=options.pop("notes", ()),
    )
    return Made(data=xr.Dataset(), meta=meta, shown=tuple(views), words=words, **options)


@functools.cache
def photo(name: str) -> NDArray[np.uint8]:
    from skimage import data

    pixels = getattr(data, name)()
    size = min(pixels.shape[:2])
    top, left = (pixels.shape[0] - size) // 2, (pixels.shape[1] - size) // 2
    return np.ascontiguousarray(pixels[top : top + size, left : left + size])


def crop(index: int, size: int) -> NDArray[np.uint8]:
    """A different square cut from one of the photographs for each index."""
    random = np.random.default_rng(index)
    pixels = photo(PHOTOS[index % len(PHOTOS)])
    side = int(len(pixels) * random.uniform(0.45, 0.95))
    top, left = random.integers(0, len(pixels) - side, 2)
    part = Image.fromarray(pixels[top : top + side, left : left + side])
    return np.asarray(part.resize((size, size), Image.Resampling.LANCZOS))


def losses() -> Lines:
    random = np.random.default_rng(1)
    epochs = np.arange(1, 11, dtype=float)
    train = 2.1 * np.exp(-epochs / 3) + 0.12 + 0.03 * random.normal(size=10)
    valid = 1.9 * np.exp(-epochs / 3.2) + 0.42 + 0.04 * random.normal(size=10)
    return Lines(
        title="Loss",
        caption="How wrong the model is on average; lower is better. The band spans three "
        "repetitions. Training and validation stay close, so there is little overfitting.",
        series=(
            Series(name="training", x=epochs, y=train),
            Series(name="validation", x=epochs, y=valid, low=valid - 0.1, high=valid + 0.1),
        ),
        x=Axis(label="epoch"),
        y=Axis(label="loss", unit="nats"),
    )


def training() -> Made:
    epochs = np.arange(1, 11, dtype=float)
    steps = np.linspace(0, 5000, 4000)
    accuracy = 0.78 - 0.55 * np.exp(-epochs / 2.4)
    random = np.random.default_rng(2)
    gradient = np.exp(random.normal(size=4000).cumsum() / 60 - steps / 4000) + 1e-3
    views: list[View] = [
        losses(),
        Lines(
            title="Accuracy",
            caption="The share of validation pictures that the model names correctly.",
            series=(
                Series(name="validation accuracy", x=epochs, y=accuracy),
                Series(
                    name="always the commonest class",
                    x=epochs,
                    y=np.full(10, 0.1),
                    style="reference",
                ),
            ),
            x=Axis(label="epoch"),
            y=Axis(label="accuracy", limits=(0.0, 1.0)),
        ),
        Lines(
            title="Gradient norm",
            caption="The size of the weight updates' direction, on a logarithmic scale.",
            series=(Series(name="all layers", x=steps, y=gradient),),
            x=Axis(label="step"),
            y=Axis(label="gradient norm", scale="log"),
        ),
    ]
    return result(
        "run",
        views,
        "ResNet-18 was fine-tuned for 10 epochs on 3,000 pictures of 10 classes. The best epoch "
        "was the ninth, with a validation accuracy of 76.1 %. Training took 84 seconds.",
        figures=[
            ("Best validation accuracy", "76.1 %", "epoch 9 of 10"),
            ("Training time", "84 s", "on one CPU"),
        ],
        parameters={"strategy": "head then all", "learning_rate": 0.0003, "epochs": 10},
    )


def confusion(classes: tuple[str, ...] = CLASSES, samples: int = 600) -> Matrix:
    random = np.random.default_rng(0)
    size = len(classes)
    truth = np.arange(samples) % size
    wrong = random.random(samples) < 0.24
    guess = np.where(wrong, (truth + random.choice([1, 2, size - 2, 5], samples)) % size, truth)
    values = np.zeros((size, size))
    np.add.at(values, (truth, guess), 1)
    members: dict[tuple[int, int], tuple[str, ...]] = {}
    for index, cell in enumerate(zip(truth.tolist(), guess.tolist(), strict=True)):
        members[cell] = (*members.get(cell, ()), f"test/{classes[cell[0]]}/{index:04d}.jpg")
    return Matrix(
        title="Confusion matrix",
        caption="Each row is a true class and each column what the model said. Blue cells on the "
        "diagonal are right answers, orange ones mistakes. Choose a cell to see its pictures.",
        values=values,
        rows=classes,
        columns=classes,
        x=Axis(label="predicted"),
        y=Axis(label="true class"),
        value=Axis(label="samples"),
        members=members,
    )


def evaluation(matrix: Matrix | None = None) -> Made:
    matrix = matrix or confusion()
    truth = matrix.values.sum(1)
    right = np.diag(matrix.values)
    recall, precision = right / truth, right / np.maximum(matrix.values.sum(0), 1)
    spread = 1.96 * np.sqrt(recall * (1 - recall) / truth)
    low, high = np.maximum(recall - spread, 0), np.minimum(recall + spread, 1)
    confidence = np.linspace(0.05, 0.95, 10)
    calibration = np.clip(confidence**1.25 + 0.02, 0, 1)
    cells = [(cell, ids) for cell, ids in matrix.members.items() if cell[0] != cell[1]]
    mistakes = [
        Picture(
            pixels=crop(index, 32),
            sample=ids[0],
            label=f"{matrix.rows[row]} → {matrix.columns[column]}",
            tone="bad",
        )
        for index, ((row, column), ids) in enumerate(cells[:24])
    ]
    random = np.random.default_rng(3)
    views: list[View] = [
        matrix,
        Table(
            title="Classes",
            caption="Recall is the share of a class that was found; precision the share of its "
            "answers that were right. Click a heading to sort.",
            columns=(
                Column(name="class", values=matrix.rows),
                Column(name="samples", values=tuple(int(v) for v in truth), format="d"),
                Column(name="recall", values=tuple(recall), format=".1%"),
                Column(
                    name="95 % interval",
                    values=tuple(f"{a:.0%} to {b:.0%}" for a, b in zip(low, high, strict=True)),
                ),
                Column(name="precision", values=tuple(precision), format=".1%"),
            ),
        ),
        Bars(
            title="Recall by class",
            caption="Bars with 95 % intervals: with few samples a difference can be chance.",
            categories=matrix.rows,
            series=(BarSeries(name="recall", values=recall, low=low, high=high),),
            value=Axis(label="recall", limits=(0.0, 1.0)),
        ),
        Lines(
            title="Calibration",
            caption="When the model says 80 %, is it right in 80 of 100 cases? On the dotted line "
            "it would be. Below it, the model is too sure of itself.",
            series=(
                Series(
                    name="perfect", x=np.array([0.0, 1]), y=np.array([0.0, 1]), style="reference"
                ),
                Series(
                    name="this model",
                    x=confidence,
                    y=calibration,
                    low=np.clip(calibration - 0.07, 0, 1),
                    high=np.clip(calibration + 0.07, 0, 1),
                ),
            ),
            x=Axis(label="confidence", limits=(0.0, 1.0)),
            y=Axis(label="share right", limits=(0.0, 1.0)),
        ),
        Histogram(
            title="Confidence",
            caption="How sure the model was, for right and for wrong answers.",
            edges=np.linspace(0, 1, 21),
            counts={
                "right": np.histogram(random.beta(6, 1.4, 451), np.linspace(0, 1, 21))[0],
                "wrong": np.histogram(random.beta(3, 2.5, 149), np.linspace(0, 1, 21))[0],
            },
            x=Axis(label="confidence", limits=(0.0, 1.0)),
        ),
        ImageGrid(
            title="Most confident mistakes",
            caption="True class → answer. Look here first: wrong labels and odd pictures gather.",
            pictures=tuple(mistakes),
        ),
    ]
    share = right.sum() / truth.sum()
    return result(
        "evaluation",
        views,
        f"The model names {share:.1%} of 600 test pictures correctly. It is surest about ships "
        "and weakest on cats, which it takes for dogs. Its confidence can be trusted within "
        "about 5 percentage points.",
        figures=[
            ("Test accuracy", f"{share:.1%}", "95 % interval 71.6–78.5 %"),
            ("Calibration error", "4.8 %", "0 % is perfect"),
            ("Weakest class", "cat", "found in 58 % of cases"),
        ],
    )


def overlay(index: int, matrix: Matrix) -> Overlay:
    random = np.random.default_rng(index)
    (row, column), ids = list(matrix.members.items())[index]
    pixels = crop(index, 224)
    rows, columns = np.mgrid[:14, :14] / 13 - random.uniform(0.3, 0.7, 2)[:, None, None]
    blob = np.exp(-(rows**2 + columns**2) / 0.06) + 0.15 * random.random((14, 14))
    smooth = resize(blob, 224, 224)
    edges = np.gradient(pixels.mean(-1))[0] * smooth * np.where(random.random() < 2, 1, -1)
    occlusion = blob - 0.35
    others = [name for name in matrix.columns if name != matrix.columns[column]][:4]
    share = random.uniform(0.4, 0.95)
    rest = (1 - share) * np.array([0.5, 0.25, 0.15, 0.1])[: len(others)]
    answer, truth = matrix.columns[column], matrix.rows[row]
    return Overlay(
        title=f"{answer}, {'rightly' if row == column else f'though it is a {truth}'}",
        caption=f"The model answered {answer} with {share:.0%}. Grad-CAM shows the regions that it "
        "looked at most; integrated gradients and occlusion show what speaks for and against.",
        picture=Picture(
            pixels=pixels,
            sample=ids[0],
            label=f"{answer} (true: {truth})",
            tone="good" if row == column else "bad",
        ),
        maps=(
            Heatmap(
                name="Grad-CAM",
                values=blob,
                limit=float(blob.max()),
                signed=False,
                caption="Bright regions mattered most for the answer.",
            ),
            Heatmap(
                name="Integrated gradients",
                values=edges,
                limit=float(np.quantile(np.abs(edges), 0.995)) or 1.0,
                signed=True,
                caption="Pixel by pixel: red speaks for the answer, blue against it.",
            ),
            Heatmap(
                name="Occlusion",
                values=occlusion,
                limit=float(np.abs(occlusion).max()),
                signed=True,
                caption="Covering a red region lowers the model's confidence.",
            ),
        ),
        probabilities=Bars(
            title="What the model answered",
            categories=(answer, *others),
            series=(BarSeries(name="probability", values=np.array([share, *rest])),),
            value=PROBABILITY,
        ),
    )


def moved(view: Overlay, number: int) -> Overlay:
    """The same explanation of another picture: all maps and the picture shifted, with a name."""
    shift = (3 * number, 5 * number)
    picture = replace(
        view.picture, pixels=np.roll(view.picture.pixels, shift, (0, 1)), sample=f"{number}.jpg"
    )
    maps = tuple(replace(m, values=np.roll(m.values, shift, (0, 1))) for m in view.maps)
    return replace(view, title=f"{number}.jpg", picture=picture, maps=maps)


def tokens() -> Tokens:
    words = "[CLS] a gorgeous , witty , se ##duc ##tive movie , though a little too long . [SEP]"
    split = tuple(words.split())
    values = np.array(
        [0, 0, 1.9, 0, 1.4, 0, 0.6, 0.8, 0.4, 0.2, 0, -0.7, 0, -0.3, -0.9, -1.5, 0, 0]
    )
    return Tokens(
        title="positive, rightly",
        caption="Red words speak for a positive review, blue words against it.",
        tokens=split,
        values=values[: len(split)],
        limit=2.0,
        special=tuple(token.startswith("[") for token in split),
        sample="review-12",
        probabilities=Bars(
            title="What the model answered",
            categories=("positive", "negative"),
            series=(BarSeries(name="probability", values=np.array([0.93, 0.07])),),
            value=PROBABILITY,
        ),
    )


def explanation(matrix: Matrix | None = None, count: int = 16) -> Made:
    matrix = matrix or confusion()
    overlays: list[View] = [
        overlay(index, matrix) for index in range(min(count, len(matrix.members)))
    ]
    words = (
        "A heat map marks the parts of a picture that changed the model's answer. It says where "
        "the model looked, not whether it was right to look there."
    )
    note = Text(title="How to read the maps", paragraphs=(words,))
    return result(
        "explanation",
        [*overlays, tokens(), note],
        "16 pictures were explained with three methods. In 13 of them the methods agree that the "
        "model looks at the object itself; in 3 it looks at the background.",
        method="grad_cam, integrated_gradients, occlusion",
        parameters={"steps": 32, "baseline": "black"},
        target="predicted class",
        notes=("integrated gradients: the sum of the map differs from the output by 0.4 %",),
    )


@pytest.fixture(scope="session")
def project() -> list[Made]:
    return [training(), evaluation(), explanation()]


@pytest.fixture(scope="session")
def page(project: list[Made], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample project's report, written once."""
    from pellucid.reporting.report import report

    return report(project, tmp_path_factory.mktemp("report") / "report.html")


@pytest.fixture(scope="session")
def make() -> dict[str, Callable[..., Any]]:
    return {
        "column": lambda word: Column(name=word, values=(word,), unit=word),
        "confusion": confusion,
        "crop": crop,
        "evaluation": evaluation,
        "explanation": explanation,
        "moved": moved,
        "photo": photo,
        "result": result,
        "training": training,
    }
