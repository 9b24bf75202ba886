"""Class activation maps: which cells of a layer's grid speak for a class.

A layer's output A has channels k over a grid of cells; a map is a weighted sum of its channels.
The methods differ in where the weights come from: from the linear layer that follows (CAM), from
gradients (Grad-CAM and its kin), from the activations alone (Eigen-CAM), or from what happens to
the score when a channel is taken away or alone is shown (Ablation-CAM, Score-CAM).
"""

from pellucid.attribution.cam.activation_cams import cam, eigen_cam, eigen_grad_cam
from pellucid.attribution.cam.gradient_cams import (
    grad_cam,
    grad_cam_pp,
    hires_cam,
    layer_cam,
    xgrad_cam,
)
from pellucid.attribution.cam.guided import guided_grad_cam
from pellucid.attribution.cam.perturbation_cams import ablation_cam, score_cam

__all__ = [
    "ablation_cam",
    "cam",
    "eigen_cam",
    "eigen_grad_cam",
    "grad_cam",
    "grad_cam_pp",
    "guided_grad_cam",
    "hires_cam",
    "layer_cam",
    "score_cam",
    "xgrad_cam",
]
