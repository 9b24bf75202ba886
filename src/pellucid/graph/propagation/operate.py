"""Run one operator of a recorded model, in a floating-point type of one's choice."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, fx

from pellucid.graph.propagation.kinds import aten


def operate(
    node: fx.Node, args: tuple[Any, ...], kwargs: dict[str, Any], dtype: torch.dtype
) -> Any:
    """Run a node's operator. Floating-point types that were recorded give way to `dtype`."""
    if node.target is aten._native_batch_norm_legit_no_training.default:  # noqa: SLF001
        return _batch_norm(*args, **kwargs)
    args, kwargs = _in_type(args, dtype), _in_type(kwargs, dtype)
    assert callable(node.target)
    return node.target(*args, **kwargs)


def detached(value: Any) -> Any:
    """A value, or the values of a tuple, with no way back."""
    if isinstance(value, tuple | list):
        return type(value)(detached(item) for item in value)
    return value.detach() if isinstance(value, Tensor) else value


def _in_type(given: Any, dtype: torch.dtype) -> Any:
    if isinstance(given, tuple | list):
        return type(given)(_in_type(item, dtype) for item in given)
    if isinstance(given, dict):
        return {name: _in_type(item, dtype) for name, item in given.items()}
    return dtype if isinstance(given, torch.dtype) and given.is_floating_point else given


def _batch_norm(
    x: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    mean: Tensor,
    variance: Tensor,
    momentum: float,  # noqa: ARG001
    epsilon: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """Batch norm in eval mode, which is linear, so that it has a derivative in every type."""
    scale = (variance + epsilon).rsqrt() * (1 if weight is None else weight)
    shift = (0 if bias is None else bias) - mean * scale
    channels = (1, -1) + (1,) * (x.ndim - 2)
    empty = x.new_empty(0)
    return x * scale.view(channels) + shift.view(channels), empty, empty
