"""What a model has learned to see: pictures made for units, directions and classes."""

from pellucid.inside.features.cards import feature_cards
from pellucid.inside.features.looking import inspect_features, inspect_units
from pellucid.inside.features.objectives import Class, Direction, Layer, Unit
from pellucid.inside.features.result import FeatureImage
from pellucid.inside.features.settings import Settings
from pellucid.inside.features.transforms import Transforms
from pellucid.inside.features.visualize import visualize_feature

__all__ = [
    "Class",
    "Direction",
    "FeatureImage",
    "Layer",
    "Settings",
    "Transforms",
    "Unit",
    "feature_cards",
    "inspect_features",
    "inspect_units",
    "visualize_feature",
]
