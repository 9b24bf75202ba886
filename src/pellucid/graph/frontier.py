"""The frontier between two parts of a graph: which values have to be kept to go on from there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor, fx


def independent(graph: fx.Graph, starts: Callable[[fx.Node], bool]) -> set[fx.Node]:
    """Nodes that neither satisfy `starts` nor depend on one that does."""
    free: set[fx.Node] = set()
    for node in graph.nodes:
        if (
            node.op != "output"
            and not starts(node)
            and all(i in free for i in node.all_input_nodes)
        ):
            free.add(node)
    return free


def frontier(
    graph: fx.Graph,
    frozen: set[fx.Node],
    constant: set[fx.Node],
    batch: torch.SymInt | int,
    given: Sequence[fx.Node] = (),
) -> list[fx.Node]:
    """Frozen tensors that the rest needs, each with one row per sample.

    Where a needed value has no such rows (a tensor of windows), its own inputs are taken instead
    and it is computed again. A size is read off a tensor that has it, one of `given` first. What
    follows from sizes alone, such as the numbers 0 … n - 1, belongs to the batch and not to its
    samples: it is computed again too.
    """
    sized = _sized(graph, constant)
    again = {node for node in graph.nodes if node not in frozen}
    wanted: dict[fx.Node, None] = {}
    pending, sizes = [node for node in graph.nodes if node in again], []
    while pending:
        for node in pending.pop().all_input_nodes:
            if node in again or node in constant or node in wanted:
                continue
            if node not in sized and has_rows(node, batch):
                wanted[node] = None
            elif isinstance(node.meta.get("val"), torch.SymInt):
                sizes.append(node)
            else:
                again.add(node)
                pending.append(node)
        while not pending and sizes:
            size = sizes.pop()
            if size not in again and axis_of(size, (*given, *wanted)) is None:
                again.add(size)
                pending.append(size)
    return [node for node in graph.nodes if node in wanted]


def _sized(graph: fx.Graph, constant: set[fx.Node]) -> set[fx.Node]:
    """Tensors that follow from sizes alone; none where one of them is written to in place."""
    known = set(constant)
    for node in graph.nodes:
        is_size = isinstance(node.meta.get("val"), torch.SymInt)
        if node.op == "call_function" and (is_size or known.issuperset(node.all_input_nodes)):
            known.add(node)
    found = {node for node in known - constant if isinstance(node.meta.get("val"), Tensor)}
    written = (node.all_input_nodes[:1] for node in graph.nodes if _is_in_place(node))
    return set() if any(found.issuperset(target) for target in written) else found


def axis_of(size: fx.Node, tensors: Iterable[fx.Node]) -> tuple[fx.Node, int] | None:
    """A tensor, and the axis of it, whose length is the value of a size node."""
    wanted = size.meta.get("val")
    if not isinstance(wanted, torch.SymInt):
        return None
    for tensor in tensors:
        for axis, length in enumerate(tensor.meta["val"].shape):
            if str(length) == str(wanted):
                return tensor, axis
    return None


def has_rows(node: fx.Node, batch: torch.SymInt | int) -> bool:
    """Whether the first axis of a node's value is the batch."""
    if node.op == "placeholder":
        return True
    value = node.meta.get("val")
    if not isinstance(value, Tensor) or value.ndim == 0:
        return False
    return str(value.shape[0]) == str(batch)


def up_to(program: fx.GraphModule, nodes: Sequence[fx.Node]) -> fx.GraphModule:
    """The part of a program that gives the values of some nodes, as a tuple."""
    graph = fx.Graph()
    copies: dict[fx.Node, fx.Node] = {}
    for node in program.graph.nodes:
        if node.op != "output":
            copies[node] = graph.node_copy(node, copies.__getitem__)
    graph.output(tuple(copies[node] for node in nodes))
    # What works in place on a needed value has no users and must stay; this knows it.
    graph.eliminate_dead_code()
    return _module(program, graph)


def after(
    program: fx.GraphModule, whole: fx.Graph, kept: Sequence[fx.Node], given: Sequence[fx.Node] = ()
) -> fx.GraphModule:
    """The part of a graph that maps values of `given` and `kept` nodes to its output."""
    graph = fx.Graph()
    copies: dict[fx.Node, fx.Node] = {}
    known = (*given, *kept)
    for number, node in enumerate(known):
        copies[node] = graph.placeholder(f"frontier_{number}")
    for node in whole.nodes:
        if node in copies or node.op == "placeholder":
            continue
        if node.op == "output":
            (logits,) = node.all_input_nodes
            graph.output(copies[logits])
        elif (found := axis_of(node, known)) is not None:
            tensor, axis = found
            size = torch.ops.aten.sym_size.int
            copies[node] = graph.call_function(size, (copies[tensor], axis))
        elif all(source in copies for source in node.all_input_nodes):
            copies[node] = graph.node_copy(node, copies.__getitem__)
    _drop_unused(graph)
    return _module(program, graph)


def _module(program: fx.GraphModule, graph: fx.Graph) -> fx.GraphModule:
    graph.lint()
    module = fx.GraphModule(program, graph)
    module.delete_all_unused_submodules()
    return module


def _drop_unused(graph: fx.Graph) -> None:
    """Remove what leads to no output, but keep updates of running statistics."""
    for node in reversed(list(graph.nodes)):
        if not node.users and node.op not in ("output", "placeholder") and not _updates(node):
            graph.erase_node(node)


def _updates(node: fx.Node) -> bool:
    """Whether an operator changes a buffer in place, as the counter of a batch norm does."""
    return _is_in_place(node) and node.all_input_nodes[0].op == "get_attr"


def _is_in_place(node: fx.Node) -> bool:
    in_place = str(node.target).rpartition(".")[0].endswith("_")
    return node.op == "call_function" and in_place and bool(node.all_input_nodes)
