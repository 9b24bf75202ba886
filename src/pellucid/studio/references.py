"""From what a request names to what is opened: models by reference.

A request may name a run of the workspace or a model of a source that runs no code and reads no
path: never ``python:``, never a folder, never with trust. Whatever else a source can open is for
the command line.
"""

from __future__ import annotations

import re
from pathlib import Path

from pellucid.errors import ModelError, SpecError
from pellucid.studio.schemas import ModelReference
from pellucid.studio.state import Studio
from pellucid.studio.uploads.store import Uploads
from pellucid.studio.workers.opening import Opening

NAMES = {
    "bundled": re.compile(r"[A-Za-z0-9_-]+"),
    "torchvision": re.compile(r"[A-Za-z0-9_]+"),
    "timm": re.compile(r"(hf-hub:[\w-][\w.-]*/)?[\w-][\w.-]*", re.ASCII),
    "hf": re.compile(r"([\w-][\w.-]*/)?[\w-][\w.-]*", re.ASCII),
}
WEIGHTS = Path("model", "model.safetensors")


def open_reference(studio: Studio, reference: ModelReference) -> Opening:
    """What a worker opens for a reference.

    Raises SpecError for one that is not allowed, NotThere for an unknown run or weights.
    """
    scheme, _, name = reference.reference.partition(":")
    if scheme == "run":
        if reference.weights:
            raise SpecError("a run has weights of its own; name the model that these are for.")
        return run_opening(run_path(studio, name))
    _check_name(scheme, name)
    if reference.weights is None:
        return Opening(spec=reference.reference)
    return Opening(
        spec=reference.reference, weights=studio.part(Uploads).weights(reference.weights)
    )


def run_opening(path: Path) -> Opening:
    """The fine-tuned model of a run. Raises ModelError while the run has none."""
    weights = path / WEIGHTS
    if not weights.is_file():
        raise ModelError(
            f"the run {path.name!r} has no model yet: it is kept when the training has ended. "
            "Choose another one, or wait."
        )
    state = weights.stat()
    return Opening(spec=f"run:{path}", stamp=f"{state.st_mtime_ns} {state.st_size}")


def run_path(studio: Studio, run: str) -> Path:
    """Where a run of the workspace lies. Raises NotThere, or OutOfBounds for one elsewhere."""
    return studio.contents.run(run).path


def title_of(studio: Studio, reference: ModelReference) -> str:
    """What people know a model by: a run's name, or the name after the source's."""
    scheme, _, name = reference.reference.partition(":")
    if scheme == "run":
        return run_path(studio, name).name
    return name.rpartition("/")[2]


def _check_name(scheme: str, name: str) -> None:
    if scheme not in NAMES:
        raise SpecError(
            f"{scheme + ':' if name else scheme!r} is no source of models that the studio opens. "
            f"Expected run:ID, {', '.join(f'{known}:NAME' for known in NAMES)}; the command line "
            "opens others."
        )
    # A source may take a name for a folder that happens to be there.
    if not NAMES[scheme].fullmatch(name) or ".." in name or Path(name).exists():
        raise SpecError(
            f"{name!r} is no name of a model of {scheme}; expected letters, digits, '_', '-' and "
            "'.', and no path."
        )
