"""Small models of each kind, and data for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from pellucid.data import Data
from pellucid.model import ArrayInput, ImageInput, Model

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "good", "bad", "film", "a", "very", "dull", "fine")


class Convolutional(nn.Module):
    """Two convolutions, each with a ReLU in place after it, pooling, dropout and a head."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 6, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.second = nn.Conv2d(6, 8, 3, stride=2, padding=1)
        self.act = nn.ReLU6(inplace=True)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.drop = nn.Dropout(0.5)
        self.fc = nn.Linear(8, 3)

    def forward(self, pixels: Tensor) -> Tensor:
        hidden = self.relu(self.first(pixels))
        hidden = self.act(self.second(hidden))
        return self.fc(self.drop(self.pool(hidden).flatten(1)))


@pytest.fixture
def picture_model() -> Model:
    torch.manual_seed(0)
    record = ImageInput(size=(12, 12), resize=12, mean=(0.5,) * 3, std=(0.25,) * 3)
    labels = ("cat", "dog", "cup")
    return Model(module=Convolutional(), source="tiny", input=record, labels=labels)


@pytest.fixture
def pictures(make_data: Callable[..., Data]) -> Data:
    """Twenty pictures in three classes; each class has its own bright colour."""
    rng = np.random.default_rng(0)
    raws = []
    for index in range(20):
        pixels = rng.integers(0, 160, (14, 12, 3), dtype=np.uint8)
        pixels[:, :, index % 3] = np.minimum(pixels[:, :, index % 3] + 90, 255)
        raws.append(Image.fromarray(pixels))
    targets = [index % 3 for index in range(20)]
    return make_data(raws, targets, ("red", "green", "blue"), kind="image")


@pytest.fixture
def text_model(tiny_bert: Callable[..., Model]) -> Model:
    """A BERT of two layers with a tokenizer of eleven words."""
    return tiny_bert(WORDS, layers=2)


@pytest.fixture
def texts(make_data: Callable[..., Data]) -> Data:
    raws = [
        "good film",
        "a very bad film",
        "dull",
        "fine a film very good",
        "bad",
        "very fine film",
    ]
    return make_data(raws, [1, 0, 0, 1, 0, 1], ("negative", "positive"), kind="text")


class Recurrent(nn.Module):
    """A recurrent layer over steps of four features, and a head on its last state."""

    def __init__(self, layer: nn.RNNBase) -> None:
        super().__init__()
        self.layer = layer
        width = (layer.proj_size or layer.hidden_size) * (2 if layer.bidirectional else 1)
        self.fc = nn.Linear(width, 2)

    def forward(self, steps: Tensor) -> Tensor:
        given = steps if self.layer.batch_first else steps.transpose(0, 1)
        states, _ = self.layer(given)
        return self.fc(states[:, -1] if self.layer.batch_first else states[-1])


@pytest.fixture
def recurrent() -> Callable[[nn.RNNBase], Model]:
    def make(layer: nn.RNNBase) -> Model:
        return Model(
            module=Recurrent(layer), source="recurrent", input=ArrayInput(), labels=("no", "yes")
        )

    return make


@pytest.fixture
def steps(make_data: Callable[..., Data]) -> Data:
    rng = np.random.default_rng(1)
    raws = list(rng.normal(size=(9, 5, 4)).astype(np.float32))
    return make_data(raws, [index % 2 for index in range(9)], ("no", "yes"))


@pytest.fixture(scope="session")
def caught() -> Callable[[Model, Data, list[str]], dict[str, Tensor]]:
    """What plain hooks see: the last output of each layer, of all samples at once."""

    def catch(model: Model, data: Data, layers: list[str]) -> dict[str, Tensor]:
        found: dict[str, Tensor] = {}
        hooks = []
        for name in layers:

            def keep(_m: nn.Module, _a: Any, out: Any, name: str = name) -> None:
                found[name] = (out if isinstance(out, Tensor) else out[0]).detach().clone()

            hooks.append(model.module.get_submodule(name).register_forward_hook(keep))
        raws = [data.read(index) for index in range(len(data))]
        with torch.no_grad(), model.evaluating():
            model.logits(model.prepare(raws))
        for hook in hooks:
            hook.remove()
        return found

    return catch
