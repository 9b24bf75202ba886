"""Keep recordings on disk, because tracing takes seconds and reading takes less.

A file holds the list of operators as JSON and the computed constants as safetensors; weights are
not in it. Reading it runs no code of the file: operators are looked up among ATen's by name, and
parameters are those of the live module. The file's name is a hash of all that the recording
follows from (see `pellucid.graph.identity`), and what is read is compared with the model as a new
recording is. The folder is `$PELLUCID_CACHE`, else the platform's cache folder; `off` disables.
"""

from __future__ import annotations

import json
import operator
import os
import sys
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, fx, nn
from torch._ops import OpOverload

from pellucid.files import replacing
from pellucid.graph.recording import Recording, tensors_of
from pellucid.graph.symbols import Symbols, with_values
from pellucid.graph.trace import ROOT

LARGEST = 2**26
PLAIN = {f"operator.{name}": getattr(operator, name) for name in (
    "getitem", "add", "sub", "mul", "floordiv", "truediv", "mod", "neg", "pow",
)}  # fmt: skip
NAMES = {function: name for name, function in PLAIN.items()}
KINDS: dict[str, type] = {
    "dtype": torch.dtype,
    "layout": torch.layout,
    "memory_format": torch.memory_format,
}
BROKEN = (
    OSError,
    SafetensorError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    RuntimeError,
)


class Unstorable(Exception):
    """A recording that holds something this format has no word for."""


def folder() -> Path | None:
    """Where recordings are kept; None if switched off."""
    chosen = os.environ.get("PELLUCID_CACHE", "")
    if chosen:
        return None if chosen == "off" else Path(chosen).expanduser() / "graphs"
    if sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "pellucid" / "graphs"


def write(path: Path, recording: Recording) -> None:
    """Keep an exported recording. Raises Unstorable, and OSError where nothing can be written."""
    program = recording.program
    assert program is not None
    constants = {
        node.target: operator.attrgetter(node.target)(program).contiguous()
        for node in program.graph.nodes
        if node.op == "get_attr" and not node.target.startswith(f"{ROOT}.")
    }
    if sum(t.numel() * t.element_size() for t in constants.values()) > LARGEST:
        raise Unstorable("its constants are too large")
    record = {
        "examples": {n: [_word(dtype), shape] for n, (dtype, shape) in recording.examples.items()},
        "symbols": Symbols.of(program).to_json(),
        "layers": {name: node.name for name, node in recording.layers.items()},
        "nodes": [_node_to_json(node) for node in program.graph.nodes],
    }
    with replacing(path) as temporary:
        save_file(constants, temporary, metadata={"graph": json.dumps(record)})


def read(path: Path, module: nn.Module) -> Recording | None:
    """Read a recording and bind it to a module's own tensors; None if it is absent or broken."""
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            record = json.loads(file.metadata()["graph"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return _rebuilt(record, tensors, module)
    except BROKEN:
        return None


def _rebuilt(record: dict[str, Any], constants: dict[str, Tensor], module: nn.Module) -> Recording:
    graph = fx.Graph()
    nodes: dict[str, fx.Node] = {}
    for entry in record["nodes"]:
        nodes[entry["name"]] = _node_from_json(graph, entry, nodes)
    device = next((tensor.device for _, tensor in tensors_of(module)), torch.device("cpu"))
    root: dict[str, Any] = {f"{ROOT}.{name}": tensor for name, tensor in tensors_of(module)}
    root |= {name: constant.to(device) for name, constant in constants.items()}
    graph.lint()
    program = fx.GraphModule(root, graph)
    with_values(program, Symbols.from_json(record["symbols"]), device)
    found = {node.name: node for node in program.graph.nodes}
    return Recording(
        how="export",
        examples={
            name: (_value(dtype, {}), tuple(shape))
            for name, (dtype, shape) in record["examples"].items()
        },
        program=program,
        layers={name: found[node] for name, node in record["layers"].items()},
    )


def _node_to_json(node: fx.Node) -> dict[str, Any]:
    stack = node.meta.get("nn_module_stack") or {}
    return {
        "op": node.op,
        "name": node.name,
        "target": _target(node.target),
        "args": _word(node.args),
        "kwargs": {name: _word(value) for name, value in node.kwargs.items()},
        "stack": [[key, str(path), str(kind)] for key, (path, kind) in stack.items()],
    }


def _node_from_json(graph: fx.Graph, entry: dict[str, Any], nodes: dict[str, fx.Node]) -> fx.Node:
    target: Any = entry["target"]
    if entry["op"] == "call_function":
        target = PLAIN.get(target) or _operator(target)
    kwargs = {name: _value(word, nodes) for name, word in entry["kwargs"].items()}
    args = _value(entry["args"], nodes)
    node = graph.create_node(entry["op"], target, args, kwargs, name=entry["name"])
    if node.name != entry["name"]:
        raise ValueError(f"a second node is named {entry['name']!r}")
    if entry["stack"]:
        node.meta["nn_module_stack"] = {key: (path, kind) for key, path, kind in entry["stack"]}
    return node


def _target(target: Any) -> str:
    if isinstance(target, str):
        return target
    if target in NAMES:
        return NAMES[target]
    if isinstance(target, OpOverload) and target.namespace == "aten":
        return str(target)
    raise Unstorable(f"operator {target}")


def _operator(name: str) -> OpOverload:
    namespace, packet, overload = name.split(".")
    if namespace != "aten":
        raise ValueError(f"{name!r} is not an ATen operator")
    found = getattr(getattr(torch.ops.aten, packet), overload)
    if not isinstance(found, OpOverload):
        raise TypeError(f"{name!r} is not an ATen operator")
    return found


def _word(value: Any) -> Any:
    """Put an argument into JSON: plain as it is, all else as {kind: word}."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, fx.Node):
        return {"node": value.name}
    if isinstance(value, list | tuple):
        return {"tuple" if isinstance(value, tuple) else "list": [_word(v) for v in value]}
    if isinstance(value, torch.device):
        return {"device": str(value)}
    for kind, type_ in KINDS.items():
        if isinstance(value, type_):
            return {kind: str(value).removeprefix("torch.")}
    raise Unstorable(f"an argument of type {type(value).__name__}")


def _value(word: Any, nodes: dict[str, fx.Node]) -> Any:
    if not isinstance(word, dict):
        return word
    ((kind, content),) = word.items()
    if kind == "node":
        return nodes[content]
    if kind in ("tuple", "list"):
        values = [_value(part, nodes) for part in content]
        return tuple(values) if kind == "tuple" else values
    if kind == "device":
        return torch.device(content)
    found = getattr(torch, content)
    if not isinstance(found, KINDS[kind]):
        raise TypeError(f"{content!r} is no {kind}")
    return found
