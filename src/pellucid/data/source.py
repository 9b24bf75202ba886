"""Open data by its spec: ``folder:DIR``, ``table:FILE``, ``hf:NAME``, ``bundled:NAME``, and more.

A source is one function, registered in the entry points group ``pellucid.data_sources`` under its
scheme. It takes what follows the colon and returns a `Source`: the splits it has itself, and a
function that reads one of them. Drawing splits, limits and checks of classes are done here, for
all sources alike.

What happens with data that is not as it should be:

- A sample that cannot be read is skipped and named in ``data.report``, when opening if that can be
  seen cheaply, else when it is read. Reading a data set stops once more than one sample in ten is
  lost that way (`pellucid.data.loading`).
- A picture in an unusual format is converted, and the report says so (`pellucid.data.pictures`).
- A class without samples, or a single class, is noted; training refuses the latter.
- Data without any readable sample is refused, with the layout that was expected.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl

import numpy as np

from pellucid import plugins
from pellucid.data.protocol import Data
from pellucid.data.splits import DRAWN, canonical, partition, spread
from pellucid.data.wrapped import wrap_data
from pellucid.errors import DataError, SpecError, closest

__all__ = ["Source", "load_data", "read_options", "splits", "wrap_data"]

FAMILY = "pellucid.data_sources"
TABLE_SUFFIXES = (".csv", ".tsv", ".parquet")


@dataclass(frozen=True, kw_only=True)
class Source:
    """What a source function returns: its own splits, and how to read one.

    `splits` are names as `pellucid.data.splits.by_split` gives them, empty if the source has none.
    `read` is called with one of them, or with "" for all there is in a source without splits.
    """

    splits: tuple[str, ...]
    read: Callable[[str], Data]


def load_data(
    spec: str | os.PathLike[str],
    *,
    split: str | None = None,
    limit: int | None = None,
    seed: int = 0,
) -> Data:
    """Open the data that `spec` names: ``folder:DIR`` or an existing folder or table, and others.

    If the source has splits itself, `split` is one of them, and ``train`` by default. If not,
    everything is read by default, and ``train``, ``val`` or ``test`` is drawn 80/10/10 within every
    class, always in the same way. `limit` takes that many samples, drawn with `seed` in the
    proportions of the classes. `data.report` names what was wrong with the data.

    Raises SpecError for a spec or limit that cannot be understood, DataError for data that cannot
    be used.
    """
    if limit is not None and limit < 1:
        raise SpecError(f"limit={limit} was given; expected at least 1 sample, or no limit.")
    data = _read(_open(spec), str(spec), split)
    if not len(data):
        raise DataError(f"{data.source} holds no samples in split {data.split!r}; expected some.")
    _note_classes(data)
    return data if limit is None else spread(data, limit, seed)


def splits(spec: str | os.PathLike[str]) -> tuple[str, ...]:
    """Name the splits that the source has itself; empty if it has none."""
    return _open(spec).splits


def read_options(rest: str, known: Collection[str]) -> tuple[str, Mapping[str, str]]:
    """Take ``NAME?option=value&option=value`` apart. Raises SpecError for an unknown option."""
    name, mark, query = rest.rpartition("?")
    if not mark or Path(rest).exists():
        return rest, {}
    options = dict(parse_qsl(query, keep_blank_values=True))
    for option, value in options.items():
        if option not in known or not value:
            wrong = f"{option}=" if option in known else option
            raise SpecError(
                f"option {wrong!r} in {rest!r} is not understood; expected "
                f"NAME?option=value. {closest(option, known)}"
            )
    return name, options


def _open(spec: str | os.PathLike[str]) -> Source:
    scheme, rest = _parse(os.fspath(spec))
    source: Source = plugins.find(FAMILY, scheme, what="data source")(rest)
    return source


def _parse(spec: str) -> tuple[str, str]:
    if Path(spec).expanduser().is_dir():
        return "folder", spec
    path = Path(spec.partition("?")[0]).expanduser()
    if path.is_file() and path.suffix.lower() in TABLE_SUFFIXES:
        return "table", spec
    scheme, _, rest = spec.partition(":")
    if not rest:
        kinds = ", ".join(f"{name}:…" for name in plugins.names(FAMILY))
        what = "a file of an unknown kind" if path.is_file() else "no existing folder or table"
        raise SpecError(
            f"{spec!r} is {what}, and names no source of data. Expected {kinds}, "
            f"an existing folder, or a file ending in {', '.join(TABLE_SUFFIXES)}."
        )
    return scheme, rest


def _read(source: Source, spec: str, split: str | None) -> Data:
    if source.splits:
        return source.read(_own_split(source.splits, spec, split))
    if split is None:
        return source.read("")
    name = canonical(split)
    if name not in DRAWN:
        raise DataError(
            f"{spec} has no splits of its own, so there is no {split!r}. Expected "
            f"{', '.join(map(repr, DRAWN))}, which are drawn from it, or no split for everything."
        )
    everything = source.read("")
    part = partition(everything, DRAWN)[name]
    if not len(part):
        raise DataError(
            f"{spec}: no split {name!r} can be drawn from {len(everything)} samples; at least 3 of "
            "a class are needed. Add samples, or give no split."
        )
    return part


def _own_split(names: tuple[str, ...], spec: str, split: str | None) -> str:
    if split is None and len(names) == 1:
        return names[0]
    asked = "train" if split is None else split
    for name in (asked, canonical(asked)):
        if name in names:
            return name
    raise DataError(
        f"{spec} has no split {asked!r}. It has {', '.join(map(repr, names))}; choose one of them."
    )


def _note_classes(data: Data) -> None:
    """Put classes without samples, and a lone class, into the report."""
    counts = np.bincount(data.targets[data.targets >= 0], minlength=len(data.labels))
    if not counts.any():
        return
    where = " in this split" if data.split else ""
    for label, count in zip(data.labels, counts, strict=True):
        if not count:
            data.report.add(label, f"has no samples{where}", "noted")
    if len(data.labels) == 1:
        data.report.add(data.labels[0], "is a single class", "noted")
