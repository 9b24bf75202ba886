"""A structure in plain words."""

from __future__ import annotations

from collections import Counter

import numpy as np
import xarray as xr

from pellucid.inside.structure.amounts import amount, memory, seconds_in_words
from pellucid.inside.structure.arrays import ROOT, group_sums
from pellucid.inside.structure.pieces import pieces_by
from pellucid.inside.structure.views import modules_table
from pellucid.result import Provenance
from pellucid.views.prose import counted, listed, percent
from pellucid.views.wording import entries


def summary(data: xr.Dataset, meta: Provenance) -> str:
    """How it is built; what it costs, and where; what to beware of: a line each."""
    lines = (
        (_build(data), _repeats(data), _wiring(data)),
        (_costs(data, meta), _most(data)),
        tuple(meta.notes),
    )
    return "\n".join(" ".join(filter(None, line)) for line in lines if any(line))


def headline(data: xr.Dataset, meta: Provenance) -> list[tuple[str, str, str]]:
    """Give the tiles: parameters, FLOPs, activations, time, operators."""
    operators = num_operators(data)
    modules = counted(data.sizes["group"] - 1, "module")
    tiles = [
        ("Parameters", amount(num_parameters(data)), f"{num_parameters(data):,} numbers to learn"),
        ("FLOPs", amount(_total(data, "flops")), "for one sample; two per multiply-add"),
        ("Activations", memory(_total(data, "bytes")), "all values that one sample passes through"),
        ("Operators", f"{operators:,}", f"in {modules}"),
    ]
    spent = _total(data, "seconds")
    if np.isfinite(spent):
        size = int(meta.parameters.get("timed_samples") or 1)
        where = f"{counted(size, 'sample')} on {meta.parameters.get('device', 'cpu')}"
        tiles.insert(3, ("Time", seconds_in_words(spent), f"for {where}"))
    return tiles


def terminal_table(data: xr.Dataset) -> tuple[list[str], list[list[str]]]:
    """The table of modules as strings: columns and rows."""
    table = modules_table(data)
    columns = [f"{c.name} ({c.unit})" if c.unit else c.name for c in table.columns]
    return columns, [list(row) for row in zip(*map(entries, table.columns), strict=True)]


def num_parameters(data: xr.Dataset) -> int:
    """Parameters of the whole model."""
    return int(data["group_parameters"].values[ROOT])


def num_operators(data: xr.Dataset) -> int:
    """Operators without inputs and outputs."""
    return int((~np.isin(data["node_kind"].values, ["input", "output"])).sum())


def _total(data: xr.Dataset, name: str) -> float:
    return float(group_sums(data, name)[ROOT])


def _build(data: xr.Dataset) -> str:
    kinds = Counter(str(kind) for kind in data["group_type"].values[1:] if str(kind))
    common = [f"{count} {name}" for name, count in kinds.most_common(3)]
    name = str(data["group_type"].values[ROOT]) or "The model"
    modules = data.sizes["group"] - 1
    told = f" in {counted(modules, 'module')}" if modules else ""
    most = f" (most often {listed(common)})" if common else ""
    return f"{name} computes its answer by {counted(num_operators(data), 'operator')}{told}{most}."


def _repeats(data: xr.Dataset) -> str:
    twins = data["group_twin"].values
    sizes = Counter(twins[twins >= 0].tolist())
    named = [
        (count, str(data["group_type"].values[first]) or str(data["group_label"].values[first]))
        for first, count in sizes.items()
    ]
    if not named:
        return ""
    count, name = max(named)
    more = f", and {len(named) - 1} more runs like that" if len(named) > 2 else ""
    return f"It has {count} times the same {name} in a row{more}."


def _wiring(data: xr.Dataset) -> str:
    edges = Counter(data["edge_kind"].values.tolist())
    softmaxes = (data["node_kind"].values == "attention") & (
        np.char.lower(data["operator"].values.astype(str)) == "softmax"
    )
    found = [
        (edges["residual"], "residual connection", "residual connections"),
        (
            edges["skip"],
            "skip connection into a concatenation",
            "skip connections into concatenations",
        ),
        (edges["gate"], "gate", "gates"),
        (int(softmaxes.sum()), "attention", "attentions"),
    ]
    told = [counted(count, one, many) for count, one, many in found if count]
    return f"Its wiring has {listed(told, 4)}." if told else ""


def _costs(data: xr.Dataset, meta: Provenance) -> str:
    flops = _total(data, "flops")
    words = [f"It has {num_parameters(data):,} parameters"]
    if np.isfinite(flops):
        words.append(
            f"takes {amount(flops)}FLOPs"
            if amount(flops)[-1:].isalpha()
            else f"takes {amount(flops)} FLOPs"
        )
    if np.isfinite(_total(data, "bytes")):
        words.append(f"passes through {memory(_total(data, 'bytes'))} of values for one sample")
    spent = _total(data, "seconds")
    size = int(meta.parameters.get("timed_samples") or 1)
    tail = (
        f"; {counted(size, 'sample')} took {seconds_in_words(spent)}" if np.isfinite(spent) else ""
    )
    return listed(words, 4).replace(" and ", " and ") + tail + "."


def _most(data: xr.Dataset) -> str:
    told: list[str] = []
    for name, words in (("seconds", "time"), ("flops", "computing"), ("parameters", "parameters")):
        values = data[name].values
        whole = float(np.nansum(values))
        if not whole or (name == "flops" and told):
            continue
        largest = max(pieces_by(data, name), key=lambda piece: piece.value)
        told.append(f"{percent(largest.value / whole, 0)} of the {words} in {largest.name}")
    return f"Most sits in few places: {listed(told)}." if told else ""
