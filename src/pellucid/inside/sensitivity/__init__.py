"""How much a model's answers change when its input does."""

from pellucid.inside.sensitivity.sensitivity import Sensitivity, inspect_sensitivity

__all__ = ["Sensitivity", "inspect_sensitivity"]
