"""Which methods of explanation can be trusted on this model and these data?"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from pellucid.analysis.method_ranking_arrays import rank_arrays
from pellucid.analysis.method_ranking_trial import Trial, Tried
from pellucid.analysis.method_ranking_views import ranking_views
from pellucid.analysis.method_ranking_words import headline, summary, table
from pellucid.attribution.faithfulness.measures import check_measures
from pellucid.attribution.registry import PLURALS, Method, find_method
from pellucid.attribution.registry import methods as all_methods
from pellucid.attribution.targets import Target, refuse_unlabelled, true_classes
from pellucid.data import Batches, Data, in_order
from pellucid.data.splits import spread
from pellucid.errors import DataError, MethodError, closest
from pellucid.model import Model
from pellucid.progress import progress
from pellucid.result import Provenance, Result
from pellucid.views import View

RANKED_BY = ("deletion", "insertion", "sensitivity_n", "sparseness", "randomisation")
STOPPED = "stopped"


@dataclass(frozen=True, kw_only=True)
class MethodRanking(Result):
    """Methods ranked on a model and data, with intervals, costs and verdicts, best first.

    An `entry` is a method or a control. `data` holds what was `measured` (measure, entry, sample),
    its `mean` with an interval (`…_low`, `…_high`), the `rank` of each entry on each sample,
    `mean_rank` and the share of comparisons `won` with intervals, the `verdict` in comparison with
    all controls, whether it can be told from the best method (`with_best`), `seconds` and
    passes for one sample, mean curves, and the methods that are not defined here (`refused`).
    """

    kind: ClassVar[str] = "method_ranking"

    def views(self) -> list[View]:
        """Who wins, all figures, the curves, and what is not defined here."""
        return ranking_views(self.data)

    def summary(self) -> str:
        """Say which methods to trust on this model, and which not."""
        return summary(self.data, self.meta.notes)

    def headline(self) -> list[tuple[str, str, str]]:
        """Give the figures to show first: (label, value, detail)."""
        return headline(self.data)

    def table(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        """Give column names, and a row of words for each entry, best first."""
        return table(self.data)

    def to_json(self) -> dict[str, Any]:
        """Give ranks, means, costs and verdicts as JSON values."""
        data = self.data
        return {
            "kind": self.kind,
            "num_samples": data.sizes["sample"],
            "measures": [str(name) for name in data["measure"].values],
            "entries": [_entry_json(data.isel(entry=row)) for row in range(data.sizes["entry"])],
            "refused": {
                str(name): str(reason)
                for name, reason in zip(
                    data["refused"].values, data["refused_reason"].values, strict=True
                )
            },
            "summary": self.summary(),
            "provenance": self.meta.to_json(),
        }


def benchmark_methods(
    model: Model,
    data: Data,
    *,
    methods: Sequence[str] | None = None,
    measures: Sequence[str] = RANKED_BY,
    target: Target = "predicted",
    limit: int | None = 32,
    batch_size: int = 8,
    parameters: Mapping[str, Mapping[str, Any]] | None = None,
    seed: int = 0,
    show: bool | None = None,
) -> MethodRanking:
    """Rank methods of explanation by how faithful their maps are to this model on these data.

    `methods` are all that are defined for the model's kind of input if None. `limit` samples are
    drawn with `seed`, in the proportions of the classes. `target` is "predicted", "true", a label
    or an index. `parameters` are set for single methods or measures:
    ``{"occlusion": {"window": 16}, "deletion": {"steps": 32}}``. Controls are measured in the same
    passes. A method that is not defined here is listed with the reason.

    Ctrl-C keeps the batches that are done; the result's notes say so. Raises SpecError for an
    unknown method, MethodError for an unknown measure or when no method is defined, DataError when
    nothing can be read.
    """
    started = time.perf_counter()
    found = _methods(model, methods)
    settings, own = _settings(parameters or {}, [m.card.name for m in found], measures)
    check_measures(measures, settings)
    for method in found:
        method.card.check_parameters(own.get(method.card.name, {}))
    if not any(check.card.ranks for check in check_measures(measures, settings)):
        raise MethodError(
            f"the measures {list(measures)} do not rank methods; add 'deletion' or 'insertion'."
        )
    chosen = data if limit is None else spread(data, limit, seed)
    trial = Trial(
        model=model,
        methods=list(found),
        parameters=own,
        measures=measures,
        settings=settings,
        batch_size=batch_size,
        seed=seed,
    )
    tried, stopped = _try_all(trial, chosen, _targets(target, chosen, model), show)
    positions = np.concatenate([each.positions for each in tried])
    arrays = rank_arrays(
        tried,
        [method.card for method in trial.methods],
        [chosen.ids[int(position)] for position in positions],
        trial.refused,
        seed,
    )
    meta = Provenance(
        kind=MethodRanking.kind,
        model=model.identity,
        data=chosen.identity,
        method=", ".join(method.card.name for method in trial.methods),
        parameters={
            "measures": list(measures),
            "limit": limit,
            "batch_size": batch_size,
            STOPPED: stopped,
            **{name: _plain(values) for name, values in (parameters or {}).items()},
        },
        target=str(target) if isinstance(target, str | int) else "one class per sample",
        seed=seed,
        seconds=time.perf_counter() - started,
        notes=_notes(len(positions), len(chosen), stopped=stopped),
    )
    return MethodRanking(data=arrays, meta=meta)


def _methods(model: Model, names: Sequence[str] | None) -> list[Method]:
    kind = model.input.kind
    if names is not None:
        found = [find_method(name) for name in dict.fromkeys(names)]
        if not found:
            raise MethodError("no method was given; leave `methods` out to try all.")
        return found
    found = [find_method(card.name) for card in all_methods() if kind in card.kinds]
    if not found:
        raise MethodError(f"no method is installed that is defined for {PLURALS[kind]}.")
    return found


def _settings(
    given: Mapping[str, Mapping[str, Any]], methods: Sequence[str], measures: Sequence[str]
) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    """Split parameters into those of measures and those of methods."""
    for name in given:
        if name not in methods and name not in measures:
            raise MethodError(
                f"parameters for {name!r} were given, but it is neither a method nor a measure "
                f"here. {closest(name, [*methods, *measures])}"
            )
    settings = {name: dict(values) for name, values in given.items() if name in measures}
    return settings, {name: dict(values) for name, values in given.items() if name in methods}


def _targets(target: Target, data: Data, model: Model) -> Callable[[Tensor], Target]:
    """Give the target of each batch, by the positions of its samples."""
    if not (isinstance(target, str) and target == "true"):
        return lambda _: target
    classes = true_classes(data, model)
    refuse_unlabelled(classes, data.ids)
    return lambda positions: torch.from_numpy(classes)[positions]


def _try_all(
    trial: Trial, data: Data, targets: Callable[[Tensor], Target], show: bool | None
) -> tuple[list[Tried], bool]:
    """Try all batches; also says whether Ctrl-C ended it before the last."""
    batches = Batches(data, trial.model.prepare, in_order(len(data), trial.batch_size))
    tried: list[Tried] = []
    total = len(data) * (len(trial.methods) + 1)
    try:
        with progress("Trying methods", total=total, show=show) as advance:
            for batch in batches:
                tried += [trial.run(batch, targets(batch.positions), advance)]
    except KeyboardInterrupt:
        if not tried:
            raise
        return tried, True
    if not tried:
        raise DataError(f"{data.source}: there is no sample that can be read to be explained.")
    return tried, False


def _notes(num_done: int, num_chosen: int, *, stopped: bool) -> tuple[str, ...]:
    if stopped:
        return (f"Stopped by Ctrl-C after {num_done} of {num_chosen} samples.",)
    lost = num_chosen - num_done
    return (f"{lost} of {num_chosen} samples could not be read and were left out.",) if lost else ()


def _entry_json(entry: xr.Dataset) -> dict[str, Any]:
    names = [str(name) for name in entry["measure"].values]
    figures = ("mean_rank", "mean_rank_low", "mean_rank_high", "won", "won_low", "won_high")
    return {
        "name": str(entry["entry"].item()),
        **{name: str(entry[name].item()) for name in ("title", "family", "verdict")},
        "control": bool(entry["is_control"]),
        "with_best": bool(entry["with_best"]),
        **{name: float(entry[name]) for name in figures},
        **{name: _number(entry[name]) for name in ("seconds", "forwards", "backwards")},
        "measures": {
            name: {
                "mean": _number(entry["mean"].values[row]),
                "low": _number(entry["mean_low"].values[row]),
                "high": _number(entry["mean_high"].values[row]),
            }
            for row, name in enumerate(names)
        },
    }


def _number(value: Any) -> float | None:
    number = float(value)
    return number if np.isfinite(number) else None


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: f"tensor of shape {tuple(value.shape)}" if isinstance(value, Tensor) else value
        for name, value in values.items()
    }
