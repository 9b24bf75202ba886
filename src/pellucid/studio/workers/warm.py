"""What a worker keeps between tasks: opened models, and the inputs that were asked about last."""

from __future__ import annotations

import os
from collections import OrderedDict
from typing import TYPE_CHECKING

from pellucid.studio.asking.inputs import Given, RawInputs
from pellucid.studio.workers.messages import Limits
from pellucid.studio.workers.opening import Opening

if TYPE_CHECKING:
    from pellucid.model import Model

NUM_INPUTS = 8
HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
State = tuple[tuple[object, ...], ...]


class Warm:
    """Models and inputs that are still open from earlier tasks; the least recently used ones go."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._models: OrderedDict[Opening, tuple[Model, State]] = OrderedDict()
        self._inputs = RawInputs(NUM_INPUTS)

    def model(self, opening: Opening) -> Model:
        """Open a model, or take the one that is open; it must be left as it is."""
        if opening in self._models:
            self._models.move_to_end(opening)
            return self._models[opening][0]
        import torch

        from pellucid.model.source import load

        if "OMP_NUM_THREADS" not in os.environ:
            torch.set_num_threads(self._limits.num_threads)
        model = load(opening.spec, weights=opening.weights)
        self._models[opening] = model, state_of(model)
        while len(self._models) > 1 and self._is_too_much():
            self._models.popitem(last=False)
        return model

    def forget_changed(self) -> None:
        """Close the models that are not as they were opened, as an interrupt may have left them."""
        if self._models:
            import torch

            torch.set_grad_enabled(True)  # the interrupt may have come in leaving a block without
        for opening, (model, opened) in list(self._models.items()):
            if state_of(model) != opened:
                del self._models[opening]

    def raw(self, given: Given) -> object:
        """Read an input, with the strokes that hide parts of it."""
        return self._inputs.raw(given)

    def _is_too_much(self) -> bool:
        held = sum(num_bytes(model) for model, _ in self._models.values())
        return len(self._models) > self._limits.num_models or held > self._limits.model_bytes


def state_of(model: Model) -> State:
    """Modes, hooks and tensors of a model, without the tensors' values but with their versions."""
    modules = (
        (part.training, "forward" in vars(part), *(len(getattr(part, name)) for name in HOOKS))
        for part in model.module.modules()
    )
    tensors = (
        (tensor.data_ptr(), tensor._version, tensor.requires_grad, tensor.grad is None)  # noqa: SLF001
        for tensor in (*model.module.parameters(), *model.module.buffers())
    )
    return (*modules, *tensors)


def num_bytes(model: Model) -> int:
    """Bytes of a model's parameters and buffers."""
    state = [*model.module.parameters(), *model.module.buffers()]
    return sum(tensor.numel() * tensor.element_size() for tensor in state)
