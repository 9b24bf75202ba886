"""Models: opening them, feeding them, and what their outputs mean."""

from pellucid.model.description import describe
from pellucid.model.inputs import ArrayInput, ImageInput, Input, Inputs, TextInput
from pellucid.model.pieces import pieces
from pellucid.model.protocol import Model, as_logits, call, choose_device

__all__ = [
    "ArrayInput",
    "ImageInput",
    "Input",
    "Inputs",
    "Model",
    "TextInput",
    "as_logits",
    "call",
    "choose_device",
    "describe",
    "pieces",
]
