"""Runs and results as the API tells of them. Their records are foreign: each entry may be anything."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, cast

from pellucid.reporting.sections import TITLES
from pellucid.studio.contents import Listing, ResultItem, RunItem
from pellucid.studio.plain import plain
from pellucid.studio.schemas import Figure, ResultSummary, RunSummary, Workspace

PRIVATE = frozenset(
    {"format", "pid", "host", "workspace"}
)  # of the machine, nobody else's business
MOST_LETTERS = 2_000
Status = Literal["running", "finished", "failed", "stopped", "missing"]


def summarize(listing: Listing, jobs: Mapping[str, str]) -> Workspace:
    """The whole workspace; `jobs` names the job that trains a run, by the run's id."""
    tags = {tag for item in _items(listing) for tag in item.marks.tags}
    return Workspace(
        runs=[run_summary(item, jobs.get(item.id)) for item in listing.runs.values()],
        results=[result_summary(item) for item in listing.results.values()],
        tags=sorted(tags, key=str.casefold),
    )


def run_summary(item: RunItem, job: str | None = None) -> RunSummary:
    """A run as a line, from its record alone."""
    record = item.record
    return RunSummary(
        id=item.id,
        name=text(record, "name") or item.path.name,
        created=text(record, "created"),
        status=cast("Status", item.status),
        why=item.why[:MOST_LETTERS],
        model=text(record, "model", "source"),
        data=text(record, "data", "train", "source"),
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


def result_summary(item: ResultItem) -> ResultSummary:
    """A result as a line, from its provenance alone."""
    kind = text(item.meta, "kind") or "result"
    return ResultSummary(
        id=item.id,
        kind=kind,
        title=title_of(kind),
        created=item.created,
        run=item.run,
        model=text(item.meta, "model", "source"),
        data=text(item.meta, "data", "source"),
        method=text(item.meta, "method"),
        missing=item.missing,
        tags=list(item.marks.tags),
        note=item.marks.note,
    )


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
