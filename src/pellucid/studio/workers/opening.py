"""Models and data as workers are told to open them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Opening:
    """What `load` is called with. `stamp` changes with the files that the model is read from."""

    spec: str
    weights: Path | None = None
    stamp: str = ""


@dataclass(frozen=True, kw_only=True)
class DataOpening:
    """What `load_data` is called with; `title` is what people know the data by."""

    spec: str
    split: str | None = None
    limit: int | None = None
    title: str = ""
