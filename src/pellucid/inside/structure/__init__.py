"""How a model is built: its graph by module, costs, exports, differences, ONNX files."""

from pellucid.inside.structure.export import export
from pellucid.inside.structure.inspect import inspect_structure
from pellucid.inside.structure.structure import Structure

__all__ = ["Structure", "export", "inspect_structure"]
