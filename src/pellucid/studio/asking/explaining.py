"""Why does a model answer as it does for one input? Maps by several methods, and their trust."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from pellucid.attribution.attribute import Plan, announce, open_call, run
from pellucid.attribution.call import Call
from pellucid.attribution.explanation_arrays import (
    MethodPart,
    Part,
    assemble,
    method_part,
    shown_input,
)
from pellucid.attribution.explanation_views import explanation_views
from pellucid.attribution.faithfulness.measures import (
    QUICK,
    QUICK_CONTROLS,
    QUICK_PARAMETERS,
    Entry,
    Faithfulness,
    explaining,
    measure,
)
from pellucid.attribution.registry import find_method
from pellucid.attribution.targets import Target
from pellucid.data import UNLABELLED, Data
from pellucid.errors import MethodError, PellucidError
from pellucid.progress import progress
from pellucid.studio.asking.inputs import Given
from pellucid.studio.asking.predicting import answer, predictions, prepared
from pellucid.studio.asking.trust import judged
from pellucid.studio.asking.wishes import Wish
from pellucid.studio.workers.opening import Opening
from pellucid.studio.workers.warm import Warm
from pellucid.views.pack import pack

MOST_ROWS = 8  # of one pass


def explain(warm: Warm, *, model: Opening, given: Given, wish: Wish) -> dict[str, Any]:
    """Explain a model's answer for one input; returns what `Why` of the API holds but its id.

    Its views are packed bytes under `packed`. Methods that are not defined here are `refused`
    with the reason.
    """
    started = time.perf_counter()
    opened, inputs = prepared(warm, model, given)
    refused: dict[str, str] = {}
    plans = _plans(wish, refused)
    target: Target = "predicted" if wish.target is None else wish.target
    with open_call(opened, inputs, target, against=wish.against, max_batch=MOST_ROWS) as (call, _):
        logits = call.own_logits[0].float().cpu()
        index = int(call.targets[0])
        seconds = time.perf_counter() - started
        with suppress(PellucidError):  # each method says for itself what is wrong
            announce(call, plans)
        found, entries = _maps(call, plans, refused)
        measured = _measured(call, entries) if wish.faithfulness and entries else None
        part = Part(
            kind=call.kind,
            positions=np.zeros(1, dtype=np.int64),
            logits=call.own_logits.double().cpu().numpy(),
            targets=call.targets.cpu().numpy(),
            shown=shown_input(call),
            methods=tuple(found),
        )
    cards = [find_method(entry.name).card for entry in entries]
    views = explanation_views(assemble([part], cards, _as_data(given), opened)) if found else []
    return {
        "predictions": predictions(opened, logits, seconds),
        "target": answer(opened, logits, index),
        "views": [_summary(i, view, given) for i, view in enumerate(views)],
        "packed": [pack(view, compact=True) for view in views],
        "methods": [entry.name for entry in entries],
        "faithfulness": judged(measured) if measured else [],
        "refused": refused,
        "seconds": time.perf_counter() - started,
    }


def _plans(wish: Wish, refused: dict[str, str]) -> list[Plan]:
    """The methods with their parameters; those that cannot be planned are refused."""
    plans: list[Plan] = []
    for name in dict.fromkeys(wish.methods):
        try:
            method = find_method(name)
            own = dict(wish.parameters.get(name, {}))
            if wish.layer and method.card.accepts("layer"):
                own.setdefault("layer", wish.layer)
            method.card.check_parameters(own)
        except PellucidError as error:
            refused[name] = str(error)
        else:
            plans.append((method, own))
    return plans


def _maps(
    call: Call, plans: Sequence[Plan], refused: dict[str, str]
) -> tuple[list[MethodPart], list[Entry]]:
    found, entries = [], []
    with progress("Explaining", len(plans)) as advance:
        for method, parameters in plans:
            name = method.card.name
            before = call.forwards + call.backwards
            try:
                attribution = run(method, call, parameters)
                passes = call.forwards + call.backwards - before
                found.append(method_part(call, method.card, attribution, passes))
            except PellucidError as error:
                refused[name] = str(error)
            else:
                again = explaining(method, parameters)
                entries.append(Entry(name=name, attribution=attribution, explain=again))
            advance()
    return found, entries


def _measured(call: Call, entries: Sequence[Entry]) -> Faithfulness | None:
    """The quick measures beside quick controls; None where they are not defined."""
    try:
        return measure(call, entries, QUICK, parameters=QUICK_PARAMETERS, controls=QUICK_CONTROLS)
    except MethodError:
        return None


def _as_data(given: Given) -> Data:
    """The one input as data, which names it in what is shown."""
    return Data(
        source="given",
        split="",
        kind=given.kind,
        labels=(),
        ids=(given.title,),
        targets=np.array([UNLABELLED]),
        read=lambda _: given.text,
    )


def _summary(index: int, view: Any, given: Given) -> dict[str, Any]:
    return {
        "index": index,
        "kind": type(view).__name__,
        "title": view.title,
        "caption": view.caption,
        "samples": [given.title],
    }
