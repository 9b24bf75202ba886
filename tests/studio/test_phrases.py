"""Every phrase that results bring to the page has its Chinese."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tests.inside.conftest import Recurrent
from tests.studio.conftest import MakeRun
from tests.studio.phrases import WEB, is_known, missing
from torch import Tensor, nn

from pellucid import plugins
from pellucid.analysis.comparison import compare
from pellucid.analysis.evaluation import evaluate
from pellucid.analysis.method_ranking import benchmark_methods
from pellucid.attribution.explain import explain
from pellucid.attribution.faithfulness.controls import TITLES as CONTROLS
from pellucid.attribution.faithfulness.measures import MEASURES
from pellucid.attribution.registry import GROUP, find_method
from pellucid.data import Data
from pellucid.inside.activations import inspect_activations
from pellucid.inside.features import inspect_units, visualize_feature
from pellucid.inside.gradients import inspect_gradients
from pellucid.inside.sensitivity import inspect_sensitivity
from pellucid.inside.structure import compare_structures, inspect_structure
from pellucid.inside.weights import compare_weights, inspect_weights
from pellucid.model import ArrayInput, ImageInput, Model
from pellucid.reporting.sections import TITLES
from pellucid.views import View
from pellucid.views.kinds import Axis, Bars, Overlay, Table, Text
from pellucid.workspace.run import Run

CLASSES = ("Cat", "Dog", "Cup")
WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "Good", "Bad", "Film", "A", "Very")
UNITS = {"MiB", "ms", "µs"}
MADE = {"Axis", "Bars", "BarSeries", "Column", "Flow", "Graph", "Heatmap", "Histogram", "ImageGrid", "Lines", "Matrix", "Overlay", "Scatter", "Series", "Surface", "Table", "Text", "Tokens"}  # fmt: skip
HOW = (
    f"Add it to a file in {WEB / 'phrases/zh'}, with its Chinese; how phrases are written stands "
    "at the top of lib/phrases.svelte.ts."
)


class Pictures(nn.Module):
    """Two convolutions, one of them around a residual, and a head."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, padding=1)
        self.norm = nn.BatchNorm2d(6)
        self.act = nn.ReLU6()
        self.body = nn.Conv2d(6, 6, 3, padding=1)
        self.fc = nn.Linear(6, 3)

    def forward(self, pixels: Tensor) -> Tensor:
        hidden = self.act(self.norm(self.stem(pixels)))
        return self.fc(torch.relu(hidden + self.body(hidden)).mean((2, 3)))


def made(raws: list[Any], kind: Any, labels: tuple[str, ...] = CLASSES) -> Data:
    return Data(
        source="made", split="test", kind=kind, labels=labels,
        ids=tuple(f"s{index}" for index in range(len(raws))),
        targets=np.arange(len(raws)) % len(labels), read=raws.__getitem__,
    )  # fmt: skip


def picture_model(seed: int = 0) -> Model:
    torch.manual_seed(seed)
    form = ImageInput(size=(16, 16), resize=16, mean=(0.5,) * 3, std=(0.25,) * 3)
    return Model(module=Pictures(), source=f"tiny{seed}", input=form, labels=CLASSES)


def pictures(number: int = 12) -> Data:
    rng = np.random.default_rng(0)
    levels = rng.integers(0, 256, (number, 16, 16, 3), dtype=np.uint8)
    return made([Image.fromarray(one) for one in levels], "image")


def recurrent() -> tuple[Model, Data]:
    torch.manual_seed(0)
    model = Model(module=Recurrent(), source="steps", input=ArrayInput(), labels=CLASSES)
    return model, made(
        list(np.random.default_rng(0).normal(size=(8, 6, 4)).astype("float32")), "array"
    )


@pytest.fixture
def texts(tiny_bert: Callable[..., Model]) -> tuple[Model, Data]:
    raws = ["A Very Good Film", "A Bad Film", "Good", "A Very Very Bad Film"]
    return tiny_bert(WORDS, layers=2), made(raws, "text", ("negative", "positive"))


def changed(model: Model) -> Model:
    """The same model with another head, and another layer within."""
    other = picture_model(1)
    other.module.load_state_dict(model.module.state_dict())
    with torch.no_grad():
        other.module.fc.weight += 0.5 * torch.randn(other.module.fc.weight.shape)
    return replace(other, source="other")


def reshaped(model: Model) -> Model:
    """The same model with a wider head, a layer more and a layer less."""
    model.module.fc = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3))
    model.module.norm = nn.Identity()
    return replace(model, source="reshaped")


