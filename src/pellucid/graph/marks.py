"""Marks in a trace: which value is the output of which module.

While the model is traced, each module's output passes through an operator that only names it.
Afterwards the marks are read off the graph and taken out again, so that a layer is found exactly
where a forward hook would see it: also when it is an identity, or is called several times.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.library import Library, impl

_LIBRARY: Any = Library("pellucid", "DEF")  # type: ignore[no-untyped-call]
_LIBRARY.define("mark(Tensor x, int number) -> Tensor")


@impl(_LIBRARY, "mark", "CompositeExplicitAutograd")
def _mark(x: Tensor, _number: int) -> Tensor:
    return x.clone()


@contextmanager
def marking(module: nn.Module) -> Iterator[list[str]]:
    """Mark module outputs inside the block; yields the names of the modules, by mark number.

    Of a tuple or list, the first entry is marked. What holds no tensor there is passed over.
    """
    names: list[str] = []

    def mark(name: str, output: Any) -> Any:
        if isinstance(output, Tensor):
            names.append(name)
            return torch.ops.pellucid.mark(output, len(names) - 1)
        if type(output) in (tuple, list) and output and isinstance(output[0], Tensor):
            return type(output)((mark(name, output[0]), *output[1:]))
        return output

    with ExitStack() as hooks:
        for name, part in module.named_modules():
            if name:
                hook = part.register_forward_hook(lambda _m, _a, out, name=name: mark(name, out))
                hooks.callback(hook.remove)
        yield names


def take_out(graph: fx.Graph, names: list[str]) -> dict[str, fx.Node]:
    """Take the marks out of a traced graph; returns the node of each module's last output.

    A mark gives way to the node that it names, unless others use that node unmarked (the input
    of an identity): then it stays as a copy.
    """
    outputs: dict[str, fx.Node] = {}
    for node in list(graph.nodes):
        if node.target is torch.ops.pellucid.mark.default:
            source, number = node.args
            if list(source.users) == [node] and source.op == "call_function":
                node.replace_all_uses_with(source)
                graph.erase_node(node)
            else:
                source = _as_copy(node, source)
            outputs[names[number]] = source
    return outputs


def _as_copy(node: fx.Node, source: fx.Node) -> fx.Node:
    node.target, node.args = torch.ops.aten.clone.default, (source,)
    return node
