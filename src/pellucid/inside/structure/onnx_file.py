"""The structure of an ONNX file, from what it declares; nothing in it is run."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.errors import ModelError
from pellucid.inside.structure.arrays import arrays
from pellucid.inside.structure.blocks import in_blocks
from pellucid.inside.structure.parts import UNKNOWN, Module, Operator, Parts
from pellucid.inside.structure.structure import Structure
from pellucid.plugins import require
from pellucid.result import ModelIdentity, Provenance

Shape = tuple[int | str, ...]
SPOKEN = {
    "Conv": "convolution",
    "ConvTranspose": "transposed convolution",
    "Relu": "relu",
    "MaxPool": "max pool",
    "AveragePool": "average pool",
    "GlobalAveragePool": "average pool",
    "Gemm": "linear",
    "MatMul": "matmul",
    "Concat": "concatenate",
    "Add": "add",
    "Sub": "sub",
    "Mul": "mul",
    "Div": "div",
    "Softmax": "softmax",
    "BatchNormalization": "batch norm",
    "LayerNormalization": "layer norm",
}
# What computes much, but whose FLOPs are not counted here.
UNCOUNTED = frozenset(
    {
        "LSTM",
        "GRU",
        "RNN",
        "Einsum",
        "Attention",
        "MultiHeadAttention",
        "ConvTranspose",
        "If",
        "Loop",
        "Scan",
    }
)


@dataclass(frozen=True)
class Value:
    """What is declared of a tensor; None for an unknown shape, words for free lengths."""

    shape: Shape | None = None
    dtype: str = ""
    width: int = 0

    @property
    def elements(self) -> float:
        """How many numbers it has, with one for each free length at the front; NaN if unknown."""
        if self.shape is None:
            return UNKNOWN
        lengths = [
            1 if place == 0 and not isinstance(length, int) else length
            for place, length in enumerate(self.shape)
        ]
        return float(math.prod(lengths)) if all(isinstance(n, int) for n in lengths) else UNKNOWN


def structure_of_onnx(path: str | Path) -> Structure:
    """Tell how the network in an ONNX file is built; it is not run, and needs no weights.

    Shapes are those that ONNX's inference finds; FLOPs are counted for convolutions and matrix
    products whose shapes are known, the others are unknown or none. Names such as
    ``/layer1/conv/Conv`` group operators. Needs the extra ``onnx``. Raises ModelError for a file
    that is no ONNX model.

    >>> structure_of_onnx("detector.onnx").export("detector.pdf")  # doctest: +SKIP
    """
    started = time.perf_counter()
    file = Path(path).expanduser()
    onnx = require("onnx", extra="onnx", why="to read ONNX files")
    model, failed = _inferred(onnx, _read(onnx, file))
    parts = _parts(onnx, model)
    parts = replace(parts, notes=(*parts.notes, *failed))
    digest = hashlib.sha256(file.read_bytes()).hexdigest()[:16]
    meta = Provenance(
        kind=Structure.kind,
        model=ModelIdentity(source=f"onnx:{file.name}", weights=digest),
        parameters={
            "how": "onnx",
            "ir_version": int(model.ir_version),
            "opsets": {str(o.domain or "ai.onnx"): int(o.version) for o in model.opset_import},
            "producer": str(model.producer_name),
        },
        seconds=time.perf_counter() - started,
        notes=parts.notes,
    )
    return Structure(data=arrays(parts), meta=meta)


def _read(onnx: Any, file: Path) -> Any:
    if not file.is_file():
        raise ModelError(f"{file}: there is no such file; expected an ONNX model (.onnx).")
    try:
        model = onnx.load(str(file), load_external_data=False)
    except Exception as error:
        raise ModelError(
            f"{file} cannot be read as an ONNX model: {str(error).splitlines()[0] if str(error) else type(error).__name__}. "
            "Expected a file that `torch.onnx.export` or another converter wrote."
        ) from error
    if not model.graph.node:
        raise ModelError(
            f"{file} is no ONNX model, or one without operators. Expected a file that "
            "`torch.onnx.export` or another converter wrote."
        )
    return model


def _inferred(onnx: Any, model: Any) -> tuple[Any, tuple[str, ...]]:
    """The model with the shapes that can be found; where that fails, as it is, and a note of why."""
    try:
        found = onnx.shape_inference.infer_shapes(model, strict_mode=False, data_prop=True)
    except Exception as error:  # noqa: BLE001 - its errors, in C++, are of any class
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        return model, (f"Shapes that the file does not give are unknown: {reason}",)
    return found, ()


def _parts(onnx: Any, model: Any) -> Parts:
    graph = model.graph
    values = _values(onnx, graph)
    weights = {one.name: tuple(int(n) for n in one.dims) for one in graph.initializer}
    weights |= {s.values.name: tuple(map(int, s.dims)) for s in graph.sparse_initializer}
    operators: list[Operator] = []
    makers: dict[str, int] = {}
    for one in graph.input:
        if one.name not in weights:
            makers[one.name] = len(operators)
            operators.append(_input(one.name, values))
    used: set[str] = set()
    for number, node in enumerate(graph.node):
        for name in node.output:
            if name:
                makers[name] = len(operators)
        operators.append(_operator(node, number, values, weights, makers, used))
    ends = tuple(dict.fromkeys(makers[o.name] for o in graph.output if o.name in makers))
    operators.append(Operator(name="output", operator="output", kind="output", inputs=ends))
    ordered = in_blocks(operators)
    modules: dict[tuple[str, ...], Module] = {
        (): Module(type=str(graph.name) or "ONNX graph", parameters=_count(weights.values()))
    }
    return Parts(
        operators=ordered,
        modules=modules,
        how="onnx",
        separator="/",
        notes=_notes(ordered, operators),
    )


def _values(onnx: Any, graph: Any) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for info in (*graph.value_info, *graph.input, *graph.output):
        kind = info.type.tensor_type
        shape = tuple(_length(d) for d in kind.shape.dim) if kind.HasField("shape") else None
        found[info.name] = Value(shape, *_type(onnx, kind.elem_type))
    for one in graph.initializer:
        found[one.name] = Value(tuple(map(int, one.dims)), *_type(onnx, one.data_type))
    return found


def _length(dimension: Any) -> int | str:
    if dimension.HasField("dim_value"):
        return int(dimension.dim_value)
    return str(dimension.dim_param) or "?"


def _type(onnx: Any, number: int) -> tuple[str, int]:
    """Name of an element type, and its size in bytes."""
    try:
        dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(number))
    except (KeyError, TypeError, ValueError):
        return "", 0
    return dtype.name, dtype.itemsize


def _input(name: str, values: Mapping[str, Value]) -> Operator:
    value = values.get(name, Value())
    return Operator(
        name=name, operator="input", kind="input", shape=_written(value), dtype=value.dtype
    )


def _operator(
    node: Any,
    number: int,
    values: Mapping[str, Value],
    weights: Mapping[str, Shape],
    makers: Mapping[str, int],
    used: set[str],
) -> Operator:
    own = [name for name in node.input if name in weights and name not in used]
    used.update(own)
    value = values.get(node.output[0], Value()) if node.output else Value()
    return Operator(
        name=node.name or f"{node.op_type} {number}",
        operator=SPOKEN.get(node.op_type, node.op_type),
        path=_path(node),
        inputs=tuple(dict.fromkeys(makers[name] for name in node.input if name in makers)),
        shape=_written(value),
        dtype=value.dtype,
        parameters=_count(weights[name] for name in own),
        flops=_flops(node, values),
        bytes=sum(
            v.elements * v.width
            for v in (values.get(name, Value()) for name in node.output if name)
        ),
    )


def _path(node: Any) -> tuple[str, ...]:
    """Modules around a node: ``/layer1/conv/Conv`` is in layer1 and conv."""
    return tuple(part for part in node.name.split("/")[:-1] if part)


def _count(shapes: Any) -> int:
    return sum(math.prod(int(n) for n in shape) for shape in shapes)


def _written(value: Value) -> str:
    return " × ".join(map(str, value.shape)) if value.shape else ""


def _flops(node: Any, values: Mapping[str, Value]) -> float:
    """Two per multiplication with addition, as PyTorch's counter does; NaN where not known."""
    if node.op_type in UNCOUNTED:
        return UNKNOWN
    if node.op_type not in ("Conv", "Gemm", "MatMul"):
        return 0.0
    result = values.get(node.output[0], Value()).elements
    shape = values.get(node.input[1 if node.op_type == "Conv" else 0], Value()).shape
    if not shape:
        return UNKNOWN
    if node.op_type == "Conv":
        factors: Sequence[int | str] = shape[1:]
    else:
        turned = node.op_type == "Gemm" and any(a.name == "transA" and a.i for a in node.attribute)
        factors = (shape[0],) if turned else shape[-1:]
    if not all(isinstance(n, int) for n in factors):
        return UNKNOWN
    return 2.0 * result * math.prod(int(n) for n in factors)


def _notes(operators: Sequence[Operator], named: Sequence[Operator]) -> tuple[str, ...]:
    inner = [one for one in operators if one.kind == "operator"]
    unknown = sum(math.isnan(one.flops) for one in inner)
    shapeless = sum(not one.shape for one in inner)
    notes = ["Read from an ONNX file: its numbers in tensors are taken for parameters."]
    if any(one.path for one in operators) and not any(one.path for one in named):
        notes.append("The file names no modules, so operators are put in blocks by their wiring.")
    if unknown:
        notes.append(f"FLOPs of {unknown:,} operators are unknown, and not counted.")
    if shapeless:
        notes.append(f"The shapes of {shapeless:,} operators are not in the file.")
    return tuple(notes)
