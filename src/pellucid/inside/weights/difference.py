"""What changed between two sets of weights, and where?"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from pellucid.errors import WeightsError
from pellucid.inside.weights.difference_arrays import COUNTER, Pair, difference_arrays, measure_pair
from pellucid.inside.weights.difference_views import difference_views
from pellucid.inside.weights.difference_words import difference_json, headline, summary, table
from pellucid.model import Model
from pellucid.progress import progress
from pellucid.result import Provenance, Result
from pellucid.views import View

State = Mapping[str, Tensor]
PREFIXES = ("module.", "_orig_mod.", "model.")


@dataclass(frozen=True, kw_only=True)
class WeightsDifference(Result):
    """How each tensor of one model differs from that of another, `before` and `after`.

    `data` holds by tensor the `relative` change ‖after − before‖ / ‖before‖, the `cosine` between
    them, `max_change`, both norms, and its most changed rows (`top_row`, with `top_change` as
    their length and `top_relative`); by group of layers the relative change together. Names found
    on one side only are in `only_before` and `only_after`, those of different shapes in `reshaped`.
    """

    kind: ClassVar[str] = "weights_difference"

    def views(self) -> list[View]:
        """Change by part of the network, by tensor, the rows that changed most, all figures."""
        return difference_views(self.data)

    def summary(self) -> str:
        """Say in a paragraph which parts changed, and how much."""
        return summary(self.data, self.meta.notes)

    def headline(self) -> list[tuple[str, str, str]]:
        """Give the figures to show first: (label, value, detail)."""
        return headline(self.data)

    def table(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        """Give column names, and a row of words for each tensor."""
        return table(self.data)

    def to_json(self) -> dict[str, Any]:
        """Give the change of every tensor and group as JSON values."""
        return difference_json(self.data) | {
            "summary": self.summary(),
            "provenance": self.meta.to_json(),
        }


def compare_weights(
    before: Model | State, after: Model | State, *, show: bool | None = None
) -> WeightsDifference:
    """Compare the weights of two models, or of two state dicts, tensor by tensor.

    Tensors are matched by name, apart from a prefix that all names of one side carry (`module.`,
    `_orig_mod.`, `model.`). Order and groups are those of `after`. Floating-point tensors count,
    running means of batch norm included. Raises WeightsError where no tensor is in both, or what
    was given holds no weights.
    """
    started = time.perf_counter()
    old, new = _weights(before, "before"), _weights(after, "after")
    shared = [name for name in new if name in old]
    same = [name for name in shared if old[name].shape == new[name].shape]
    if not same:
        raise WeightsError(
            "no tensor of the same name and shape is in both sets of weights: the first begins "
            f"with {next(iter(old))!r}, the second with {next(iter(new))!r}. Compare two "
            "checkpoints of one architecture."
        )
    pairs: list[Pair] = []
    buffers = _buffers(after) | _buffers(before)
    with torch.inference_mode(), progress("Comparing weights", len(same), show=show) as advance:
        for name in same:
            pairs.append(measure_pair(name, old[name], new[name], is_buffer=name in buffers))
            advance()
    reshaped = {n: (old[n].shape, new[n].shape) for n in shared if old[n].shape != new[n].shape}
    data = difference_arrays(
        pairs,
        only_before=[name for name in old if name not in new],
        only_after=[name for name in new if name not in old],
        reshaped=reshaped,
    )
    meta = Provenance(
        kind=WeightsDifference.kind,
        model=after.identity if isinstance(after, Model) else None,
        parameters={
            "before": _source(before),
            "after": _source(after),
        },
        seconds=time.perf_counter() - started,
    )
    return WeightsDifference(data=data, meta=meta)


def _weights(given: Model | State, which: str) -> dict[str, Tensor]:
    """Floating-point tensors by bare name."""
    if isinstance(given, Model):
        state: Mapping[str, Any] = given.module.state_dict()
    elif isinstance(given, Mapping):
        state = given
    else:
        raise WeightsError(
            f"{which}={type(given).__name__} was given; expected a Model or a state dict, a "
            "mapping of names to tensors such as `module.state_dict()`."
        )
    found = {
        name: tensor.detach()
        for name, tensor in state.items()
        if isinstance(tensor, Tensor)
        and tensor.is_floating_point()
        and tensor.numel()
        and not tensor.is_meta
        and not name.endswith(COUNTER)
    }
    if not found:
        raise WeightsError(
            f"the weights {which} hold no floating-point tensor. Give a model with parameters, or "
            "its state dict."
        )
    return _bare(found)


def _bare(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    for prefix in PREFIXES:
        if tensors and all(name.startswith(prefix) for name in tensors):
            return _bare({name.removeprefix(prefix): t for name, t in tensors.items()})
    return tensors


def _buffers(given: Model | State) -> set[str]:
    """Names of buffers; of a state dict, those that batch norm keeps."""
    if isinstance(given, Model):
        return set(_bare(dict(given.module.named_buffers())))
    return {name for name in _bare(dict(given)) if name.endswith(("running_mean", "running_var"))}


def _source(given: Model | State) -> str:
    if isinstance(given, Model):
        return f"{given.source} ({given.identity.weights})"
    return f"a state dict of {len(given)} tensors"
