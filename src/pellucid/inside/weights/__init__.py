"""What a model's weights look like, and what changed between two sets of them."""

from pellucid.inside.weights.difference import WeightsDifference, compare_weights
from pellucid.inside.weights.weights import Weights, inspect_weights

__all__ = ["Weights", "WeightsDifference", "compare_weights", "inspect_weights"]
