"""What can be chosen: methods, models, data sets and their samples, uploads."""

from __future__ import annotations

from typing import Any, Literal

from pellucid.studio.schemas.base import Id, Name, Schema


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
