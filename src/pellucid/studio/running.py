"""A run in full, read within bounds: its files may be anyone's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pellucid.errors import PellucidError
from pellucid.studio.contents import RunItem
from pellucid.studio.datasets import DataSets
from pellucid.studio.plain import plain
from pellucid.studio.schemas import Figure, RunDetail, RunSummary
from pellucid.studio.summaries import (
    figures,
    readable,
    result_summary,
    run_summary,
    shown_record,
)
from pellucid.workspace.run import Run

if TYPE_CHECKING:
    from pellucid.studio.state import Studio

MOST_LABELS = 5_000


@dataclass(frozen=True)
class StudioRun(Run):
    """A run whose record and metrics come from the studio's own readers."""

    studio: Studio

    @property
    def record(self) -> dict[str, Any]:
        """The run's record, as it is now."""
        return self.studio.bounds.read_json(self.path / "run.json")

    def metrics(self, kind: str = "epoch") -> list[dict[str, Any]]:
        """Rows of one kind, numbers alone."""
        return self.studio.logs.of(self.path).rows(kind)

    def results(self) -> list[Path]:
        """None: a record may name any workspace, so the studio finds results by itself."""
        return []


def status(studio: Studio, item: RunItem) -> RunSummary:
    """How a run stands now."""
    now = studio.contents.again(item)
    return run_summary(now, studio.training.get(item.id), studio.part(DataSets).titles())


def detail(studio: Studio, item: RunItem) -> RunDetail:
    """All about a run that fits on a page. A record that is damaged is told as such."""
    run = StudioRun(item.path, studio)
    record = run.record
    summary, headline = _words(run)
    listing = studio.contents.listing()
    labels = record.get("labels")
    titles = studio.part(DataSets).titles()
    about = run_summary(item, studio.training.get(item.id), titles).model_dump()
    epochs = len(run.metrics("epoch")) or about["epochs"]
    return RunDetail(
        **(about | {"epochs": epochs}),
        summary=readable(summary, about["data_source"], about["data"]),
        headline=headline,
        record=plain(shown_record(record)),
        results=[
            result_summary(listing.results[i], titles) for i in item.results if i in listing.results
        ],
        labels=[str(label) for label in labels[:MOST_LABELS]] if isinstance(labels, list) else [],
        metrics=studio.logs.of(item.path).names(),
    )


def _words(run: StudioRun) -> tuple[str, list[Figure]]:
    try:
        return run.summary(), figures(run)
    except (
        PellucidError,
        ArithmeticError,
        AttributeError,
        LookupError,
        TypeError,
        ValueError,
    ) as error:
        told = (
            f"The record of this run is damaged or incomplete ({type(error).__name__}: {error}), so "
            "there is no summary. Its curves and results are shown as far as they can be read."
        )
        return told, []
