"""Opening models: from a spec, or from a module that is already there."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from pellucid.errors import ModelError, SpecError, closest
from pellucid.model.head import count_logits, example_inputs
from pellucid.model.inputs import ArrayInput, ImageInput, Input
from pellucid.model.protocol import Model, choose_device
from pellucid.model.request import LoadRequest
from pellucid.model.weights import load_weights
from pellucid.plugins import find, names

SOURCES = "pellucid.model_sources"
IMAGENET = {1: ((0.449,), (0.226,)), 3: ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))}


def load(
    spec: str | Path,
    *,
    weights: str | Path | bool | None = None,
    labels: Sequence[str] | str | Path | None = None,
    trust: bool = False,
    device: str = "auto",
) -> Model:
    """Open the model that `spec` names, in eval mode: ``torchvision:resnet18``, ``run:DIR``, ….

    `weights` is a file to load instead of the source's own weights, or False for random ones.
    `labels` name the classes: a list, or a file with one per line or in JSON. `trust` allows code
    from elsewhere to run. Raises SpecError for a spec that cannot be understood, ModelError for a
    model that cannot be opened, and its kinds WeightsError and UntrustedError.
    """
    scheme, rest = parse(str(spec))
    file = Path(weights) if isinstance(weights, (str, Path)) else None
    request = LoadRequest(
        pretrained=weights is None or weights is True,
        weights=file,
        trust=trust,
        device=_device(device),
    )
    model: Model = find(SOURCES, scheme, what="model source")(rest, request)
    if file:
        model.notes += tuple(load_weights(model.module, file, trust=trust))
    model.module.eval()
    _move(model, request.device)
    if labels is not None:
        model.labels = read_labels(labels)
        _check_labels(model)
    return model


def wrap(
    module: nn.Module,
    *,
    input: Input | None = None,  # noqa: A002
    labels: Sequence[str] | str | Path = (),
    task: str = "classification",
    device: str | None = None,
    head: str = "",
    name: str | None = None,
    weights: str | Path | None = None,
) -> Model:
    """Make a Model of a module; its modes stay, and so does its place unless `device` is given.

    `input` says how to feed it (guessed from its first layer if that is a convolution over
    pictures or a linear layer), `labels` name the classes, `head` the layer that makes the logits,
    `weights` is a file to load first. Raises ModelError if the input cannot be guessed, or the
    labels do not match the logits.
    """
    if not isinstance(module, nn.Module):
        raise ModelError(
            f"{type(module).__name__} was given; expected a torch.nn.Module. Put a function into "
            "the forward method of a module, and open a spec with pellucid.load."
        )
    guessed, notes = (input, ()) if input else _guess_input(module)
    first = next(itertools.chain(module.parameters(), module.buffers()), None)
    model = Model(
        module=module,
        source=name or type(module).__name__,
        input=guessed,
        labels=read_labels(labels),
        task=task,
        device=first.device if first is not None else torch.device("cpu"),
        head=head,
        notes=notes,
    )
    if weights:
        model.notes += tuple(load_weights(module, weights))
    if device:
        _move(model, _device(device))
    if model.labels:
        _check_labels(model)
    return model


def parse(spec: str) -> tuple[str, str]:
    """Split a spec into scheme and rest; a folder with a run.json means `run:FOLDER`."""
    if Path(spec, "run.json").is_file():
        return "run", spec
    scheme, colon, rest = spec.partition(":")
    if colon and rest and scheme in names(SOURCES):
        return scheme, rest
    if colon and rest:
        problem = f"the scheme {scheme!r} is unknown. {closest(scheme, names(SOURCES))}"
    else:
        problem = f"expected SCHEME:NAME, with one of {', '.join(names(SOURCES))}."
    raise SpecError(f"{spec!r} names no model: {problem} {_advice(spec)}")


def _advice(spec: str) -> str:
    path = Path(spec.partition(":")[0])
    if path.suffix == ".py":
        return f"For a Python file: 'python:{path}:CALLABLE'."
    if (path / "config.json").is_file():
        return f"For a folder of Hugging Face: 'hf:{path}'."
    if path.is_file():
        return f"For a file of weights: 'torchvision:NAME' with weights={str(path)!r}."
    return "For example: 'torchvision:resnet18'."


def read_labels(labels: Sequence[str] | str | Path) -> tuple[str, ...]:
    """Read labels from a list, a text file (one per line), or JSON (a list, or id → label)."""
    if not isinstance(labels, (str, Path)):
        return tuple(str(label) for label in labels)
    path = Path(labels)
    if not path.is_file():
        raise ModelError(f"there is no file of labels at {path}; expected a list or a file.")
    text = path.read_text(encoding="utf-8-sig")
    if path.suffix.lower() != ".json":
        return tuple(line.strip() for line in text.strip().splitlines())
    try:
        found = json.loads(text)
        if isinstance(found, dict):
            found = found.get("id2label", found)
            found = [found[str(index)] for index in range(len(found))]
        return tuple(str(label) for label in list(found))
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f'{path} holds no labels: expected a JSON list, or {{"0": label, "1": label, …}}.'
        ) from error


def _check_labels(model: Model) -> None:
    inputs = example_inputs(model.input)
    if inputs is None:
        return
    num_logits = count_logits(model, inputs)
    if num_logits != len(model.labels):
        raise ModelError(
            f"{len(model.labels)} labels were given for {model.source}, which has {num_logits} "
            f"logits; expected {num_logits} labels, in the order of the logits."
        )


def _guess_input(module: nn.Module) -> tuple[Input, tuple[str, ...]]:
    layer = next(
        (
            part
            for part in module.modules()
            if "weight" in dict(part.named_parameters(recurse=False))
        ),
        None,
    )
    if isinstance(layer, nn.Conv2d) and layer.in_channels in IMAGENET:
        mean, std = IMAGENET[layer.in_channels]
        guessed = replace(ImageInput(), mean=mean, std=std)
        return guessed, ("size and normalization are unknown; ImageNet's are assumed",)
    if isinstance(layer, nn.Linear):
        return ArrayInput(shape=(layer.in_features,)), ()
    begins = f"begins with {layer}" if layer is not None else "has no weights"
    raise ModelError(
        f"how to feed {type(module).__name__} cannot be guessed: it {begins}. Say it with "
        "input=ImageInput(…), TextInput(…) or ArrayInput(…) of pellucid.model."
    )


def _device(device: str) -> torch.device:
    try:
        return choose_device(device)
    except RuntimeError as error:
        raise SpecError(
            f"the device {device!r} is unknown; expected auto, cpu, cuda, cuda:1 or mps."
        ) from error


def _move(model: Model, device: torch.device) -> None:
    try:
        model.module.to(device)
    except (RuntimeError, AssertionError) as error:
        raise ModelError(
            f"{model.source} cannot be put on {device}: {error}. Choose another device=."
        ) from error
    model.device = device
