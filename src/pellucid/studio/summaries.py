"""Runs and results as the API tells of them. Their records are foreign: each entry may be anything."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import Any, Literal, cast

from pellucid.reporting.sections import TITLES
from pellucid.result import provenance
from pellucid.studio.contents import Listing, ResultItem, RunItem
from pellucid.studio.plain import plain
from pellucid.studio.schemas import Figure, ResultSummary, RunSummary, Workspace

PRIVATE = frozenset(
    {"format", "pid", "host", "workspace"}
)  # of the machine, nobody else's business
MOST_LETTERS = 2_000
ON_DISK = frozenset({"folder", "table"})
Status = Literal["running", "finished", "failed", "stopped", "missing"]


def summarize(
    listing: Listing, jobs: Mapping[str, str], titles: Mapping[str, str] | None = None
) -> Workspace:
    """The whole workspace; `jobs` names the job that trains a run, by the run's id.

    `titles` says what people call a data set, by the source that records name.
    """
    tags = {tag for item in _items(listing) for tag in item.marks.tags}
    return Workspace(
        runs=[run_summary(item, jobs.get(item.id), titles) for item in listing.runs.values()],
        results=[result_summary(item, titles) for item in listing.results.values()],
        tags=sorted(tags, key=str.casefold),
    )


def run_summary(
    item: RunItem, job: str | None = None, titles: Mapping[str, str] | None = None
) -> RunSummary:
    """A run as a line, from its record alone."""
    record = item.record
    source = text(record, "data", "train", "source")
    return RunSummary(
        id=item.id,
        name=text(record, "name") or item.path.name,
        created=text(record, "created"),
        status=cast("Status", item.status),
        why=item.why[:MOST_LETTERS],
        model=provenance.called(text(record, "model", "source")),
        data=called(source, titles),
        data_source=source,
        strategy=text(record, "strategy") or text(record, "config", "strategy"),
        num_samples=whole(record, "data", "train", "num_samples"),
        epochs=whole(record, "epochs") or whole(record, "best", "epoch") or 0,
        seconds=number(record, "seconds") or 0.0,
        validation_accuracy=number(record, "best", "validation_accuracy"),
        validation_loss=number(record, "best", "validation_loss"),
        num_results=len(item.results),
        tags=list(item.marks.tags),
        note=item.marks.note,
        job=job,
    )


def result_summary(item: ResultItem, titles: Mapping[str, str] | None = None) -> ResultSummary:
    """A result as a line, from its provenance alone."""
    source = text(item.meta, "data", "source")
    kind = text(item.meta, "kind") or "result"
    return ResultSummary(
        id=item.id,
        kind=kind,
        title=title_of(kind),
        created=item.created,
        run=item.run,
        model=provenance.called(text(item.meta, "model", "source")),
        data=called(source, titles),
        data_source=source,
        method=text(item.meta, "method"),
        missing=item.missing,
        tags=list(item.marks.tags),
        note=item.marks.note,
    )


def called(source: str, titles: Mapping[str, str] | None = None) -> str:
    """What people call data that records name by where it lies: "folder:/a/photos" → "photos"."""
    if titles and source in titles:
        return titles[source]
    scheme, _, rest = source.partition(":")
    if scheme not in ON_DISK:
        return source
    return PurePath(rest.partition("?")[0]).name or source


def readable(words: str, source: str, title: str) -> str:
    """Words about data, with its title in place of where it lies."""
    return words.replace(source, f"'{title}'") if source and source != title else words


def title_of(kind: str) -> str:
    """What a kind of result is called: "evaluation" → "Evaluation"."""
    return TITLES.get(kind) or kind.replace("_", " ").capitalize()


def figures(source: Any) -> list[Figure]:
    """Key figures of a run or a result; none where it has none."""
    headline = getattr(source, "headline", None)
    found: Sequence[tuple[str, str, str]] = headline() if callable(headline) else ()
    return [Figure(label=label, value=value, detail=detail) for label, value, detail in found]


def shown_record(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record without what is only of the machine, and with null for numbers that JSON lacks."""
    return {name: plain(value) for name, value in record.items() if name not in PRIVATE}


def entry(record: Any, *path: str) -> Any:
    """What lies at `path` in nested mappings; None where there is nothing."""
    for name in path:
        record = record.get(name) if isinstance(record, Mapping) else None
    return record


def text(record: Any, *path: str) -> str:
    """The text at `path`, cut where it is endless; "" for anything else."""
    found = entry(record, *path)
    return found[:MOST_LETTERS] if isinstance(found, str) else ""


def number(record: Any, *path: str) -> float | None:
    """The number at `path`, if it is one and finite."""
    found = entry(record, *path)
    is_number = isinstance(found, int | float) and not isinstance(found, bool)
    try:
        value = float(found) if is_number else math.nan
    except OverflowError:
        return None
    return value if math.isfinite(value) else None


def whole(record: Any, *path: str) -> int | None:
    """The whole number at `path`, if it is one."""
    found = number(record, *path)
    return int(found) if found is not None and found == int(found) else None


def _items(listing: Listing) -> Iterable[RunItem | ResultItem]:
    return [*listing.runs.values(), *listing.results.values()]
