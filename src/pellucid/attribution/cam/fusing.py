"""From layers to a map over the picture: their cells, brought to one size, fused if several.

    fused = mean or maximum over layers l of  M_l / max |M_l|

One layer's map keeps its own units; several are brought to a common scale first, since
activations of different layers cannot be compared. Where maps are signed, the maximum is the
value of largest size, with its sign.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from pellucid.attribution.call import Attribution, Call
from pellucid.attribution.freezing import intercepted
from pellucid.attribution.layers import Grid, Layers, choose_layers, grid_of
from pellucid.errors import LayerError, MethodError, NoGradientError, closest
from pellucid.graph.addressing import find_layer

Fuse = Literal["mean", "max"]
Draw = Callable[[str], Float[Tensor, "n height width"]]


def fused(call: Call, layer: Layers, fuse: Fuse, upsample: bool, draw: Draw) -> Attribution:
    """Draw the map of each layer that is meant, and fuse them if there are several.

    `draw` gives the map of a layer on its own grid. With `upsample` maps are stretched to the
    picture, bilinearly; else to the largest of the grids. Raises LayerError for layers that do
    not fit, MethodError for an unknown way to fuse.
    """
    if fuse not in get_args(Fuse):
        raise MethodError(f"fuse={fuse!r} was given. {closest(str(fuse), get_args(Fuse))}")
    names = choose_layers(call.model, call.inputs, layer)
    call.expect(layers=names)
    maps = [draw(name) for name in names]
    grids = [(drawn.shape[1], drawn.shape[2]) for drawn in maps]
    largest = max(grids, key=lambda grid: grid[0] * grid[1])
    size = picture_of(call) if upsample else largest
    sized = [stretched(drawn, size) for drawn in maps]
    return Attribution(
        values=sized[0] if len(sized) == 1 else _joined(sized, fuse),
        layer=", ".join(names),
        resolution=" and ".join(f"{height} × {width} cells" for height, width in grids),
    )


def picture_of(call: Call) -> tuple[int, int]:
    """Height and width of the explained pictures, in pixels."""
    return call.explained.shape[2], call.explained.shape[3]


def stretched(
    maps: Float[Tensor, "n height width"], size: tuple[int, int]
) -> Float[Tensor, "n y x"]:
    """Stretch maps to a size, bilinearly."""
    if tuple(maps.shape[1:]) == size:
        return maps
    return F.interpolate(maps[:, None], size, mode="bilinear", align_corners=False)[:, 0]


def activation_and_gradient(
    call: Call, layer: str
) -> tuple[Float[Tensor, "n channels height width"], Float[Tensor, "n channels height width"]]:
    """A layer's output and the score's gradient there, on its grid, in float32 or better.

    Raises LayerError for a layer without a grid, or whose cells the answer does not depend on.
    """
    output, slope = call.at_layer(layer, _all(call))
    grid = grid_of(output, picture_of(call), layer)
    gradient = grid.of(slope)
    if slope.any() and not gradient.any():
        raise LayerError(
            f"the answer does not depend on the patches at layer {layer!r}, only on a class token. "
            "Name a layer before the last attention, or none, and a fitting one is taken."
        )
    return precise(grid.of(output)), precise(gradient)


def output_on_grid(call: Call, layer: str) -> tuple[Float[Tensor, " n *shape"], Grid]:
    """A layer's output as it is, and how it lies on the picture; from any model.

    Shares the pass of methods that want gradients there too. Raises LayerError.
    """
    try:
        output, _ = call.at_layer(layer, _all(call))
    except NoGradientError:
        output = torch.cat([_run_to(call, layer, rows) for rows in call.chunks(call.size)])
    return output, grid_of(output, picture_of(call), layer)


def precise(tensor: Float[Tensor, " *shape"]) -> Float[Tensor, " *shape"]:
    """Turn half precision into float32; leave what is at least that."""
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))


def _all(call: Call) -> Tensor:
    return torch.arange(call.size, device=call.explained.device)


def _run_to(call: Call, layer: str, rows: Tensor) -> Float[Tensor, " m *shape"]:
    caught: list[Tensor] = []

    def catch(output: Tensor) -> Tensor:
        caught.append(output.clone())
        return output

    with torch.no_grad(), intercepted(find_layer(call.model.module, layer), catch):
        call.logits(call.explained[rows], rows)
    return caught[-1]


def _joined(maps: Sequence[Float[Tensor, "n y x"]], fuse: Fuse) -> Float[Tensor, "n y x"]:
    stacked = torch.stack([drawn / _largest(drawn) for drawn in maps])
    if fuse == "mean":
        return stacked.mean(0)
    return stacked.gather(0, stacked.abs().argmax(0, keepdim=True))[0]


def _largest(maps: Tensor) -> Float[Tensor, "n 1 1"]:
    size = maps.abs().amax((1, 2), keepdim=True)
    return torch.where(size > 0, size, 1)
