"""Methods that send a score back through the model's operators by rules."""

from pellucid.attribution.propagation.backpropagation import deconvnet, guided_backprop
from pellucid.attribution.propagation.deeplift import deep_shap, deeplift
from pellucid.attribution.propagation.lrp import attn_lrp, lrp

__all__ = ["attn_lrp", "deconvnet", "deep_shap", "deeplift", "guided_backprop", "lrp"]
