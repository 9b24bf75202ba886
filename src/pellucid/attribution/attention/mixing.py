"""How attention and the connection around it mix tokens: heads fused, half of each kept.

Ãₗ = (Aₗ + I) / 2,   rows made to add up to one
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.attribution.call import Call
from pellucid.errors import MethodError, closest

FUSIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "mean": lambda weights: weights.mean(1),
    "max": lambda weights: weights.amax(1),
    "min": lambda weights: weights.amin(1),
}


def fuse_heads(name: str) -> Callable[[Float[Tensor, "n heads q k"]], Float[Tensor, "n q k"]]:
    """How heads become one matrix. Raises MethodError for an unknown name."""
    if name not in FUSIONS:
        raise MethodError(
            f"head_fusion {name!r} was given; expected 'mean', 'max' or 'min'. "
            f"{closest(str(name), FUSIONS)}"
        )
    return FUSIONS[name]


def with_residual(
    call: Call, matrices: Sequence[Float[Tensor, "n tokens tokens"]], discard_ratio: float = 0.0
) -> list[Float[Tensor, "n tokens tokens"]]:
    """Attention and the connection past it in equal parts, as rows that add up to one."""
    mixed = []
    for matrix in matrices:
        kept = _without_smallest(matrix, _num_used(call, matrix), discard_ratio)
        kept = kept + torch.eye(kept.shape[-1], dtype=kept.dtype, device=kept.device)
        mixed.append(kept / kept.sum(-1, keepdim=True))
    return mixed


def _num_used(call: Call, matrix: Tensor) -> Tensor:
    """Number of tokens of each sample that are no padding, (n, 1, 1)."""
    used = call.inputs.get("attention_mask")
    if used is None or used.shape != matrix.shape[:2]:
        return torch.full((len(matrix), 1, 1), matrix.shape[-1], device=matrix.device)
    return (used > 0).sum(1)[:, None, None]


def _without_smallest(matrix: Tensor, used: Tensor, ratio: float) -> Tensor:
    """Set the smallest weights of each row to zero: that share of those that are no padding."""
    if not ratio:
        return matrix
    rank = matrix.argsort(dim=-1, descending=True, stable=True).argsort(dim=-1)
    return torch.where(rank < used - (ratio * used).floor(), matrix, 0.0)
