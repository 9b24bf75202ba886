"""Pictures and folders that several tests of data need."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pellucid.data import Data


@pytest.fixture
def make_data() -> Callable[..., Data]:
    """Build data from ids and targets; sample i reads as the text of its id."""

    def build(ids: list[str], targets: list[int], labels: tuple[str, ...] = ("a", "b")) -> Data:
        return Data(
            source="made:here",
            split="",
            kind="text",
            labels=labels,
            ids=tuple(ids),
            targets=np.array(targets, dtype=np.int64),
            read=ids.__getitem__,
        )

    return build


@pytest.fixture
def pictures(tmp_path: Path) -> Callable[..., Path]:
    """Write small PNG pictures, one colour each, at the given paths below a folder."""

    def write(*names: str, folder: str = "pictures") -> Path:
        for number, name in enumerate(names):
            path = tmp_path / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (4, 4), (number % 256, 10, 20)).save(path)
        return tmp_path / folder

    return write
