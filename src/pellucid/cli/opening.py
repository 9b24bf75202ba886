"""Open what the arguments name, and keep what comes out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pellucid.cli.output import note
from pellucid.errors import SpecError

if TYPE_CHECKING:
    from pellucid.data import Data
    from pellucid.model import Model
    from pellucid.result import Result
    from pellucid.workspace.run import Run

HELD_OUT = ("test", "val")


def open_run(model: str) -> Run | None:
    """Open the run that a model's spec names; None for models that are no run."""
    from pellucid.model.source import parse
    from pellucid.workspace.run import Run

    scheme, rest = parse(model)
    return Run.open(rest) if scheme == "run" else None


def open_model(
    spec: str,
    *,
    weights: Path | None,
    no_weights: bool,
    labels: str | None,
    trust: bool,
    device: str,
) -> Model:
    """Load a model as the options say. Raises SpecError for options that exclude each other."""
    if weights and no_weights:
        raise SpecError("--weights and --no-weights exclude each other; give one of them.")
    from pellucid.model.source import load

    return load(
        spec,
        weights=False if no_weights else weights,
        labels=_names_or_file(labels),
        trust=trust,
        device=device,
    )


def data_of(data: str | None, run: Run | None) -> str:
    """Take the spec of the data as given, else that of the run's training data."""
    if data is not None:
        return data
    if run is None:
        raise SpecError("DATA is missing. Only a model that is a run (run:DIR) remembers its data.")
    return str(run.record["data"]["train"]["source"])


def open_data(spec: str, run: Run | None, *, split: str | None, limit: int | None = None) -> Data:
    """Open data; without `split` a held-out part, else everything, and say which."""
    from pellucid.data.source import load_data
    from pellucid.views.prose import counted

    data = load_data(spec, split=split or _held_out(spec, run), limit=limit)
    if split is None:
        part = f"the part {data.split!r}" if data.split else "everything"
        note(f"using {part} of {spec}, {counted(len(data), 'sample')}; choose with --split")
    return data


def seen_in_training(spec: str, run: Run | None) -> frozenset[str]:
    """Ids of the samples that the run was trained on, if `spec` names the same data."""
    if run is None or not _is_trained_on(spec, run):
        return frozenset()
    return run.training_ids


def keep(result: Result, *, run: Run | None, out: Path | None, workspace: Path | None) -> Path:
    """Save a result at `out`, else with its run, else in the workspace; enter it there."""
    from pellucid.workspace.workspace import Workspace

    if out is None:
        return run.add(result) if run else Workspace(workspace).add(result)
    return enter(result, result.save(out), run=run, workspace=workspace)


def enter(result: Result, path: Path, *, run: Run | None, workspace: Path | None) -> Path:
    """Enter a result that is saved at `path` into the run's catalogue, or the workspace's."""
    from pellucid.workspace.workspace import Workspace

    place = Workspace(run.record["workspace"] if run else workspace)
    place.register_result(result.meta, path, run.id if run else "")
    return path


def _held_out(spec: str, run: Run | None) -> str | None:
    from pellucid.data.source import splits

    own = splits(spec)
    if own:
        return next((name for name in HELD_OUT if name in own), None)
    if run is None or not _is_trained_on(spec, run):
        return None
    return "test" if run.record["data"]["train"]["split"] == "train" else None


def _is_trained_on(spec: str, run: Run) -> bool:
    return _place(spec) == _place(str(run.record["data"]["train"]["source"]))


def _place(spec: str) -> str:
    """Where data lies, however it is written: `folder:photos`, `./photos`."""
    path = Path(spec if Path(spec).exists() else spec.partition(":")[2]).expanduser()
    return str(path.resolve()) if str(path) != "." and path.exists() else spec


def _names_or_file(labels: str | None) -> Sequence[str] | str | None:
    if labels is None or "," not in labels or Path(labels).is_file():
        return labels
    return [label.strip() for label in labels.split(",")]
