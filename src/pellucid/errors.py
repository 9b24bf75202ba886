"""Every error Pellucid raises on purpose.

    PellucidError
    ├── SpecError            a spec or an option that cannot be understood
    ├── MissingDependency    an optional package that is not installed
    ├── ModelError           a model that cannot be opened or used
    │   ├── WeightsError     weights that do not fit the architecture
    │   ├── UntrustedError   something that would run code without `trust`
    │   └── LayerError       a layer that does not exist or does not fit
    ├── DataError            data that cannot be used
    │   └── UnreadableSample one sample that cannot be read
    ├── TrainingError        a training that cannot start or go on
    ├── MethodError          an attribution that is not defined here
    │   └── NoGradientError  a model that cannot be differentiated
    ├── ResultError          a saved result that cannot be opened
    └── WorkerError          work in another process that failed unexpectedly
        └── WorkerLost       its process ended: it was killed, or out of memory

A message says what was received, what was expected, and what to do next.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any


class PellucidError(Exception):
    """Base of all errors of this package; `to_json` gives the one shape that machines read."""

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.details = details

    def to_json(self) -> dict[str, Any]:
        return {"error": {"type": type(self).__name__, "message": str(self), **self.details}}


class SpecError(PellucidError):
    """A spec or an option that cannot be understood."""


class MissingDependency(PellucidError):
    """An optional package that is not installed."""


class ModelError(PellucidError):
    """A model that cannot be opened or used."""


class WeightsError(ModelError):
    """Weights that do not fit the architecture, or cannot be read."""


class UntrustedError(ModelError):
    """Something that would run code from elsewhere without `trust`."""


class LayerError(ModelError):
    """A layer that does not exist, or does not fit what is asked of it."""


class DataError(PellucidError):
    """Data that cannot be used."""


class UnreadableSample(DataError):
    """One sample that cannot be read; loaders skip it and put it in the data's report."""

    def __init__(self, sample: str, reason: str) -> None:
        super().__init__(f"{sample}: {reason}", sample=sample, reason=reason)
        self.sample = sample
        self.reason = reason

    def __reduce__(self) -> tuple[type[UnreadableSample], tuple[str, str]]:
        return type(self), (self.sample, self.reason)


class TrainingError(PellucidError):
    """A training that cannot start or go on."""


class MethodError(PellucidError):
    """An attribution method that is unknown, or not defined for this model or input."""


class NoGradientError(MethodError):
    """A model whose output has no gradient with respect to what is explained."""


class ResultError(PellucidError):
    """A saved result that cannot be opened or written."""


class WorkerError(PellucidError):
    """Work in another process that failed unexpectedly."""


class WorkerLost(WorkerError):
    """A process that ended before its work did: it was killed, or out of memory."""


def sentence(text: str) -> str:
    """Words that others said, ended as a sentence, so that another can follow."""
    told = text.strip()
    return told if told.endswith((".", "!", "?")) else f"{told}."


def closest(name: str, known: Iterable[str], *, most: int = 3) -> str:
    """Say which known names are nearest to `name`: ``Closest: 'layer4'.``, or list a few."""
    options = list(known)
    near = difflib.get_close_matches(name, options, n=most, cutoff=0.5)
    if near:
        return "Closest: " + ", ".join(repr(option) for option in near) + "."
    if not options:
        return "There are none."
    shown = ", ".join(repr(option) for option in options[:12])
    return f"Known: {shown}{', …' if len(options) > 12 else ''}."
