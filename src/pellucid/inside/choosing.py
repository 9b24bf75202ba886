"""Choose layers by name, shorthand, glob or kind: ``layer4[-1]``, ``blocks.*.norm1``, ``Conv2d``."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from torch import nn

from pellucid.errors import LayerError, closest
from pellucid.graph.addressing import resolve_layer

GLOB = frozenset("*?")


def choose_layers(module: nn.Module, layers: str | Sequence[str]) -> tuple[str, ...]:
    """Dotted names of the layers that are meant, in the module's own order.

    `layers` is one word or several (a string may hold several with commas): a dotted name or a
    shorthand, a glob over dotted names, or a kind, which is the name of a class (``Conv2d``).
    Raises LayerError for a word that fits no layer, with the nearest names and kinds.

    >>> choose_layers(nn.Sequential(nn.Linear(2, 2), nn.ReLU()), "Linear")
    ('0',)
    """
    words = layers.split(",") if isinstance(layers, str) else layers
    known = [name for name, _ in module.named_modules() if name]
    chosen = {name for word in words for name in _meant(module, word.strip(), known)}
    if not chosen:
        raise LayerError("no layer was named; expected a name, a glob or a kind such as 'Conv2d'.")
    return tuple(name for name in known if name in chosen)


def _meant(module: nn.Module, word: str, known: list[str]) -> list[str]:
    kinds = {name: type(module.get_submodule(name)).__name__ for name in known}
    if word not in known and word in kinds.values():
        return [name for name in known if kinds[name] == word]
    if not GLOB & set(word):
        try:
            return [resolve_layer(module, word)]
        except LayerError as error:
            near = closest(word, sorted(set(kinds.values())))
            raise LayerError(f"{error} Or name a kind. {near}") from error
    found = [name for name in known if fnmatchcase(name, word)]
    if not found:
        raise LayerError(
            f"no layer of {type(module).__name__} fits {word!r}. {closest(word, known)}"
        )
    return found
