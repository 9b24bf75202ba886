"""What the studio's API takes and gives, typed; its OpenAPI schema is made from these.

Runs, results, data sets, uploads, inputs, jobs and files are named by opaque ids. A model is named
by a reference: ``run:ID`` for the fine-tuned model of a run, or a spec of a source that runs no code
(``torchvision:resnet18``, ``timm:…``, ``bundled:…``), with the id of uploaded weights beside it.
Data is named by the id of a data set. Numbers that JSON lacks (NaN) are null.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Note = Annotated[str, Field(max_length=10_000)]
Tag = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[^,\x00-\x1f]+$")]
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


class Schema(BaseModel):
    """Fields are checked, and unknown ones refused."""

    model_config = ConfigDict(extra="forbid")


class Problem(Schema):
    """The one shape of all errors: `type` is the class in `pellucid.errors`, or an HTTP name."""

    type: str
    message: str
    details: dict[str, Any] = {}


class ErrorBody(Schema):
    """How every error is answered."""

    error: Problem


class Figure(Schema):
    """A key figure to show large: "Accuracy", "78.7 %", "95 % interval 75.2–81.8 %"."""

    label: str
    value: str
    detail: str = ""


class Session(Schema):
    """What the page must know before it draws anything."""

    workspace: str
    version: str
    read_only: bool
    max_upload_bytes: int
    extras: dict[str, bool]  # which optional packages are there: timm, transformers, …


class RunSummary(Schema):
    """A run as a line of the workspace."""

    id: Id
    name: str
    created: str
    status: Literal["running", "finished", "failed", "stopped", "missing"]
    why: str = ""
    model: str
    data: str  # what people call it
    data_source: str = ""  # how records name it
    strategy: str
    num_samples: int | None = None
    epochs: int = 0
    seconds: float = 0.0
    validation_accuracy: float | None = None
    validation_loss: float | None = None
    num_results: int = 0
    tags: list[str] = []
    note: str = ""
    job: Id | None = None  # the job that trains it, if the studio does


class ResultSummary(Schema):
    """A result as a line of the workspace."""

    id: Id
    kind: str  # evaluation, explanation, comparison, structure, …
    title: str
    created: str
    run: Id | None = None
    model: str = ""
    data: str = ""  # what people call it
    data_source: str = ""  # how records name it
    method: str = ""
    missing: bool = False
    tags: list[str] = []
    note: str = ""


class Workspace(Schema):
    """All runs and results, newest first, and the tags in use."""

    runs: list[RunSummary]
    results: list[ResultSummary]
    tags: list[str]


class Change(Schema):
    """Tags and note of a run or a result; what is left out stays."""

    tags: list[Tag] | None = Field(default=None, max_length=20)
    note: Note | None = None


class ViewSummary(Schema):
    """One view of a result, without its contents. `samples` are ids that it shows, where few."""

    index: int
    kind: str
    title: str
    caption: str = ""
    samples: list[str] = []
    layer: str = ""


class RunDetail(RunSummary):
    """A run with its record, its results, and the metrics that can be asked for."""

    summary: str
    headline: list[Figure]
    record: dict[str, Any]
    results: list[ResultSummary]
    labels: list[str]
    metrics: list[str]  # names that /metrics can be asked for, as "epoch.train_loss", "step.loss"


class ResultDetail(ResultSummary):
    """A result with its provenance, its words, and the views it has."""

    summary: str
    headline: list[Figure]
    meta: dict[str, Any]
    views: list[ViewSummary]


class Curve(Schema):
    """One metric of one run, thinned to `points` if it has more; `total` is how many there are."""

    run: Id
    name: str
    x: list[float | None]
    y: list[float | None]
    total: int
    exact: bool


class Curves(Schema):
    """Metrics of one run or of several."""

    curves: list[Curve]


class Parameter(Schema):
    """A parameter of a method, for a form: its type, default and bounds."""

    name: str
    type: str
    default: Any = None
    minimum: float | None = None
    maximum: float | None = None
    choices: list[str] = []
    about: str = ""


class Method(Schema):
    """An attribution method, with what a form needs."""

    name: str
    title: str
    family: str
    about: str
    paper: str = ""
    kinds: list[str]
    cost: str = ""
    needs_layer: bool = False
    parameters: list[Parameter]


class ModelChoice(Schema):
    """A model that can be asked for: of a run, or of a source; `kind` of input if it is known."""

    reference: str
    title: str
    source: Literal["run", "bundled", "torchvision", "timm", "hf"]
    kind: str = ""
    labels: int | None = None


class ModelReference(Schema):
    """A model: ``run:ID`` or a spec, and the id of uploaded weights for a spec."""

    reference: Name
    weights: Id | None = None


class ModelDetail(Schema):
    """An opened model: what it is fed, what it tells apart, and the names of its layers."""

    reference: str
    title: str
    kind: str
    labels: list[str]
    num_parameters: int
    layers: list[str]
    input_size: list[int] = []
    notes: list[str] = []


class DataSet(Schema):
    """A data set that the studio may read."""

    id: Id
    title: str
    source: Literal["bundled", "folder", "table", "upload"]
    kind: str = ""
    num_samples: int | None = None
    labels: list[str] = []
    splits: list[str] = []
    problems: list[str] = []


class SampleItem(Schema):
    """One sample of a data set: its position, id, label, and a text's beginning."""

    position: int
    sample: str
    label: str = ""
    snippet: str = ""


class SamplePlace(SampleItem):
    """Where a sample that a result shows lies: its data set, and the split that it was taken from."""

    data: Id
    split: str | None = None


class SamplePage(Schema):
    """Some samples of a data set, and how many there are."""

    total: int
    items: list[SampleItem]


class Upload(Schema):
    """What was uploaded, what it became, and what was wrong with it."""

    id: Id
    title: str
    kind: Literal["pictures", "table", "weights"]
    data: Id | None = None  # the data set that it became
    num_files: int
    num_bytes: int
    problems: list[str] = []


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


class DataReference(Schema):
    """A data set, one of its splits (all if None), and how many samples of it at most."""

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
    """Compare two models on the same samples."""

    kind: Literal["compare"]
    model: ModelReference
    other: ModelReference
    data: DataReference
    methods: Annotated[list[Name], Field(max_length=6)] = ["grad_cam"]


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
