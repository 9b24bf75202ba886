"""Every method tried on one batch after the other: its maps measured, its cost, or why it refused."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.attribution.attribute import open_call, run
from pellucid.attribution.call import Attribution, Call
from pellucid.attribution.faithfulness.measures import Entry, Faithfulness, explaining, measure
from pellucid.attribution.registry import Method
from pellucid.attribution.targets import Target
from pellucid.data import Batch
from pellucid.errors import LayerError, MethodError
from pellucid.model import Model

Advance = Callable[..., None]


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a method took for some samples: seconds in all, and passes in all."""

    seconds: float
    forwards: int
    backwards: int


@dataclass(frozen=True, kw_only=True)
class Tried:
    """One batch: positions of its samples in the data, what was measured, and costs by method."""

    positions: NDArray[np.int64]
    found: Faithfulness
    costs: Mapping[str, Cost]


@dataclass(kw_only=True)
class Trial:
    """Tries methods on batches; those that are not defined here are left out, with the reason."""

    model: Model
    methods: list[Method]
    parameters: Mapping[str, Mapping[str, Any]]
    measures: Sequence[str]
    settings: Mapping[str, Mapping[str, Any]]
    batch_size: int
    seed: int
    refused: dict[str, str] = field(default_factory=dict)

    def run(self, batch: Batch, target: Target, advance: Advance) -> Tried:
        """Explain a batch with all methods that are left, and measure the maps together.

        Raises MethodError when no method is left.
        """
        entries, costs = [], {}
        for method in list(self.methods):
            advance(0, note=method.card.title)
            try:
                attribution, cost = self._explain(method, batch, target)
            except (MethodError, LayerError) as error:
                self.refused[method.card.name] = str(error)
                self.methods.remove(method)
            else:
                own = self.parameters.get(method.card.name, {})
                again = explaining(method, own)
                entries.append(Entry(name=method.card.name, attribution=attribution, explain=again))
                costs[method.card.name] = cost
            advance(len(batch.positions))
        if not entries:
            reasons = "; ".join(f"{name}: {why}" for name, why in self.refused.items())
            raise MethodError(f"none of the methods is defined here. {reasons}")
        advance(0, note="measuring")
        with self._opened(batch, target) as (call, _):
            found = measure(call, entries, self.measures, parameters=self.settings, seed=self.seed)
        advance(len(batch.positions))
        return Tried(positions=batch.positions.numpy(), found=found, costs=costs)

    def _explain(self, method: Method, batch: Batch, target: Target) -> tuple[Attribution, Cost]:
        """Explain in a call of its own, so that no method profits from another's passes."""
        started = time.perf_counter()
        with self._opened(batch, target) as (call, _):
            found = run(method, call, self.parameters.get(method.card.name, {}))
            _check_size(method, call, found)
            cost = Cost(
                seconds=time.perf_counter() - started,
                forwards=int(call.forwards.sum()),
                backwards=int(call.backwards.sum()),
            )
        return found, cost

    def _opened(self, batch: Batch, target: Target) -> Any:
        return open_call(self.model, batch.inputs, target, max_batch=self.batch_size)


def _check_size(method: Method, call: Call, found: Attribution) -> None:
    shape = found.values.shape
    if call.kind == "image" and shape[-2:] != call.explained.shape[-2:]:
        raise MethodError(
            f"{method.card.name!r} gave a map of {tuple(shape[-2:])} for pictures of "
            f"{tuple(call.explained.shape[-2:])}; expected equal sizes to measure it."
        )
