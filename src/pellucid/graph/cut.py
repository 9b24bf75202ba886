"""Cut a traced model in two: what some modules cannot change, and what follows from them.

Given the modules to train, every operator that neither belongs to them nor depends on them gives
the same output for a sample in every epoch. The frontier between the two halves is what has to be
kept of a sample to go on from there: the features under a classification head, or the activations
that enter the first trained block.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import torch
from torch import Tensor, fx, nn

from pellucid.errors import ModelError
from pellucid.graph.frontier import after, frontier, independent, up_to
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
    program = traced.program
    constant = independent(program.graph, lambda node: node.op == "placeholder")
    frozen = independent(program.graph, lambda node: _belongs(node, modules))
    kept = frontier(program.graph, frozen, constant, traced.batch)
    return up_to(program, kept), after(program, program.graph, kept)


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
    for run in (
        lambda: model.logits({n: t.clone() for n, t in inputs.items()}),
        lambda: suffix(*(t.clone() for t in frontier)),
    ):
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
