"""Explain again: the same scores of the same samples, at other points or with other weights."""

from __future__ import annotations

import copy
from dataclasses import replace

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from pellucid.attribution.call import Call
from pellucid.attribution.targets import Goal
from pellucid.errors import MethodError


def moved(call: Call, points: Float[Tensor, " n *shape"]) -> Call:
    """A call that explains the same classes at other points."""
    inputs = call.inputs if call.embedding else call.inputs | {call.name: points}
    other = Call(call.model, inputs, _same_goal(call), embedding=call.embedding)
    other.explained = points
    return other


def rebuilt(call: Call, module: nn.Module) -> Call:
    """A call that explains the same classes of the same samples in another module.

    The samples stay what they were: embeddings of tokens are those of the other module.
    """
    embedding = None
    if call.embedding is not None:
        names = {id(part): name for name, part in call.model.module.named_modules()}
        embedding = module.get_submodule(names[id(call.embedding)])
    model = replace(call.model, module=module)
    return Call(model, call.inputs, _same_goal(call), embedding=embedding)


def copied(module: nn.Module) -> nn.Module:
    """A deep copy. Raises MethodError for a module that does not allow one."""
    try:
        return copy.deepcopy(module)
    except (RuntimeError, TypeError) as error:
        raise MethodError(
            f"{type(module).__name__} cannot be copied ({error}), so its weights cannot be drawn "
            "anew without changing it. Leave the measure 'randomisation' out."
        ) from error


def _same_goal(call: Call) -> Goal:
    """The classes that the first call chose, whatever the logits are now."""

    def choose(_logits: Tensor, rows: Int[Tensor, " m"]) -> Int[Tensor, "m 2"]:
        return torch.stack([call.targets[rows], rows], 1)

    def score(logits: Tensor, chosen: Int[Tensor, "m 2"]) -> Float[Tensor, " m"]:
        return call.score(logits, chosen[:, 1])

    return Goal(choose, score, any_shape=True)
