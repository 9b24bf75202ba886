"""Controls: maps that know nothing of the model. A faithful map has to do better than they do.

| control | map | what it shows |
|---|---|---|
| random | independent random values | what any order of hiding gives |
| constant | the same value everywhere, so that ties leave the reading order | what no map at all gives |
| centre | a bell over the middle, for pictures | what the habits of photographers give |
| edges | the strength of edges, for pictures | what the picture alone gives |
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from pellucid.attribution.call import Call
from pellucid.attribution.faithfulness.subject import plane
from pellucid.data import InputKind
from pellucid.errors import MethodError, closest

Control = Literal["random", "constant", "centre", "edges"]
CONTROLS: dict[InputKind, tuple[Control, ...]] = {
    "image": ("random", "constant", "centre", "edges"),
    "text": ("random", "constant"),
    "array": ("random", "constant"),
}
TITLES: dict[str, str] = {
    "random": "Random order",
    "constant": "Constant map",
    "centre": "Picture centre",
    "edges": "Picture edges",
}
BELL_WIDTH = 0.25  # of the side


def control_maps(
    call: Call, names: Sequence[str], generators: Sequence[torch.Generator]
) -> Float[Tensor, "controls n positions"]:
    """Make the maps of some controls. Raises MethodError for one that the input does not have."""
    known = CONTROLS[call.kind]
    for name in names:
        if name not in known:
            raise MethodError(f"control {name!r} is not known here. {closest(name, known)}")
    maps = [_map(call, name, generators).flatten(1) for name in names]
    return torch.stack(maps) if maps else torch.zeros(0, call.size, plane(call).numel())


def _map(call: Call, name: str, generators: Sequence[torch.Generator]) -> Tensor:
    device, size = call.explained.device, plane(call)
    if name == "random":
        return torch.stack([torch.randn(size, generator=each) for each in generators]).to(device)
    if name == "constant":
        return torch.ones(call.size, *size, device=device)
    if name == "edges":
        return _edges(call.explained.float())
    down, across = (_bell(side, device) for side in size)
    return (down[:, None] * across).expand(call.size, *size)


def _bell(side: int, device: torch.device) -> Float[Tensor, " side"]:
    places = (torch.arange(side, device=device) + 0.5) / side - 0.5
    return torch.exp(-0.5 * (places / BELL_WIDTH) ** 2)


def _edges(pixels: Float[Tensor, "n c y x"]) -> Float[Tensor, "n y x"]:
    """Strength of the brightness' slope, by Sobel's operator."""
    across = pixels.new_tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])
    kernels = torch.stack([across, across.T])[:, None]
    bright = F.pad(pixels.mean(1, keepdim=True), (1, 1, 1, 1), mode="replicate")
    return F.conv2d(bright, kernels).square().sum(1).sqrt()
