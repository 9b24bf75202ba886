"""Where a result comes from: enough to make it again."""

from __future__ import annotations

import functools
import platform
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import PurePath
from typing import Any

RECORDED_PACKAGES = ("pellucid", "torch", "torchvision", "timm", "transformers", "numpy")


@dataclass(frozen=True, kw_only=True)
class ModelIdentity:
    """A model's spec, the SHA-256 of its weights, and the run it came from, if any."""

    source: str
    weights: str
    run: str = ""


@dataclass(frozen=True, kw_only=True)
class DataIdentity:
    """A data set's spec and split, how many samples were used, and a hash of their ids."""

    source: str
    split: str
    num_samples: int
    samples: str


def called(source: str) -> str:
    """What to call a model by its source: ``run:/where/it/lies/digits`` is "run:digits"."""
    scheme, _, place = source.partition(":")
    return f"run:{PurePath(place).name}" if scheme == "run" else source


@functools.cache
def package_versions() -> dict[str, str]:
    """Versions of Python and of the packages that a result can depend on."""
    found = {"python": platform.python_version()}
    for package in RECORDED_PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """What was done, to what, with what; `parameters` holds only JSON values."""

    kind: str
    model: ModelIdentity | None = None
    data: DataIdentity | None = None
    method: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    target: str = ""
    seed: int | None = None
    seconds: float | None = None
    notes: tuple[str, ...] = ()
    versions: dict[str, str] = field(default_factory=package_versions)
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"notes": list(self.notes)}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Provenance:
        known = {name: record[name] for name in cls.__dataclass_fields__ if name in record}
        known["notes"] = tuple(known.get("notes", ()))
        if known.get("model"):
            known["model"] = ModelIdentity(**known["model"])
        if known.get("data"):
            known["data"] = DataIdentity(**known["data"])
        return cls(**known)
