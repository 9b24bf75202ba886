"""Attention flow: how much can flow from a token to the answer, if attention is the pipes' width.

Tokens of all layers are the nodes of a network, and Ãₗ[i, j] = (Aₗ + I)[i, j] / 2 is the capacity
from token i after layer l to token j before it. The value of an input token is the maximum flow
from where the answer is read to that token, found exactly for each token (as whole numbers of
2⁻³⁰, since the algorithm counts). It is never less than what rollout lets through, and at most 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_flow

from pellucid.attribution.attention.maps import to_map
from pellucid.attribution.attention.matrices import attention_matrices
from pellucid.attribution.attention.mixing import fuse_heads, with_residual
from pellucid.attribution.call import Attribution, Call
from pellucid.attribution.registry import method
from pellucid.errors import MethodError

Plain = NDArray[np.float64]
UNIT = 2.0**-30
MOST_WORK = 3e8
"""Tokens³ × layers: the edges of the network, once for each token. ViT-B/16 has 9e7."""


@method(
    title="Attention flow",
    family="attention",
    paper="Abnar and Zuidema, 2020, section 3",
    about=(
        "Attention flow takes attention for the width of pipes, and shows how much could flow from "
        "each part of the input to the answer. Many parts can share the largest value, and it "
        "looks much the same for every class."
    ),
    kinds=("image", "text"),
    needs=("gradient",),
    signed=False,
    cost="seconds for a picture in patches of 16 pixels, far less for a text",
    passes="2 forwards, 1 backward",
)
def attention_flow(call: Call, *, head_fusion: str = "mean", upsample: bool = True) -> Attribution:
    """How much can flow through attention from each input token to the answer?

    `head_fusion` is "mean", "max" or "min" over heads. `upsample` stretches the patch grid to the
    picture; the grid itself if False. Gives (n, y, x), or (n, tokens), from 0 to 1. Raises
    MethodError where there are too many tokens for it.
    Abnar and Zuidema, 2020, section 3.
    """
    fuse = fuse_heads(head_fusion)
    found = attention_matrices(call, lambda weights, _: fuse(weights))
    tokens = found.readers.shape[1]
    if tokens**3 * len(found.layers) > MOST_WORK:
        raise MethodError(
            f"'attention_flow' would take minutes for each sample with {tokens} tokens in "
            f"{len(found.layers)} layers; it is for a few hundred. 'attention_rollout' is its fast "
            "approximation."
        )
    layers = [layer.double().cpu().numpy() for layer in with_residual(call, found.matrices)[::-1]]
    readers = found.readers.double().cpu().numpy()
    flows = [_flows(readers[row], [layer[row] for layer in layers]) for row in range(call.size)]
    values = torch.tensor(np.stack(flows), device=call.explained.device)
    return to_map(call, values, upsample=upsample)


def _flows(readers: Plain, layers: Sequence[Plain]) -> Plain:
    """Maximum flow from the readers (tokens,) to each token, through layers, last first."""
    network = _network(readers, layers)
    sinks = range(network.shape[0] - len(readers), network.shape[0])
    return np.array([UNIT * maximum_flow(network, 0, sink).flow_value for sink in sinks])


def _network(readers: Plain, layers: Sequence[Plain]) -> csr_matrix:
    """Capacities: node 0 is the answer, then tokens after the last layer, … , input tokens."""
    tokens = len(readers)
    above, below = np.indices((tokens, tokens)).reshape(2, -1)
    starts, ends = [np.zeros(tokens, dtype=np.int64)], [np.arange(1, 1 + tokens)]
    for first in range(1, 1 + tokens * len(layers), tokens):
        starts.append(first + above)
        ends.append(first + tokens + below)
    widths = np.concatenate([readers, *(layer.ravel() for layer in layers)])
    capacities = np.round(widths / UNIT).astype(np.int32)
    size = 1 + tokens * (len(layers) + 1)
    edges = (np.concatenate(starts), np.concatenate(ends))
    return csr_matrix((capacities, edges), shape=(size, size))
