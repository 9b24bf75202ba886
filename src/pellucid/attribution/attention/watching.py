"""Attention probabilities and their gradients, watched in the running model.

A layer of attention weighs values V by how well keys K fit queries Q:

    A = softmax(Q Kᵀ / √d + mask),   output = A V,   ∂score/∂A = (∂score/∂output) Vᵀ

The model runs as it is, with its own kernels, and is watched one level below autograd, where only
few operators are left. In the backward pass, that of softmax is handed A and ∂score/∂A; a fused
kernel, which never forms A, is handed Q, K, V, the mask and ∂score/∂output, from which both are
computed by the lines above. So nothing in the model is replaced, and what is seen is what ran.

This covers attention written out by hand, `torch.nn.MultiheadAttention` (whose shortcut for
inference does not apply while there are gradients), `scaled_dot_product_attention` with any of
its kernels, timm with and without fused attention, and transformers with "eager" and "sdpa"
attention: ViT, DeiT, EVA, DINO, BEiT, CLIP and SigLIP towers; BERT, RoBERTa, DistilBERT, ALBERT,
GPT-2 and others with one self-attention over all tokens. It needs no export of the model, which a
search for softmax in a traced graph would, and which loses the link between a fused kernel and
its probabilities. Not seen: kernels from outside PyTorch ("flash_attention_2"), FlexAttention,
and code that was compiled.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, final

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch._ops import OpOverload
from torch.utils._python_dispatch import TorchDispatchMode

SOFTMAX = ("_softmax", "_safe_softmax")
SOFTMAX_BACKWARD = "_softmax_backward_data"
FUSED = "_scaled_dot_product_"
BACKWARD = "_backward"

Reduce = Callable[[Tensor, Tensor], Tensor]
"""From probabilities and gradients (n, heads, queries, keys) to what is kept, (n, queries, keys)."""


@dataclass(frozen=True)
class Seen:
    """A softmax over keys that was run: the innermost module around it, and its shape."""

    layer: str
    shape: tuple[int, ...]


@dataclass(kw_only=True)
class Pass:
    """One forward and backward pass of `size` samples.

    `seen` is in the order of the forward pass, `reduced` in that of the backward pass. `read`
    (size, queries) marks the tokens of the last layer that the score depends on. `sequences` are
    the first two sizes of all tensors (·, ·, width), by which tokens are told from channels.
    """

    size: int
    seen: list[Seen] = field(default_factory=list)
    reduced: list[Tensor] = field(default_factory=list)
    read: Bool[Tensor, "n queries"] | None = None
    sequences: set[tuple[int, int]] = field(default_factory=set)

    @property
    def complete(self) -> bool:
        """Whether the gradient has come through all layers."""
        return len(self.reduced) == len(self.seen)


@final
class Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes what operators of attention are given, and lets them run."""

    def __init__(self, reduce: Reduce) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.passes: list[Pass] = []
        self.modules: list[str] = []
        self._reduce = reduce

    def __torch_dispatch__(
        self,
        func: OpOverload[Any, Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        if not self.passes:
            return result
        if isinstance(result, Tensor) and result.ndim == 3:
            self.passes[-1].sequences.add((result.shape[0], result.shape[1]))
        if name in SOFTMAX and over_keys(result, args[1]):
            self._forward(tuple(result.shape))
        elif name == SOFTMAX_BACKWARD and over_keys(args[1], args[2]):
            self._backward(_precise(args[1]), _precise(args[0]))
        elif name.startswith(FUSED) and name.endswith(BACKWARD):
            self._backward(*_unfused(named_arguments(func, args, kwargs or {})))
        elif name.startswith(FUSED):
            self._forward((*args[0].shape[:-1], args[1].shape[-2]))
        return result

    def _forward(self, shape: tuple[int, ...]) -> None:
        self.passes[-1].seen.append(Seen(self.modules[-1] if self.modules else "", shape))

    def _backward(self, probabilities: Tensor, gradient: Tensor) -> None:
        run = self.passes[-1]
        by_head = [
            each.reshape(run.size, -1, *each.shape[-2:]) for each in (probabilities, gradient)
        ]
        if run.read is None:
            run.read = (by_head[1] != 0).any(3).any(1)
        run.reduced.append(self._reduce(*by_head))


@contextmanager
def watching(
    module: nn.Module, reduce: Reduce, name: str, check: Callable[[Pass], None]
) -> Iterator[list[Pass]]:
    """Watch a module's passes inside the block; gives them as they come.

    `name` is the input by which samples are counted ("" for the first positional one). `check` is
    called after each forward pass, and may raise.
    """
    watch = Watch(reduce)

    def begin(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        watch.passes.append(Pass(size=len(kwargs[name] if name else args[0])))
        watch.modules[:] = [""]

    def end(_module: nn.Module, _args: object, _output: object) -> None:
        check(watch.passes[-1])

    with ExitStack() as hooks, watch:
        hooks.callback(module.register_forward_pre_hook(begin, with_kwargs=True).remove)
        for layer, part in list(module.named_modules())[1:]:
            follow(hooks, watch.modules, layer, part)
        hooks.callback(module.register_forward_hook(end).remove)
        yield watch.passes


def follow(hooks: ExitStack, running: list[str], layer: str, part: nn.Module) -> None:
    """Keep the name of a module in the list of those that are running, as long as it does."""

    def enter(_module: nn.Module, _args: object) -> None:
        running.append(layer)

    def leave(_module: nn.Module, _args: object, _output: object) -> None:
        running.pop()

    hooks.callback(part.register_forward_pre_hook(enter).remove)
    hooks.callback(part.register_forward_hook(leave).remove)


def over_keys(weights: Tensor, dimension: int) -> bool:
    """Whether a softmax can be one of attention: of scores (…, queries, keys), over the keys."""
    return weights.ndim >= 3 and dimension % weights.ndim == weights.ndim - 1


def named_arguments(
    func: OpOverload[Any, Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> dict[str, Any]:
    """Give an operator's arguments by their names."""
    known = [argument.name for argument in func._schema.arguments]  # noqa: SLF001
    return dict(zip(known, args, strict=False)) | kwargs


def _unfused(
    given: dict[str, Any],
) -> tuple[Float[Tensor, "n *heads queries keys"], Float[Tensor, "n *heads queries keys"]]:
    """Probabilities and their gradient, from what the backward pass of a fused kernel is given."""
    slope = next(given[name] for name in ("grad_out", "grad_out_") if name in given)
    value = _precise(given["value"])
    value = value.repeat_interleave(given["query"].shape[-3] // value.shape[-3], -3)
    return fused_probabilities(given), _precise(slope) @ value.mT


def fused_probabilities(given: dict[str, Any]) -> Float[Tensor, "n *heads queries keys"]:
    """Probabilities of a fused kernel, which never forms them, from its arguments by name."""
    query, key = _precise(given["query"]), _precise(given["key"])
    key = key.repeat_interleave(query.shape[-3] // key.shape[-3], -3)
    scale = given.get("scale") or 1 / math.sqrt(query.shape[-1])
    scores = query @ key.mT * scale
    if given.get("is_causal"):
        ones = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device)
        scores = scores.masked_fill(~ones.tril(), -math.inf)
    mask = given.get("attn_mask", given.get("attn_bias"))
    if mask is not None and mask.dtype == torch.bool:
        scores = scores.masked_fill(~mask, -math.inf)
    elif mask is not None:
        scores = scores + mask
    return scores.softmax(-1).nan_to_num(0.0)


def _precise(tensor: Tensor) -> Tensor:
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))
