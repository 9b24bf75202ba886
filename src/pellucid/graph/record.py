"""Record a model's call as operators: by `torch.export`, or by watching one call.

The exporter proves that the graph holds for any batch. Where it cannot (the way depends on the
numbers), the operators of one call on the given batch are written down as they come. Where even
that fails, only the modules can be listened to.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from operator import attrgetter
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.fx.experimental.proxy_tensor import make_fx

from pellucid.errors import ModelError, sentence
from pellucid.graph import store
from pellucid.graph.identity import Unknown, identity
from pellucid.graph.marks import marking, take_out
from pellucid.graph.operators import (
    decompositions,
    drop_decisions,
    fold_constants,
    simplify,
)
from pellucid.graph.recording import Recording, compare, examples_of, holds, tensors_of
from pellucid.graph.trace import (
    ROOT,
    Logits,
    dynamic_axes,
    export,
    first_line,
    quiet,
    unchanged_buffers,
)
from pellucid.model import Inputs, Model


def record(model: Model, inputs: Inputs) -> Recording:
    """Record a model in eval mode, by the best way that gives the model's own logits."""
    free = {name: dynamic_axes(name, tensor) for name, tensor in inputs.items()}
    batch = {name: axes[:1] for name, axes in free.items()}
    reasons = []
    with _recordable(model):
        for axes in (free, batch) if free != batch else (free,):
            try:
                return _kept_or_exported(model, _two_or_more(inputs), axes)
            except ModelError as error:
                reasons.append(str(error))
        try:
            return _watched(model, inputs, reasons[-1])
        except ModelError as error:
            why = (
                f"{sentence(reasons[-1])} Its call cannot be watched either: {sentence(str(error))}"
            )
            return Recording(how="hooks", examples=examples_of(inputs, free), why=why)


def _two_or_more(inputs: Inputs) -> Inputs:
    """Take a few samples (one is repeated), of a number that is not the length of a text."""
    size = next((len(tensor) for tensor in inputs.values() if tensor.ndim), 1)
    lengths = {length for t in inputs.values() for length in t.shape[1:]}
    number = next(n for n in (2, 3, 5, 7, 11, 13) if n not in lengths)
    rows = torch.arange(number) % size
    return {n: t[rows.to(t.device)] if t.ndim and len(t) == size else t for n, t in inputs.items()}


def _kept_or_exported(model: Model, inputs: Inputs, axes: dict[str, list[int]]) -> Recording:
    """Take a recording from the disk if there is one that holds, else export, and keep that."""
    path = _place(model, inputs, axes)
    kept = store.read(path, model.module) if path else None
    if kept is not None and kept.program is not None and holds(model, kept.program, inputs):
        return kept
    recording = _exported(model, inputs, axes)
    if path:
        # A cache that cannot be written costs time, never the result.
        with suppress(store.Unstorable, OSError):
            store.write(path, recording)
    return recording


def _place(model: Model, inputs: Inputs, axes: dict[str, list[int]]) -> Path | None:
    folder = store.folder()
    try:
        return folder / f"{identity(model, inputs, axes)}.safetensors" if folder else None
    except Unknown:
        return None


def _exported(model: Model, inputs: Inputs, axes: dict[str, list[int]]) -> Recording:
    with marking(model.module) as names:
        exported = export(model, inputs, axes)
    program, layers = _finished(exported, names, model)
    compare(model, program, inputs)
    examples = examples_of(inputs, axes)
    return Recording(how="export", examples=examples, program=program, layers=layers)


