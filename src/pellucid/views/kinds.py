"""The vocabulary of views: everything an analysis can show, as plain records.

An analysis composes views and never draws. Each kind has one drawer in matplotlib
(`pellucid.views.matplotlib`) and one for the page (`pellucid/studio/web/src/views`). Arrays are NumPy; a view
holds all that its drawers need. Samples are named by their id, so that a selection made in one
view can be followed in another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Pixels = NDArray[np.uint8]
Ints = NDArray[np.integer[Any]]


@dataclass(frozen=True, kw_only=True)
class Axis:
    """What an axis measures. `limits` are data limits; None lets the drawer choose."""

    label: str
    unit: str = ""
    scale: Literal["linear", "log"] = "linear"
    limits: tuple[float, float] | None = None


@dataclass(frozen=True, kw_only=True)
class Series:
    """One curve: `x` and `y` of equal length, with an optional band from `low` to `high`."""

    name: str
    x: Floats
    y: Floats
    low: Floats | None = None
    high: Floats | None = None
    style: Literal["line", "points", "step", "reference"] = "line"


@dataclass(frozen=True, kw_only=True)
class BarSeries:
    """One value per category, with optional interval ends."""

    name: str
    values: Floats
    low: Floats | None = None
    high: Floats | None = None


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture to show: `pixels` (y, x, 3) uint8, the id of its sample, a short label under it."""

    pixels: Pixels
    sample: str = ""
    label: str = ""
    tone: Literal["neutral", "good", "bad"] = "neutral"


@dataclass(frozen=True, kw_only=True)
class Heatmap:
    """One attribution map over a picture: `values` (y, x), drawn from -limit or 0 to `limit`.

    `signed` maps take a diverging colour map around zero, others a sequential one from zero.
    """

    name: str
    values: Floats
    limit: float
    signed: bool
    caption: str = ""


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a table. `format` is a format spec for numbers (``.1%``, ``.3g``, ``d``)."""

    name: str
    values: tuple[Any, ...]
    format: str = ""
    unit: str = ""


@dataclass(frozen=True, kw_only=True)
class View:
    """What every view has: a title, and a plain sentence or two on what one is looking at."""

    title: str
    caption: str = ""


@dataclass(frozen=True, kw_only=True)
class Lines(View):
    """Curves over a common x axis."""

    series: tuple[Series, ...]
    x: Axis
    y: Axis


@dataclass(frozen=True, kw_only=True)
class Bars(View):
    """Values per category, as bars."""

    categories: tuple[str, ...]
    series: tuple[BarSeries, ...]
    value: Axis
    horizontal: bool = True


@dataclass(frozen=True, kw_only=True)
class Histogram(View):
    """Counts between `edges` (bins + 1); several named counts share the edges."""

    edges: Floats
    counts: Mapping[str, Floats]
    x: Axis
    y: Axis = field(default_factory=lambda: Axis(label="samples"))


@dataclass(frozen=True, kw_only=True)
class Matrix(View):
    """A table of numbers as colours: `values` (rows, columns).

    `members[(row, column)]` lists the ids of the samples behind a cell.
    """

    values: Floats
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    x: Axis
    y: Axis
    value: Axis
    format: str = ".0f"
    signed: bool = False
    members: Mapping[tuple[int, int], tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Scatter(View):
    """Points at `x_values` and `y_values` (n,), each a sample by its id.

    `groups` (n,) name what the colours tell apart; "" for a point of no group, none at all for one
    colour.
    """

    x_values: Floats
    y_values: Floats
    samples: tuple[str, ...]
    x: Axis
    y: Axis
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ImageGrid(View):
    """Pictures in reading order."""

    pictures: tuple[Picture, ...]


@dataclass(frozen=True, kw_only=True)
class Overlay(View):
    """One picture, the maps that explain it side by side, and what the model answered."""

    picture: Picture
    maps: tuple[Heatmap, ...]
    probabilities: Bars | None = None


@dataclass(frozen=True, kw_only=True)
class Tokens(View):
    """A text in tokens, each with a `values` entry, coloured from -limit or 0 to `limit`.

    `special` marks tokens that the tokenizer added. Values that are not `signed` tell how much,
    not what for.
    """

    tokens: tuple[str, ...]
    values: Floats
    limit: float
    special: tuple[bool, ...] = ()
    signed: bool = True
    sample: str = ""
    probabilities: Bars | None = None


@dataclass(frozen=True, kw_only=True)
class Table(View):
    """Columns of equal length."""

    columns: tuple[Column, ...]


@dataclass(frozen=True, kw_only=True)
class Text(View):
    """Paragraphs of plain text."""

    paragraphs: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Graph(View):
    """Operators in groups, and what flows between them.

    Items are operators and the groups around them, each group before what it holds (`parents`, -1
    at the top), in the order in which they run; edges (`sources`, `targets`) go between operators,
    forward. An item of kind "repeat" holds `times` groups that are built alike, and can be shown
    as one of them. `details` say more on each item; `shares` is its part in the whole
    `share_of`, NaN if unknown. `marks` say what became of each item in a comparison: "same",
    "changed", "added" or "removed". Groups in `opened` show what they hold.

    Kinds of items are group, repeat, attention (an operator or a group), layer (an operator that
    is all of a module), operator, input, output, residual, join and gate; kinds of edges data,
    residual, skip and gate.
    """

    labels: tuple[str, ...]
    types: tuple[str, ...]
    kinds: tuple[str, ...]
    parents: Ints
    times: Ints
    sources: Ints
    targets: Ints
    edge_kinds: tuple[str, ...]
    details: tuple[Column, ...] = ()
    shares: Floats | None = None
    share_of: str = ""
    marks: tuple[str, ...] = ()
    opened: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Flow(View):
    """Amounts that flow from stage to stage: a Sankey diagram, such as a decision path.

    Each of `nodes` stands in one of the `stages` (0, 1, …), which `stage_names` name. A link takes
    `values` from one node (`sources`) to another in a later stage (`targets`). `members[link]`
    lists the ids of the samples behind a link, by its position.
    """

    nodes: tuple[str, ...]
    stages: Ints
    stage_names: tuple[str, ...]
    sources: Ints
    targets: Ints
    values: Floats
    value: Axis
    members: Mapping[int, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Surface(View):
    """Heights over a grid, such as a loss landscape: `values` (rows, columns), rows along y.

    `x_values` (columns,) and `y_values` (rows,) rise. `path_x` and `path_y` (points,) draw a path
    over the surface, such as a training's.
    """

    values: Floats
    x_values: Floats
    y_values: Floats
    x: Axis
    y: Axis
    value: Axis
    path_x: Floats | None = None
    path_y: Floats | None = None
