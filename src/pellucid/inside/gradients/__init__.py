"""How the loss moves a model's parameters, and how far its gradient reaches."""

from pellucid.inside.gradients.gradients import Gradients, inspect_gradients

__all__ = ["Gradients", "inspect_gradients"]
