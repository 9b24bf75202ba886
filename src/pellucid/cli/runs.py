"""`pellucid runs`: list the runs of a workspace."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pellucid.cli import output
from pellucid.cli.options import AsJson, WorkspaceFolder

if TYPE_CHECKING:
    from pellucid.workspace.workspace import RunEntry

COLUMNS = ("name", "strategy", "status", "accuracy", "epochs", "when", "path")


def runs(workspace: WorkspaceFolder = None, as_json: AsJson = False) -> None:
    """List the runs of a workspace, newest first.

    Accuracy is that of the epoch whose weights were kept, on samples held out from training.
    """
    from pellucid.workspace.workspace import Workspace

    place = Workspace(workspace)
    found = [_look(entry) for entry in reversed(place.runs())]
    if as_json:
        output.answer_json(
            {"workspace": str(place.path), "runs": [vars(listed) for listed in found]}
        )
    elif found:
        output.answer_table(COLUMNS, [_row(listed) for listed in found], right="accuracy epochs")
    else:
        output.note(f"no runs in {place.path}; 'pellucid finetune MODEL DATA' makes one")


@dataclass(frozen=True, kw_only=True)
class Listed:
    """What the list tells about a run; `path` is absolute, `accuracy` a share or None."""

    id: str
    name: str
    strategy: str
    status: str
    accuracy: float | None
    epochs: int
    planned_epochs: int | None
    created: str
    model: str
    data: str
    path: str


def _look(entry: RunEntry) -> Listed:
    """Read a run as it is now; its entry in the catalogue may be older, and is all that is left of
    a run that has gone.
    """
    from pellucid.workspace.run import Run

    run = None if entry.missing else Run(entry.path)
    record = run.record if run else entry.record
    epochs = run.metrics("epoch") if run else []
    kept = (record.get("best") or {}).get("epoch", len(epochs))
    return Listed(
        id=entry.id,
        name=entry.name,
        strategy=record.get("strategy", ""),
        status=run.status if run else "missing",
        accuracy=epochs[kept - 1].get("validation_accuracy") if 0 < kept <= len(epochs) else None,
        epochs=len(epochs),
        planned_epochs=record.get("config", {}).get("epochs"),
        created=entry.created,
        model=record.get("model", {}).get("source", ""),
        data=record.get("data", {}).get("train", {}).get("source", ""),
        path=str(entry.path),
    )


def _row(listed: Listed) -> tuple[str, ...]:
    from pellucid.views.prose import percent

    return (
        listed.name,
        listed.strategy,
        listed.status,
        percent(math.nan if listed.accuracy is None else listed.accuracy),
        f"{listed.epochs}/{listed.planned_epochs}" if listed.planned_epochs else str(listed.epochs),
        _when(listed.created),
        _short(Path(listed.path)),
    )


def _when(created: str) -> str:
    return datetime.fromisoformat(created).astimezone().strftime("%Y-%m-%d %H:%M")


def _short(path: Path) -> str:
    """The path from here, where it lies below; else as it is."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
