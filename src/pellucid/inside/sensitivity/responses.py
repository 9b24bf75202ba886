"""A model's answers to one sample under every change and strength."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pellucid.errors import ModelError
from pellucid.inside.sensitivity.changes import Change, State, Subject
from pellucid.model import Model, pieces

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Response:
    """Logits (change, step, class) of the sample at `position`; `original` is its own class.

    Logits at strength 0 are those of the sample as it is. `examples` hold what can be shown of a
    (change, step): pixels or a text.
    """

    position: int
    original: int
    logits: Floats
    examples: dict[tuple[int, int], Any]


def respond(
    model: Model,
    subject: Subject,
    changes: Sequence[Change],
    state: State,
    *,
    sample: str,
    seed: int,
    batch_size: int,
    examples: Sequence[tuple[int, int]],
    position: int,
) -> Response:
    """Run one sample under every change and strength, at most `batch_size` variants at once.

    `examples` are (change, step) of which something to show is kept. Draws depend on `seed`, the
    sample's id and the change alone. Raises ModelError for outputs that are no finite logits.
    """
    base = _run(model, subject, [state], batch_size, sample)[0]
    places = [
        (row, step)
        for row, change in enumerate(changes)
        for step in range(len(change.strengths))
        if step != change.original
    ]
    num_steps = len(changes[0].strengths)
    logits = np.broadcast_to(base, (len(changes), num_steps, len(base))).copy()
    shown = {place: subject.shown(state) for place in examples if place not in places}
    for start in range(0, len(places), batch_size):
        part = places[start : start + batch_size]
        states = [
            changes[row].apply(
                state, float(changes[row].strengths[step]), _draws(seed, sample, changes[row].name)
            )
            for row, step in part
        ]
        for place, values in zip(
            part, _run(model, subject, states, batch_size, sample), strict=True
        ):
            logits[place] = values
        wanted = [(p, s) for p, s in zip(part, states, strict=True) if p in examples]
        shown |= {place: subject.shown(changed) for place, changed in wanted}
    return Response(position=position, original=int(base.argmax()), logits=logits, examples=shown)


def _run(
    model: Model, subject: Subject, states: Sequence[State], batch_size: int, sample: str
) -> list[Floats]:
    """Logits of each state, those of one shape in one pass."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for place, state in enumerate(states):
        groups.setdefault(subject.shape(state), []).append(place)
    found: dict[int, Floats] = {}
    for members in groups.values():
        for start in range(0, len(members), batch_size):
            part = members[start : start + batch_size]
            inputs = subject.inputs([states[place] for place in part])
            logits = torch.cat([model.logits(few) for few in pieces(inputs, model.device)])
            values = _checked(model, logits, len(part), sample)
            found |= dict(zip(part, values, strict=True))
    return [found[place] for place in range(len(states))]


def _checked(model: Model, logits: torch.Tensor, size: int, sample: str) -> Floats:
    if logits.ndim != 2 or len(logits) != size or logits.shape[1] < 2:
        raise ModelError(
            f"{model.source} returned an output of shape {tuple(logits.shape)} for {size} inputs; "
            "expected one row per input with a logit for each of two or more classes. Sensitivity "
            "is defined for classifiers."
        )
    values = logits.double().cpu().numpy()
    if not np.isfinite(values).all():
        raise ModelError(
            f"{model.source} gave outputs that are not finite (NaN or infinity) for {sample!r} or a "
            "changed copy of it. Look for damaged weights with inspect_weights, or run the model "
            "in float32.",
            samples=[sample],
        )
    return np.asarray(values, dtype=np.float64)


def _draws(seed: int, sample: str, change: str) -> np.random.Generator:
    return np.random.default_rng([seed, zlib.crc32(sample.encode()), zlib.crc32(change.encode())])
