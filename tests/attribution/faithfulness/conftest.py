"""Models whose every measure is known beforehand, and a subject made of a map."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from pellucid.attribution.attribute import open_call
from pellucid.attribution.call import Call
from pellucid.attribution.faithfulness.controls import control_maps
from pellucid.attribution.faithfulness.subject import Subject


class Sum(nn.Module):
    """Logits (Σ x, 0): every value counts as much as it is."""

    def forward(self, values: Tensor) -> Tensor:
        total = values.flatten(1).sum(1)
        return torch.stack([total, torch.zeros_like(total)], 1)


class Corner(nn.Module):
    """Logits (mean brightness of the upper left quarter, 0): the rest of the picture is ignored."""

    def forward(self, pixels: Tensor) -> Tensor:
        height, width = pixels.shape[2] // 2, pixels.shape[3] // 2
        bright = 5 * pixels[:, :, :height, :width].mean((1, 2, 3))
        return torch.stack([bright, torch.zeros_like(bright)], 1)


@pytest.fixture
def total() -> nn.Module:
    return Sum()


@pytest.fixture
def corner() -> nn.Module:
    return Corner()


@pytest.fixture
def opened() -> Iterator[Callable[..., Call]]:
    """Open the call of a module and inputs, until the end of the test."""
    with ExitStack() as stack:

        def start(model: Any, inputs: Any, target: Any = 0, **options: Any) -> Call:
            return stack.enter_context(open_call(model, inputs, target, **options))[0]

        yield start


@pytest.fixture
def subject() -> Callable[..., Subject]:
    """A subject of maps, each (n, *plane), with the named controls behind them."""

    def make(call: Call, *maps: Tensor, controls: tuple[str, ...] = (), **rest: Any) -> Subject:
        own = torch.stack([each.flatten(1).float() for each in maps])
        explain = (*rest.pop("explain", (None,) * len(maps)), *(None,) * len(controls))
        bare = Subject(call=call, maps=own, explain=explain, **rest)
        added = control_maps(call, controls, bare.generators())
        return Subject(call=call, maps=torch.cat([own, added]), explain=explain, **rest)

    return make


@pytest.fixture
def corner_pictures() -> Tensor:
    """Three pictures of 16 × 16 pixels, bright everywhere."""
    return torch.rand(3, 3, 16, 16, generator=torch.Generator().manual_seed(3)) + 0.5


@pytest.fixture
def corner_map() -> Tensor:
    """The map that is right for `Corner`, and nothing else marked."""
    right = torch.zeros(3, 16, 16)
    right[:, :8, :8] = 1
    return right
