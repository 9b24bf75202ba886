"""Long work and reports: what is asked for, how far it is, what came of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from pellucid.studio.schemas.base import Id, Name, Note, Problem, Schema
from pellucid.studio.schemas.choosing import ModelReference

JobKind = Literal[
    "finetune",
    "evaluate",
    "explain",
    "inspect",
    "visualize_feature",
    "compare",
    "benchmark_methods",
]


JobState = Literal["waiting", "running", "done", "failed", "cancelled", "interrupted"]


class DataReference(Schema):
    """A data set, one of its splits, and how many samples of it at most.

    Where `split` is None, a fine-tuning takes the training split and validates on the one for that;
    other jobs take the split that was held out from training, and all if none is known to be.
    """

    data: Id
    split: str | None = None
    limit: int | None = Field(default=None, ge=1)


class Finetune(Schema):
    """`options` are those of `pellucid.training.config.TrainingConfig`; `resume` goes on with a run."""

    kind: Literal["finetune"]
    model: ModelReference
    data: DataReference
    strategy: str = "head"
    name: str = Field(default="", max_length=100)
    options: dict[str, Any] = {}
    resume: Id | None = None


class Evaluate(Schema):
    """Evaluate a model on labelled data."""

    kind: Literal["evaluate"]
    model: ModelReference
    data: DataReference


class Explain(Schema):
    """`samples` are ids to explain; else `data.limit` of them are drawn."""

    kind: Literal["explain"]
    model: ModelReference
    data: DataReference
    methods: Annotated[list[Name], Field(min_length=1, max_length=12)]
    target: Literal["predicted", "true"] | int = "predicted"
    samples: Annotated[list[str], Field(max_length=1000)] = []
    parameters: dict[str, dict[str, Any]] = {}
    faithfulness: bool = True


class Inspect(Schema):
    """Look inside a model; `layers` are names, shorthands, globs or kinds."""

    kind: Literal["inspect"]
    model: ModelReference
    data: DataReference | None = None
    parts: list[str] | None = None
    layers: list[str] | None = None


class VisualizeFeature(Schema):
    """Make pictures that excite units of a layer."""

    kind: Literal["visualize_feature"]
    model: ModelReference
    layer: Name
    units: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1, max_length=16)]
    steps: int | None = Field(default=None, ge=1, le=2048)


class Compare(Schema):
    """Compare two models on the same samples; with no methods, by the usual one for such inputs."""

    kind: Literal["compare"]
    model: ModelReference
    other: ModelReference
    data: DataReference
    methods: Annotated[list[Name], Field(max_length=6)] = []


class BenchmarkMethods(Schema):
    """Rank attribution methods on this model and this data."""

    kind: Literal["benchmark_methods"]
    model: ModelReference
    data: DataReference
    methods: list[Name] | None = None


JobRequest = Annotated[
    Finetune | Evaluate | Explain | Inspect | VisualizeFeature | Compare | BenchmarkMethods,
    Field(discriminator="kind"),
]


class Job(Schema):
    """Long work: what was asked for, how far it is, what came of it."""

    id: Id
    kind: JobKind
    title: str
    state: JobState
    created: str
    started: str | None = None
    ended: str | None = None
    progress: float | None = None  # 0 to 1, or unknown
    step: str = ""  # what it is doing: "training head: loss 0.412"
    seconds_left: float | None = None
    parameters: dict[str, Any] = {}
    run: Id | None = None
    results: list[Id] = []
    error: Problem | None = None


class ReportItem(Schema):
    """A run or a result to put into a report, some of its views (all if None), and a comment."""

    run: Id | None = None
    result: Id | None = None
    views: list[Annotated[int, Field(ge=0)]] | None = None
    comment: Note = ""


class ReportRequest(Schema):
    """A report to be written, as one HTML file or as a PDF."""

    title: Name
    note: Note = ""
    items: Annotated[list[ReportItem], Field(min_length=1, max_length=200)]
    format: Literal["html", "pdf"] = "html"


class File(Schema):
    """Something to download, by its opaque id, for a while."""

    id: Id
    name: str
    num_bytes: int
