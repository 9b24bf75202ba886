"""Look inside a model: structure, weights, activations, gradients, sensitivity, features."""

from __future__ import annotations

import importlib
import inspect as signatures
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pellucid.data import Data
from pellucid.data.source import load_data
from pellucid.data.splits import spread
from pellucid.errors import PellucidError, SpecError, closest
from pellucid.model import Model
from pellucid.result import DataIdentity, ModelIdentity, Provenance, Result
from pellucid.result.inspection import Inspection
from pellucid.result.store import open_result
from pellucid.training.network import example_inputs

Settings = Mapping[str, Mapping[str, Any]]
ASKED = "asked"  # among a part's parameters: all that it was made from


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
    look = _Look(
        model=model,
        data=samples,
        model_identity=model.identity,
        data_identity=samples.identity if samples is not None else None,
        shared={"layers": layers, "seed": seed, "show": show},
        settings=settings or {},
        folder=Path(out).expanduser() if out else None,
    )
    for name in look.settings:
        _check_settings(name, look.settings[name])
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


@dataclass(frozen=True, kw_only=True)
class _Look:
    """What all parts share, and the folder that takes each as soon as it is done.

    The identities are hashes over all weights, and all samples, so they are made once.
    """

    model: Model
    data: Data | None
    model_identity: ModelIdentity
    data_identity: DataIdentity | None
    shared: Mapping[str, Any]
    settings: Settings
    folder: Path | None

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
        asked = self._asked(options)
        place = self.folder / f"{name}.zarr" if self.folder else None
        if place and place.exists():
            kept = open_result(place)
            if kept.meta.parameters.get(ASKED) == asked:
                return kept
        result = take(self.model, *self._inputs(name, part), **options)
        parameters = result.meta.parameters | {ASKED: asked}
        result = replace(result, meta=replace(result.meta, parameters=parameters))
        if place:
            result.save(place)
        return result

    def record(self, inspection: Inspection) -> None:
        """Write down what is done so far."""
        if self.folder:
            inspection.save_record(self.folder)

    def _inputs(self, name: str, part: Part) -> tuple[Any, ...]:
        if name == "structure":
            return () if self.data is None else (example_inputs(self.model, _two(self.data)),)
        return (self.data,) if part.takes_data else ()

    def _options(self, name: str, take: Callable[..., Result]) -> dict[str, Any]:
        """Options that the part's function has: what is shared by all, and its own settings."""
        known = _options_of(take)
        own = self.settings.get(name, {})
        return {key: value for key, value in self.shared.items() if key in known} | dict(own)

    def _asked(self, options: Mapping[str, Any]) -> Any:
        """What is asked for, as the JSON values that a file gives back."""
        asked = {key: value for key, value in options.items() if key != "show"}
        data = asdict(self.data_identity) if self.data_identity is not None else None
        whole = {"model": asdict(self.model_identity), "data": data, "options": asked}
        return json.loads(json.dumps(whole, default=str))


def _options_of(take: Callable[..., Result]) -> list[str]:
    parameters = signatures.signature(take).parameters.values()
    return [each.name for each in parameters if each.kind is each.KEYWORD_ONLY]


def _check_settings(part: str, settings: Mapping[str, Any]) -> None:
    known = _options_of(PARTS[part].find())
    for setting in settings:
        if setting not in known:
            raise SpecError(f"{part} has no setting {setting!r}. {closest(setting, known)}")


def _two(data: Data) -> Data:
    """Data of at least two samples, which a trace takes; a single one is repeated."""
    return data if len(data) > 1 else data.subset([0, 0])


def _meta(look: _Look, parts: Sequence[str], started: float) -> Provenance:
    asked = {name: value for name, value in look.shared.items() if name != "show"}
    return Provenance(
        kind=Inspection.kind,
        model=look.model_identity,
        data=look.data_identity,
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
