"""Two units against each other, sample by sample: the pair that was asked for, or a telling one."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from pellucid.data import Data
from pellucid.inside.activations.collect import Collector
from pellucid.inside.activations.plan import Plan
from pellucid.inside.activations.preference import preference
from pellucid.inside.activations.redundancy import Redundancy

STRONG = 20
Unit = tuple[str, int]


def scatter_arrays(
    plan: Plan,
    collector: Collector,
    redundancies: list[Redundancy],
    arrays: xr.Dataset,
    data: Data,
) -> dict[str, Any]:
    """Pooled activations of two units for up to 2,000 samples, by name."""
    pair, reason = _pair(plan, redundancies, arrays)
    if pair is None or not collector.points.values:
        return {}
    samples = np.concatenate(collector.points.samples)
    columns = [_column(collector, plan, unit) for unit in pair]
    return {
        "scatter_value": (("axis", "point"), np.stack(columns)),
        "scatter_layer": ("axis", np.array([layer for layer, _ in pair], dtype=np.str_)),
        "scatter_unit": ("axis", np.array([unit for _, unit in pair])),
        "scatter_id": ("point", np.array([data.ids[int(i)] for i in samples], dtype=np.str_)),
        "scatter_class": ("point", np.concatenate(collector.points.targets)),
        "scatter_reason": ((), reason),
    }


def _column(collector: Collector, plan: Plan, unit: Unit) -> NDArray[np.float32]:
    name, index = unit
    kept = np.concatenate(collector.points.values[name])
    units = plan.scattered[name]
    found: NDArray[np.float32] = kept[:, index if units is None else np.searchsorted(units, index)]
    return found


def _pair(
    plan: Plan, redundancies: list[Redundancy], arrays: xr.Dataset
) -> tuple[tuple[Unit, Unit] | None, str]:
    if plan.pair is not None:
        return plan.pair, "the two units that were asked for"
    last = len(plan.layers) - 1
    units = arrays.isel(unit=arrays["unit_layer"].values == last)
    chosen, reason = _of_two_classes(arrays, units), "the units most selective for two classes"
    if chosen is None:
        chosen = _least_alike(redundancies[last])
        reason = "two units that vary much and go together least"
    if chosen is None:
        return None, ""
    name = plan.layers[last].name
    return ((name, chosen[0]), (name, chosen[1])), reason


def _of_two_classes(arrays: xr.Dataset, units: xr.Dataset) -> tuple[int, int] | None:
    """The most selective unit of each of the two classes with most samples."""
    if "class_count" not in arrays:
        return None
    classes = units["selective_class"].values
    score = np.nan_to_num(preference(units, np.arange(units.sizes["unit"])))
    order = np.argsort(-arrays["class_count"].values, kind="stable")
    present = [label for label in order if (classes == label).any()][:2]
    if len(present) < 2:
        return None
    best = [int(np.where(classes == label, score, -np.inf).argmax()) for label in present]
    return best[0], best[1]


def _least_alike(found: Redundancy) -> tuple[int, int] | None:
    spread = found.spread
    strong = np.argsort(-spread, kind="stable")[:STRONG]
    strong = strong[spread[strong] > 0]
    if len(strong) < 2:
        return None
    block = np.abs(found.correlation[np.ix_(strong, strong)]) + 2 * np.eye(len(strong))
    first, second = np.unravel_index(int(block.argmin()), block.shape)
    return int(found.units[strong[first]]), int(found.units[strong[second]])
