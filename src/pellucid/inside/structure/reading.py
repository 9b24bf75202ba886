"""From a model's graph to its operators and modules."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, fx, nn

from pellucid.graph.cost import OperatorCost, module_of
from pellucid.graph.graph import Graph
from pellucid.graph.recording import tensors_of
from pellucid.graph.trace import ROOT
from pellucid.inside.structure.naming import spoken
from pellucid.inside.structure.parts import UNKNOWN, Module, Operator, Parts

Path = tuple[str, ...]


def read(graph: Graph, seconds: Mapping[str, float]) -> Parts:
    """Operators of a recorded graph, with their costs, and `seconds` by the name of the node."""
    nodes = list(_shown(graph.program))
    sources = _sources(nodes, graph.program)
    costs = {row.name: row for row in graph.cost().operators}
    paths, names = _paths(graph, nodes), free_lengths(graph)
    operators = tuple(
        _operator(graph, node, sources[node], costs.get(node.name), paths[node], seconds, names)
        for node in nodes
    )
    return Parts(
        operators=operators,
        modules=modules_of(graph.model.module),
        how=graph.how,
        why=graph.why,
    )


def modules_of(module: nn.Module) -> dict[Path, Module]:
    """Modules by path; the model itself has the empty one."""
    return {
        path_of(name): Module(
            type=type(part).__name__, parameters=sum(p.numel() for p in part.parameters())
        )
        for name, part in module.named_modules(remove_duplicate=False)
    }


def path_of(name: str) -> Path:
    """The dotted name of a module as a path."""
    return tuple(name.split(".")) if name else ()


def _shown(program: fx.GraphModule) -> Iterator[fx.Node]:
    """Inputs, operators on tensors, and the output; neither parameters nor sizes."""
    for node in program.graph.nodes:
        if node.op in ("placeholder", "output") or (
            node.op == "call_function"
            and node.target is not operator.getitem
            and _tensor(node) is not None
        ):
            yield node


def _sources(nodes: list[fx.Node], program: fx.GraphModule) -> dict[fx.Node, tuple[int, ...]]:
    """Positions of the shown nodes that each one takes; parts of a tuple stand for the whole."""
    known: dict[fx.Node, int] = {node: place for place, node in enumerate(nodes)}
    for node in program.graph.nodes:
        if node.target is operator.getitem and node.args[0] in known:
            known[node] = known[node.args[0]]
    return {
        node: tuple(dict.fromkeys(known[s] for s in node.all_input_nodes if s in known))
        for node in nodes
    }


def _operator(
    graph: Graph,
    node: fx.Node,
    sources: tuple[int, ...],
    cost: OperatorCost | None,
    path: Path,
    seconds: Mapping[str, float],
    names: Mapping[str, str],
) -> Operator:
    if node.op == "output":
        return Operator(name="output", operator="output", inputs=sources, kind="output")
    value = _tensor(node)
    shape, dtype = written(value, names) if value is not None else ("", "")
    if node.op == "placeholder":
        inputs = list(graph.program.graph.find_nodes(op="placeholder"))
        called = graph.inputs[inputs.index(node)] or "input"
        return Operator(name=called, operator="input", kind="input", shape=shape, dtype=dtype)
    return Operator(
        name=node.name,
        operator=spoken(node),
        path=path,
        inputs=sources,
        shape=shape,
        dtype=dtype,
        parameters=cost.parameters if cost else 0,
        flops=float(cost.flops) if cost else 0.0,
        bytes=float(cost.bytes) if cost else 0.0,
        seconds=seconds.get(node.name, UNKNOWN),
    )


def _tensor(node: fx.Node) -> Any:
    """The example value of a node; of several, the first. None where it gives no tensor."""
    value = node.meta.get("val")
    if isinstance(value, list | tuple):
        value = next((part for part in value if isinstance(part, Tensor)), None)
    return value if isinstance(value, Tensor) else None


def written(value: Any, names: Mapping[str, str]) -> tuple[str, str]:
    """Shape and type of a value in words: ``n × 64 × 56 × 56``, ``float32``."""
    lengths = [_length(length, names) for length in value.shape]
    if lengths:
        lengths[0] = names.get(lengths[0], lengths[0])
    return " × ".join(lengths) or "one number", str(value.dtype).removeprefix("torch.")


def free_lengths(graph: Graph) -> dict[str, str]:
    """Letters for the lengths that are free: n for the samples, t for the length of a text.

    Some exports hold for any number of samples, but write down that of the example.
    """
    letters: dict[str, str] = {}
    for node in graph.program.graph.find_nodes(op="placeholder"):
        for place, (length, letter) in enumerate(zip(node.meta["val"].shape, "nt", strict=False)):
            if not isinstance(length, int) or (place == 0 and graph.how == "export"):
                letters.setdefault(str(length), letter)
    return letters


def _length(length: int | torch.SymInt, names: Mapping[str, str]) -> str:
    if isinstance(length, int):
        return str(length)
    plain = re.sub(r"[a-z]\d+", lambda found: names.get(found[0], found[0]), str(length))
    return plain.replace("*", "·")


def _paths(graph: Graph, nodes: list[fx.Node]) -> dict[fx.Node, Path]:
    """The modules around each node: as recorded, or by the parameters that it takes."""
    if graph.how == "export":
        return {node: path_of(module_of(node)) for node in nodes}
    return _guessed(graph, nodes)


def _guessed(graph: Graph, nodes: list[fx.Node]) -> dict[fx.Node, Path]:
    """A watched call tells no modules. What has a module's parameter, or gives its output, is in
    it; anything else is in what contains both its neighbours.
    """
    owners = {
        f"{ROOT}.{name}": name.rpartition(".")[0] for name, _ in tensors_of(graph.model.module)
    }
    ends = {node: name for name, node in reversed(graph.recording.layers.items())}
    found: list[Path | None] = []
    for node in nodes:
        held = [s.target for s in node.all_input_nodes if s.op == "get_attr"]
        names = [owners[str(target)] for target in held if str(target) in owners]
        names += [ends[user] for user in (node, *node.users) if user in ends]
        found.append(path_of(names[0]) if names else None)
    return dict(zip(nodes, _filled(found), strict=True))


def _filled(paths: list[Path | None]) -> list[Path]:
    """Put what is unknown into the modules that hold the known before and the known after."""
    after: list[Path] = []
    for path in reversed(paths):
        after.append(path if path is not None else (after[-1] if after else ()))
    before: Path = ()
    filled = []
    for path, following in zip(paths, reversed(after), strict=True):
        before = path if path is not None else _common(before, following)
        filled.append(before)
    return filled


def _common(one: Path, other: Path) -> Path:
    length = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
    return one[: min(len(one), len(other)) if length is None else length]
