"""From attention that was watched to one matrix of tokens by tokens per layer.

The methods need what a plain transformer has: every layer mixes the same tokens, of which each may
look at each. Where that is not so, they are not defined, and say why.

Which tokens the answer is read from is not guessed from names: they are those of the last layer
that the score has a gradient for. So BERT's first token, the last word of GPT-2, a class token,
and all patches of a model that averages are found alike, for each sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.attribution.attention.watching import Pass, Reduce, Seen, watching
from pellucid.attribution.call import Call
from pellucid.attribution.layers import find_grid
from pellucid.errors import LayerError, MethodError, closest
from pellucid.graph.addressing import find_layer

INSTEAD = {
    "image": "'grad_cam', 'integrated_gradients' and 'occlusion' need no attention.",
    "text": "'integrated_gradients' and 'occlusion' need no attention.",
}


@dataclass(frozen=True, kw_only=True)
class Matrices:
    """One matrix per layer of self-attention, first layer first, and who reads the last one.

    `readers` (n, tokens) are the shares with which the answer is read from the tokens after the
    last layer: equal ones, or those of the attention that pools them. Zero where the score of a
    sample depends on no token.
    """

    layers: tuple[str, ...]
    matrices: tuple[Float[Tensor, "n tokens tokens"], ...]
    readers: Float[Tensor, "n tokens"]

    def find(self, layer: str | None) -> int:
        """Position of the last attention in a module, or of the last one of all.

        Raises LayerError where there is none.
        """
        inside = [
            position
            for position, name in enumerate(self.layers)
            if layer is None or name == layer or name.startswith(f"{layer}.")
        ]
        if not inside:
            raise LayerError(
                f"layer {layer!r} has no self-attention in it. {closest(str(layer), self.layers)}"
            )
        return inside[-1]


def attention_matrices(call: Call, reduce: Reduce) -> Matrices:
    """Run the samples once, forward and backward, and reduce the heads of each layer.

    Raises MethodError for a model without one attention over all tokens.
    """
    call.own_scores  # noqa: B018 (chooses the targets, which must not be watched)
    module = call.model.module
    with watching(module, reduce, call.name, lambda done: _check(call, done)) as passes:
        call.gradients(call.explained, torch.arange(call.size, device=call.explained.device))
    done = [each for each in passes if each.complete]
    if sum(each.size for each in done) != call.size:
        raise MethodError(
            f"the gradient does not come through all layers of attention of {_name(call)}: "
            f"{len(passes[-1].reduced)} of {len(passes[-1].seen)} were reached. {INSTEAD[call.kind]}"
        )
    parts = [_matrices(each) for each in done]
    columns = zip(*(part.matrices for part in parts), strict=True)
    return Matrices(
        layers=parts[0].layers,
        matrices=tuple(torch.cat(column) for column in columns),
        readers=torch.cat([part.readers for part in parts]),
    )


def require_layer(call: Call, layer: str | None) -> None:
    """Raise LayerError for a name that is not in the model, before anything is run."""
    if layer is not None:
        find_layer(call.model.module, layer)


def _matrices(done: Pass) -> Matrices:
    assert done.read is not None
    layers, matrices = [seen.layer for seen in done.seen], done.reduced[::-1]
    if _pools(done.seen[-1]):
        *layers, _ = layers
        *matrices, pooled = matrices
        readers = pooled[:, 0]
    else:
        readers = done.read.to(matrices[-1])
        readers = readers / readers.sum(1, keepdim=True).clamp(min=1)
    return Matrices(layers=tuple(layers), matrices=tuple(matrices), readers=readers)


def _pools(seen: Seen) -> bool:
    """Whether one query only looks at the tokens: attention that pools them."""
    return seen.shape[-2] == 1 and seen.shape[-1] > 1


def _check(call: Call, done: Pass) -> None:
    """Raise MethodError unless every layer mixes the same tokens, which are those of the input."""
    reason = _irregular(done.size, done.seen) or _foreign(call, done)
    if reason:
        raise MethodError(
            f"methods of attention are not defined for {_name(call)}: {reason} {INSTEAD[call.kind]}"
        )


def _irregular(size: int, seen: Sequence[Seen]) -> str:
    """Say what is in the way of one matrix of tokens by tokens per layer; "" if nothing is."""
    if not seen:
        return (
            "no softmax attention was seen in it. If it has some, load it with plain PyTorch "
            'attention (in transformers: attn_implementation="sdpa"), and do not compile it.'
        )
    inner = seen[:-1] if _pools(seen[-1]) else seen
    for each in inner:
        *leading, queries, keys = each.shape
        if queries != keys:
            return (
                f"in {each.layer!r}, the tokens that look ({queries}) are others than those that "
                f"are looked at ({keys})."
            )
        if len(leading) > 2 or (len(leading) == 2 and leading[0] != size) or leading[0] % size:
            return f"attention in {each.layer!r} stays inside windows or groups of {keys} tokens."
    counts = list(dict.fromkeys(each.shape[-1] for each in seen))
    if len(counts) > 1:
        return f"the number of tokens changes between layers: {', '.join(map(str, counts))}."
    return ""


def _foreign(call: Call, done: Pass) -> str:
    """Say why the tokens that attention mixes are not those of the input; "" if they are."""
    tokens, given = done.seen[-1].shape[-1], tuple(call.explained.shape)
    if not {(done.size, tokens), (tokens, done.size)} & done.sequences:
        return f"attention in {done.seen[0].layer!r} mixes {tokens} channels, not tokens."
    if call.kind == "text" and tokens != given[1]:
        return f"its attention mixes {tokens} tokens, and the text has {given[1]}."
    if call.kind == "image" and find_grid((1, tokens, 1), (given[2], given[3])) is None:
        return f"the {tokens} tokens of its attention are no grid over the picture."
    return ""


def _name(call: Call) -> str:
    return type(call.model.module).__name__
