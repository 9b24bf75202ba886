"""A small convolutional network and handwritten digits: real enough, and quick."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from pellucid.data import Data
from pellucid.data.source import load_data
from pellucid.model import ImageInput, Model
from pellucid.model.source import wrap


def small_network() -> nn.Sequential:
    torch.manual_seed(0)
    block = nn.Sequential(nn.Conv2d(8, 8, 3), nn.BatchNorm2d(8), nn.ReLU(inplace=True))
    return nn.Sequential(
        nn.Conv2d(1, 8, 3),
        nn.ReLU(inplace=True),
        nn.Sequential(block, nn.Sequential(nn.Conv2d(8, 16, 3), nn.BatchNorm2d(16), nn.ReLU())),
        nn.Flatten(),
        nn.Dropout(0.1),
        nn.Linear(64, 10),
    )


@pytest.fixture
def make_network() -> Callable[[], nn.Sequential]:
    return small_network


@pytest.fixture
def model() -> Model:
    digit = ImageInput(size=(8, 8), resize=8, mean=(0.5,), std=(0.5,))
    return wrap(small_network().eval(), input=digit, labels=[f"old {n}" for n in range(10)])


@pytest.fixture(scope="session")
def digits() -> Data:
    return load_data("bundled:digits", split="train", limit=200)
