"""What there is to see: the session, runs, results, their views and curves."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from pellucid.studio.schemas.base import Figure, Id, Note, Schema, Tag


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
