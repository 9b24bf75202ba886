"""Names of layers gathered into the parts of a network that people speak of: stages and blocks."""

from __future__ import annotations

from collections.abc import Sequence

MOST_GROUPS = 30


def group_names(layers: Sequence[str], most: int = MOST_GROUPS) -> list[str]:
    """Give the group of each layer: as many leading words of its name as make few enough groups.

    >>> group_names(["stem.conv", "blocks.0.fc1", "blocks.0.fc2", "blocks.1.fc1"], most=3)
    ['stem', 'blocks.0', 'blocks.0', 'blocks.1']
    """
    split = [layer.split(".") for layer in layers]
    deepest = max(map(len, split), default=1)
    found = [words[0] for words in split]
    for depth in range(1, deepest + 1):
        names = [".".join(words[:depth]) for words in split]
        if len(set(names)) > most and depth > 1:
            break
        found = names
        if depth > 1 and len(set(names)) >= most / 2:
            break
    return [_shortened(words, name) for words, name in zip(split, found, strict=True)]


def _shortened(words: list[str], name: str) -> str:
    """A lone last word below a numberless stem says less than the stem: ``stem``, not ``stem.conv``."""
    head = words[0]
    return name if any(word.isdigit() for word in name.split(".")) or "." not in name else head
