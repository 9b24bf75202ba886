"""Find sources, methods and results by name: built-ins and third parties alike.

A family is a group of entry points, `pellucid.model_sources` for one. Nothing is imported until a
name is asked for.
"""

from __future__ import annotations

import functools
import importlib
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any

from pellucid.errors import MissingDependency, SpecError, closest


@functools.cache
def _family(group: str) -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=group)}


def names(group: str) -> list[str]:
    """Names registered in a group, in alphabetical order."""
    return sorted(_family(group))


def find(group: str, name: str, *, what: str) -> Any:
    """Import what is registered as `name`; `what` names the family in the error.

    Raises SpecError for an unknown name, with the nearest ones.
    """
    family = _family(group)
    if name not in family:
        raise SpecError(f"Unknown {what} {name!r}. {closest(name, sorted(family))}")
    return family[name].load()


def require(module: str, *, extra: str, why: str) -> ModuleType:
    """Import an optional package, or say how to install it.

    Raises MissingDependency: ``timm is needed to load timm:NAME. pip install 'pellucid[timm]'``.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        package = module.partition(".")[0]
        if error.name is None or error.name.partition(".")[0] != package:
            raise
        raise MissingDependency(
            f"{package} is needed {why}, and is not installed. "
            f"Install it with: pip install 'pellucid[{extra}]'"
        ) from error
