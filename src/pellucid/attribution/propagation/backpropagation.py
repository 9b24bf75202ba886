"""Deconvnet and guided backpropagation: gradients that only let through what speaks for the answer.

    sent back = max(0, sent) · [f'(x) for guided backpropagation]   at every rectifier f

Every rectifier of the recorded model counts, also functional ones, those in place, and one module
that is used several times. No property of the sum holds.
"""

from __future__ import annotations

import torch
from torch import Tensor

from pellucid.attribution.call import EVERY, Attribution, Call
from pellucid.attribution.propagation.passes import Passes, as_table
from pellucid.attribution.registry import method
from pellucid.errors import MethodError
from pellucid.graph.propagation.bent_gradients import bent_gradient_rules


@method(
    title="Deconvnet",
    family="propagation",
    paper="Zeiler and Fergus, 2014, section 2.1",
    about=(
        "Deconvnet projects the answer back onto the input and keeps only what raises it. The map "
        "is sharp, but shows edges that the network saw rather than reasons for this answer."
    ),
    kinds=("image", "text", "array"),
    needs=("gradient",),
    per_pixel=True,
    cost="as long as three predictions",
    passes="1 forward, 1 backward",
)
def deconvnet(call: Call) -> Attribution:
    """Which input pattern raises the score, if rectifiers work on what is sent back? As the input.

    At GELU, SiLU and their like, too, only what is positive is sent back. Raises MethodError for
    a model without rectifiers. Zeiler and Fergus, 2014, section 2.1.
    """
    return _bent(call, "deconvnet", masked=False)


@method(
    title="Guided backpropagation",
    family="propagation",
    paper="Springenberg et al., 2015, section 3.4",
    about=(
        "Guided backpropagation is the gradient with everything left out that would lower the "
        "answer on its way. The map is sharp, but changes little with the answer that is explained."
    ),
    kinds=("image", "text", "array"),
    needs=("gradient",),
    per_pixel=True,
    cost="as long as three predictions",
    passes="1 forward, 1 backward",
)
def guided_backprop(call: Call) -> Attribution:
    """Which input pattern raises the score along paths that only raise it? As the input.

    At GELU, SiLU and their like, what is positive is sent back, times their derivative. Raises
    MethodError for a model without rectifiers. Springenberg et al., 2015, section 3.4.
    """
    return _bent(call, "guided_backprop", masked=True)


def _bent(call: Call, name: str, *, masked: bool) -> Attribution:
    count = 0

    def found() -> None:
        nonlocal count
        count += 1

    passes = Passes.of(call, bent_gradient_rules(name, found, masked=masked))
    rows = torch.arange(call.size, device=call.explained.device)
    parts = [_of_piece(passes, piece) for piece in passes.pieces(rows)]
    if not count:
        raise MethodError(
            f"{name!r} changes what rectifiers send back, and "
            f"{type(call.model.module).__name__} has none (ReLU, GELU, SiLU and their like). "
            "Use 'saliency', 'integrated_gradients' or 'deeplift'."
        )
    values = torch.cat(parts)
    return Attribution(
        values=values.sum(-1) if call.kind == "text" else values, resolution=EVERY[call.kind]
    )


def _of_piece(passes: Passes, rows: Tensor) -> Tensor:
    point = passes.call.explained[rows].detach().to(passes.dtype).requires_grad_()
    logits, _ = passes.propagation(rows, passes.dtype).run(point)
    passes.count(rows, forwards=1)
    scores = passes.call.score(as_table(logits), rows)
    (gradient,) = torch.autograd.grad(scores.sum(), point, materialize_grads=True)
    return gradient
