"""One dry run that tells which modules are called, in what order, and what each gives."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from pellucid.model import Inputs, Model, call

BOUNDS: dict[str, tuple[float, float]] = {
    "ReLU6": (0.0, 6.0),
    "Sigmoid": (0.0, 1.0),
    "Hardsigmoid": (0.0, 1.0),
    "Tanh": (-1.0, 1.0),
    "Hardtanh": (-1.0, 1.0),
    "Softsign": (-1.0, 1.0),
}
"""Activations with two ends, by the name of their class."""
GATED = ("ReLU", "ReLU6", "GELU", "SiLU", "Hardswish", "Mish", "SiLUActivation", "GELUActivation")
"""Activations that let nothing, or next to nothing, through below zero."""
SURVEYED = 2
SEQUENTIAL = (nn.Linear, nn.LayerNorm, nn.Embedding, nn.RNNBase, nn.MultiheadAttention)
ALONG = (nn.Conv1d, nn.ConvTranspose1d, nn.BatchNorm1d, nn.MaxPool1d, nn.AvgPool1d)


@dataclass(frozen=True, kw_only=True)
class Called:
    """A module that was called: its output's shape for two samples, () if it gave no tensor.

    `activation` is the class of the known activation that made the very same tensor, "" if none
    did. `calls` is
    how often the module ran. `units_last` tells whether the last layer before it that orders its
    sizes put the units last, as linear layers do, or first, as convolutions do.
    """

    name: str
    module: nn.Module
    shape: tuple[int, ...]
    activation: str
    calls: int
    units_last: bool


def survey(model: Model, first: Inputs) -> list[Called]:
    """Run one sample twice in a batch, and list the modules by when they finished last.

    Two rows tell what has a row per sample from what is the same for all, as embeddings of
    positions are.
    """
    found: dict[str, Called] = {}
    makers: dict[int, tuple[Tensor, str]] = {}
    state = {"units_last": model.input.kind != "image"}

    def note(name: str, module: nn.Module, output: Any) -> None:
        tensor = first_tensor(output)
        if isinstance(module, SEQUENTIAL + ALONG):
            state["units_last"] = isinstance(module, SEQUENTIAL)
        maker = ""
        if tensor is not None:
            _, maker = makers.setdefault(id(tensor), (tensor, type(module).__name__))
            maker = maker if maker in BOUNDS or maker in GATED else ""
        before = found.pop(name, None)
        found[name] = Called(
            name=name,
            module=module,
            shape=tuple(tensor.shape) if tensor is not None else (),
            activation=maker,
            calls=before.calls + 1 if before else 1,
            units_last=state["units_last"],
        )

    with ExitStack() as hooks, quiet(model):
        for name, module in model.module.named_modules():
            hook = module.register_forward_hook(
                lambda part, _a, out, name=name: note(name, part, out)
            )
            hooks.callback(hook.remove)
        call(model.module, _twice(first))
    return list(found.values())


def _twice(first: Inputs) -> Inputs:
    return {
        name: tensor.repeat_interleave(SURVEYED, 0) if tensor.ndim and len(tensor) == 1 else tensor
        for name, tensor in first.items()
    }


@contextmanager
def quiet(model: Model) -> Iterator[None]:
    """Evaluate without gradients and without the shortcut that hides a transformer's layers.

    The random state and the shortcut's switch are as before afterwards.
    """
    shortcut = torch.backends.mha.get_fastpath_enabled()
    with torch.random.fork_rng(devices=[]), torch.no_grad(), model.evaluating():
        torch.backends.mha.set_fastpath_enabled(False)
        try:
            yield
        finally:
            torch.backends.mha.set_fastpath_enabled(shortcut)


def first_tensor(output: Any) -> Tensor | None:
    """The tensor that a module gives, or the first one of a tuple, list or named output."""
    if isinstance(output, Tensor):
        return output
    if isinstance(output, PackedSequence):
        return pad_packed_sequence(output, batch_first=True)[0]
    if isinstance(output, dict):
        output = list(output.values())
    if isinstance(output, (tuple, list)) and output:
        return first_tensor(output[0])
    return None
