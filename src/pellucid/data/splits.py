"""Which samples a split holds, and how parts of a data set are drawn.

A source that has splits itself gives them by name: ``train``, ``val`` (also written ``valid``,
``validation`` or ``dev``), ``test``, and any other name as it is. A source without splits is cut
80/10/10 into ``train``, ``val`` and ``test``. What is drawn depends on the ids and the seed alone,
never on the order of files: per class, samples are ranked by a hash of seed and id.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from pellucid.data.protocol import Data
from pellucid.errors import SpecError

ALIASES = {
    "train": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "test": "test",
}
DRAWN = {"train": 0.8, "val": 0.1, "test": 0.1}


def canonical(name: str) -> str:
    """Give the one name of a split: `Validation` and `dev` are ``val``; unknown names stay."""
    return ALIASES.get(name.lower(), name)


def by_split(names: Iterable[str]) -> dict[str, str]:
    """Map each split to the name its source uses, train, val and test first.

    Where two names mean the same split, the first of `ALIASES` gets it and the others stay as
    they are.
    """
    ranks = {name: rank for rank, name in enumerate(ALIASES)}
    found: dict[str, str] = {}
    for name in sorted(names, key=lambda name: (ranks.get(name.lower(), len(ranks)), name)):
        split = canonical(name)
        found[name if split in found else split] = name
    return found


def partition(data: Data, fractions: Mapping[str, float], seed: int = 0) -> dict[str, Data]:
    """Cut `data` into named parts, every class by the same `fractions`, which sum to 1.

    Each sample is in exactly one part. A class with at least as many samples as there are parts
    has one or more in each of them. Parts keep the order of `data`. Raises SpecError for fractions
    that are not positive or do not sum to 1.
    """
    if not fractions or min(fractions.values()) <= 0 or abs(sum(fractions.values()) - 1) > 1e-6:
        raise SpecError(
            f"fractions {dict(fractions)} were given; expected positive numbers that sum to 1, "
            "such as {'train': 0.9, 'val': 0.1}."
        )
    parts: dict[str, list[int]] = {name: [] for name in fractions}
    for group in _ranked_classes(data, seed):
        start = 0
        for name, share in zip(fractions, allot(len(group), list(fractions.values())), strict=True):
            parts[name] += group[start : start + share]
            start += share
    return {name: data.subset(_in_order(chosen), split=name) for name, chosen in parts.items()}


def spread(data: Data, limit: int, seed: int = 0) -> Data:
    """Take `limit` samples in the proportions of the classes, at least one of each if possible.

    The order of `data` is kept. Raises SpecError for a limit below 1.
    """
    if limit < 1:
        raise SpecError(f"limit={limit} was given; expected at least 1 sample, or no limit.")
    if limit >= len(data):
        return data
    groups = _ranked_classes(data, seed)
    groups.sort(key=lambda group: _rank(seed, data.ids[group[0]]))
    shares = allot(limit, [len(group) for group in groups])
    chosen = [i for group, share in zip(groups, shares, strict=True) for i in group[:share]]
    return data.subset(_in_order(chosen))


def allot(total: int, weights: Sequence[float]) -> list[int]:
    """Share out `total` in whole numbers by `weights`: largest remainders, ties to the first.

    Every share is at least 1 where `total` is large enough.
    """
    quotas = np.asarray(weights, dtype=np.float64) * (total / sum(weights))
    shares = np.floor(quotas + 1e-9).astype(np.int64)
    largest_remainders = np.argsort(shares - quotas, kind="stable")
    shares[largest_remainders[: total - shares.sum()]] += 1
    while total >= len(shares) and shares.min() == 0:
        shares[shares.argmin()] += 1
        shares[shares.argmax()] -= 1
    return [int(share) for share in shares]


def _ranked_classes(data: Data, seed: int) -> list[list[int]]:
    """Positions of each class, unlabelled samples as one more, ordered by the rank of their ids."""
    ranks = [_rank(seed, name) for name in data.ids]
    groups = (np.flatnonzero(data.targets == target) for target in np.unique(data.targets))
    return [sorted(map(int, group), key=ranks.__getitem__) for group in groups]


def _rank(seed: int, name: str) -> bytes:
    return hashlib.blake2b(f"{seed}\0{name}".encode(), digest_size=16).digest()


def _in_order(positions: list[int]) -> NDArray[np.int64]:
    return np.sort(np.asarray(positions, dtype=np.int64))
