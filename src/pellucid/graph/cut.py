"""Cut a traced model in two: what some modules cannot change, and what follows from them.

Given the modules to train, every operator that neither belongs to them nor depends on them gives
the same output for a sample in every epoch. The frontier between the two halves is what has to be
kept of a sample to go on from there: the features under a classification head, or the activations
that enter the first trained block.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, fx, nn

from pellucid.errors import ModelError
from pellucid.graph.trace import ROOT, Trace, trace, unchanged_buffers
from pellucid.model import Inputs, Model, call

TOLERANCE = 1e-3


@dataclass(frozen=True)
class Cut:
    """`prefix(*inputs)` gives the frontier tensors; either suffix maps them to the logits.

    Frontier tensors have the batch as first axis. The suffixes share the model's parameters and
    buffers; `training_suffix` runs the trained modules in training mode.
    """

    prefix: nn.Module
    training_suffix: nn.Module
    suffix: nn.Module
    inputs: tuple[str, ...]

    def frontier(self, inputs: Inputs) -> tuple[Tensor, ...]:
        """Run the frozen half on prepared inputs, without gradients."""
        with torch.no_grad():
            return tuple(self.prefix(*(inputs[name] for name in self.inputs)))


def cut(model: Model, inputs: Inputs, modules: Collection[str]) -> Cut:
    """Cut a model before the named modules, so that only they and what follows run again.

    `inputs` is a prepared example batch of at least two samples. Modes are as given by the
    caller: `modules` in training mode, all others in eval mode. Both halves together are compared
    with the whole on the example before anything is returned.

    Raises ModelError where the model cannot be traced, or where the halves do not give the
    whole's logits.
    """
    learning = trace(model, inputs)
    with model.evaluating():
        resting = trace(model, inputs)
    prefix, suffix = _halves(resting, modules)
    _, training_suffix = _halves(learning, modules)
    result = Cut(prefix, training_suffix, suffix, resting.inputs)
    _compare(model, result, inputs)
    return result


def cut_at_layer(model: Model, inputs: Inputs, layer: str) -> Cut:
    """Cut a model that cannot be traced before its last layer, by listening to what enters it.

    Raises ModelError where more than this layer lies between its input and the logits.
    """
    last = model.module.get_submodule(layer)
    result = Cut(_InputOf(model.module, last, tuple(inputs)), last, last, tuple(inputs))
    with model.evaluating():
        _compare(model, result, inputs)
    return result


class _InputOf(nn.Module):
    """Runs a whole module for the tensor that enters one of its layers."""

    def __init__(self, module: nn.Module, layer: nn.Module, names: tuple[str, ...]) -> None:
        super().__init__()
        self.module, self.layer, self.names = module, layer, names

    def forward(self, *tensors: Tensor) -> tuple[Tensor]:
        caught: list[Tensor] = []
        hook = self.layer.register_forward_pre_hook(lambda _, entered: caught.append(entered[0]))
        try:
            call(self.module, dict(zip(self.names, tensors, strict=True)))
        finally:
            hook.remove()
        return (caught[-1],)


def _halves(traced: Trace, modules: Collection[str]) -> tuple[fx.GraphModule, fx.GraphModule]:
    graph = traced.program.graph
    constant = _independent(graph, lambda node: node.op == "placeholder")
    frozen = _independent(graph, lambda node: _belongs(node, modules))
    frontier = _frontier(graph, frozen, constant, traced.batch)
    return _prefix(traced, frontier), _suffix(traced, frontier)


def _independent(graph: fx.Graph, starts: Callable[[fx.Node], bool]) -> set[fx.Node]:
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


def _belongs(node: fx.Node, modules: Collection[str]) -> bool:
    """Whether a node was recorded inside one of the modules, or reads a tensor of theirs."""
    stack = node.meta.get("nn_module_stack") or {}
    paths = [str(path) for path, _ in stack.values()]
    if node.op == "get_attr":
        paths.append(str(node.target))
    return any(
        path == f"{ROOT}.{name}" or path.startswith(f"{ROOT}.{name}.")
        for path in paths
        for name in modules
    )


def _frontier(
    graph: fx.Graph, frozen: set[fx.Node], constant: set[fx.Node], batch: torch.SymInt | int
) -> list[fx.Node]:
    """Frozen tensors that the rest needs, each with one row per sample.

    Where a needed value has no such rows (a tensor of windows), its own inputs are taken instead
    and it is computed again. A size is read off a tensor that has it.
    """
    again = {node for node in graph.nodes if node not in frozen}
    wanted: dict[fx.Node, None] = {}
    pending, sizes = [node for node in graph.nodes if node in again], []
    while pending:
        for node in pending.pop().all_input_nodes:
            if node in again or node in constant or node in wanted:
                continue
            if _has_rows(node, batch):
                wanted[node] = None
            elif isinstance(node.meta.get("val"), torch.SymInt):
                sizes.append(node)
            else:
                again.add(node)
                pending.append(node)
        while not pending and sizes:
            size = sizes.pop()
            if size not in again and _axis_of(size, wanted) is None:
                again.add(size)
                pending.append(size)
    return [node for node in graph.nodes if node in wanted]


def _axis_of(size: fx.Node, tensors: Iterable[fx.Node]) -> tuple[fx.Node, int] | None:
    """A tensor, and the axis of it, whose length is the value of a size node."""
    wanted = size.meta.get("val")
    if not isinstance(wanted, torch.SymInt):
        return None
    for tensor in tensors:
        for axis, length in enumerate(tensor.meta["val"].shape):
            if str(length) == str(wanted):
                return tensor, axis
    return None


def _has_rows(node: fx.Node, batch: torch.SymInt | int) -> bool:
    if node.op == "placeholder":
        return True
    value = node.meta.get("val")
    if not isinstance(value, Tensor) or value.ndim == 0:
        return False
    return str(value.shape[0]) == str(batch)


def _prefix(traced: Trace, frontier: list[fx.Node]) -> fx.GraphModule:
    graph = fx.Graph()
    copies: dict[fx.Node, fx.Node] = {}
    for node in traced.program.graph.nodes:
        if node.op == "output":
            break
        copies[node] = graph.node_copy(node, copies.__getitem__)
    graph.output(tuple(copies[node] for node in frontier))
    return _module(traced, graph, pure=True)


def _suffix(traced: Trace, frontier: list[fx.Node]) -> fx.GraphModule:
    graph = fx.Graph()
    copies: dict[fx.Node, fx.Node] = {}
    for number, node in enumerate(frontier):
        copies[node] = graph.placeholder(f"frontier_{number}")
    for node in traced.program.graph.nodes:
        if node in copies or node.op == "placeholder":
            continue
        if node.op == "output":
            (logits,) = node.all_input_nodes
            graph.output(copies[logits])
        elif (found := _axis_of(node, frontier)) is not None:
            tensor, axis = found
            size = torch.ops.aten.sym_size.int
            copies[node] = graph.call_function(size, (copies[tensor], axis))
        elif all(source in copies for source in node.all_input_nodes):
            copies[node] = graph.node_copy(node, copies.__getitem__)
    return _module(traced, graph, pure=False)


def _module(traced: Trace, graph: fx.Graph, *, pure: bool) -> fx.GraphModule:
    graph.lint()
    if pure:
        graph.eliminate_dead_code()
    else:
        _drop_unused(graph)
    module = fx.GraphModule(traced.program, graph)
    module.delete_all_unused_submodules()
    return module


def _drop_unused(graph: fx.Graph) -> None:
    """Remove what leads to no output, but keep updates of running statistics."""
    for node in reversed(list(graph.nodes)):
        if not node.users and node.op not in ("output", "placeholder") and not _updates(node):
            graph.erase_node(node)


def _updates(node: fx.Node) -> bool:
    """Whether an operator changes a buffer in place, as the counter of a batch norm does."""
    in_place = str(node.target).rpartition(".")[0].endswith("_")
    return node.op == "call_function" and in_place and node.all_input_nodes[0].op == "get_attr"


def _compare(model: Model, halves: Cut, inputs: Inputs) -> None:
    """Raise ModelError unless both halves together give the whole's logits, in either mode."""
    placed = {name: tensor.to(model.device) for name, tensor in inputs.items()}
    frontier = halves.frontier(placed)
    with torch.no_grad():
        _same(model, placed, halves.training_suffix, frontier)
        with model.evaluating():
            _same(model, placed, halves.suffix, frontier)


def _same(model: Model, inputs: Inputs, suffix: nn.Module, frontier: tuple[Tensor, ...]) -> None:
    devices = [model.device] if model.device.type == "cuda" else []
    outputs = []
    for run in (lambda: model.logits(inputs), lambda: suffix(*(t.clone() for t in frontier))):
        with unchanged_buffers(model.module), torch.random.fork_rng(devices=devices):
            torch.manual_seed(0)
            outputs.append(run())
    whole, joined = outputs
    scale = max(float(whole.abs().max()), 1.0)
    error = float((whole - joined).abs().max())
    if not error <= TOLERANCE * scale:
        raise ModelError(
            f"{type(model.module).__name__} cannot be cut here: the two halves differ from the "
            f"whole by {error:.2g} at logits up to {scale:.2g}."
        )
