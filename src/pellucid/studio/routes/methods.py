"""Methods of explanation, with what a form needs to ask for their parameters."""

from __future__ import annotations

import ast
import functools
import re
from typing import Annotated, Any

from fastapi import APIRouter, Query

from pellucid.errors import SpecError
from pellucid.studio.schemas import Method, Parameter

router = APIRouter(prefix="/api", tags=["methods"])
KINDS = ("image", "text", "array")
CHOICES = re.compile(r"Literal\[(?P<values>[^\]]*)\]")
MODULES = re.compile(r"(?:[A-Za-z_]+\.)+(?=[A-Za-z])")


@router.get("/methods")
def get_methods(
    kind: Annotated[
        str | None, Query(description="Only those for image, text or array.", max_length=20)
    ] = None,
) -> list[Method]:
    """All methods that are installed, or those for one kind of input."""
    if kind is not None and kind not in KINDS:
        raise SpecError(f"kind {kind!r} is not known; expected {', '.join(KINDS)}.")
    return [method for method in _methods() if kind is None or kind in method.kinds]


@functools.cache
def _methods() -> list[Method]:
    from pellucid.attribution.registry import methods

    return [_method(card) for card in methods()]


def _method(card: Any) -> Method:
    return Method(
        name=card.name,
        title=card.title,
        family=card.family,
        about=card.about,
        paper=card.paper,
        kinds=list(card.kinds),
        cost=card.cost,
        needs_layer="layer" in card.needs,
        parameters=[_parameter(each) for each in card.parameters],
    )


def _parameter(parameter: Any) -> Parameter:
    bounds, default = parameter.bounds, parameter.default
    return Parameter(
        name=parameter.name,
        type=MODULES.sub("", parameter.type),
        default=default if isinstance(default, bool | int | float | str | None) else str(default),
        minimum=float(bounds.low) if bounds else None,
        maximum=float(bounds.high) if bounds else None,
        choices=_choices(parameter.type),
    )


def _choices(annotation: str) -> list[str]:
    """The values of a Literal in an annotation."""
    found = CHOICES.search(annotation)
    return [str(value) for value in ast.literal_eval(f"[{found['values']}]")] if found else []
