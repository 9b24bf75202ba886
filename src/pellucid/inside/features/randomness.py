"""One stream of random numbers per picture, so that a picture does not depend on its company."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor


def stream(seed: int, *names: str | int) -> torch.Generator:
    """Make a generator that depends on the seed and the names alone, on any machine."""
    digest = hashlib.sha256("/".join(map(str, (seed, *names))).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))


def normal(streams: Sequence[torch.Generator], *shape: int) -> Tensor:
    """Draw standard normal numbers, one row of `shape` from each stream."""
    return torch.stack([torch.randn(shape, generator=each) for each in streams])


def uniform(streams: Sequence[torch.Generator], *shape: int) -> Tensor:
    """Draw numbers between 0 and 1, one row of `shape` from each stream."""
    return torch.stack([torch.rand(shape, generator=each) for each in streams])
