"""Maps whose weights come from the network itself: its linear layer, or what its channels share.

    CAM             Σ_k w_k A_k,  w the target's row of the linear layer behind average pooling
    Eigen-CAM       ReLU( A v ),  v the first right singular vector of A (cells × channels)
    Eigen-Grad-CAM  G v,          v the same of G = ∂score/∂A ⊙ A

The mean of CAM's cells is the logit minus its bias, exactly. A singular vector has no sign of its
own: taken is the one whose entries add up to more than zero, so that the map goes with the plain
sum over channels, and is nowhere negative where A is not.
"""

from __future__ import annotations

import re

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.attribution.call import Attribution, Call
from pellucid.attribution.cam.fusing import (
    Fuse,
    activation_and_gradient,
    fused,
    output_on_grid,
    precise,
)
from pellucid.attribution.freezing import intercepted
from pellucid.attribution.layers import Layers
from pellucid.attribution.registry import method
from pellucid.errors import MethodError
from pellucid.graph.addressing import find_layer

POOLING = {"Mean", "AdaptiveAvgPool2D", "MkldnnAdaptiveAvgPool2D", "AvgPool2D"}
LINEAR = {"Addmm", "Mm", "Linear", "Convolution"}
RESHAPING = {
    "Alias", "Clone", "Expand", "Permute", "ReshapeAlias", "Squeeze", "T", "ToCopy", "Transpose",
    "UnsafeView", "Unsqueeze", "View",
}  # fmt: skip


@method(
    title="CAM",
    family="cam",
    paper="Zhou et al., 2016, section 2",
    about=(
        "CAM shows which areas of the picture speak for the answer, and which against. It is "
        "exact: the areas add up to the answer's score. It is coarse, and only defined for "
        "networks that average their last layer over the picture before they answer."
    ),
    kinds=("image",),
    needs=("gradient", "layer"),
    cost="as long as two predictions",
    passes="2 forward, 1 backward down to the layer",
)
def cam(call: Call, *, layer: str | None = None, upsample: bool = True) -> Attribution:
    """How much does each area add to the score? (n, y, x), signed.

    Only where behind `layer` (the last with a grid if None) come global average pooling and one
    linear layer, and nothing else; told from the operations that a prediction records. The mean
    over the layer's own cells (`upsample=False`) is the score minus its bias.
    Raises MethodError where something else follows, LayerError for a layer without a grid.
    Zhou et al., 2016, section 2.
    """

    def draw(name: str) -> Float[Tensor, "n height width"]:
        activation, gradient = activation_and_gradient(call, name)
        weights = gradient.sum((2, 3), keepdim=True)
        uneven = gradient * gradient[0, 0].numel() - weights
        _check_head(call, name, pools_all=bool((uneven.abs() <= 1e-3 * weights.abs()).all()))
        return (weights * activation).sum(1)

    return fused(call, layer, "mean", upsample, draw)


@method(
    title="Eigen-CAM",
    family="cam",
    paper="Muhammad and Yeasin, 2020, section III",
    about=(
        "Eigen-CAM shows which areas of the picture the network reacts to most strongly, by the "
        "pattern that its channels share. It knows nothing of the answer: the map is the same "
        "for all classes."
    ),
    kinds=("image",),
    needs=("layer",),
    signed=False,
    cost="little more than one prediction",
    passes="1 forward",
)
def eigen_cam(
    call: Call, *, layer: Layers = None, fuse: Fuse = "mean", upsample: bool = True
) -> Attribution:
    """Where does the layer react most, whatever the class? (n, y, x), zero or more.

    `layer`, `fuse` and `upsample` as in `grad_cam`. Activations are not centred, as in the paper.
    Cells that point against the principal direction, possible where activations may be negative,
    count as zero. Muhammad and Yeasin, 2020, section III.
    """

    def draw(name: str) -> Float[Tensor, "n height width"]:
        output, grid = output_on_grid(call, name)
        return _principal(precise(grid.of(output))).relu()

    return fused(call, layer, fuse, upsample, draw)


@method(
    title="Eigen-Grad-CAM",
    family="cam",
    paper="Gildenblat, 2021, after Muhammad and Yeasin, 2020",
    about=(
        "Eigen-Grad-CAM shows which areas of the picture speak for the answer, and which against, "
        "by the pattern that the channels' contributions share. It is cleaner than a plain sum of "
        "the contributions, and leaves out what only few channels see."
    ),
    kinds=("image",),
    needs=("gradient", "layer"),
    cost="little more than one prediction",
    passes="1 forward, 1 backward down to the layer",
)
def eigen_grad_cam(
    call: Call, *, layer: Layers = None, fuse: Fuse = "mean", upsample: bool = True
) -> Attribution:
    """Which areas carry the main pattern of contributions to the class? (n, y, x), signed.

    `layer`, `fuse` and `upsample` as in `grad_cam`. Eigen-CAM of the contributions g ⊙ A, not
    centred. Gildenblat, 2021, after Muhammad and Yeasin, 2020.
    """

    def draw(name: str) -> Float[Tensor, "n height width"]:
        activation, gradient = activation_and_gradient(call, name)
        return _principal(activation * gradient)

    return fused(call, layer, fuse, upsample, draw)


def _principal(values: Float[Tensor, "n channels height width"]) -> Float[Tensor, "n height width"]:
    cells = values.flatten(2).transpose(1, 2)
    direction = torch.linalg.svd(cells, full_matrices=False).Vh[:, 0]
    sign = torch.where(direction.sum(1, keepdim=True) < 0, -1, 1)
    found = torch.einsum("npk,nk->np", cells, sign * direction)
    return found.view(len(values), *values.shape[2:])


def _check_head(call: Call, layer: str, *, pools_all: bool) -> None:
    """Raise MethodError unless pooling over all cells and one linear layer follow."""
    follow = _operations_behind(call, layer)
    pools = len(follow) == 2 and follow[0] in POOLING and follow[1] in LINEAR
    if pools and pools_all:
        return
    found = "pooling over parts of the grid" if pools else ", ".join(follow) or "nothing"
    raise MethodError(
        f"'cam' is defined where global average pooling and one linear layer follow. Behind layer "
        f"{layer!r} of {type(call.model.module).__name__} there comes: {found}. "
        "Use 'grad_cam' or 'hires_cam', which generalise it."
    )


def _operations_behind(call: Call, layer: str) -> list[str]:
    """Names of the operations between a layer's output and the logits, but for reshaping.

    Read from what autograd records; where paths part or join, the word "branches" stands.
    """
    leaves: list[Tensor] = []

    def cut(output: Tensor) -> Tensor:
        leaves.append(output.detach().clone().requires_grad_())
        return leaves[-1].clone()

    first = torch.zeros(1, dtype=torch.int64, device=call.explained.device)
    with intercepted(find_layer(call.model.module, layer), cut):
        node = call.logits(call.explained[:1], first).grad_fn
    names: list[str] = []
    while node is not None and "AccumulateGrad" not in node.name():
        names.append(re.sub(r"Backward\d*$", "", node.name()))
        before = [source for source, _ in node.next_functions if source is not None]
        if len(before) > 1:
            names.append("branches")
            break
        node = before[0] if before else None
    return [name for name in reversed(names) if name not in RESHAPING]
