"""The labelled arrays of a model's sensitivity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from pellucid.analysis.intervals import wilson
from pellucid.inside.sensitivity.changes import Change
from pellucid.inside.sensitivity.curves import area, bootstrap, first_changes, half_strength
from pellucid.inside.sensitivity.responses import Response

MOST_EXAMPLES = 2  # samples that are shown
STEPS_SHOWN = 4


def example_places(changes: Sequence[Change]) -> list[tuple[int, int]]:
    """Which (change, step) to show: the original once, and some strengths of each change."""
    places = [(0, changes[0].original)]
    for row, change in enumerate(changes):
        others = [s for s in range(len(change.strengths)) if s != change.original]
        steps = np.round(np.linspace(-1, len(others) - 1, STEPS_SHOWN + 1)[1:]).astype(int)
        if change.original:
            steps = np.round(np.linspace(0, len(others) - 1, STEPS_SHOWN)).astype(int)
        places += [(row, others[step]) for step in dict.fromkeys(steps.tolist())]
    return places


def sensitivity_arrays(
    responses: Sequence[Response],
    changes: Sequence[Change],
    *,
    sample_ids: Sequence[str],
    labels: Sequence[str],
    seed: int,
) -> xr.Dataset:
    """Arrange responses as (change, step, sample), with means and bands over samples."""
    logits = np.stack([response.logits for response in responses], axis=2)
    original = np.array([response.original for response in responses], dtype=np.int64)
    rows = np.arange(len(original))
    probability = _softmax(logits)[:, :, rows, original]
    predicted = logits.argmax(-1)
    own = logits[:, :, rows, original]
    unchanged = predicted == original
    strengths = np.stack([change.strengths for change in changes])
    dims = ("change", "step", "sample")
    variables: dict[str, Any] = {
        "strength": (("change", "step"), strengths, {"long_name": "in the unit of the change"}),
        "unit": ("change", _words([change.unit for change in changes])),
        "about": ("change", _words([change.about for change in changes])),
        "short": ("change", _words([change.short for change in changes])),
        "sample_id": ("sample", _words(sample_ids)),
        "original": ("sample", original),
        "original_label": ("sample", _words([_label(labels, index) for index in original])),
        "probability": (dims, probability, {"long_name": "of the original prediction"}),
        "logit": (dims, own, {"long_name": "of the original prediction"}),
        "predicted": (dims, predicted),
        "unchanged": (dims, unchanged),
        **_bands("mean_probability", probability, seed),
        **_bands("mean_logit", own, seed),
        **_shares(unchanged),
        **_by_change(strengths, probability, unchanged, seed),
        **_examples(responses),
    }
    return xr.Dataset(variables, coords={"change": _words([change.name for change in changes])})


def _bands(name: str, values: NDArray[np.float64], seed: int) -> dict[str, Any]:
    low, high = bootstrap(values, seed)
    dims = ("change", "step")
    mean = values.mean(-1)
    return {name: (dims, mean), f"{name}_low": (dims, low), f"{name}_high": (dims, high)}


def _shares(unchanged: NDArray[np.bool_]) -> dict[str, Any]:
    count, total = unchanged.sum(-1), unchanged.shape[-1]
    low, high = wilson(count, np.full(count.shape, total))
    dims = ("change", "step")
    return {
        "share_unchanged": (dims, count / total),
        "share_unchanged_low": (dims, low),
        "share_unchanged_high": (dims, high),
    }


def _by_change(
    strengths: NDArray[np.float64],
    probability: NDArray[np.float64],
    unchanged: NDArray[np.bool_],
    seed: int,
) -> dict[str, Any]:
    kept = np.stack([area(s, p) for s, p in zip(strengths, probability, strict=True)])
    low, high = bootstrap(kept, seed)
    shares = unchanged.mean(-1)
    halves = [half_strength(s, share) for s, share in zip(strengths, shares, strict=True)]
    firsts = [first_changes(s, u) for s, u in zip(strengths, unchanged, strict=True)]
    return {
        "kept": (("change", "sample"), kept, {"long_name": "mean probability over the range"}),
        "mean_kept": ("change", kept.mean(-1)),
        "mean_kept_low": ("change", low),
        "mean_kept_high": ("change", high),
        "half_strength": ("change", np.array(halves)),
        "first_change": (("change", "sample"), np.stack(firsts)),
    }


def _examples(responses: Sequence[Response]) -> dict[str, Any]:
    """What is shown of the first samples: pictures of one size each, or texts."""
    found = [
        (sample, *place, response.examples[place])
        for sample, response in enumerate(responses[:MOST_EXAMPLES])
        for place in sorted(response.examples)
        if response.examples[place] is not None
    ]
    places = np.array([entry[:3] for entry in found], dtype=np.int64).reshape(-1, 3)
    variables: dict[str, Any] = {
        "example_sample": ("example", places[:, 0]),
        "example_change": ("example", places[:, 1]),
        "example_step": ("example", places[:, 2]),
    }
    shown = [entry[3] for entry in found]
    if shown and isinstance(shown[0], str):
        variables["example_text"] = ("example", _words(shown))
    elif shown:
        variables["example_picture"] = (("example", "y", "x", "channel"), np.stack(shown))
    return variables


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    raised = np.exp(logits - logits.max(-1, keepdims=True))
    return np.asarray(raised / raised.sum(-1, keepdims=True))


def _label(labels: Sequence[str], index: int) -> str:
    return labels[index] if index < len(labels) else f"class {index}"


def _words(words: Sequence[str]) -> NDArray[np.str_]:
    return np.array(words, dtype=np.str_)
