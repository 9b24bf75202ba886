"""What a change of the input is, and what can be changed: pictures, texts, arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import SpecError, closest
from pellucid.model import Inputs

Floats = NDArray[np.float64]
State = Any


@dataclass(frozen=True, kw_only=True)
class Change:
    """One way to change an input by growing strengths.

    `strengths` (steps,) rise from the lowest to the highest and hold 0, the input as it is;
    `unit` is theirs. `apply(state, strength, random)` gives the changed state, with the same draws
    at every strength, so that a stronger change goes on where the weaker one stopped. `short` is
    a word for labels.
    """

    name: str
    about: str
    unit: str
    short: str
    strengths: Floats
    apply: Callable[[State, float, np.random.Generator], State]

    @property
    def original(self) -> int:
        """Position of strength 0."""
        return int(np.flatnonzero(self.strengths == 0)[0])


class Subject(Protocol):
    """What is changed: `states` are single samples as the model sees them."""

    changes: tuple[Change, ...]

    def prepare(self, raws: Sequence[Any]) -> Inputs:
        """Prepare raw samples as tensors that loaders can carry."""

    def states(self, prepared: Inputs) -> list[State]:
        """Take prepared samples apart."""

    def inputs(self, states: Sequence[State]) -> Inputs:
        """Make the model's inputs of states of one shape."""

    def shape(self, state: State) -> tuple[int, ...]:
        """States of one shape can be run together."""

    def shown(self, state: State) -> Any:
        """Something to show: pixels (y, x, 3) uint8, a string, or None."""


def chosen_changes(
    known: Sequence[Change], names: Sequence[str] | str | None, kind: str
) -> tuple[Change, ...]:
    """Take the changes that are named, in that order; all if None. Raises SpecError."""
    if names is None:
        return tuple(known)
    by_name = {change.name: change for change in known}
    given = [names] if isinstance(names, str) else list(dict.fromkeys(names))
    if not given:
        raise SpecError(f"no change was named; expected some of {', '.join(by_name)}.")
    for name in given:
        if name not in by_name:
            raise SpecError(
                f"{name!r} is not a change of {kind}. {closest(name, by_name)} "
                f"Defined are {', '.join(by_name)}."
            )
    return tuple(by_name[name] for name in given)


def growing(most: float, num_steps: int, power: float = 1.0) -> Floats:
    """Strengths from 0 to `most` in `num_steps` steps, closer together near 0 for powers over 1."""
    return np.asarray(most * (np.arange(num_steps + 1) / num_steps) ** power)


def both_ways(most: float, num_steps: int) -> Floats:
    """Strengths from -`most` to `most` that hold 0."""
    below = num_steps // 2
    return np.concatenate(
        [
            -growing(most, below)[:0:-1] if below else np.zeros(0),
            growing(most, num_steps - below),
        ]
    )
