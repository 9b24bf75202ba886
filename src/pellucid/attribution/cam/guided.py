"""Guided Grad-CAM: the fine pattern of guided backpropagation inside the areas of Grad-CAM.

    map = guided backpropagation ⊙ Grad-CAM, stretched to the picture

Zero wherever Grad-CAM is. The first factor says where edges are, only the second for which class.
"""

from __future__ import annotations

from pellucid.attribution.call import Attribution, Call
from pellucid.attribution.cam.fusing import Fuse
from pellucid.attribution.cam.gradient_cams import grad_cam
from pellucid.attribution.layers import Layers
from pellucid.attribution.propagation import guided_backprop
from pellucid.attribution.registry import method


@method(
    title="Guided Grad-CAM",
    family="cam",
    paper="Selvaraju et al., 2017, section 3.2",
    about=(
        "Guided Grad-CAM shows the fine pattern inside the areas that speak for the answer. It is "
        "sharp, but its fine lines come from edges in the picture and say little about the answer; "
        "only the coarse areas do."
    ),
    kinds=("image",),
    needs=("gradient", "layer"),
    per_pixel=True,
    cost="as long as four predictions",
    passes="2 forward, 1 backward, and 1 backward down to the layer",
)
def guided_grad_cam(call: Call, *, layer: Layers = None, fuse: Fuse = "mean") -> Attribution:
    """Which fine patterns lie in the areas that speak for the class? Signed, of the input's shape.

    `layer` and `fuse` as in `grad_cam`. Raises MethodError for a model without rectifiers.
    Selvaraju et al., 2017, section 3.2.
    """
    areas = grad_cam(call, layer=layer, fuse=fuse)
    pattern = guided_backprop(call)
    return Attribution(
        values=pattern.values * areas.values[:, None],
        layer=areas.layer,
        resolution=f"{pattern.resolution}, in areas of {areas.resolution}",
    )
