"""A small trained model and labelled data that the tests of analyses share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits
from torch import nn

from pellucid.data import Data
from pellucid.errors import UnreadableSample
from pellucid.model import ArrayInput, ImageInput, Model

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


class FromList:
    """Read samples from a list; those at `unreadable` cannot be read."""

    def __init__(self, raws: Sequence[Any], unreadable: Sequence[int] = ()) -> None:
        self.raws, self.unreadable = raws, frozenset(unreadable)

    def __call__(self, index: int) -> Any:
        if index in self.unreadable:
            raise UnreadableSample(f"s{index}", "cannot be decoded")
        return self.raws[index]


@pytest.fixture(scope="session")
def make_data() -> Callable[..., Data]:
    def make(
        raws: Sequence[Any],
        targets: Sequence[int],
        labels: Sequence[str],
        kind: Any = "array",
        unreadable: Sequence[int] = (),
    ) -> Data:
        return Data(
            source="list",
            split="test",
            kind=kind,
            labels=tuple(labels),
            ids=tuple(f"s{index}" for index in range(len(raws))),
            targets=np.array(targets, dtype=np.int64),
            read=FromList(raws, unreadable),
        )

    return make


@pytest.fixture(scope="session")
def identity_model() -> Callable[..., Model]:
    """A model that returns its input, so that a test can write down the logits."""

    def make(labels: Sequence[str] = (), module: nn.Module | None = None) -> Model:
        return Model(
            module=module or nn.Identity(),
            source="identity",
            input=ArrayInput(),
            labels=tuple(labels),
        )

    return make


@pytest.fixture(scope="session")
def digits_module() -> nn.Module:
    """A linear classifier of 8 × 8 digits, trained on the first 1,200 of scikit-learn's set."""
    pixels, targets = load_digits(return_X_y=True)
    inputs = torch.tensor(pixels[:1200], dtype=torch.float32) / 16
    module = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(64), nn.Dropout(0.1), nn.Linear(64, 10))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module[3].reset_parameters()
        for _ in range(40):
            loss = nn.functional.cross_entropy(module(inputs), torch.tensor(targets[:1200]))
            slopes = torch.autograd.grad(loss, list(module.parameters()))
            with torch.no_grad():
                for parameter, slope in zip(module.parameters(), slopes, strict=True):
                    parameter -= 0.5 * slope
    return module


@pytest.fixture(scope="session")
def digits_data(make_data: Callable[..., Data]) -> Data:
    """The other 597 digits, as arrays."""
    pixels, targets = load_digits(return_X_y=True)
    return make_data(list(pixels[1200:] / 16), targets[1200:], DIGITS)


@pytest.fixture(scope="session")
def digits_model(digits_module: nn.Module) -> Model:
    return Model(module=digits_module, source="digits", input=ArrayInput(), labels=DIGITS)


@pytest.fixture(scope="session")
def pictures(digits_module: nn.Module, make_data: Callable[..., Data]) -> tuple[Model, Data]:
    """The same digits as pictures of 8 × 8 pixels."""
    pixels, targets = load_digits(return_X_y=True)
    raws = [
        Image.fromarray((values.reshape(8, 8) * 255 / 16).astype(np.uint8)).convert("RGB")
        for values in pixels[1200:]
    ]
    form = ImageInput(size=(8, 8), resize=8, mean=(0.0,), std=(1.0,))
    model = Model(module=digits_module, source="digits", input=form, labels=DIGITS)
    return model, make_data(raws, targets[1200:], DIGITS, kind="image")
