"""FullGrad: the score, split without remainder among the input and the biases of all layers.

    f(x) = Σ_i x_i · ∂f/∂x_i  +  Σ_l Σ_j b_lj · ∂f/∂y_lj

y_l is the output of a layer that adds a bias b_l; for batch normalization, whose output is
γ (u − μ) / s + β, the bias is β − γ μ / s. Exact for networks that are piecewise linear but for
such biases (ReLU, maximum, averages): how far the two sides are apart is reported. The map is

    Σ_c ψ(x ⊙ ∂f/∂x)_c + Σ_l Σ_c ψ(b_l ⊙ ∂f/∂y_l)_c

where c are channels, and ψ takes sizes, brings a layer's to 0 … 1, and stretches them bilinearly.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import reduce
from typing import cast

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd

from pellucid.attribution.call import Attribution, Call
from pellucid.attribution.gradient import precise, relative_error
from pellucid.attribution.layers import find_grid
from pellucid.attribution.registry import method
from pellucid.errors import NoGradientError

Terms = list[tuple[Tensor, Tensor]]


@method(
    title="FullGrad",
    family="gradient",
    paper="Srinivas and Fleuret, 2019, eq. 3–8",
    about=(
        "FullGrad adds up what the picture and the inner thresholds of all layers contribute to "
        "the answer's score, and shows where. It finds whole objects rather than edges, but not "
        "whether they speak for or against, and areas of different layers are mixed."
    ),
    kinds=("image",),
    needs=("gradient",),
    signed=False,
    cost="little more than one prediction",
    passes="2 forwards, 1 backward",
)
def full_grad(call: Call) -> Attribution:
    """Where does the picture, or what the layers add to it, matter for the score? (n, y, x).

    Zero or more. Layers without a grid over the picture count in the sum, not in the map. The
    completeness error tells how far the parts are from the score: zero up to rounding for
    piecewise linear networks whose biases are those of modules.
    Srinivas and Fleuret, 2019, eq. 3 (completeness), 5 (batch normalization) and 8 (the map).
    """
    maps, sums = [], []
    for parts in _parts(call):
        size = len(parts[0])
        maps.append(reduce(torch.add, [_drawn(call, part, size) for part in parts]))
        sums.append(reduce(torch.add, [part.reshape(size, -1).sum(1) for part in parts]))
    error = relative_error(torch.cat(sums), precise(call.own_scores))
    return Attribution(
        values=torch.cat(maps),
        resolution="every pixel, and the cells of all layers",
        completeness_error=error,
    )


def _parts(call: Call) -> Iterator[list[Tensor]]:
    """What the input and each bias add, for some samples at once, each with a row for each sample.

    Where layers put windows or tokens in the place of rows, samples come one by one, and all that
    such a layer gives is that sample's.
    """
    for rows in call.chunks(call.size):
        terms = _terms(call, rows)
        if all(len(slope) == len(rows) for _, slope in terms):
            yield [value * slope for value, slope in terms]
        else:
            for row in torch.split(rows, 1):
                yield [value * slope for value, slope in _terms(call, row)]


def _terms(call: Call, rows: Int[Tensor, " m"]) -> Terms:
    """The input, and each bias, with the score's gradient there; all with a dimension of rows."""
    pixels = call.explained[rows].clone().requires_grad_()
    with _probed(call.model.module) as probes:
        logits = call.logits(pixels, rows)
    if not logits.requires_grad:
        raise NoGradientError("the model's output has no gradient with respect to its input.")
    sources = [pixels, *(probe for _, probe in probes)]
    score = call.score(logits, rows).sum()
    slopes = torch.autograd.grad(score, sources, materialize_grads=True)
    call.backwards += torch.bincount(rows.cpu(), minlength=call.size)
    values = [pixels.detach(), *(bias for bias, _ in probes)]
    return [(precise(value), precise(slope)) for value, slope in zip(values, slopes, strict=True)]


@contextmanager
def _probed(module: nn.Module) -> Iterator[Terms]:
    """Add zeros to the output of each layer with a bias; gives (bias, zeros) as they are run."""
    probes: Terms = []

    def probe(layer: nn.Module, _given: object, output: Tensor) -> Tensor:
        bias = _bias(layer)
        if bias is None:
            return output
        zeros = torch.zeros_like(output, requires_grad=True)
        trailing = output.shape[-bias.ndim :] == bias.shape  # not so in LayerNorm2d
        axis = -1 if isinstance(layer, nn.Linear | nn.LayerNorm) and trailing else 1
        width = bias.ndim if axis == -1 else output.ndim - 1
        shape = bias.shape if axis == -1 else (len(bias), *(1,) * (width - 1))
        probes.append((bias.detach().reshape(shape)[None], zeros))
        return output + zeros

    with ExitStack() as hooks:
        for layer in module.modules():
            if isinstance(layer, _ConvNd | nn.Linear | _BatchNorm | nn.LayerNorm | nn.GroupNorm):
                hooks.callback(layer.register_forward_hook(probe).remove)
        yield probes


def _bias(layer: nn.Module) -> Tensor | None:
    """What a layer adds to each channel of its output, in evaluation; None if nothing."""
    bias = cast("Tensor | None", layer.bias)
    if not isinstance(layer, _BatchNorm) or layer.running_mean is None:
        return bias
    assert layer.running_var is not None
    scale = (layer.running_var + layer.eps).rsqrt()
    scale = scale if layer.weight is None else scale * layer.weight
    own = torch.zeros_like(scale) if bias is None else bias
    return own - scale * layer.running_mean


def _drawn(call: Call, part: Tensor, size: int) -> Float[Tensor, "m y x"]:
    """The post-processing ψ of one layer, summed over its channels; 0 for a layer without grid."""
    picture = (call.explained.shape[2], call.explained.shape[3])
    grid = find_grid(tuple(part.shape), picture) if len(part) == size else None
    if grid is None:
        return part.new_zeros(size, *picture)
    sizes = grid.of(part).abs()
    low, high = sizes.amin((1, 2, 3), keepdim=True), sizes.amax((1, 2, 3), keepdim=True)
    scaled = (sizes - low) / (high - low).clamp(min=torch.finfo(sizes.dtype).tiny)
    summed = scaled.sum(1, keepdim=True)
    return F.interpolate(summed, picture, mode="bilinear", align_corners=False)[:, 0]
