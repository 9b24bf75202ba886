"""A fine-tuned model, from the run that made it: `run:DIR`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from pellucid.errors import ModelError
from pellucid.model.fitting import fit
from pellucid.model.head import new_head, put_layer
from pellucid.model.inputs import input_from_json
from pellucid.model.protocol import Model
from pellucid.model.request import LoadRequest
from pellucid.model.save import RECORD, WEIGHTS
from pellucid.model.weights import read_state_dict
from pellucid.plugins import find

BEFORE = "before training: "


def load(rest: str, request: LoadRequest) -> Model:
    """Open the model that a run kept, without network.

    Its architecture is built again by the source it came from (which needs `trust` again for a
    Python file), then takes the run's weights. Raises ModelError for a folder that holds no model,
    or a model that was wrapped, and WeightsError for weights that do not fit.
    """
    folder = Path(rest) / "model"
    record = _read_json(folder / RECORD)
    model = _rebuild(record, replace(request, pretrained=False, folder=folder))
    state = read_state_dict(folder / WEIGHTS)
    try:
        _restore(model, record, folder, state)
    except (KeyError, TypeError, AttributeError) as error:
        raise _damaged(folder / RECORD, error) from error
    if request.pretrained:
        fit(model.module, state, origin=str(folder / WEIGHTS))
    return replace(model, source=f"run:{rest}", run=_run_id(Path(rest)))


def _restore(model: Model, record: dict[str, Any], folder: Path, state: dict[str, Tensor]) -> None:
    """Put what was saved beside the weights into the model, and fit its head to them."""
    model.head, model.task = str(record["head"]), str(record["task"])
    model.labels = tuple(str(label) for label in record["labels"])
    model.input = input_from_json(record["input"], folder)
    earlier = [str(note) for note in record["notes"] if note not in model.notes]
    model.notes = (*map(_before, earlier), *model.notes)
    saved = state.get(f"{model.head}.weight") if model.head else None
    if saved is None:
        return
    if len(saved) != len(model.labels or saved):
        raise TypeError(f"{len(model.labels)} labels for {len(saved)} outputs")
    old: Any = model.module.get_submodule(model.head)
    if len(saved) != len(old.weight):
        put_layer(model.module, model.head, new_head(old, len(saved), seed=0))


def _before(note: str) -> str:
    """Mark what was noticed before the training, which may hold no longer."""
    return note if note.startswith(BEFORE) else BEFORE + note


def _read_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ModelError(
            f"there is no model at {path}; expected the folder of a finished run, as "
            "pellucid.finetune leaves it."
        )
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise _damaged(path, error) from error
    if not isinstance(record, dict):
        raise _damaged(path, TypeError(f"it holds a {type(record).__name__}"))
    return record


def _damaged(path: Path, error: Exception) -> ModelError:
    return ModelError(f"{path} is damaged ({type(error).__name__}: {error}). Run it again.")


def _rebuild(record: dict[str, Any], request: LoadRequest) -> Model:
    """Build the architecture with the source it came from."""
    architecture, folder = record.get("architecture"), request.folder
    assert folder is not None
    if not architecture:
        raise ModelError(
            f"{folder} keeps the weights of a module that was wrapped in Python "
            f"({record.get('source')}), which only your code can build. Build it, then open it with "
            f"pellucid.wrap(module, weights={str(folder / WEIGHTS)!r})."
        )
    known = architecture if isinstance(architecture, dict) else {}
    scheme, name = known.get("source"), known.get("name")
    if scheme == "run" or not isinstance(scheme, str) or not isinstance(name, str):
        raise _damaged(folder / RECORD, TypeError(f"its architecture is {architecture!r}"))
    source = find("pellucid.model_sources", scheme, what="model source")
    built: Model = source(name, replace(request, record=architecture))
    return built


def _run_id(folder: Path) -> str:
    path = folder / "run.json"
    return str(_read_json(path).get("id", "")) if path.is_file() else ""
