"""A fine-tuned model, from the run that made it: `run:DIR`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor, nn

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
    path = folder / WEIGHTS
    state = read_state_dict(path)
    try:
        model.head = str(record["head"])
        _fit_head(model.module, model.head, state)
        described = input_from_json(record["input"], folder)
        labels = tuple(str(label) for label in record["labels"])
        notes = (*(_before(str(note)) for note in record["notes"]), *model.notes)
    except (KeyError, TypeError, AttributeError) as error:
        raise _damaged(folder / RECORD, error) from error
    if request.pretrained:
        fit(model.module, state, origin=str(path))
    return replace(
        model,
        source=f"run:{rest}",
        input=described,
        labels=labels,
        task=str(record["task"]),
        run=_run_id(Path(rest)),
        notes=notes,
    )


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
    architecture = record.get("architecture")
    if not architecture:
        assert request.folder is not None
        raise ModelError(
            f"{request.folder} keeps the weights of a module that was wrapped in Python "
            f"({record.get('source')}), which only your code can build. Build it, then open it with "
            f"pellucid.wrap(module, weights={str(request.folder / WEIGHTS)!r})."
        )
    scheme, name = architecture.get("source"), architecture.get("name")
    if scheme == "run" or not isinstance(scheme, str) or not isinstance(name, str):
        raise _damaged(Path(request.folder or "", RECORD), TypeError(f"source {scheme!r}"))
    source = find("pellucid.model_sources", scheme, what="model source")
    built: Model = source(name, replace(request, record=architecture))
    return built


def _fit_head(module: nn.Module, name: str, state: dict[str, Tensor]) -> None:
    """Give the head as many outputs as the saved one has."""
    saved = state.get(f"{name}.weight")
    if not name or saved is None:
        return
    old: Any = module.get_submodule(name)
    if saved.shape[0] != old.weight.shape[0]:
        put_layer(module, name, new_head(old, saved.shape[0], seed=0))


def _run_id(folder: Path) -> str:
    path = folder / "run.json"
    return str(_read_json(path).get("id", "")) if path.is_file() else ""
