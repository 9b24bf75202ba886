"""A model's weights in plain words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from pellucid.views.prose import counted, listed, percent
from pellucid.views.wording import formatted

LOW_RANK = 0.5  # of the full effective rank of random weights, below which a matrix is called so
SPARSE = 0.1


def summary(data: xr.Dataset, notes: Sequence[str]) -> str:
    """How many, how sparse, what is dead or double, how many directions; a line each."""
    lines = (
        (_size(data), _broken(data)),
        (_sparsity(data), _dead(data), _duplicates(data)),
        (_ranks(data),),
        tuple(notes),
    )
    return "\n".join(" ".join(filter(None, line)) for line in lines if any(line))


def headline(data: xr.Dataset) -> list[tuple[str, str, str]]:
    """Give the tiles: parameters, zeros, dead and duplicate filters, effective rank."""
    own = weights_only(data)
    rows, dead = int(own["num_rows"].sum()), int(own["num_dead"].sum())
    tiles = [
        (
            "Parameters",
            short_number(int(own["num_entries"].sum())),
            f"in {counted(own.sizes['tensor'], 'tensor')}",
        ),
        ("Exactly zero", percent(zero_share(own)), "of all parameters"),
        ("Dead filters", f"{dead:,}", f"of {rows:,}, with weights at or near zero"),
        (
            "Duplicate filters",
            f"{int(own['num_duplicates'].sum()):,}",
            f"pairs with a cosine over {data.attrs['least_cosine']:g}",
        ),
    ]
    share = rank_shares(own)
    if np.isfinite(share).any():
        detail = "effective rank in parts of the full one, median over the matrices"
        tiles.append(("Directions in use", percent(float(np.nanmedian(share)), 0), detail))
    return tiles


def table(data: xr.Dataset) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """One row per tensor, as words for a terminal."""
    columns = ("tensor", "shape", "rms", "max", "zeros", "near zero", "rank", "effective", "dead")
    rows: list[tuple[str, ...]] = []
    for place in range(data.sizes["tensor"]):
        one = data.isel(tensor=place)
        full = int(one["full_rank"])
        rank = f"{formatted(float(one['rank']), 'd')} of {full}" if full else "–"
        rows.append(
            (
                str(one["tensor"].item()),
                str(one["shape"].item()) or "scalar",
                formatted(float(one["rms"]), ".3g"),
                formatted(float(one["max_abs"]), ".3g"),
                percent(float(one["zero_share"])),
                percent(float(one["near_zero_share"])),
                rank,
                formatted(float(one["effective_rank"]), ".1f"),
                f"{int(one['num_dead'])} of {int(one['num_rows'])}" if full else "–",
            )
        )
    return columns, rows


def weights_only(data: xr.Dataset) -> xr.Dataset:
    """The parameters, without buffers such as running means."""
    return data.isel(tensor=np.flatnonzero(data["role"].values != "buffer"))


def zero_share(data: xr.Dataset) -> float:
    """Share of all entries that are exactly zero."""
    shares, sizes = data["zero_share"].values, data["num_entries"].values
    known = np.isfinite(shares)
    return float((shares * sizes)[known].sum() / max(sizes[known].sum(), 1))


def rank_shares(data: xr.Dataset) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Effective rank of each matrix in parts of its full rank; NaN for vectors."""
    full = data["full_rank"].values.astype(np.float64)
    full[full < 2] = np.nan
    return np.asarray(data["effective_rank"].values / full, dtype=np.float64)


def short_number(number: int) -> str:
    """Write a large number in three digits: ``4.65 M`` for millions, ``1.2 G`` for billions."""
    for size, letter in ((10**9, "G"), (10**6, "M")):
        if number >= size:
            return f"{number / size:.3g} {letter}"
    return f"{number:,}"


def _size(data: xr.Dataset) -> str:
    own = weights_only(data)
    number = int(own["num_entries"].sum())
    layers = len(set(own["layer"].values.tolist()))
    return (
        f"{number:,} parameters in {counted(own.sizes['tensor'], 'tensor')} of "
        f"{counted(layers, 'layer')} were looked at."
    )


def _broken(data: xr.Dataset) -> str:
    broken = data["num_nan"].values + data["num_infinite"].values
    names = [str(name) for name in data["tensor"].values[broken > 0]]
    if not names:
        return ""
    return (
        f"{counted(int(broken.sum()), 'entry', 'entries')} of {listed(names)} "
        f"{'is' if broken.sum() == 1 else 'are'} not finite (NaN or infinity): the model is damaged, "
        "and ranks and filters of these tensors were left out."
    )


def _sparsity(data: xr.Dataset) -> str:
    own = weights_only(data)
    share = zero_share(own)
    if share == 0:
        return "No weight is exactly zero."
    matrices = own.isel(tensor=np.flatnonzero(own["full_rank"].values > 0))
    order = np.argsort(-matrices["zero_share"].values, kind="stable")[:3]
    most = [
        f"{matrices['tensor'].values[place]} ({percent(float(matrices['zero_share'][place]))})"
        for place in order
        if float(matrices["zero_share"][place]) > SPARSE
    ]
    where = f", most of all in {listed(most)}" if most else ""
    return f"{percent(share)} of the weights are exactly zero{where}."


def _dead(data: xr.Dataset) -> str:
    own = weights_only(data)
    dead, rows = own["num_dead"].values, int(own["num_rows"].sum())
    if not rows:
        return ""
    if not dead.any():
        return f"None of the {rows:,} filters and units is dead."
    order = [place for place in np.argsort(-dead, kind="stable") if dead[place]]
    names = [
        f"{own['tensor'].values[place]} ({dead[place]} of {int(own['num_rows'][place])})"
        for place in order
    ]
    return (
        f"{int(dead.sum()):,} of {rows:,} filters and units are dead, with weights at or near zero: "
        f"{listed(names)}."
    )


def _duplicates(data: xr.Dataset) -> str:
    pairs = data["num_duplicates"].values
    if not pairs.any():
        return ""
    order = [place for place in np.argsort(-pairs, kind="stable") if pairs[place]]
    names = [f"{data['tensor'].values[place]} ({pairs[place]:,})" for place in order]
    return (
        f"{counted(int(pairs.sum()), 'pair')} of filters do almost the same "
        f"(cosine over {data.attrs['least_cosine']:g}, either sign): {listed(names)}."
    )


def _ranks(data: xr.Dataset) -> str:
    shares = rank_shares(data)
    known = np.flatnonzero(np.isfinite(shares))
    if not len(known):
        return ""
    said = (
        f"Its matrices use {percent(float(np.median(shares[known])), 0)} of the directions they "
        "could (median of the effective rank; weights drawn at random use about 80–99 %)."
    )
    low = known[shares[known] < LOW_RANK]
    if not len(low):
        return said
    order = low[np.argsort(shares[low], kind="stable")]
    names = [
        f"{data['tensor'].values[place]} "
        f"({formatted(float(data['effective_rank'][place]), '.0f')} of "
        f"{int(data['full_rank'][place])})"
        for place in order
    ]
    return f"{said} Fewest in {listed(names)}: such a matrix could be made smaller."
