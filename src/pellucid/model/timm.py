"""Models of timm: `timm:resnet18.a1_in1k`, `timm:hf-hub:OWNER/NAME`, `timm:FOLDER`."""

from __future__ import annotations

import contextlib
import json
import math
import pickle
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from pellucid.errors import ModelError, closest, sentence
from pellucid.model.inputs import RESAMPLING, ImageInput
from pellucid.model.protocol import Model
from pellucid.model.request import LoadRequest
from pellucid.plugins import require

LOCAL = "local-dir:"
# What timm's configuration says about where weights were found.
PLACES = ("file", "source", "hf_hub_id", "hf_hub_filename", "url", "state_dict")
# Arguments of timm.create_model that read files: a run's record, found anywhere, may not set them.
UNSAFE = {"checkpoint_path", "cache_dir", "pretrained"}
# What timm and the hub raise for names, tags, files and options that they cannot take.
FAILURES = (OSError, RuntimeError, ValueError, KeyError, TypeError, pickle.UnpicklingError)


def load(rest: str, request: LoadRequest) -> Model:
    """Open a classifier of timm by name, from the Hugging Face hub, or from a folder.

    Input and labels are those of its weights. Raises ModelError for an unknown name, and for
    weights that cannot be had; MissingDependency without timm.
    """
    timm = require("timm", extra="timm", why=f"to load timm:{rest}")
    folder = Path(rest, "config.json").is_file() and not timm.is_model(rest.partition(".")[0])
    name = LOCAL + rest if folder else rest
    options = dict(request.record.get("options", {}))
    if request.record and (":" in name or UNSAFE & options.keys()):
        raise ModelError(f"the record of timm:{rest} asks for other files, which a run may not.")
    _check_name(timm, name)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            module = timm.create_model(name, pretrained=request.pretrained, **options)
            arguments = _arguments(timm, name)
    except FAILURES as error:
        raise ModelError(
            f"timm:{rest} cannot be opened: {sentence(str(error))} Check the name and the network, or pass "
            "weights=FILE, or weights=False for random ones."
        ) from error
    if not module.num_classes:
        raise ModelError(f"timm:{rest} has no classes: it gives features. Choose a classifier.")
    config = timm.data.resolve_model_data_config(module)
    input_, notes = _input(config)
    return Model(
        module=module,
        source=f"timm:{rest}",
        input=input_,
        labels=_labels(timm, module),
        device=request.device,
        architecture=request.record or _record(module, name, arguments),
        notes=(*request.notes, *notes),
    )


def _check_name(timm: ModuleType, name: str) -> None:
    architecture = name.partition(".")[0]
    if ":" not in name and not timm.is_model(architecture):
        known = timm.list_models()
        raise ModelError(f"timm:{name} is unknown. {closest(architecture, known)}")


def _arguments(timm: ModuleType, name: str) -> dict[str, Any]:
    """Read the arguments that a folder or a repository gives to the architecture."""
    if name.startswith(LOCAL):
        config = json.loads(Path(name.removeprefix(LOCAL), "config.json").read_text("utf-8"))
        return dict(config.get("model_args") or {})
    if ":" in name:
        _, _, arguments = timm.models.load_model_config_from_hf(name.partition(":")[2])
        return dict(arguments or {})
    return {}


def _record(module: Any, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    if ":" not in name:
        return {"source": "timm", "name": name, "options": {}}
    # The picture's size, which some architectures depend on, is part of this configuration.
    config = {key: value for key, value in module.pretrained_cfg.items() if key not in PLACES}
    options = {**arguments, "num_classes": module.num_classes, "pretrained_cfg": config}
    return {"source": "timm", "name": config["architecture"], "options": options}


def _input(config: dict[str, Any]) -> tuple[ImageInput, tuple[str, ...]]:
    """Turn timm's data configuration into an input; say what could not be taken over."""
    _, height, width = config["input_size"]
    scaled = math.floor(min(height, width) / config["crop_pct"])
    mode, method = config["crop_mode"], config["interpolation"]
    squash = mode == "squash"
    notes = []
    if mode == "border" or (squash and scaled != min(height, width)):
        notes.append(f"timm's crop mode {mode!r} is not followed exactly")
    if method not in RESAMPLING:
        notes.append(f"timm's interpolation {method!r} is replaced by bicubic")
    described = ImageInput(
        size=(height, width),
        resize=None if squash else scaled,
        interpolation=method if method in RESAMPLING else "bicubic",
        mean=tuple(config["mean"]),
        std=tuple(config["std"]),
    )
    return described, tuple(notes)


def _labels(timm: ModuleType, module: Any) -> tuple[str, ...]:
    own = module.pretrained_cfg.get("label_names")
    if isinstance(own, (list, tuple)) and len(own) == module.num_classes:
        return tuple(map(str, own))
    subset = timm.data.infer_imagenet_subset(module)
    if subset is None:
        return ()
    synonyms = timm.data.ImageNetInfo(subset).label_descriptions()
    return tuple(names.partition(",")[0] for names in synonyms)