def _watched(model: Model, inputs: Inputs, why: str) -> Recording:
    """Write down what one call does, then export that: it has no branches any more."""
    placed = tuple(tensor.to(model.device) for tensor in inputs.values())
    call = Logits(model.module, tuple(inputs))
    with marking(model.module) as names, unchanged_buffers(model.module), quiet():
        try:
            straight = _straight(call, placed)
            constants = _foreign(straight, model.module)
            if constants:
                again = _foreign(_straight(call, tuple(map(_varied, placed))), model.module)
                _refuse_changed(constants, again)
            drop_decisions(straight.graph)
            exported = torch.export.export(straight, placed, strict=False)
        except ModelError:
            raise
        except Exception as error:
            raise ModelError(f"{type(error).__name__}: {first_line(error)}") from error
    program, layers = _finished(exported, names, model)
    compare(model, program, inputs)
    fixed = examples_of(inputs, {name: [] for name in inputs})
    return Recording(how="dispatch", examples=fixed, program=program, why=why, layers=layers)


def _straight(call: nn.Module, tensors: tuple[Tensor, ...]) -> fx.GraphModule:
    made = make_fx(call, pre_dispatch=True, _error_on_data_dependent_ops=False)(*tensors)
    assert isinstance(made, fx.GraphModule)
    return made


def _foreign(program: fx.GraphModule, module: nn.Module) -> list[Tensor]:
    """Tensors of a watched call that are not the module's own, such as `torch.tensor([1, 2])`."""
    own = {id(tensor) for _, tensor in tensors_of(module)}
    own |= {id(value) for part in module.modules() for value in vars(part).values()}
    found = [attrgetter(n.target)(program) for n in program.graph.find_nodes(op="get_attr")]
    return [tensor for tensor in found if id(tensor) not in own]


def _refuse_changed(constants: list[Tensor], again: list[Tensor]) -> None:
    """Raise ModelError where what looks like a constant follows from the inputs.

    That happens to numbers that take a way around PyTorch, as through NumPy.
    """
    same = len(constants) == len(again) and all(map(torch.equal, constants, again))
    if not same:
        raise ModelError("it takes numbers out of tensors and goes on with them elsewhere.")


def _varied(tensor: Tensor) -> Tensor:
    """Slightly other numbers, also of zeros; the same token indices in another order."""
    if tensor.is_floating_point():
        return tensor * 1.001 + 1e-3
    return tensor.flip(*range(tensor.ndim)) if tensor.ndim else tensor


def _finished(
    exported: torch.export.ExportedProgram, names: list[str], model: Model
) -> tuple[fx.GraphModule, dict[str, fx.Node]]:
    """Decompose, take the marks out, give the one output, and compute constants."""
    with quiet():
        program = exported.run_decompositions(decompositions()).module(check_guards=False)
    program.graph.set_codegen(fx.graph.CodeGen())
    program = _bound(program, model.module)
    graph = program.graph
    layers = take_out(graph, names)
    output = graph.output_node()
    output.args = (output.all_input_nodes[0],)
    simplify(graph, set(layers.values()))
    fold_constants(program, {f"{ROOT}.{name}" for name, _ in tensors_of(model.module)})
    graph.lint()
    # A new module takes along only what is used; its nodes have the same names.
    whole = fx.GraphModule(program, graph)
    nodes = {node.name: node for node in whole.graph.nodes}
    return whole, {n: nodes[node.name] for n, node in layers.items() if node.name in nodes}


def _bound(program: fx.GraphModule, module: nn.Module) -> fx.GraphModule:
    """Let a program hold the module's own tensors by the module's names."""
    live = {f"{ROOT}.{name}": tensor for name, tensor in tensors_of(module)}
    names = {id(tensor): name for name, tensor in reversed(live.items())}
    held: dict[str, Any] = {}
    for node in program.graph.find_nodes(op="get_attr"):
        value = live.get(node.target, attrgetter(node.target)(program))
        node.target = names.get(id(value), node.target)
        held[node.target] = value
    return fx.GraphModule(held, program.graph)


@contextmanager
def _recordable(model: Model) -> Iterator[None]:
    """Eval mode, gradients on, and no fused fast path that hides the operators of attention."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with torch.inference_mode(mode=False), torch.enable_grad(), model.evaluating():
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
