"""Open again what was saved: a run, a result, or an inspection."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pellucid.errors import ResultError

if TYPE_CHECKING:
    from pellucid.result import Result
    from pellucid.result.inspection import Inspection
    from pellucid.workspace.run import Run


def open(path: str | Path) -> Result | Run | Inspection:  # noqa: A001
    """Open a run's folder as a Run; a saved result, a folder or URL, as a Result of its kind.

    The folder of an inspection is opened as an Inspection, with all its results.

    Raises ResultError for anything else.
    """
    place = Path(path).expanduser()
    if (place / "run.json").is_file():
        from pellucid.workspace.run import Run

        return Run.open(place)
    if (place / "inspection.json").is_file():
        from pellucid.result.inspection import Inspection

        return Inspection.open(place)
    if (place / "zarr.json").is_file() or "://" in str(path):
        from pellucid.result.store import open_result

        return open_result(path)
    raise ResultError(
        f"{path}: {_found(place)}; expected a run (a folder with run.json) or a saved result "
        "(a .zarr folder). 'pellucid runs' lists the runs of a workspace."
    )


def _found(place: Path) -> str:
    if not place.exists():
        return "there is nothing"
    if place.is_file():
        return "this is a file"
    inside = sorted(child.name for child in place.glob("*.zarr"))
    return f"this folder holds {', '.join(inside)}" if inside else "this folder holds neither"
