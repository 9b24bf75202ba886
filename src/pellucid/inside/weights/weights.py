"""What do a model's weights look like: how large, how sparse, how many directions, what is dead?"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from pellucid.errors import SpecError
from pellucid.inside.weights.arrays import choose_maps, measure_part, weight_arrays
from pellucid.inside.weights.filters import first_filters
from pellucid.inside.weights.json import weights_json
from pellucid.inside.weights.rows import LEAST_COSINE
from pellucid.inside.weights.spectrum import MOST_SIDE
from pellucid.inside.weights.tensors import Part, choose_parts, tied_names
from pellucid.inside.weights.views import weight_views
from pellucid.inside.weights.words import headline, summary, table
from pellucid.model import Model
from pellucid.progress import progress
from pellucid.result import Provenance, Result
from pellucid.views import View
from pellucid.views.prose import counted, listed


@dataclass(frozen=True, kw_only=True)
class Weights(Result):
    """Figures of every tensor of a model's weights.

    `data` holds by tensor: size, `mean`, `std`, norms (`l2`, `mean_abs`, `max_abs`,
    `spectral_norm`), `zero_share` and `near_zero_share`, `quantiles`, `counts` in bins of width
    rms/8, `rank`, `stable_rank`, `effective_rank` of `full_rank`, `singular_values`, rows, dead
    and duplicate ones; further the `filters` of the first layer (filter, y, x, channel) and
    some weight matrices, pooled (`map`). A row is what one output reads: a filter, a unit, a word
    of an embedding. What is not defined, such as the rank of a bias, is NaN.
    """

    kind: ClassVar[str] = "weights"

    def views(self) -> list[View]:
        """First filters, spread by depth, spectra, ranks, heat maps, and every tensor's figures."""
        return weight_views(self.data)

    def summary(self) -> str:
        """Say in a paragraph what is remarkable about the weights."""
        return summary(self.data, self.meta.notes)

    def headline(self) -> list[tuple[str, str, str]]:
        """Give the figures to show first: (label, value, detail)."""
        return headline(self.data)

    def table(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        """Give column names, and a row of words for each tensor."""
        return table(self.data)

    def to_json(self) -> dict[str, Any]:
        """Give the figures of every tensor as JSON values."""
        return weights_json(self.data) | {
            "summary": self.summary(),
            "provenance": self.meta.to_json(),
        }


def inspect_weights(
    model: Model,
    *,
    layers: str | Sequence[str] | None = None,
    near_zero: float = 0.01,
    least_cosine: float = LEAST_COSINE,
    num_maps: int = 6,
    show: bool | None = None,
) -> Weights:
    """Measure all weights of a model, or those of the chosen layers.

    `layers` are names, shorthands, globs or kinds, what they contain included. An entry counts as
    near zero below `near_zero` × the root mean square of its tensor; a row (filter) as dead below
    `near_zero` × the median length of rows; two rows as duplicates above `least_cosine`, in
    absolute value. `num_maps` matrices are kept as heat maps. Gates of recurrent layers, and
    query, key and value, are tensors of their own. The model is only read.

    Raises LayerError for unknown layers, ModelError for a model without weights, SpecError for
    thresholds outside 0–1.
    """
    started = time.perf_counter()
    _check(near_zero, least_cosine, num_maps)
    parts, skipped = choose_parts(model, layers)
    tensors = dict(model.module.named_parameters()) | dict(model.module.named_buffers())
    found = []
    with torch.inference_mode(), progress("Measuring weights", len(parts), show=show) as advance:
        for part in parts:
            found.append(measure_part(part, tensors[part.parameter], near_zero, least_cosine))
            advance()
        maps = choose_maps(parts, lambda p: p.matrix(p.of(tensors[p.parameter])), num_maps)
        filters = first_filters(model)
    shown = filters is not None and any(part.parameter == filters.parameter for part in parts)
    meta = Provenance(
        kind=Weights.kind,
        model=model.identity,
        parameters={
            "layers": [layers] if isinstance(layers, str) else list(layers or []),
            "near_zero": near_zero,
            "least_cosine": least_cosine,
        },
        seconds=time.perf_counter() - started,
        notes=_notes(model, parts, [f"{one.name} {one.reason}" for one in skipped]),
    )
    data = weight_arrays(found, skipped, maps, filters if shown else None)
    return Weights(
        data=data.assign_attrs(near_zero=near_zero, least_cosine=least_cosine), meta=meta
    )


def _check(near_zero: float, least_cosine: float, num_maps: int) -> None:
    for name, value in (("near_zero", near_zero), ("least_cosine", least_cosine)):
        if not 0 <= value < 1:
            raise SpecError(f"{name}={value} was given; expected a number from 0 to below 1.")
    if num_maps < 0:
        raise SpecError(f"num_maps={num_maps} was given; expected 0 or more.")


def _notes(model: Model, parts: Sequence[Part], skipped: Sequence[str]) -> tuple[str, ...]:
    tied = tied_names(model.module)
    large = [part.name for part in parts if part.role != "buffer" and _is_large(part)]
    notes: tuple[object, ...] = (
        skipped and f"Left out: {listed(list(skipped))}.",
        tied and f"Tied, and counted once: {listed([' and '.join(names) for names in tied])}.",
        large
        and f"Of {listed(large)} only the largest singular value was computed: "
        f"{counted(MOST_SIDE, 'row')} and columns are the most that are decomposed.",
    )
    return tuple(note for note in notes if isinstance(note, str) and note)


def _is_large(part: Part) -> bool:
    matrix = part.matrix(torch.empty(part.shape, device="meta"))
    return matrix is not None and min(matrix.shape) > MOST_SIDE
