"""Small models of pictures whose best pictures are known, and what must stay the same in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from pellucid.data import Data
from pellucid.inside.features import Settings, Transforms
from pellucid.model import ImageInput, Model

SIDE = 24
LABELS = ("cat", "dog", "tiger-cat", "cup", "owl", "hen")
STILL = Transforms(zoom=(1, 1), jitter=0, rotation=0)


class Small(nn.Module):
    """Two convolutions with an in-place ReLU between, the mean over places, and a linear head."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, stride=3, bias=False)
        self.norm = nn.BatchNorm2d(4)
        self.act = nn.ReLU(inplace=True)
        self.second = nn.Conv2d(4, 8, 3, padding=1)
        self.drop = nn.Dropout(0.5)
        self.fc = nn.Linear(8, len(LABELS))
        self.spare = nn.Linear(2, 2)

    def forward(self, pixels: Tensor) -> Tensor:
        hidden = self.second(self.act(self.norm(self.first(pixels))))
        return self.fc(self.drop(hidden.mean((2, 3))))


def wrap(module: nn.Module, side: int = SIDE, **parts: Any) -> Model:
    record = ImageInput(size=(side, side), resize=side, mean=(0.5,) * 3, std=(0.25,) * 3)
    return Model(module=module, source="small", input=record, **{"labels": LABELS} | parts)


@pytest.fixture
def picture_model() -> Callable[..., Model]:
    """Make a model of pictures of a module."""
    return wrap


@pytest.fixture
def model() -> Model:
    torch.manual_seed(0)
    return wrap(Small())


@pytest.fixture
def quick() -> Settings:
    return Settings(num_views=2)


@pytest.fixture
def still() -> Settings:
    """The whole picture as it is, in each step."""
    return Settings(transforms=STILL, num_views=1)


@pytest.fixture
def photos() -> Data:
    """Nine pictures of noise, of growing brightness."""
    rng = np.random.default_rng(0)
    levels = np.linspace(60, 250, 9)
    shown = [
        Image.fromarray((rng.random((SIDE, SIDE, 3)) * top).astype(np.uint8)) for top in levels
    ]
    return Data(
        source="made",
        split="test",
        kind="image",
        labels=(),
        ids=tuple(f"photo/{index}" for index in range(9)),
        targets=np.full(9, -1),
        read=shown.__getitem__,
    )


def state_of(module: nn.Module) -> dict[str, Any]:
    kinds = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return {
        "modes": [part.training for part in module.modules()],
        "requires_grad": [parameter.requires_grad for parameter in module.parameters()],
        "grad": [parameter.grad is None for parameter in module.parameters()],
        "hooks": [len(getattr(part, kind)) for part in module.modules() for kind in kinds],
        "random": torch.get_rng_state().tolist(),
    }


@pytest.fixture
def unchanged() -> Callable[[nn.Module], AbstractContextManager[None]]:
    """A context that fails if a module, or the global random state, is not left as it was."""

    @contextmanager
    def check(module: nn.Module) -> Iterator[None]:
        module.train()
        next(module.parameters()).requires_grad = False
        values = {name: tensor.clone() for name, tensor in module.state_dict().items()}
        before = state_of(module)
        try:
            yield
        finally:
            assert state_of(module) == before
            for name, value in module.state_dict().items():
                torch.testing.assert_close(value, values[name], rtol=0, atol=0)

    return check
