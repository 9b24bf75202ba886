"""Attention heads: how widely they look, and how far, over a stream of batches.

    entropy of a head = mean over queries of −Σₖ A log₂ A          (bits)
    distance of a head = mean over queries of Σₖ A · d(query, key)  (Dosovitskiy et al., 2021)

d counts tokens in a text and cells in a picture, where tokens that are no cell are left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, final

import torch
from torch import Tensor, nn
from torch._ops import OpOverload
from torch.utils._python_dispatch import TorchDispatchMode

from pellucid.attribution.attention.watching import (
    BACKWARD,
    FUSED,
    SOFTMAX,
    follow,
    fused_probabilities,
    named_arguments,
    over_keys,
)
from pellucid.attribution.layers import find_grid

Receive = Callable[[str, Tensor], None]
"""Takes the innermost module around an attention, and its probabilities (…, queries, keys)."""


@final
class Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Hands on the probabilities of every attention that is run."""

    def __init__(self, receive: Receive, running: list[str]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.receive, self.running = receive, running

    def __torch_dispatch__(
        self,
        func: OpOverload[Any, Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        if name in SOFTMAX and over_keys(result, args[1]):
            self.receive(self.running[-1] if self.running else "", result.float())
        elif name.startswith(FUSED) and not name.endswith(BACKWARD):
            given = named_arguments(func, args, kwargs or {})
            self.receive(self.running[-1] if self.running else "", fused_probabilities(given))
        return result


@contextmanager
def watching_heads(module: nn.Module, receive: Receive) -> Iterator[None]:
    """Hand on the probabilities of every attention that runs inside the block."""
    running: list[str] = []
    with ExitStack() as hooks:
        for layer, part in list(module.named_modules())[1:]:
            follow(hooks, running, layer, part)
        hooks.enter_context(Watch(receive, running))
        yield


def by_head(probabilities: Tensor, size: int) -> Tensor:
    """Arrange probabilities as (n, windows, heads, queries, keys)."""
    queries, keys = probabilities.shape[-2:]
    heads = (
        probabilities.shape[-3] if probabilities.ndim > 3 else max(len(probabilities) // size, 1)
    )
    return probabilities.reshape(size, -1, heads, queries, keys)


@dataclass(kw_only=True)
class Head:
    """Sums over queries of one attention layer: (heads,) float64 each."""

    layer: str
    entropy: Tensor
    distance: Tensor
    queries: int = 0
    cells: int = 0
    largest: int = 0
    unit: str = ""


@final
@dataclass
class HeadStatistics:
    """Entropy and distance of every head; call `begin` before each forward pass."""

    picture: tuple[int, int] | None
    heads: list[Head] = field(default_factory=list)
    size: int = 0
    mask: Tensor | None = None
    _at: int = 0

    def begin(self, size: int, mask: Tensor | None) -> None:
        """Prepare for a batch of `size` samples; `mask` (n, tokens) marks the tokens that count."""
        self.size, self.mask, self._at = size, mask, 0

    def receive(self, layer: str, probabilities: Tensor) -> None:
        """Add one attention of the running forward pass."""
        if probabilities.shape[0] % self.size:
            return
        weights = by_head(probabilities, self.size)
        if self._at == len(self.heads):
            zero = torch.zeros(weights.shape[2], dtype=torch.float64)
            self.heads.append(Head(layer=layer, entropy=zero, distance=zero.clone()))
        head = self.heads[self._at]
        self._at += 1
        if head.layer == layer and len(head.entropy) == weights.shape[2]:
            self._add(head, weights)

    def _add(self, head: Head, weights: Tensor) -> None:
        entropy = torch.special.entr(weights).sum(-1) / math.log(2)
        used = self._used(weights)
        head.entropy = head.entropy + (entropy * used).sum((0, 1, 3)).double().cpu()
        head.queries += int(used.expand(entropy.shape[0], entropy.shape[1], 1, -1).sum())
        head.largest = max(head.largest, weights.shape[-1])
        found = distances(weights.shape[-2:], self.picture)
        if found is not None:
            apart, extra, head.unit = found
            inner = weights[..., extra:, extra:]
            inner = inner / inner.sum(-1, keepdim=True).clamp(min=1e-12)
            far = (inner * apart.to(inner.device)).sum(-1)
            used = used[..., extra:] if used.shape[-1] > 1 else used
            head.distance = head.distance + (far * used).sum((0, 1, 3)).double().cpu()
            head.cells += int(used.expand(far.shape[0], far.shape[1], 1, far.shape[3]).sum())

    def _used(self, weights: Tensor) -> Tensor:
        """Which queries count: (n, 1, 1, queries), or all of them."""
        mask = self.mask
        if mask is not None and mask.shape == (len(weights), weights.shape[-2]):
            return (mask > 0)[:, None, None].to(weights)
        return torch.ones(1, 1, 1, weights.shape[-2]).to(weights)


def distances(
    shape: tuple[int, ...], picture: tuple[int, int] | None
) -> tuple[Tensor, int, str] | None:
    """Distance of each query from each key (queries, keys), extra tokens left out, and its unit.

    None where queries and keys are not the same tokens, or a picture's are no grid.
    """
    queries, keys = shape
    if queries != keys or keys < 2:
        return None
    if picture is None:
        places = torch.arange(keys, dtype=torch.float32)
        return (places[:, None] - places[None]).abs(), 0, "tokens"
    grid = find_grid((1, keys, 1), picture)
    if grid is None:
        return None
    rows, columns = torch.meshgrid(
        torch.arange(grid.height), torch.arange(grid.width), indexing="ij"
    )
    places = torch.stack([rows.flatten(), columns.flatten()], 1).float()
    return torch.cdist(places, places), grid.extra, "cells"
