"""DeepLIFT's rules: multipliers that carry every difference from the baseline exactly.

For each operator y = f(x₁, x₂, …) the multipliers mᵢ satisfy, with Δ = value − value at the baseline,

    Δy = Σᵢ mᵢ Δxᵢ

so that what the input is sent, times Δinput, adds up to Δscore.

| operator | multipliers |
|---|---|
| linear | the derivative |
| pointwise | Δy / Δx (rescale); the derivative half-way where Δx is too small to divide by |
| product a · b | the mean of b for a, the mean of a for b |
| division a / b | Δ(a / b) = (Δa − mean(a / b) Δb) / mean(b) |
| maximum | Δy / Δx at the input's winner if the maximum rose, at the baseline's winner if it fell |
| softmax | s (Δx − Σ s Δx / Σ s), with s the logarithmic mean of the two softmaxes |
| layer norm | (Δc − mean(y) Δσ) / mean(σ), with c the centred input and Δσ = mean(mean(c) Δc) / mean(σ) |

None divides by a difference that could vanish unless the derivative stands in for it, and a
baseline without variance under layer norm costs no precision.
Shrikumar, Greenside and Kundaje, 2017, eq. 1–7, and the symmetric extension to products.
"""

from __future__ import annotations

from pellucid.graph.propagation.differences import (
    elementwise,
    extremes,
    normalization,
    products,
    softmaxes,
)
from pellucid.graph.propagation.differences.table import rules

__all__ = ["elementwise", "extremes", "normalization", "products", "rules", "softmaxes"]
