"""Small models whose structure is known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from pellucid.inside.structure import Structure, inspect_structure
from pellucid.model import ArrayInput, Model


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shared")


@pytest.fixture(autouse=True)
def recordings(shared_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep recordings away from the user's, and share them between tests."""
    monkeypatch.setenv("PELLUCID_CACHE", str(shared_cache))


class Block(nn.Module):
    """A residual block whose ReLU is called twice."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(x + self.norm(self.relu(self.conv(x))))


class Attention(nn.Module):
    """One head of attention."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.scaled_dot_product_attention(self.query(x), self.key(x), self.value(x))


class Small(nn.Module):
    """A stem, three equal blocks, attention over the pixels, a gate, and a head."""

    def __init__(self, classes: int = 5, blocks: int = 3) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.blocks = nn.Sequential(*(Block(4) for _ in range(blocks)))
        self.attention = Attention(4)
        self.gate = nn.Linear(4, 4)
        self.idle = nn.Linear(7, 7)
        self.head = nn.Linear(4, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.blocks(self.stem(x)).flatten(2).transpose(1, 2)
        x = self.attention(x)
        x = x * torch.sigmoid(self.gate(x))
        return self.head(x.mean(1))


def wrapped(module: nn.Module, shape: tuple[int, ...] = (3, 6, 6)) -> Model:
    torch.manual_seed(0)
    return Model(module=module.eval(), source=type(module).__name__, input=ArrayInput(shape=shape))


@pytest.fixture(scope="session")
def small_model() -> Model:
    torch.manual_seed(0)
    return wrapped(Small())


@pytest.fixture(scope="session")
def small(small_model: Model, shared_cache: Path) -> Structure:
    return inspect_structure(small_model)


@pytest.fixture
def structure_of() -> Callable[..., Structure]:
    def inspect(module: nn.Module, shape: tuple[int, ...] = (3, 6, 6)) -> Structure:
        return inspect_structure(wrapped(module, shape), time=False)

    return inspect
