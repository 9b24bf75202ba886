"""Which units say what others say already, and in how many dimensions a layer moves.

From the covariance C of the units' pooled activations, gathered over a stream, with eigenvalues λ
and correlations ρ:

    effective dimensions = (Σλ)² / Σλ²                 (participation ratio)
    R²ᵢ = 1 − 1 / (ρ⁻¹)ᵢᵢ                              (unit i from all others)

Units are taken one after the other, each time the one of which least is known from those taken
(Cholesky's factorization with pivots), until all the others are predicted to 95 %: those are
superfluous. Neither is measured on fewer than two samples per unit, where anything predicts all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import eigvalsh, inv, lapack
from torch import Tensor

from pellucid.inside.activations.layout import Layer

MOST_UNITS = 2048
ALIKE = 0.95
COMPONENTS = 256
ENOUGH = 2  # samples per unit, from which a regression on all others means something

Values = NDArray[np.float64]


@final
class Covariance:
    """Covariance of pooled activations, of all units, or of 2,048 drawn with `seed` if more."""

    def __init__(self, layer: Layer, seed: int) -> None:
        number = min(layer.units, MOST_UNITS)
        drawn = np.random.default_rng(seed).permutation(layer.units)[:number]
        self.units: NDArray[np.int64] = np.sort(drawn)
        self.num_units = layer.units
        self.count = 0
        self.mean = torch.zeros(number, dtype=torch.float64)
        self.products = torch.zeros(number, number, dtype=torch.float64)

    def update(self, pooled: Tensor) -> None:
        """Add a batch (n, units)."""
        rows = pooled.double().cpu()
        rows = rows if len(self.units) == self.num_units else rows[:, self.units]
        mean = rows.mean(0)
        centred = rows - mean
        total = self.count + len(rows)
        step = mean - self.mean
        self.products.addmm_(centred.T, centred)
        self.products.addr_(step, step, alpha=self.count * len(rows) / total)
        self.mean += step * (len(rows) / total)
        self.count = total

    def matrix(self) -> Values:
        """Covariance of the chosen units."""
        found: Values = self.products.numpy() / max(self.count - 1, 1)
        return found


@dataclass(frozen=True, kw_only=True)
class Redundancy:
    """What the covariance of a layer tells; arrays over all units, NaN or −1 where not measured.

    `explained` is the share of the variance in the first components, (256,), NaN behind the last.
    """

    units: NDArray[np.int64]
    spread: Values
    correlation: Values
    partner: NDArray[np.int64]
    partner_correlation: Values
    r_squared: Values
    superfluous: NDArray[np.bool_]
    num_superfluous: float
    explained: Values
    participation_ratio: float
    dimensions_90: int
    dimensions_99: int
    num_alike: int


def find_redundancy(found: Covariance) -> Redundancy:
    """Correlate the units of a layer, and count its dimensions."""
    covariance = found.matrix()
    spread = np.sqrt(np.diag(covariance))
    moving = spread > max(float(spread.max(initial=0)), np.finfo(float).tiny) * 1e-6
    rho = covariance / np.where(moving, spread, 1)[:, None] / np.where(moving, spread, 1)[None]
    rho[~moving], rho[:, ~moving] = 0, 0
    np.fill_diagonal(rho, moving)
    others = np.abs(rho) - np.eye(len(rho))
    partner = others.argmax(1)
    best = rho[np.arange(len(rho)), partner]
    known = moving & (others.max(1) > 0)
    enough = found.count >= ENOUGH * moving.sum()
    few = _superfluous(rho, moving) if enough else np.zeros(len(rho), dtype=bool)
    return Redundancy(
        units=found.units,
        spread=spread,
        correlation=rho,
        partner=_spread_out(found, np.where(known, found.units[partner], -1), -1),
        partner_correlation=_spread_out(found, np.where(known, best, np.nan), np.nan),
        r_squared=_spread_out(found, _r_squared(rho, moving, found.count), np.nan),
        superfluous=_spread_out(found, few, False),
        num_superfluous=float(few.sum()) if enough else np.nan,
        num_alike=int((np.triu(np.abs(rho), 1) > ALIKE).sum()),
        **_dimensions(covariance),
    )


def _spread_out(found: Covariance, values: NDArray[Any], missing: Any) -> NDArray[Any]:
    """Put values of the chosen units in their places among all units."""
    whole = np.full(found.num_units, missing, dtype=values.dtype)
    whole[found.units] = values
    return whole


def _dimensions(covariance: Values) -> dict[str, Any]:
    eigenvalues = np.maximum(eigvalsh(covariance)[::-1], 0)
    total = float(eigenvalues.sum())
    explained = np.full(COMPONENTS, np.nan)
    if not total:
        return {
            "explained": explained,
            "participation_ratio": 0.0,
            "dimensions_90": 0,
            "dimensions_99": 0,
        }
    shares = np.cumsum(eigenvalues) / total
    explained[: len(shares)] = shares[:COMPONENTS]
    return {
        "explained": explained,
        "participation_ratio": total**2 / float((eigenvalues**2).sum()),
        "dimensions_90": int(np.searchsorted(shares, 0.9 - 1e-12) + 1),
        "dimensions_99": int(np.searchsorted(shares, 0.99 - 1e-12) + 1),
    }


def _r_squared(rho: Values, moving: NDArray[np.bool_], count: int) -> Values:
    """Share of each unit's variance that all others predict; NaN with too few samples."""
    whole = np.full(len(rho), np.nan)
    places = np.flatnonzero(moving)
    if len(places) < 2 or count < ENOUGH * len(places):
        return whole
    inner = rho[np.ix_(places, places)] + 1e-8 * np.eye(len(places))
    whole[places] = np.clip(1 - 1 / np.maximum(np.diag(inv(inner)), 1), 0, 1)
    return whole


def _superfluous(rho: Values, moving: NDArray[np.bool_]) -> NDArray[np.bool_]:
    places = np.flatnonzero(moving)
    left_out = np.zeros(len(rho), dtype=bool)
    if len(places) < 2:
        return left_out
    _, order, rank, _ = lapack.dpstrf(rho[np.ix_(places, places)], lower=1, tol=1 - ALIKE)
    left_out[places[np.asarray(order[int(rank) :]) - 1]] = True
    return left_out


def clustered(rho: Values, most: int) -> NDArray[np.int64]:
    """Up to `most` units, those that go with others most, ordered so that alike ones are near."""
    from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
    from scipy.spatial.distance import squareform

    moving = np.flatnonzero(np.diag(rho) > 0)
    if len(moving) < 3:
        return moving
    others = np.abs(rho[np.ix_(moving, moving)]) - np.eye(len(moving))
    strength = np.sort(others, 1)[:, -3:].mean(1)
    chosen = moving[np.sort(np.argsort(-strength, kind="stable")[:most])]
    part = rho[np.ix_(chosen, chosen)]
    distance = np.clip(1 - part, 0, None)
    np.fill_diagonal(distance, 0)
    apart = squareform((distance + distance.T) / 2, checks=False)
    tree = optimal_leaf_ordering(linkage(apart, method="average"), apart)
    return np.asarray(chosen[leaves_list(tree)])
