"""Why does the model answer as it does? Explanations of raw samples, batch by batch."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr
from PIL import Image
from torch import Tensor

from pellucid.attribution.attribute import announce, open_call, run
from pellucid.attribution.baselines import Baseline
from pellucid.attribution.call import Call
from pellucid.attribution.explanation import Explanation
from pellucid.attribution.explanation_arrays import Part, assemble, method_part, shown_input
from pellucid.attribution.faithfulness.measures import (
    LOCALISATION,
    QUICK,
    QUICK_CONTROLS,
    QUICK_PARAMETERS,
    Entry,
    Faithfulness,
    explaining,
    find_measures,
    joined,
    measure,
)
from pellucid.attribution.faithfulness.shown import faithfulness_arrays
from pellucid.attribution.registry import PLURALS, Method, find_method
from pellucid.attribution.targets import ClassTarget, Target, refuse_unlabelled, true_classes
from pellucid.data import Batch, Batches, Data, in_order
from pellucid.data.pictures import read_picture
from pellucid.data.splits import spread
from pellucid.data.wrapped import wrap_data
from pellucid.errors import DataError, MethodError, closest
from pellucid.model import Model
from pellucid.progress import progress
from pellucid.result import Provenance


def explain(
    model: Model,
    data: Any,
    *,
    methods: str | Sequence[str] = ("grad_cam",),
    target: Target = "predicted",
    against: ClassTarget | None = None,
    limit: int | None = None,
    batch_size: int = 8,
    layer: str | None = None,
    baseline: Baseline = None,
    parameters: Mapping[str, Mapping[str, Any]] | None = None,
    faithfulness: bool | Sequence[str] = True,
    masks: Tensor | None = None,
    show: bool | None = None,
    seed: int = 0,
) -> Explanation:
    """Show which parts of each sample speak for a class, by one or several methods.

    `data` is Data, or raw samples: a picture (or its path), a text, an array, or a list of them.
    `target` is "predicted", "true", a label, an index, one index per sample, or a callable; its logit is
    explained, less that of `against`, another class. `limit` draws so many samples with `seed`, in the proportions of the classes.
    `batch_size` also bounds the rows of one pass. `layer` and `baseline` go to the methods that
    take them, `parameters` to single methods: ``{"occlusion": {"window": 16}}``. `faithfulness`
    measures how far each map can be trusted, beside controls: in few steps by default, by the
    measures that are named, or not at all if False. `masks` (samples, y, x) tell where the objects
    are, in the pixels that the model sees (`boxes_to_masks` makes them of boxes); then localisation
    is measured too.

    Samples that cannot be read are left out; the explanation's notes count them. All maps are
    kept in memory as float32. Raises SpecError for an unknown method, MethodError for one that is
    not defined for the model's kind of input or a "true" target without labels, DataError when
    nothing can be read.
    """
    started = time.perf_counter()
    check = _Check(faithfulness, seed, masks)
    plans = _plans(methods, {"layer": layer, "baseline": baseline}, parameters or {})
    chosen = data if isinstance(data, Data) else _given(model, data)
    chosen = chosen if limit is None else spread(chosen, limit, seed)
    _check_kind(model, chosen, plans)
    targets = _targets(target, chosen, model)
    check.fits(len(chosen))
    batches = Batches(chosen, model.prepare, in_order(len(chosen), batch_size))
    parts = []
    with progress("Explaining", total=len(chosen), show=show) as advance:
        for batch in batches:
            aim = targets(batch.positions), against
            parts.append(_explain_batch(model, batch, plans, aim, batch_size, check))
            advance(len(batch.positions))
    if not parts:
        raise DataError(f"{chosen.source}: there is no sample that can be read to be explained.")
    arrays = assemble(parts, [plan.method.card for plan in plans], chosen, model)
    arrays = arrays.assign(check.arrays())
    meta = Provenance(
        kind=Explanation.kind,
        model=model.identity,
        data=chosen.identity,
        method=", ".join(plan.method.card.name for plan in plans),
        parameters={"batch_size": batch_size, "limit": limit} | _record(plans),
        target=_told(target, against),
        seed=seed,
        seconds=time.perf_counter() - started,
        notes=_notes(arrays, plans, len(chosen)) + check.notes(),
    )
    return Explanation(data=arrays, meta=meta)


@dataclass(frozen=True)
class _Plan:
    """A method with its parameters; a layer that it finds is kept for the next batches."""

    method: Method
    parameters: dict[str, Any]


class _Check:
    """Measures the maps of one batch after the other; by default only where that is defined."""

    def __init__(self, wanted: bool | Sequence[str], seed: int, masks: Tensor | None) -> None:
        self._by_default = wanted is True
        self._masks = masks
        usual = QUICK if masks is None else (*QUICK, *LOCALISATION)
        self._names = usual if wanted is True else tuple(wanted or ())
        find_measures(self._names)
        self._seed = seed
        self._parts: list[Faithfulness] = []
        self._problem = ""

    def fits(self, size: int) -> None:
        """Raise MethodError unless there is a mask for each of so many samples."""
        if self._masks is not None and (self._masks.ndim < 2 or len(self._masks) != size):
            raise MethodError(
                f"masks of shape {tuple(self._masks.shape)} were given for {size} samples; expected "
                f"({size}, y, x), one for each sample that is explained."
            )

    def add(self, call: Call, entries: Sequence[Entry], positions: Tensor) -> None:
        """Measure the maps of a batch. Raises MethodError for measures that were asked for."""
        if not self._names or self._problem:
            return
        quick: dict[str, Any] = {"parameters": QUICK_PARAMETERS, "controls": QUICK_CONTROLS}
        options = quick if self._by_default else {}
        if self._masks is not None:
            options = options | {"masks": self._masks[positions].flatten(1) > 0}
        try:
            self._parts.append(measure(call, entries, self._names, seed=self._seed, **options))
        except MethodError as error:
            if not self._by_default:
                raise
            self._problem = str(error)

    def arrays(self) -> dict[str, Any]:
        """Variables of what was measured; none where that is not defined for all batches."""
        if not self._parts or self._problem:
            return {}
        return faithfulness_arrays(joined(self._parts))

    def notes(self) -> tuple[str, ...]:
        return (f"How faithful the maps are was not measured: {self._problem}",) * bool(
            self._problem
        )


def _plans(
    methods: str | Sequence[str],
    common: Mapping[str, Any],
    parameters: Mapping[str, Mapping[str, Any]],
) -> list[_Plan]:
    """Find the methods and check their parameters, before anything is computed."""
    names = list(dict.fromkeys([methods] if isinstance(methods, str) else methods))
    if not names:
        raise MethodError("no method was given; expected at least one, such as 'grad_cam'.")
    for name in parameters:
        if name not in names:
            raise MethodError(
                f"parameters for {name!r} were given, but not that method. {closest(name, names)}"
            )
    found = [find_method(name) for name in names]
    given = {name: value for name, value in common.items() if value is not None}
    for name in given:
        if not any(method.card.accepts(name) for method in found):
            raise MethodError(f"none of the methods {names} takes a {name}. Leave it out.")
    plans = []
    for method in found:
        own = parameters.get(method.card.name, {})
        fitting = {name: value for name, value in given.items() if method.card.accepts(name)}
        plans.append(_Plan(method, fitting | dict(own)))
        method.card.check_parameters(plans[-1].parameters)
    return plans


def _given(model: Model, raws: Any) -> Data:
    """Make Data of raw samples: one, a list of them, or an array with one more dimension."""
    kind = model.input.kind
    single = isinstance(raws, str | os.PathLike | Image.Image)
    if isinstance(raws, np.ndarray | Tensor):
        most = {"image": 3, "text": 0, "array": len(getattr(model.input, "shape", None) or (0,))}
        single = raws.ndim <= most[kind]
    samples = [raws] if single else list(raws)
    if not samples:
        raise DataError("no samples were given; expected at least one.")
    if kind != "image":
        return wrap_data(samples, kind=kind, name="given")
    made = wrap_data([_picture(sample) for sample in samples], kind=kind, name="given")
    names = [
        str(sample) if isinstance(sample, str | os.PathLike) else name
        for sample, name in zip(samples, made.ids, strict=False)
    ]
    return replace(made, ids=tuple(names)) if len(set(names)) == len(made) else made


def _picture(sample: Any) -> Any:
    if not isinstance(sample, str | os.PathLike):
        return sample
    path = Path(sample).expanduser()
    if not path.is_file():
        raise DataError(f"{path} is no file; expected a picture, its path, or Data.")
    return read_picture(path, str(path))


def _check_kind(model: Model, data: Data, plans: Sequence[_Plan]) -> None:
    takes = model.input.kind
    if (takes == "text") != (data.kind == "text"):
        raise DataError(
            f"{data.source} holds {PLURALS[data.kind]}, but {model.source} takes {PLURALS[takes]}. "
            "Use data of the model's kind."
        )
    for plan in plans:
        if takes != "array":  # arrays of four dimensions count as pictures, which shows later
            plan.method.card.check_kind(takes)


def _targets(target: Target, data: Data, model: Model) -> Callable[[Tensor], Target]:
    """Give the target of each batch, by the positions of its samples."""
    if isinstance(target, str) and target == "true":
        classes = true_classes(data, model)
        refuse_unlabelled(classes, data.ids)
        return lambda positions: torch.from_numpy(classes)[positions]
    if isinstance(target, str | int) or callable(target):
        return lambda _: target
    indices = torch.as_tensor(target)
    if len(indices) != len(data):
        raise MethodError(
            f"{len(indices)} targets were given for {len(data)} samples; expected one for each."
        )
    return lambda positions: indices[positions]


def _explain_batch(
    model: Model,
    batch: Batch,
    plans: Sequence[_Plan],
    aim: tuple[Target, ClassTarget | None],
    batch_size: int,
    check: _Check,
) -> Part:
    found, entries = [], []
    target, against = aim
    opened = open_call(model, batch.inputs, target, against=against, max_batch=batch_size)
    with opened as (call, _):
        announce(call, [(plan.method, plan.parameters) for plan in plans])
        for plan in plans:
            before = call.forwards + call.backwards
            attribution = run(plan.method, call, plan.parameters)
            passes = call.forwards + call.backwards - before
            found.append(method_part(call, plan.method.card, attribution, passes))
            again = explaining(plan.method, plan.parameters)
            entries.append(
                Entry(name=plan.method.card.name, attribution=attribution, explain=again)
            )
            if attribution.layer:
                plan.parameters["layer"] = attribution.layer
        check.add(call, entries, batch.positions)
        return Part(
            kind=call.kind,
            positions=batch.positions.numpy(),
            logits=call.own_logits.double().cpu().numpy(),
            targets=call.targets.cpu().numpy(),
            shown=shown_input(call),
            methods=tuple(found),
        )


def _told(target: Target, against: ClassTarget | None) -> str:
    if callable(target):
        return f"the callable {getattr(target, '__name__', type(target).__name__)}"
    told = str(target) if isinstance(target, str | int) else "one class per sample"
    return told if against is None else f"{told} against {against}"


def _record(plans: Sequence[_Plan]) -> dict[str, Any]:
    """All parameters of the methods, defaults included, as JSON values."""
    return {
        plan.method.card.name: {
            known.name: _plain(plan.parameters.get(known.name, known.default))
            for known in plan.method.card.parameters
        }
        for plan in plans
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.item() if value.ndim == 0 else f"tensor of shape {tuple(value.shape)}"
    return list(value) if isinstance(value, tuple) else value


def _notes(arrays: xr.Dataset, plans: Sequence[_Plan], num_chosen: int) -> tuple[str, ...]:
    notes = []
    lost = num_chosen - arrays.sizes["sample"]
    if lost:
        notes.append(f"{lost} of {num_chosen} samples could not be read and were left out.")
    for row, plan in enumerate(plans):
        defaults = {known.name: known.default for known in plan.method.card.parameters}
        tolerance = (defaults | plan.parameters).get("tolerance")
        error = arrays["completeness_error"].values[row]
        if tolerance is not None and (error > tolerance).any():
            notes.append(
                f"{plan.method.card.title}: for {(error > tolerance).sum()} of {len(error)} samples "
                f"the parts do not add up to the whole within {tolerance:.0%} (worst: "
                f"{error.max():.0%}). Allow more steps."
            )
    return tuple(notes)
