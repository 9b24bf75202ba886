"""From what was gathered to labelled arrays: layers, units, classes, heads and gates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from pellucid.data import Data
from pellucid.inside.activations.collect import Collector
from pellucid.inside.activations.heads import Head
from pellucid.inside.activations.plan import Plan
from pellucid.inside.activations.redundancy import Redundancy, clustered, find_redundancy
from pellucid.inside.activations.scatter import scatter_arrays

CORRELATED = 40
MOST_CLASS_MEANS = 2**22
PER_LAYER = (
    "participation_ratio",
    "dimensions_90",
    "dimensions_99",
    "num_alike",
    "num_superfluous",
)
PER_UNIT = ("partner", "partner_correlation", "r_squared", "superfluous")
Variables = dict[str, Any]


def layer_arrays(plan: Plan, collector: Collector, labels: Sequence[str], data: Data) -> xr.Dataset:
    """Everything that was gathered over the data set.

    Units of all layers lie in one dimension `unit`, with the coordinates `unit_layer` (position of
    its layer) and `unit_index` (its number in the layer), because layers differ in size.
    """
    found = list(collector.found.values())
    redundancies = [find_redundancy(each.covariance) for each in found]
    coordinates = {
        "layer": np.array([layer.name for layer in plan.layers], dtype=np.str_),
        "unit_layer": ("unit", np.repeat(np.arange(len(found)), [e.layer.units for e in found])),
        "unit_index": ("unit", np.concatenate([np.arange(e.layer.units) for e in found])),
    }
    variables: Variables = {
        **_layers(collector),
        **_units(collector),
        **_redundancy(redundancies),
        **_strongest(collector, data),
        **_classes(collector, labels),
        **_bounded(collector),
        **_gates(collector),
        **_heads(collector.heads.heads if collector.heads else []),
    }
    if labels:
        coordinates["label"] = np.array(labels, dtype=np.str_)
    arrays = xr.Dataset(variables, coords=coordinates)
    return arrays.assign(scatter_arrays(plan, collector, redundancies, arrays, data))


def _layers(collector: Collector) -> Variables:
    found = list(collector.found.values())
    figures = [each.statistics.whole() for each in found]
    shown = [
        each.statistics.histogram.shown(whole["minimum"], whole["maximum"])
        for each, whole in zip(found, figures, strict=True)
    ]
    units = [each.layer.units for each in found]
    return {
        "layer_kind": ("layer", np.array([each.layer.kind for each in found], dtype=np.str_)),
        "activation": ("layer", np.array([e.layer.activation for e in found], dtype=np.str_)),
        "form": ("layer", np.array([each.layer.form for each in found], dtype=np.str_)),
        "num_units": ("layer", np.array(units), {"units": "units"}),
        "num_positions": ("layer", np.array([each.statistics.positions for each in found])),
        "grid_height": ("layer", np.array([each.statistics.grid[0] for each in found])),
        "grid_width": ("layer", np.array([each.statistics.grid[1] for each in found])),
        **{name: ("layer", np.array([whole[name] for whole in figures])) for name in figures[0]},
        "num_dead": (
            "layer",
            np.array([int(each.statistics.units()["unit_dead"].sum()) for each in found]),
        ),
        "histogram_edge": (("layer", "edge"), np.stack([edges for edges, _ in shown])),
        "histogram_count": (("layer", "bin"), np.stack([counts for _, counts in shown])),
    }


def _units(collector: Collector) -> Variables:
    parts = [each.statistics.units() | each.classes.arrays() for each in collector.found.values()]
    return {name: ("unit", np.concatenate([part[name] for part in parts])) for name in parts[0]}


def _redundancy(found: list[Redundancy]) -> Variables:
    rows = [clustered(each.correlation, CORRELATED) for each in found]
    units = np.full((len(found), CORRELATED), -1, dtype=np.int64)
    blocks = np.full((len(found), CORRELATED, CORRELATED), np.nan, dtype=np.float32)
    for place, (each, chosen) in enumerate(zip(found, rows, strict=True)):
        units[place, : len(chosen)] = each.units[chosen]
        blocks[place, : len(chosen), : len(chosen)] = each.correlation[np.ix_(chosen, chosen)]
    return {
        **{name: ("layer", np.array([getattr(e, name) for e in found])) for name in PER_LAYER},
        "num_measured": ("layer", np.array([len(e.units) for e in found])),
        "explained_variance": (("layer", "component"), np.stack([e.explained for e in found])),
        **{
            name: ("unit", np.concatenate([getattr(each, name) for each in found]))
            for name in PER_UNIT
        },
        "correlated_unit": (("layer", "row"), units),
        "correlation": (("layer", "row", "column"), blocks),
    }


def _strongest(collector: Collector, data: Data) -> Variables:
    parts = [each.strongest.arrays() for each in collector.found.values()]
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    known, places = np.unique(whole["top_sample"], return_inverse=True)
    ids = ["" if position < 0 else data.ids[int(position)] for position in known]
    whole["top_sample"] = places.reshape(whole["top_sample"].shape)
    return {
        **{name: (("unit", "rank"), values) for name, values in whole.items()},
        "met_position": ("met", known),
        "met_id": ("met", np.array(ids, dtype=np.str_)),
    }


def _classes(collector: Collector, labels: Sequence[str]) -> Variables:
    found = [each.classes for each in collector.found.values()]
    if not labels or not all(each.fits for each in found):
        return {}
    counts = {"class_count": ("label", found[0].counts.numpy().astype(np.int64))}
    if len(labels) * sum(each.sums.shape[1] for each in found) > MOST_CLASS_MEANS:
        return counts
    means = np.concatenate([each.means() for each in found], 1)
    return counts | {"class_mean": (("label", "unit"), means)}


def _bounded(collector: Collector) -> Variables:
    if not collector.ends:
        return {}
    counts = np.array(list(collector.ends.values()), dtype=np.float64)
    return {
        "bounded_layer": ("bounded", np.array(list(collector.ends), dtype=np.str_)),
        "bounded_kind": (
            "bounded",
            np.array([collector.kinds[name] for name in collector.ends], dtype=np.str_),
        ),
        "share_at_low_end": ("bounded", counts[:, 0] / counts[:, 2]),
        "share_at_high_end": ("bounded", counts[:, 1] / counts[:, 2]),
    }


def _gates(collector: Collector) -> Variables:
    keys = list(collector.gates.total)
    if not keys:
        return {}
    total = np.array([collector.gates.total[key] for key in keys], dtype=np.float64)
    return {
        "gate_layer": ("gate", np.array([layer for layer, _ in keys], dtype=np.str_)),
        "gate_name": ("gate", np.array([name for _, name in keys], dtype=np.str_)),
        "share_closed": ("gate", np.array([collector.gates.closed[k] for k in keys]) / total),
        "share_open": ("gate", np.array([collector.gates.open[k] for k in keys]) / total),
    }


def _heads(heads: list[Head]) -> Variables:
    """Heads of all attention layers in one dimension, as units are."""
    if not heads:
        return {}
    counts = [len(head.entropy) for head in heads]
    names = np.repeat(np.array([head.layer for head in heads], dtype=np.str_), counts)
    return {
        "head_layer": ("head", names),
        "head_index": ("head", np.concatenate([np.arange(count) for count in counts])),
        "head_depth": ("head", np.repeat(np.arange(len(heads)), counts)),
        "head_entropy": (
            "head",
            np.concatenate([_mean(head.entropy.numpy(), head.queries) for head in heads]),
            {"units": "bit"},
        ),
        "head_distance": (
            "head",
            np.concatenate([_mean(head.distance.numpy(), head.cells) for head in heads]),
            {"units": next((head.unit for head in heads if head.unit), "")},
        ),
        "head_keys": ("head", np.repeat([head.largest for head in heads], counts)),
    }


def _mean(sums: NDArray[np.float64], number: int) -> NDArray[np.float64]:
    return sums / number if number else np.full(len(sums), np.nan)
