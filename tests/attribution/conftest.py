"""Small models with known answers, and what must be the same after an explanation as before."""

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
from pellucid.model import ImageInput, Model

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad", "film", "a", "very")


class Convolutional(nn.Module):
    """Two convolutions, an in-place ReLU, pooling, and a linear head; dropout shows the mode."""

    def __init__(self, classes: int = 3, inplace: bool = True) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.second = nn.Conv2d(4, 6, 3, stride=2, padding=1)
        self.act = nn.ReLU(inplace=inplace)
        self.drop = nn.Dropout(0.5)
        self.fc = nn.Linear(6, classes)

    def forward(self, pixels: Tensor) -> Tensor:
        hidden = self.norm(self.first(pixels)).tanh()
        return self.fc(self.drop(self.act(self.second(hidden)).mean((2, 3))))


@pytest.fixture
def convolutional() -> Convolutional:
    torch.manual_seed(0)
    return Convolutional()


@pytest.fixture
def pixels() -> Tensor:
    return torch.randn(5, 3, 12, 12, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def picture_model(convolutional: Convolutional) -> Model:
    """A model for pictures of 12 × 12 pixels in three classes."""
    record = ImageInput(size=(12, 12), resize=12, mean=(0.5,) * 3, std=(0.25,) * 3)
    labels = ("cat", "dog", "cup")
    return Model(module=convolutional, source="tiny", input=record, labels=labels)


@pytest.fixture
def pictures() -> Data:
    """Seven pictures; the labels of the data are in another order than the model's."""
    rng = np.random.default_rng(0)
    shown = [Image.fromarray(rng.integers(0, 256, (14, 12, 3), dtype=np.uint8)) for _ in range(7)]
    return Data(
        source="made",
        split="test",
        kind="image",
        labels=("cup", "dog", "cat"),
        ids=tuple(f"picture/{index}" for index in range(7)),
        targets=np.array([0, 1, 2, 0, 1, 2, 0]),
        read=shown.__getitem__,
    )


@pytest.fixture
def text_model(tiny_bert: Callable[..., Model]) -> Model:
    """A BERT of one layer with a tokenizer of ten words."""
    return tiny_bert(WORDS, layers=1)


def state_of(module: nn.Module) -> dict[str, Any]:
    """Everything of a module that an explanation must leave alone."""
    kinds = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return {
        "values": {name: tensor.clone() for name, tensor in module.state_dict().items()},
        "modes": [part.training for part in module.modules()],
        "requires_grad": [parameter.requires_grad for parameter in module.parameters()],
        "grad": [parameter.grad for parameter in module.parameters()],
        "hooks": [len(getattr(part, kind)) for part in module.modules() for kind in kinds],
    }


@pytest.fixture
def unchanged() -> Callable[[nn.Module], AbstractContextManager[None]]:
    """A context that fails if a module is not left as it was; one mode and gradient are odd."""

    @contextmanager
    def check(module: nn.Module) -> Iterator[None]:
        module.train()
        parts, parameters = list(module.modules()), list(module.parameters())
        parts[-1].eval()
        parameters[0].requires_grad = False
        parameters[1].grad = torch.ones_like(parameters[1])
        before, mode = (
            state_of(module),
            (torch.is_grad_enabled(), torch.is_inference_mode_enabled()),
        )
        yield
        after = state_of(module)
        for name, value in before.pop("values").items():
            torch.testing.assert_close(after["values"][name], value, rtol=0, atol=0)
        del after["values"]
        assert all(a is b for a, b in zip(before.pop("grad"), after.pop("grad"), strict=True))
        assert before == after
        assert mode == (torch.is_grad_enabled(), torch.is_inference_mode_enabled())

    return check
