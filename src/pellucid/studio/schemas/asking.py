"""Questions about one input, and their answers."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from pellucid.studio.schemas.base import Id, Name, Schema
from pellucid.studio.schemas.choosing import ModelReference
from pellucid.studio.schemas.workspace import ViewSummary


class Input(Schema):
    """One sample to ask about, kept by the server for a while: a picture or a text."""

    id: Id
    kind: Literal["image", "text"]
    title: str
    width: int | None = None
    height: int | None = None
    text: str = ""


class TextInput(Schema):
    """A text to ask about."""

    text: Annotated[str, Field(min_length=1, max_length=20_000)]


class SampleInput(Schema):
    """A sample of a data set to ask about, by position or by id."""

    data: Id
    split: str | None = None
    position: int | None = Field(default=None, ge=0)
    sample: str | None = None


class Stroke(Schema):
    """One stroke of the brush: points (x, y) in the picture, and its radius, from 0 to 1 of the width."""

    points: Annotated[list[tuple[float, float]], Field(min_length=1, max_length=5_000)]
    radius: Annotated[float, Field(gt=0, le=0.5)]


class Ask(Schema):
    """What is asked of a model on one input; strokes are hidden from it."""

    model: ModelReference
    input: Id
    strokes: Annotated[list[Stroke], Field(max_length=200)] = []
    fill: Literal["mean", "blur", "zero"] = "blur"


class Answer(Schema):
    """One class, with its logit and its probability."""

    label: str
    index: int
    logit: float | None
    probability: float | None


class Predictions(Schema):
    """The most probable answers, most probable first, and how long the model took, in seconds."""

    answers: list[Answer]
    num_classes: int
    seconds: float


class AskWhy(Ask):
    """Maps by several methods for one class: an index, or None for the predicted one."""

    methods: Annotated[list[Name], Field(min_length=1, max_length=12)]
    target: int | None = None
    against: int | None = None
    layer: str | None = None
    parameters: dict[str, dict[str, Any]] = {}
    faithfulness: bool = False


class Faithfulness(Schema):
    """One measure of one map, beside the same of controls; `better` says which way is better."""

    method: str
    measure: str
    title: str
    value: float | None
    controls: dict[str, float | None]
    better: Literal["higher", "lower", ""]
    verdict: Literal["good", "doubtful", "bad", "unknown"]
    meaning: str


class Why(Schema):
    """What came of `AskWhy`: the views wait at /api/why/{id}/views/{index}."""

    id: Id
    predictions: Predictions
    target: Answer
    views: list[ViewSummary]
    methods: list[str]
    faithfulness: list[Faithfulness]
    refused: dict[str, str]  # methods that are not defined here, and why
    seconds: float
