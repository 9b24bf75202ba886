"""Tables of a model's weights: every tensor, dead filters, duplicate filters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from pellucid.views import Column, Table

MOST_LISTED = 200


def tensor_table(data: xr.Dataset) -> Table:
    """Every tensor with its figures, in the order of the model's layers."""
    matrix = data["full_rank"].values > 0

    def only(name: str) -> tuple[Any, ...]:
        return gaps(data[name].values, matrix)

    return Table(
        title="Every tensor",
        caption=(
            "Sort by any column. RMS is the root mean square, L2 the length of all entries "
            "together, “stretches by” the largest singular value: how much a matrix can stretch "
            f"its input. Near zero is below {100 * data.attrs['near_zero']:g} % of the RMS; dead are "
            "rows (filters, units) no longer than that part of the median row; duplicates are pairs "
            f"of rows with a cosine over {data.attrs['least_cosine']:g}, in absolute value."
        ),
        columns=(
            Column(name="no.", values=tuple(range(1, data.sizes["tensor"] + 1)), format="d"),
            Column(name="tensor", values=strings(data["tensor"])),
            Column(name="kind of layer", values=strings(data["layer_kind"])),
            Column(name="role", values=strings(data["role"])),
            Column(name="shape", values=tuple(s or "scalar" for s in strings(data["shape"]))),
            Column(name="entries", values=numbers(data["num_entries"]), format=",d"),
            Column(name="mean", values=numbers(data["mean"]), format=".2g"),
            Column(name="RMS", values=numbers(data["rms"]), format=".3g"),
            Column(name="mean size", values=numbers(data["mean_abs"]), format=".3g"),
            Column(name="largest", values=numbers(data["max_abs"]), format=".3g"),
            Column(name="L2", values=numbers(data["l2"]), format=".3g"),
            Column(name="stretches by", values=only("spectral_norm"), format=".3g"),
            Column(name="zero", values=percents(data["zero_share"]), format=".1f", unit="%"),
            Column(
                name="near zero", values=percents(data["near_zero_share"]), format=".1f", unit="%"
            ),
            Column(name="rank", values=only("rank"), format="d"),
            Column(name="of", values=only("full_rank"), format="d"),
            Column(name="effective rank", values=only("effective_rank"), format=".1f"),
            Column(name="stable rank", values=only("stable_rank"), format=".1f"),
            Column(name="rows", values=only("num_rows"), format="d"),
            Column(name="dead", values=only("num_dead"), format="d"),
            Column(name="duplicates", values=only("num_duplicates"), format="d"),
            Column(
                name="not finite",
                values=tuple((data["num_nan"].values + data["num_infinite"].values).tolist()),
                format="d",
            ),
        ),
    )


def dead_table(data: xr.Dataset) -> Table:
    """Which filters are dead, by tensor."""
    holders = data["dead_tensor"].values
    found = [int(place) for place in dict.fromkeys(holders.tolist())]
    listed = [_numbers(data["dead_row"].values[holders == place]) for place in found]
    return Table(
        title="Dead filters",
        caption=(
            "Rows whose weights are all at or near zero. What they compute does not depend on "
            "the input, so they could be removed. Numbers count from 0."
        ),
        columns=(
            Column(name="tensor", values=tuple(str(data["tensor"].values[p]) for p in found)),
            Column(name="dead", values=tuple(int(data["num_dead"][p]) for p in found), format="d"),
            Column(name="of", values=tuple(int(data["num_rows"][p]) for p in found), format="d"),
            Column(name="which", values=tuple(listed)),
        ),
    )


def duplicate_table(data: xr.Dataset) -> Table:
    """Pairs of filters that do the same, the closest first."""
    order = np.argsort(-np.abs(data["duplicate_cosine"].values), kind="stable")[:MOST_LISTED]
    holders = data["duplicate_tensor"].values[order]
    total = int(data["num_duplicates"].sum())
    shown = f" The {len(order)} closest of {total:,} are listed." if total > len(order) else ""
    return Table(
        title="Duplicate filters",
        caption=(
            "Pairs of rows of one matrix that point the same way (cosine near 1) or the opposite "
            f"way (near −1): one of them could be had from the other.{shown}"
        ),
        columns=(
            Column(name="tensor", values=tuple(str(data["tensor"].values[p]) for p in holders)),
            Column(name="one", values=numbers(data["duplicate_first"][order]), format="d"),
            Column(name="other", values=numbers(data["duplicate_second"][order]), format="d"),
            Column(name="cosine", values=numbers(data["duplicate_cosine"][order]), format=".4f"),
        ),
    )


def strings(values: xr.DataArray) -> tuple[str, ...]:
    """Entries as strings."""
    return tuple(str(value) for value in values.values)


def numbers(values: xr.DataArray) -> tuple[float | int, ...]:
    """Entries as Python numbers."""
    return tuple(values.values.tolist())


def percents(values: xr.DataArray) -> tuple[float, ...]:
    """Shares as percentages."""
    return tuple((100 * values.values).tolist())


def gaps(values: NDArray[Any], known: NDArray[np.bool_]) -> tuple[Any, ...]:
    """Entries as Python numbers, None where they are not defined."""
    fine = known & np.isfinite(values)
    return tuple(v if k else None for v, k in zip(values.tolist(), fine, strict=True))


def _numbers(rows: Sequence[int] | NDArray[np.int64]) -> str:
    """Write row numbers with runs joined: ``3, 7–9``."""
    runs: list[list[int]] = []
    for row in map(int, rows):
        if runs and row == runs[-1][1] + 1:
            runs[-1][1] = row
        else:
            runs.append([row, row])
    return ", ".join(str(low) if low == high else f"{low}–{high}" for low, high in runs)
