"""All measures by name, and measuring several maps of the same samples at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from jaxtyping import Bool
from numpy.typing import NDArray
from torch import Tensor

from pellucid.attribution.attribute import run
from pellucid.attribution.call import Attribution, Call
from pellucid.attribution.faithfulness.controls import CONTROLS, control_maps
from pellucid.attribution.faithfulness.curves import deletion, insertion
from pellucid.attribution.faithfulness.infidelity import infidelity
from pellucid.attribution.faithfulness.localisation import mass_inside, pointing_game
from pellucid.attribution.faithfulness.randomisation import randomisation
from pellucid.attribution.faithfulness.sensitivity import max_sensitivity, sensitivity_n
from pellucid.attribution.faithfulness.sparseness import sparseness
from pellucid.attribution.faithfulness.subject import Explain, Measure, Subject, positions
from pellucid.attribution.registry import Method
from pellucid.errors import MethodError, closest

QUICK = ("deletion", "insertion", "sparseness")
LOCALISATION = ("pointing_game", "mass_inside")
QUICK_PARAMETERS: Mapping[str, Mapping[str, Any]] = {
    "deletion": {"steps": 8},
    "insertion": {"steps": 8},
}
QUICK_CONTROLS = ("random", "constant")
MEASURES: dict[str, Measure] = {
    measure.card.name: measure
    for measure in cast(
        "tuple[Measure, ...]",
        (
            deletion,
            insertion,
            sensitivity_n,
            infidelity,
            max_sensitivity,
            sparseness,
            randomisation,
            pointing_game,
            mass_inside,
        ),
    )
}
Arrays = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A map to be measured, and how to make it again; `explain` is None if that is not known."""

    name: str
    attribution: Attribution
    explain: Explain | None = None


@dataclass(frozen=True, kw_only=True)
class Faithfulness:
    """Of each measure, `values[name]` (rows, n), NaN where not defined; rows are the entries, then
    the controls. `curves[name]` (rows, n, points) for measures with a curve.
    """

    entries: tuple[str, ...]
    controls: tuple[str, ...]
    values: dict[str, Arrays]
    curves: dict[str, Arrays]


def find_measures(names: Sequence[str]) -> list[Measure]:
    """Find measures by name. Raises MethodError for an unknown one, with the nearest names."""
    for name in names:
        if name not in MEASURES:
            raise MethodError(f"measure {name!r} is not known. {closest(name, MEASURES)}")
    return [MEASURES[name] for name in dict.fromkeys(names)]


def check_measures(
    names: Sequence[str], parameters: Mapping[str, Mapping[str, Any]]
) -> list[Measure]:
    """Find measures and check what is set for them, before anything is computed."""
    found = find_measures(names)
    for name in parameters:
        if name not in names:
            raise MethodError(
                f"parameters for measure {name!r} were given, but it is not asked for. "
                f"{closest(name, names)}"
            )
    for measure in found:
        measure.card.check_parameters(dict(parameters.get(measure.card.name, {})))
    return found


def measure(
    call: Call,
    entries: Sequence[Entry],
    measures: Sequence[str] = QUICK,
    *,
    parameters: Mapping[str, Mapping[str, Any]] | None = None,
    controls: Sequence[str] | None = None,
    masks: Bool[Tensor, "n positions"] | None = None,
    seed: int = 0,
) -> Faithfulness:
    """How faithful are maps of the samples of a call, in comparison with controls?

    `parameters` are set for single measures: ``{"deletion": {"steps": 8}}``. `controls` are all
    that the kind of input has if None. `masks` tell where the objects are. All maps of a sample
    are measured on the same hidden parts. Raises MethodError for unknown names or bad parameters.
    """
    given = parameters or {}
    found = check_measures(measures, given)
    names = tuple(CONTROLS[call.kind] if controls is None else controls)
    own = [positions(call, entry.attribution).to(call.explained.device) for entry in entries]
    subject = Subject(
        call=call,
        maps=torch.stack(own),
        explain=tuple(entry.explain for entry in entries) + (None,) * len(names),
        seed=seed,
        masks=masks,
    )
    maps = torch.cat([subject.maps, control_maps(call, names, subject.generators())])
    subject = Subject(call=call, maps=maps, explain=subject.explain, seed=seed, masks=masks)
    results = {each.card.name: each(subject, **given.get(each.card.name, {})) for each in found}
    return Faithfulness(
        entries=tuple(entry.name for entry in entries),
        controls=names,
        values={name: _plain(result.values) for name, result in results.items()},
        curves={
            name: _plain(result.curves)
            for name, result in results.items()
            if result.curves is not None
        },
    )


def joined(parts: Sequence[Faithfulness]) -> Faithfulness:
    """Put the samples of several batches, measured alike, behind each other."""
    first = parts[0]
    return Faithfulness(
        entries=first.entries,
        controls=first.controls,
        values={k: np.concatenate([part.values[k] for part in parts], 1) for k in first.values},
        curves={k: np.concatenate([part.curves[k] for part in parts], 1) for k in first.curves},
    )


def explaining(method: Method, parameters: Mapping[str, Any]) -> Callable[[Call], Attribution]:
    """Make the function that explains another call as this method did the first."""
    return lambda call: run(method, call, parameters)


def _plain(tensor: Tensor) -> Arrays:
    return tensor.detach().float().cpu().numpy()