RESULTS: dict[str, Callable[[], Any]] = {
    "evaluation": lambda: evaluate(picture_model(), pictures()),
    "evaluation of arrays": lambda: evaluate(*recurrent(), training_ids=["s0"]),
    "explanation": lambda: explain(
        picture_model(), pictures(3), methods=["saliency", "grad_cam", "lime", "integrated_gradients"],
        layer="body", parameters={"lime": {"samples": 40}}, faithfulness=["deletion", "insertion"],
    ),
    "explanation of arrays": lambda: explain(*recurrent(), methods=["occlusion"], limit=2),
    "comparison": lambda: compare(
        picture_model(), changed(picture_model()), pictures(), methods=["saliency"], num_explained=2
    ),
    "ranking": lambda: benchmark_methods(
        picture_model(), pictures(4), methods=["saliency", "occlusion"],
        measures=["deletion", "insertion", "randomisation"],
    ),
    "structure": lambda: inspect_structure(picture_model()),
    "structures": lambda: compare_structures(
        inspect_structure(picture_model()), inspect_structure(reshaped(picture_model()))
    ),
    "weights": lambda: inspect_weights(picture_model()),
    "changed weights": lambda: compare_weights(picture_model(), changed(picture_model())),
    "activations": lambda: inspect_activations(picture_model(), pictures()),
    "activations over time": lambda: inspect_activations(*recurrent()),
    "features": lambda: visualize_feature(picture_model(), ["class:Cat", "body:1"], steps=3),
    "units": lambda: inspect_units(picture_model(), pictures(), layers="body", num_units=1, steps=3),
    "gradients": lambda: inspect_gradients(picture_model(), pictures()),
    "sensitivity": lambda: inspect_sensitivity(picture_model(), pictures(6)),
    "sensitivity of arrays": lambda: inspect_sensitivity(*recurrent()),
}  # fmt: skip
OF_TEXTS: dict[str, Callable[..., Any]] = {
    "evaluation": evaluate,
    "explanation": lambda model, data: explain(
        model, data, methods=["saliency", "input_x_gradient", "attention_rollout"]
    ),
    "activations": inspect_activations,
    "sensitivity": inspect_sensitivity,
}


@pytest.mark.parametrize("kind", RESULTS)
def test_results_speak_chinese(kind: str) -> None:
    check(RESULTS[kind]())


@pytest.mark.parametrize("kind", OF_TEXTS)
def test_results_on_texts_speak_chinese(kind: str, texts: tuple[Model, Data]) -> None:
    check(OF_TEXTS[kind](*texts), texts[0])


def test_runs_speak_chinese(make_run: MakeRun) -> None:
    check(Run.open(make_run()))


@pytest.mark.parametrize("name", plugins.names(GROUP))
def test_methods_speak_chinese(name: str) -> None:
    method = find_method(name)
    if not getattr(method, "__module__", "").startswith("pellucid."):
        pytest.skip("a third party's method is shown as it names itself")
    card = method.card
    refuse([card.title, card.about, card.cost])


def test_measures_speak_chinese() -> None:
    cards = [measure.card for measure in MEASURES.values()]
    refuse([text for card in cards for text in (card.title, card.title.lower(), card.about)])
    refuse([*CONTROLS.values(), *(title.lower() for title in CONTROLS.values())])


def test_titles_of_results_and_jobs_speak_chinese() -> None:
    kinds = plugins.names("pellucid.results")
    refuse([*TITLES.values(), *(kind.replace("_", " ").capitalize() for kind in kinds)])
    refuse([
        "Fine-tune resnet18 on my pets", "Evaluate resnet18 on my pets", "Explain resnet18 on my pets",
        "Compare resnet18 with vit on my pets", "Rank methods for resnet18 on my pets",
        "Look inside resnet18", "Picture what excites layer4 of resnet18",
    ])  # fmt: skip


@pytest.mark.parametrize("folder", ["analysis", "attribution", "inside", "result", "workspace"])
def test_what_views_are_always_called_is_chinese(folder: str) -> None:
    """Constant titles, captions, labels and units, also those of views that are seldom made."""
    files = (WEB.parents[2] / folder).rglob("*.py")
    calls = [node for path in files for node in ast.walk(ast.parse(path.read_text("utf-8")))]
    refuse([
        part.value.value
        for call in calls
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in MADE
        for part in call.keywords
        if part.arg in {"title", "caption", "label", "name", "unit"}
        and isinstance(part.value, ast.Constant)
    ])  # fmt: skip


def test_what_is_not_known_is_told() -> None:
    assert missing("Accuracy") == []
    assert missing("Right answers lie elsewhere. Means over the samples.") == [
        "Right answers lie elsewhere."
    ]
    assert is_known("photo.png: Saliency")
    assert not is_known("photo.png: Somebody's method")


def check(result: Any, *models: Model) -> None:
    """Refuse a result with views, key figures or a summary that have words without Chinese."""
    own = names_of(picture_model(), recurrent()[0], *models)
    told = [text for view in result.views() for text in texts_of(view)]
    told += [text for label, _, detail in result.headline() for text in (label, detail)]
    told += result.summary().split("\n")
    refuse([text for text in told if re.sub(r":\d+$", "", text) not in own])


def names_of(*models: Model) -> set[str]:
    """What the user named: layers, tensors and classes."""
    modules = [model.module for model in models]
    layers = {name for module in modules for name, _ in module.named_modules()}
    return layers | {name for module in modules for name in module.state_dict()} | set(CLASSES)


def refuse(texts: list[str]) -> None:
    words = [text for text in texts if text not in UNITS]
    without = list(dict.fromkeys(part for text in words for part in missing(text)))
    assert not without, "\n".join(["no phrase for", *map(repr, without), HOW])


def texts_of(view: View) -> Iterator[str]:
    """All words of a view that are not the user's: an overlay is called as its sample."""
    yield from [view.caption] if isinstance(view, Overlay) else [view.title, view.caption]
    for axis in vars(view).values():
        if isinstance(axis, Axis):
            yield from (axis.label, axis.unit)
    for part in (*getattr(view, "series", ()), *getattr(view, "maps", ())):
        yield from (part.name, getattr(part, "caption", ""))
    if isinstance(view, Table):
        yield from (text for column in view.columns for text in (column.name, column.unit))
    if isinstance(view, Text):
        yield from view.paragraphs
    answers = getattr(view, "probabilities", None)
    if isinstance(answers, Bars):
        yield from texts_of(answers)
