"""What there is to see in a structure."""

from __future__ import annotations

import math

import numpy as np
import xarray as xr

from pellucid.inside.structure.arrays import ROOT, group_sums
from pellucid.inside.structure.items import Figures, Item, graph_view, last_nodes, share_of
from pellucid.inside.structure.pieces import Piece, pieces_by
from pellucid.result import Provenance
from pellucid.views import Axis, Bars, BarSeries, Column, Graph, Table, View
from pellucid.views.prose import counted

MOST_ROWS = 300
KINDS = {
    "residual": "orange lines jump over layers into a sum (residual connections)",
    "skip": "green lines jump over layers into a concatenation",
    "gate": "dashed lines jump over layers into a product (gates)",
}
# The largest unit of which there is at least one; 0 ends the list, without a unit of its own.
UNITS = {
    "seconds": ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (0, "s")),
    "flops": ((1e9, "GFLOPs"), (1e6, "MFLOPs"), (0, "FLOPs")),
    "parameters": ((1e9, "G"), (1e6, "M"), (1e3, "k"), (0, "")),
}


def structure_views(data: xr.Dataset, meta: Provenance) -> list[View]:
    """The graph, where time, FLOPs and parameters go, and every module with its figures."""
    views: list[View] = [graph_of(data, meta)]
    if share_of(data) == "time":
        views.append(_bars(data, "seconds", "Where the time goes", _time_caption(meta)))
    elif np.nansum(data["flops"].values) > 0:
        words = "FLOPs for one sample, by the parts of the model: where the computing goes."
        views.append(_bars(data, "flops", "Where the computing goes", words))
    if data["group_parameters"].values.any():
        words = "Numbers that training can change, by the parts of the model."
        views.append(_bars(data, "parameters", "Where the parameters are", words))
    return [*views, modules_table(data)]


def graph_of(data: xr.Dataset, meta: Provenance) -> Graph:
    """The operators in their modules."""
    return graph_view(data, title="How it is built", caption=_caption(data, meta))


def _caption(data: xr.Dataset, meta: Provenance) -> str:
    del meta
    if not data.sizes["edge"]:
        return (
            "The modules in the order in which they are called. This model could not be traced to "
            "operators, so what flows between them is not known."
        )
    kinds = set(data["edge_kind"].values.tolist())
    lines = [words for kind, words in KINDS.items() if kind in kinds]
    twins = bool((data["group_twin"].values >= 0).any())
    marks = {
        "time": "the time that it takes",
        "FLOPs": "the computing in it",
        "parameters": "the parameters in it",
    }
    return (
        "Data flows from top to bottom. Boxes are modules, framed when they are open; narrow "
        "rounded ones are operators outside of any inner module. "
        + ("A stack stands for neighbours that are built alike. " if twins else "")
        + f"The bar at the foot of a box is {marks[share_of(data)]}, out of all. "
        + (f"{'; '.join(lines).capitalize()}. " if lines else "")
        + ("In shapes n is the number of samples." if _has_batch(data) else "")
    ).strip()


def _has_batch(data: xr.Dataset) -> bool:
    return any(str(shape).startswith("n") for shape in data["shape"].values[:4])


def _time_caption(meta: Provenance) -> str:
    given = meta.parameters
    size = int(given.get("timed_samples") or 1)
    return (
        f"Measured for {counted(size, 'sample')} on {given.get('device', 'cpu')} with "
        f"{counted(int(given.get('threads') or 1), 'thread')}, the median of a few runs operator "
        "by operator. Other hardware divides the time differently."
    )


def _bars(data: xr.Dataset, name: str, title: str, caption: str) -> Bars:
    pieces: list[Piece] = pieces_by(data, name)
    values = np.array([piece.value for piece in pieces])
    factor, unit = next(
        (step, word) for step, word in UNITS[name] if values.max(initial=0) >= step or step == 0
    )
    values = values / (factor or 1)
    label = {"seconds": "time", "flops": "computing", "parameters": "parameters"}[name]
    return Bars(
        title=title,
        caption=caption,
        categories=tuple(piece.name for piece in pieces),
        series=(BarSeries(name=label, values=values),),
        value=Axis(label=label, unit=unit),
    )


def modules_table(data: xr.Dataset) -> Table:
    """Every module with its figures, in the order of calls."""
    rows = module_rows(data)
    groups = data.sizes["group"]
    figures, ends = Figures(data), last_nodes(data)
    flops, held, spent = (group_sums(data, name) for name in ("flops", "bytes", "seconds"))
    columns = [
        Column(name="module", values=tuple(module_name(data, row) for row in rows)),
        Column(name="class", values=tuple(str(data["group_type"].values[r]) for r in rows)),
        Column(
            name="output shape",
            values=tuple(str(data["shape"].values[_shaped(data, ends, r)]) for r in rows),
        ),
        Column(
            name="parameters",
            values=tuple(int(data["group_parameters"].values[row]) for row in rows),
            format=",d",
        ),
        Column(name="FLOPs", values=_scaled(flops, rows, 1e-6), format=",.4g", unit="M"),
        Column(name="activations", values=_scaled(held, rows, 2**-20), format=",.3g", unit="MiB"),
    ]
    if figures.share_of == "time":
        columns.append(
            Column(name="time", values=_scaled(spent, rows, 1e3), format=".3g", unit="ms")
        )
    shares = tuple(_none(100 * figures.share(Item(parent=-1, group=row))) for row in rows)
    columns.append(
        Column(name=f"share of {figures.share_of}", values=shares, format=".1f", unit="%")
    )
    left = groups - len(rows)
    return Table(
        title="Modules",
        caption=(
            "Figures of a module hold for all that is in it, for one sample. FLOPs count two for "
            "each multiplication with addition in convolutions, linear layers and attention, and "
            "none for the rest. Activations are the sizes of all values that it computes."
            + (f" {counted(left, 'module')} with less in them are left out." if left else "")
        ),
        columns=tuple(columns),
    )


def module_rows(data: xr.Dataset, most: int = MOST_ROWS) -> list[int]:
    """Groups for the table, in order: all, or those with most parameters and FLOPs."""
    groups = data.sizes["group"]
    if groups <= most:
        return list(range(groups))
    weight = data["group_parameters"].values + np.nan_to_num(group_sums(data, "flops"))
    return sorted(np.argsort(-weight, kind="stable")[:most].tolist())


def module_name(data: xr.Dataset, group: int) -> str:
    """A group's full name, with the number of the call where there are several."""
    name = str(data["group_name"].values[group]) or "(the model)"
    call = int(data["group_call"].values[group])
    return f"{name} (call {call})" if call > 1 else name


def _shaped(data: xr.Dataset, ends: np.ndarray, group: int) -> int:
    """The node whose shape is a group's output; the model's is that of its last operator."""
    if group != ROOT or str(data["node_kind"].values[ends[group]]) != "output":
        return int(ends[group])
    takes = data["edge_source"].values[data["edge_target"].values == ends[group]]
    return int(takes[0]) if len(takes) else int(ends[group])


def _scaled(values: np.ndarray, rows: list[int], factor: float) -> tuple[float | None, ...]:
    return tuple(_none(float(values[row]) * factor) for row in rows)


def _none(value: float) -> float | None:
    return None if math.isnan(value) else value
