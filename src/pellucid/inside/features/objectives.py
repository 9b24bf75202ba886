"""What a picture is made to excite, in words or as a record.

| written               | record                             | what grows                              |
|-----------------------|------------------------------------|-----------------------------------------|
| ``class:tabby``, 281  | ``Class("tabby")``                 | the logit of a class                    |
| ``class:tabby-lynx``  | ``Class("tabby", against="lynx")`` | the difference of two logits            |
| ``blocks.5:12``       | ``Unit("blocks.5", 12)``           | a channel, on average over its places   |
| ``blocks.5:12@3,4``   | ``Unit("blocks.5", 12, at=(3, 4))``| one neuron: a channel at row 3, column 4|
| ``blocks.5``          | ``Layer("blocks.5")``              | all units of a layer (mean of squares)  |
|                       | ``Direction("blocks.5", vector)``  | the product with a vector, on average   |

With `layer` given, units alone may be written: ``12``, ``"12"`` or ``"12@3,4"``. In tokens of a
vision transformer, rows and columns count patches, and ``@0`` is the token of that number.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from pellucid.errors import LayerError, ModelError, SpecError, closest
from pellucid.graph.addressing import resolve_layer
from pellucid.model import Model

UNIT = re.compile(r"(?P<layer>.+):(?P<unit>\d+)(@(?P<at>\d+(,\d+)?))?")
BARE = re.compile(r"(?P<unit>\d+)(@(?P<at>\d+(,\d+)?))?")
CLASS = "class:"
Place = tuple[int, ...]


@dataclass(frozen=True)
class Class:
    """The logit of a class, by label or index; less that of another, if `against` is given."""

    label: str | int
    against: str | int | None = None


@dataclass(frozen=True)
class Unit:
    """One channel of a layer; one neuron of it if `at` gives a place, (row, column) or (token,)."""

    layer: str
    index: int
    at: Place | None = None


@dataclass(frozen=True, eq=False)
class Direction:
    """A vector in the space of a layer's channels, everywhere or at one place; named for figures."""

    layer: str
    vector: Float[Tensor, " channels"]
    at: Place | None = None
    name: str = "direction"


@dataclass(frozen=True)
class Layer:
    """All units of a layer at once: what deep dreams are made of."""

    layer: str


Objective = Class | Unit | Direction | Layer
Written = str | int | Objective


def read_objectives(
    written: Written | Sequence[Written], model: Model, layer: str | None
) -> list[Objective]:
    """Read one or several objectives; layers get their dotted names.

    Raises SpecError for what cannot be understood, ModelError for an unknown class and LayerError
    for an unknown layer, with the nearest names.
    """
    several: Sequence[Any] = [written]
    if isinstance(written, Sequence) and not isinstance(written, str):
        several = written
    if not len(several):
        raise SpecError("no objective was given; expected one such as 'class:tabby' or 'layer:12'.")
    home = None if layer is None else resolve_layer(model.module, layer)
    return [_named(_read(one, model, home), model.module) for one in several]


def _read(one: Any, model: Model, layer: str | None) -> Objective:
    if isinstance(one, Class | Unit | Direction | Layer):
        return one
    if isinstance(one, bool) or not isinstance(one, str | Integral):
        raise SpecError(
            f"an objective of type {type(one).__name__} was given; expected words such as "
            "'class:tabby', 'blocks.5:12' or 'blocks.5:12@3,4', or a record such as Unit or Direction."
        )
    text = str(one).strip()
    if layer is not None and (bare := BARE.fullmatch(text)):
        return Unit(layer, int(bare["unit"]), _place(bare["at"]))
    if text.startswith(CLASS):
        return _class(text.removeprefix(CLASS).strip(), model)
    if found := UNIT.fullmatch(text):
        return Unit(found["layer"], int(found["unit"]), _place(found["at"]))
    if text in model.labels or text.isdigit():
        return _class(text, model)
    return _layer(text, model)


def _place(text: str | None) -> Place | None:
    return None if text is None else tuple(int(number) for number in text.split(","))


def _class(text: str, model: Model) -> Class:
    """Read a label, or two with a hyphen; labels may have hyphens themselves."""
    cuts = [at for at, letter in enumerate(text) if letter == "-"]
    pairs = [(text[:at].strip(), text[at + 1 :].strip()) for at in cuts]
    if text not in model.labels:
        for first, second in pairs:
            if _is_class(first, model) and _is_class(second, model):
                return Class(first, second)
    return Class(text)


def _is_class(text: str, model: Model) -> bool:
    try:
        model.label_index(text)
    except ModelError:
        return False
    return True


def _layer(text: str, model: Model) -> Layer:
    try:
        return Layer(resolve_layer(model.module, text))
    except LayerError as error:
        if "." in text or "[" in text or not model.labels:
            raise
        raise SpecError(
            f"{text!r} is neither a class nor a layer of {model.source}. "
            f"Classes: {closest(text, model.labels)} {str(error).rpartition('. ')[2]} "
            "Units are written LAYER:UNIT, neurons LAYER:UNIT@ROW,COLUMN."
        ) from error


def _named(objective: Objective, module: nn.Module) -> Objective:
    """Write a layer by its dotted name. Raises LayerError with the nearest names."""
    if isinstance(objective, Class):
        return objective
    layer = resolve_layer(module, objective.layer)
    if isinstance(objective, Unit):
        return Unit(layer, objective.index, objective.at)
    if isinstance(objective, Direction):
        return Direction(layer, objective.vector, objective.at, objective.name)
    return Layer(layer)
