"""Maps whose weights come from the score's gradient g = ∂score/∂A at a layer's output A.

    Grad-CAM     ReLU( Σ_k α_k A_k ),  α_k = mean over cells of g_k
    Grad-CAM++   ReLU( Σ_k w_k A_k ),  w_k = Σ_ij ReLU(g_kij) / (2 + g_kij Σ_ab A_kab)
    XGrad-CAM    ReLU( Σ_k w_k A_k ),  w_k = Σ_ij g_kij A_kij / Σ_ij A_kij
    HiRes-CAM    Σ_k g_k ⊙ A_k
    Layer-CAM    ReLU( Σ_k ReLU(g_k) ⊙ A_k )

Where global average pooling and one linear layer follow, Grad-CAM and XGrad-CAM are the class's
CAM but for what speaks against, and the cells of HiRes-CAM add up to the logit minus its bias.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.attribution.call import Attribution, Call
from pellucid.attribution.cam.fusing import Draw, Fuse, activation_and_gradient, fused
from pellucid.attribution.layers import Layers
from pellucid.attribution.registry import method

COST = "little more than one prediction"
PASSES = "1 forward, 1 backward down to the layer"
Formula = Callable[[Tensor, Tensor], Tensor]


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
    cost=COST,
    passes=PASSES,
)
def grad_cam(
    call: Call, *, layer: Layers = None, fuse: Fuse = "mean", upsample: bool = True
) -> Attribution:
    """Where are the areas that speak for the class? (n, y, x), zero or more.

    `layer` is the layer whose cells are weighed; the last with a grid over the picture if None.
    Of several, the maps are fused by `fuse`, "mean" or "max", each divided by its largest value.
    `upsample` stretches the grid to the picture, bilinearly; the layer's own grid if False, of
    several layers the largest. Raises LayerError for a layer that does not exist or has no grid.
    Selvaraju et al., 2017, eq. 1–2. One forward pass, and one backward pass down to the layer.
    """
    return fused(call, layer, fuse, upsample, _by(_grad_cam, call))


@method(
    title="Grad-CAM++",
    family="cam",
    paper="Chattopadhay et al., 2018, eq. 10 and 19",
    about=(
        "Grad-CAM++ shows which areas of the picture speak for the answer, and gives more weight "
        "to small ones than Grad-CAM does, so that of several things of a kind all are found. "
        "It is coarse, and made for networks whose layers end in a ReLU."
    ),
    kinds=("image",),
    needs=("gradient", "layer"),
    signed=False,
    cost=COST,
    passes=PASSES,
)
def grad_cam_pp(
    call: Call, *, layer: Layers = None, fuse: Fuse = "mean", upsample: bool = True
) -> Attribution:
    """Where are all the areas that speak for the class, small ones too? (n, y, x), zero or more.

    `layer`, `fuse` and `upsample` as in `grad_cam`. The paper explains exp(score), which would
    overflow: the factor exp(score), one for all cells, is left out. Cells whose denominator is
    zero get no weight; where activations may be negative it can come near zero.
    Chattopadhay et al., 2018, eq. 10 and 19.
    """
    return fused(call, layer, fuse, upsample, _by(_grad_cam_pp, call))


@method(
    title="XGrad-CAM",
    family="cam",
    paper="Fu et al., 2020, section 3",
    about=(
        "XGrad-CAM shows which areas of the picture speak for the answer. It is Grad-CAM with "
        "weights under which the map's sum stays close to the score. It is coarse, and made for "
        "networks whose layers end in a ReLU."
    ),
    kinds=("image",),
    needs=("gradient", "layer"),
    signed=False,
    cost=COST,
    passes=PASSES,
)
def xgrad_cam(
    call: Call, *, layer: Layers = None, fuse: Fuse = "mean", upsample: bool = True
) -> Attribution:
    """Where are the areas that speak for the class, in proportion to it? (n, y, x), zero or more.

    `layer`, `fuse` and `upsample` as in `grad_cam`. Channels whose activations add up to zero get
    no weight; where activations may be negative their sum can come near zero.
    Fu et al., 2020, section 3.
    """
    return fused(call, layer, fuse, upsample, _by(_xgrad_cam, call))


@method(
    title="HiRes-CAM",
    family="cam",
    paper="Draelos and Carin, 2020, section 3",
    about=(
        "HiRes-CAM shows which areas of the picture speak for the answer, and which against. "
        "Unlike Grad-CAM it shows only areas that the model really used, where one linear layer "
        "follows. It is as coarse as the layer's grid."
    ),
    kinds=("image",),
    needs=("gradient", "layer"),
    cost=COST,
    passes=PASSES,
)
def hires_cam(
    call: Call, *, layer: Layers = None, fuse: Fuse = "mean", upsample: bool = True
) -> Attribution:
    """Which areas were used, for and against the class? (n, y, x), signed.

    `layer`, `fuse` and `upsample` as in `grad_cam`. On the layer's own grid, and where only
    pooling and linear layers follow, the cells add up to the score minus its bias.
    Draelos and Carin, 2020, section 3.
    """
    return fused(call, layer, fuse, upsample, _by(_hires_cam, call))


@method(
    title="Layer-CAM",
    family="cam",
    paper="Jiang et al., 2021, section III",
    about=(
        "Layer-CAM shows which areas of the picture speak for the answer, cell by cell, so that "
        "it also works on earlier, finer layers. There it finds outlines, with more noise."
    ),
    kinds=("image",),
    needs=("gradient", "layer"),
    signed=False,
    cost=COST,
    passes=PASSES,
)
def layer_cam(
    call: Call, *, layer: Layers = None, fuse: Fuse = "mean", upsample: bool = True
) -> Attribution:
    """Which cells speak for the class, in an early layer too? (n, y, x), zero or more.

    `layer`, `fuse` and `upsample` as in `grad_cam`; the paper fuses several layers by "max".
    Jiang et al., 2021, section III.
    """
    return fused(call, layer, fuse, upsample, _by(_layer_cam, call))


def _by(formula: Formula, call: Call) -> Draw:
    def draw(layer: str) -> Float[Tensor, "n height width"]:
        return formula(*activation_and_gradient(call, layer))

    return draw


def _grad_cam(
    activation: Float[Tensor, "n channels height width"],
    gradient: Float[Tensor, "n channels height width"],
) -> Float[Tensor, "n height width"]:
    return _weighed(gradient.mean((2, 3), keepdim=True), activation)


def _grad_cam_pp(
    activation: Float[Tensor, "n channels height width"],
    gradient: Float[Tensor, "n channels height width"],
) -> Float[Tensor, "n height width"]:
    below = 2 + gradient * activation.sum((2, 3), keepdim=True)
    alpha = torch.where(below != 0, 1 / below, 0)
    return _weighed((alpha * gradient.relu()).sum((2, 3), keepdim=True), activation)


def _xgrad_cam(
    activation: Float[Tensor, "n channels height width"],
    gradient: Float[Tensor, "n channels height width"],
) -> Float[Tensor, "n height width"]:
    total = activation.sum((2, 3), keepdim=True)
    weights = torch.where(total != 0, (gradient * activation).sum((2, 3), keepdim=True) / total, 0)
    return _weighed(weights, activation)


def _hires_cam(
    activation: Float[Tensor, "n channels height width"],
    gradient: Float[Tensor, "n channels height width"],
) -> Float[Tensor, "n height width"]:
    return (gradient * activation).sum(1)


def _layer_cam(
    activation: Float[Tensor, "n channels height width"],
    gradient: Float[Tensor, "n channels height width"],
) -> Float[Tensor, "n height width"]:
    return (gradient.relu() * activation).sum(1).relu()


def _weighed(
    weights: Float[Tensor, "n channels 1 1"],
    activation: Float[Tensor, "n channels height width"],
) -> Float[Tensor, "n height width"]:
    return (weights * activation).sum(1).relu()
