"""Pairs of complementary coalitions, for KernelSHAP.

Coalitions of s and of k − s players form a stratum, of which the kernel's mass is

    π_s = (k − 1) / (s (k − s))        half of it where s = k − s

Each stratum gets its mass's share of the pairs, without repetition where it is small, and hardly
any where it is large. One that the share exceeds is taken
whole, and leaves the rest to the others; that of single players is always whole. A pair weighs
π_s / (pairs drawn of the stratum), so that sums over strata are unbiased.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import comb

import torch
from jaxtyping import Bool, Float
from torch import Tensor

MOST_LISTED = 4096
MOST_LISTED_PER_DRAWN = 8


@dataclass(frozen=True)
class Stratum:
    """Pairs of coalitions of one size: where they lie, and how many there are in all."""

    place: slice
    total: int

    @property
    def count(self) -> int:
        return int(self.place.stop - self.place.start)


@dataclass(frozen=True, eq=False)
class Coalitions:
    """One coalition of each pair, and the pair's weight in a fit; `strata` in the same order."""

    shown: Bool[Tensor, "pairs players"]
    weights: Float[Tensor, " pairs"]
    strata: tuple[Stratum, ...]

    def spread(
        self, residuals: Float[Tensor, "r pairs"], solver: Float[Tensor, "pairs players"]
    ) -> Float[Tensor, "r players"]:
        """Estimate the variance of Σ_pairs residual · solver over other draws of the pairs."""
        variance = torch.zeros(len(residuals), solver.shape[1], dtype=torch.float64)
        for stratum in self.strata:
            left, gain, count = residuals[:, stratum.place], solver[stratum.place], stratum.count
            squares = left**2 @ gain**2
            if count > 1:
                squares = (squares - (left @ gain) ** 2 / count) * count / (count - 1)
            variance += squares.clamp(min=0) * (1 - count / stratum.total)
        return variance


def draw_pairs(players: int, pairs: int, seed: int) -> Coalitions:
    """Draw so many pairs of coalitions of at least two players; fewer if there are no more."""
    generator = torch.Generator().manual_seed(seed)
    shown, weights, strata, start = [], [], [], 0
    for size, count in enumerate(_plan(players, pairs), start=1):
        if not count:
            continue
        shown.append(_draw(players, size, count, generator))
        weight = _mass(players, size) / count
        weights.append(torch.full((count,), weight, dtype=torch.float64))
        strata.append(Stratum(slice(start, start + count), _num_pairs(players, size)))
        start += count
    return Coalitions(torch.cat(shown), torch.cat(weights), tuple(strata))


def _mass(players: int, size: int) -> float:
    both = (players - 1) / (size * (players - size))
    return both / 2 if 2 * size == players else both


def _num_pairs(players: int, size: int) -> int:
    return comb(players, size) // (2 if 2 * size == players else 1)


def _plan(players: int, pairs: int) -> list[int]:
    """How many pairs to draw of size 1, 2, … up to half of the players."""
    sizes = range(1, players // 2 + 1)
    wanted = [_mass(players, size) for size in sizes]
    counts = []
    for place, size in enumerate(sizes):
        share = round(pairs * wanted[place] / sum(wanted[place:]))
        least = players if size == 1 else 1
        counts.append(min(_num_pairs(players, size), max(least, share)))
        pairs = max(0, pairs - counts[-1])
    return counts


def _draw(
    players: int, size: int, count: int, generator: torch.Generator
) -> Bool[Tensor, "count players"]:
    """Draw coalitions of one size, without repetition where they are few enough to be listed."""
    total = _num_pairs(players, size)
    if total > max(MOST_LISTED, MOST_LISTED_PER_DRAWN * count):
        members = torch.rand(count, players, generator=generator).argsort(1)[:, :size]
    else:
        every = combinations(range(players), size)  # of complements, the first half has player 0
        listed = torch.tensor([members for members, _ in zip(every, range(total), strict=False)])
        members = listed[torch.randperm(total, generator=generator)[:count]]
    return torch.zeros(count, players, dtype=torch.bool).scatter_(1, members, True)
