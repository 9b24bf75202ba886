"""A small model of one's own and a small folder of pictures, both real."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits
from typer.testing import CliRunner, Result

from pellucid.cli.app import app

MODEL = """
import torch
from torch import nn
import pellucid
from pellucid.model import ImageInput

def small():
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(4), nn.Flatten(),
        nn.Linear(128, 5),
    )
    size = ImageInput(size=(16, 16), resize=16)
    return pellucid.wrap(module, input=size, labels=list("abcde"))
"""

Command = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder, and no workspace from the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PELLUCID_WORKSPACE", raising=False)
    monkeypatch.delenv("PELLUCID_CATALOGUE", raising=False)
    return tmp_path


@pytest.fixture
def pellucid(home: Path) -> Command:
    """Run a command in the empty folder; unforeseen errors are raised."""

    def run(*arguments: object) -> Result:
        return CliRunner().invoke(app, [str(part) for part in arguments], catch_exceptions=False)

    return run


@pytest.fixture
def as_json(pellucid: Command) -> Callable[..., Any]:
    """Run a command with --json that succeeds, and read all of its output."""

    def run(*arguments: object) -> Any:
        result = pellucid(*arguments, "--json")
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    return run


@pytest.fixture
def model(home: Path) -> str:
    """Spec of a small convolutional network with five classes; needs --trust."""
    (home / "nets.py").write_text(MODEL)
    return "python:nets.py:small"


@pytest.fixture
def pictures(home: Path) -> str:
    """Spec of a folder of the digits 0, 1 and 2, twenty of each, as pictures of 16 × 16 pixels."""
    save_digits(home / "digits", digits=3, each=20)
    return "folder:digits"


def save_digits(folder: Path, *, digits: int, each: int) -> None:
    """Save scikit-learn's digits, one folder per class."""
    found = load_digits()
    for digit in range(digits):
        (folder / f"digit {digit}").mkdir(parents=True)
        for index in np.flatnonzero(found.target == digit)[:each]:
            pixels = (found.images[index] * 15).astype(np.uint8)
            picture = Image.fromarray(pixels).resize((16, 16))
            picture.save(folder / f"digit {digit}" / f"{index:04d}.png")


@pytest.fixture
def run(home: Path, pellucid: Command, model: str, pictures: str) -> Path:
    """A finished run in RUN: the small network's head, fitted to the digits for two epochs."""
    result = pellucid("finetune", model, pictures, "--trust", "--epochs", 2, "--out", "RUN")
    assert result.exit_code == 0, result.stderr
    return home / "RUN"
