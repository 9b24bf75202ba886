"""Look inside a model: structure, weights, activations, gradients, sensitivity, features."""

from __future__ import annotations

import importlib
import inspect as signatures
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pellucid.data import Data
from pellucid.data.source import load_data
from pellucid.data.splits import spread
from pellucid.errors import PellucidError, SpecError, closest
from pellucid.model import Model
from pellucid.result import Provenance, Result
from pellucid.result.inspection import RECORD, Inspection
from pellucid.result.store import open_result
from pellucid.training.network import example_inputs

Settings = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Part:
    """One look inside: the function that takes it, and whether it takes and needs data."""

    home: str
    takes_data: bool = False
    needs_data: bool = False

    def find(self) -> Callable[..., Result]:
        """Import the function."""
        module, _, name = self.home.partition(":")
        found: Callable[..., Result] = getattr(importlib.import_module(module), name)
        return found


PARTS = {
    "structure": Part("pellucid.inside.structure:inspect_structure"),
    "weights": Part("pellucid.inside.weights:inspect_weights"),
    "activations": Part("pellucid.inside.activations:inspect_activations", True, True),
    "gradients": Part("pellucid.inside.gradients:inspect_gradients", True, True),
    "sensitivity": Part("pellucid.inside.sensitivity:inspect_sensitivity", True, True),
    "features": Part("pellucid.inside.features:inspect_features", True),
    "units": Part("pellucid.inside.features:inspect_units", True, True),
}


def inspect(
    model: Model,
    data: Data | str | None = None,
    *,
    parts: Sequence[str] | None = None,
    layers: str | Sequence[str] | None = None,
    limit: int = 64,
    seed: int = 0,
    settings: Settings | None = None,
    out: str | Path | None = None,
    show: bool | None = None,
) -> Inspection:
    """Look inside a model, on its own or with data.

    `parts` are among structure, weights, activations, gradients, sensitivity, features and units;
    by default all that are defined for the model, and the inspection tells why others were left out.
    `layers` are names, shorthands, globs or kinds, for the parts that look at layers. `limit` is
    the number of samples of `data` that are looked at, of all classes, drawn with `seed`.
    `settings` go to single parts: ``{"activations": {"top": 4}}``. With `out`, a folder, each part
    is saved as soon as it is done, and one that lies there with the same settings is used again.

    Raises SpecError for an unknown part or setting, and what a part raises that was asked for by
    name.

    >>> pellucid.inspect(model, "bundled:photos")["weights"].plot()  # doctest: +SKIP
    """
    started = time.perf_counter()
    chosen = _chosen(parts, settings or {})
    samples = load_data(data) if isinstance(data, str) else data
    samples = spread(samples, limit, seed) if samples is not None else None
    shared = {"layers": layers, "seed": seed, "show": show}
    look = _Look(model, samples, shared, settings or {}, Path(out).expanduser() if out else None)
    found: dict[str, Result] = {}
    left_out: dict[str, str] = {}
    for name in chosen:
        try:
            found[name] = look.at(name)
        except PellucidError as error:
            if parts is not None:
                raise
            left_out[name] = str(error)
        inspection = Inspection(parts=found, meta=_meta(look, chosen, started), left_out=left_out)
        look.record(inspection)
    return inspection


@dataclass(frozen=True)
class _Look:
    """What all parts share, and the folder that takes each as soon as it is done."""

    model: Model
    data: Data | None
    shared: Mapping[str, Any]
    settings: Settings
    folder: Path | None
    requests: dict[str, Any] = field(default_factory=dict)

    def at(self, name: str) -> Result:
        """Take one part, or what lies in the folder from the same request."""
        part = PARTS[name]
        if part.needs_data and self.data is None:
            raise SpecError(
                "this part is seen on data, and none was given. Pass data, as in "
                "pellucid.inspect(model, 'folder:DIR'), or --data on the command line."
            )
        take = part.find()
        options = self._options(name, take)
        self.requests[name] = self._request(options)
        place = self.folder / f"{name}.zarr" if self.folder else None
        if place and place.exists() and _asked(place.parent, name) == self.requests[name]:
            return open_result(place)
        result = take(self.model, *self._inputs(name, part), **options)
        if place:
            result.save(place)
        return result

    def record(self, inspection: Inspection) -> None:
        """Write down what is done so far."""
        if self.folder:
            inspection.save_record(self.folder, self.requests)

    def _inputs(self, name: str, part: Part) -> tuple[Any, ...]:
        if name == "structure":
            return () if self.data is None else (example_inputs(self.model, _two(self.data)),)
        return (self.data,) if part.takes_data else ()

    def _options(self, name: str, take: Callable[..., Result]) -> dict[str, Any]:
        """Options that the part's function has: what is shared by all, and its own settings."""
        known = [
            parameter.name
            for parameter in signatures.signature(take).parameters.values()
            if parameter.kind is parameter.KEYWORD_ONLY
        ]
        own = self.settings.get(name, {})
        for setting in own:
            if setting not in known:
                raise SpecError(f"{name} has no setting {setting!r}. {closest(setting, known)}")
        return {key: value for key, value in self.shared.items() if key in known} | dict(own)

    def _request(self, options: Mapping[str, Any]) -> Any:
        """What is asked for, as the JSON values that a file gives back."""
        asked = {key: value for key, value in options.items() if key != "show"}
        data = asdict(self.data.identity) if self.data is not None else None
        whole = {"model": asdict(self.model.identity), "data": data, "options": asked}
        return json.loads(json.dumps(whole, default=str))


def _two(data: Data) -> Data:
    """Data of at least two samples, which a trace takes; a single one is repeated."""
    return data if len(data) > 1 else data.subset([0, 0])


def _asked(folder: Path, name: str) -> Any:
    """What was asked for when a part in a folder was made; None if that is not known."""
    try:
        return json.loads((folder / RECORD).read_text("utf-8"))["parts"][name]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _meta(look: _Look, parts: Sequence[str], started: float) -> Provenance:
    asked = {name: value for name, value in look.shared.items() if name != "show"}
    return Provenance(
        kind=Inspection.kind,
        model=look.model.identity,
        data=look.data.identity if look.data is not None else None,
        parameters={"parts": list(parts), "settings": _plain(look.settings)} | asked,
        seed=asked["seed"],
        seconds=time.perf_counter() - started,
    )


def _plain(settings: Settings) -> Any:
    return json.loads(json.dumps({k: dict(v) for k, v in settings.items()}, default=str))


def _chosen(parts: Sequence[str] | None, settings: Settings) -> tuple[str, ...]:
    named = tuple(parts) if parts is not None else tuple(PARTS)
    for name in (*named, *settings):
        if name not in PARTS:
            raise SpecError(f"there is no part {name!r} of a model. {closest(name, PARTS)}")
    if not named:
        raise SpecError(f"no part was named; expected some of {', '.join(PARTS)}.")
    return named
