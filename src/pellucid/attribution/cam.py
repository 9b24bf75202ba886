"""Class activation maps: which cells of a layer's grid speak for a class.

Grad-CAM weighs each channel k of a layer's output A by the mean of its gradient, and keeps what
speaks for the class:

    map = ReLU( Σ_k α_k A_k ),   α_k = mean over cells of ∂logit/∂A_k

Where global average pooling and one linear layer follow, this is the class's CAM, cell by cell.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from pellucid.attribution.call import Attribution, Call
from pellucid.attribution.layers import last_spatial_layer, to_grid
from pellucid.attribution.registry import method
from pellucid.errors import LayerError


@method(
    title="Grad-CAM",
    family="cam",
    paper="Selvaraju et al., 2017, eq. 1–2",
    about=(
        "Grad-CAM shows which areas of the picture speak for the answer. It is coarse: it finds "
        "the right region, not its outline, and it does not show what speaks against."
    ),
    kinds=("image",),
    needs=("gradient", "layer"),
    signed=False,
    cost="little more than one prediction",
    passes="1 forward, 1 backward down to the layer",
)
def grad_cam(call: Call, *, layer: str | None = None, upsample: bool = True) -> Attribution:
    """Where are the areas that speak for the class? (n, y, x), zero or more.

    `layer` is the layer whose cells are weighed; the last with a grid over the picture if None.
    `upsample` stretches the grid to the picture, bilinearly; the layer's own grid if False.
    Raises LayerError for a layer that does not exist or has no grid.
    Selvaraju et al., 2017, eq. 1–2. One forward pass, and one backward pass down to the layer.
    """
    name = last_spatial_layer(call.model, call.inputs) if layer is None else layer
    maps = torch.cat([_cam(call, name, rows) for rows in call.chunks(call.size)])
    height, width = maps.shape[1:]
    if upsample:
        size = tuple(call.explained.shape[2:])
        maps = F.interpolate(maps[:, None], size, mode="bilinear", align_corners=False)[:, 0]
    return Attribution(values=maps, layer=name, resolution=f"{height} × {width} cells")


def _cam(call: Call, layer: str, rows: Tensor) -> Float[Tensor, "n height width"]:
    output, slope = call.at_layer(layer, rows)
    picture = (call.explained.shape[2], call.explained.shape[3])
    activation, gradient = to_grid(output, picture, layer), to_grid(slope, picture, layer)
    if slope.any() and not gradient.any():
        raise LayerError(
            f"the answer does not depend on the patches at layer {layer!r}, only on a class token. "
            "Name a layer before the last attention, or none, and a fitting one is taken."
        )
    weights = gradient.mean((2, 3), keepdim=True)
    return (weights * activation).sum(1).relu().float()
