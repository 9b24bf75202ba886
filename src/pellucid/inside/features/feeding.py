"""Which classes a unit speaks for: by the weights of the head, or by gradient × activation.

Where the head, a linear layer, reads the mean of the layer over its places, its weights from the
unit say it all. Elsewhere, the derivative of every logit with respect to a factor on the unit's
activation (gradient × activation, summed over places) is averaged over the samples that excite the
unit most. It is taken of all classes at once, by differentiating a vector-Jacobian product twice.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from pellucid.attribution.freezing import intercepted
from pellucid.attribution.layers import find_grid
from pellucid.errors import LayerError, ModelError
from pellucid.inside.features.aims import by_channel
from pellucid.inside.features.watching import count_calls
from pellucid.model import Model, as_logits, call
from pellucid.model.head import find_head

WEIGHTS = "weight of the head from the unit"
EFFECT = "gradient × activation, mean over its top samples"


@dataclass(frozen=True)
class Feeding:
    """Effect of each unit on each class (units, classes), and how it was found."""

    effects: Float[Tensor, "units classes"]
    how: str


def head_weights(
    model: Model, layer: str, units: list[int], pixels: Float[Tensor, "n c h w"]
) -> Feeding | None:
    """Give the head's weights from units, if the head reads the layer's means; None if not."""
    argument = getattr(model.input, "argument", "")
    try:
        head = model.module.get_submodule(find_head(model, {argument: pixels}))
    except (LayerError, ModelError):
        return None
    entered: list[Tensor] = []
    given: list[Tensor] = []
    handles = [
        head.register_forward_pre_hook(lambda _m, arguments: entered.append(arguments[0])),
        model.module.get_submodule(layer).register_forward_hook(
            lambda _m, _a, out: given.append(out) if isinstance(out, Tensor) else None
        ),
    ]
    try:
        with torch.no_grad():
            call(model.module, {argument: pixels})
    finally:
        for handle in handles:
            handle.remove()
    weight = head.weight
    assert isinstance(weight, Tensor)
    if not given or not _is_mean(given[-1], entered[-1], (pixels.shape[2], pixels.shape[3])):
        return None
    return Feeding(weight.detach().flatten(1)[:, units].T.float().cpu(), WEIGHTS)


def effects(
    model: Model, layer: str, unit: int, pixels: Float[Tensor, "n c h w"]
) -> Float[Tensor, " classes"]:
    """Mean of gradient × activation of one unit in the last call of the layer, for every logit."""
    argument = getattr(model.input, "argument", "")
    factor = torch.ones((), device=pixels.device, requires_grad=True)
    size = (pixels.shape[2], pixels.shape[3])

    left = count_calls(model, [layer], pixels[:1])[0]

    def scaled(output: Tensor) -> Tensor:
        left[layer] -= 1
        if left[layer]:
            return output
        axis = channel_axis(output, size)
        mask = torch.zeros(output.shape[axis], device=output.device)
        mask[unit] = 1
        shape = [1] * output.ndim
        shape[axis] = -1
        return output * (1 + (factor - 1) * mask.view(shape))

    with intercepted(model.module.get_submodule(layer), scaled), sdpa_kernel(SDPBackend.MATH):
        logits = as_logits(call(model.module, {argument: pixels})).mean(0)
        dummy = torch.zeros_like(logits, requires_grad=True)
        (backward,) = torch.autograd.grad(logits, factor, dummy, create_graph=True)
        (forward,) = torch.autograd.grad(backward, dummy)
    return forward.detach().float().cpu()


def channel_axis(output: Tensor, picture: tuple[int, int]) -> int:
    """Axis of a layer's output along which its units lie."""
    grid = find_grid(tuple(output.shape), picture)
    if grid is None:
        return output.ndim - 1 if output.ndim == 3 else 1
    return 1 if grid.layout == "channels first" else output.ndim - 1


def _is_mean(output: Tensor, entered: Tensor, picture: tuple[int, int]) -> bool:
    """Tell whether what enters the head is the layer's output, averaged over its places."""
    cells = by_channel(output, picture).flatten(2).mean(2) if output.ndim > 2 else output
    flat = entered.flatten(1)
    return cells.shape == flat.shape and torch.allclose(cells, flat, rtol=1e-3, atol=1e-5)
