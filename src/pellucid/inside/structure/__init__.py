"""How a model is built: its graph by module, costs, exports, differences, ONNX files."""

from pellucid.inside.structure.difference import StructureDifference, compare_structures
from pellucid.inside.structure.export import export
from pellucid.inside.structure.inspect import inspect_structure
from pellucid.inside.structure.onnx_file import structure_of_onnx
from pellucid.inside.structure.structure import Structure

__all__ = [
    "Structure",
    "StructureDifference",
    "compare_structures",
    "export",
    "inspect_structure",
    "structure_of_onnx",
]
