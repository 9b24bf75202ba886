"""Activations: what the layers and units of a model do over a data set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from pellucid.inside.activations.record import activations_json
from pellucid.inside.activations.views import activations_views
from pellucid.inside.activations.words import headline, summary, table
from pellucid.result import Result
from pellucid.views import View


@dataclass(frozen=True, kw_only=True)
class Activations(Result):
    """Statistics of layers and units over a data set, and a few samples in full.

    `data` holds per layer (in depth order) mean, variance, shares of zeros and of values near
    zero, at the ends of bounded activations, a histogram, effective dimensions and a clustered
    correlation matrix; per unit, with all layers in one dimension and `unit_layer` and
    `unit_index` as coordinates, its mean, spread, extremes, activity, preferred class, its most
    similar unit, and by rank its strongest samples (`top_value`; `top_sample` counts in `met`,
    where `met_id` names them; `top_place`, `top_y` and `top_x` say where). Heads of attention lie
    in one dimension too. `shown` samples come with feature maps (`map`), attention, and hidden
    states and gates over time (`state`).
    """

    kind: ClassVar[str] = "activations"

    def views(self) -> list[View]:
        """Layers, distributions, units, classes, redundancy; then the shown samples."""
        return activations_views(self.data)

    def summary(self) -> str:
        """Say in a paragraph what the layers do, and what to beware of."""
        return summary(self.data, self.meta.notes)

    def headline(self) -> list[tuple[str, str, str]]:
        """Give the figures to show first: (label, value, detail)."""
        return headline(self.data)

    def table(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        """Give column names, and a row of words for each layer, in depth order."""
        return table(self.data)

    def to_json(self) -> dict[str, Any]:
        """Give figures per layer, and the units that stand out, as JSON values."""
        return activations_json(self.data) | {
            "summary": self.summary(),
            "provenance": self.meta.to_json(),
        }
