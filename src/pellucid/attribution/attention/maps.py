"""From values per token to what is shown: a map over the picture's patches, or words."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from pellucid.attribution.call import EVERY, Attribution, Call
from pellucid.attribution.layers import find_grid


def to_map(
    call: Call, values: Float[Tensor, "n tokens"], *, upsample: bool, layer: str = ""
) -> Attribution:
    """Lay values per token on the picture (n, y, x); of a text, set those of padding to zero.

    Class and register tokens are left out. With `upsample`, the patch grid is stretched to the
    picture, bilinearly.
    """
    values = values.float()
    if call.kind == "text":
        used = call.inputs.get("attention_mask")
        shown = values if used is None or used.shape != values.shape else values * (used > 0)
        return Attribution(values=shown, layer=layer, resolution=EVERY["text"])
    picture = (call.explained.shape[2], call.explained.shape[3])
    grid = find_grid((*values.shape, 1), picture)
    assert grid is not None, "attention_matrices has checked it"
    maps = grid.of(values[:, :, None])
    if upsample:
        maps = F.interpolate(maps, picture, mode="bilinear", align_corners=False)
    resolution = f"{grid.height} × {grid.width} cells"
    return Attribution(values=maps[:, 0], layer=layer, resolution=resolution)
