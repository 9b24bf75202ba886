"""Batches: what cannot be read is skipped, named and counted, with and without workers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from pellucid import load_data
from pellucid.data import Batches, Data, Problem, in_order
from pellucid.errors import DataError

Pictures = Callable[..., Path]


def corner(raws: Sequence[Any]) -> dict[str, torch.Tensor]:
    """Red of each picture's first pixel, (n,)."""
    return {"": torch.tensor([raw.getpixel((0, 0))[0] for raw in raws])}


def refuse(raws: Sequence[Any]) -> dict[str, torch.Tensor]:
    raise DataError("these do not fit.", shape=[1, 2])


def truncated(path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:2000])


@pytest.fixture
def damaged(pictures: Pictures) -> Data:
    """Twelve pictures; the header of one is sound and its pixels are cut off."""
    root = pictures(*(f"{label}/{i}.png" for label in ("cat", "dog") for i in range(6)))
    truncated(root / "cat" / "3.png")
    (root / "cat" / "empty.png").touch()
    return load_data(root)


@pytest.mark.parametrize("workers", [0, 2])
def test_an_unreadable_sample_is_skipped_and_reported_once(damaged: Data, workers: int) -> None:
    batches = Batches(damaged, corner, in_order(12, 4), workers=workers)
    for _ in range(2):
        seen = list(batches)
        assert [batch.positions.tolist() for batch in seen] == [
            [0, 1, 2],
            [4, 5, 6, 7],
            [8, 9, 10, 11],
        ]
        assert [batch.inputs[""].tolist() for batch in seen] == [
            batch.positions.tolist() for batch in seen
        ]
        assert seen[1].targets.tolist() == [0, 0, 1, 1]
        assert seen[0].unreadable == (("cat/3.png", "cannot be decoded"),)
    assert damaged.report.problems == [
        Problem("cat/empty.png", "empty file"),
        Problem("cat/3.png", "cannot be decoded"),
    ]


@pytest.mark.parametrize("workers", [0, 2])
def test_more_than_one_in_ten_is_refused(damaged: Data, workers: int, tmp_path: Path) -> None:
    truncated(tmp_path / "pictures" / "dog" / "2.png")
    with pytest.raises(DataError, match=r"2 of 12 samples cannot be read \(2 skipped \(2 × cannot"):
        list(Batches(damaged, corner, in_order(12, 4), workers=workers))


def test_a_batch_without_readable_samples_is_left_out(damaged: Data) -> None:
    batches = list(Batches(damaged, corner, [[3], [4, 5]]))
    assert [batch.positions.tolist() for batch in batches] == [[4, 5]]


def test_losses_elsewhere_do_not_count_against_a_few_samples(pictures: Pictures) -> None:
    root = pictures(*(f"cat/{i}.png" for i in range(8)))
    for number in range(5):
        (root / "cat" / f"empty{number}.png").touch()
    data = load_data(root, limit=3)
    assert data.report.count("skipped") == 5
    assert sum(len(batch.positions) for batch in Batches(data, corner, in_order(3, 3))) == 3


@pytest.mark.parametrize("workers", [0, 2])
def test_an_error_of_prepare_arrives_whole(damaged: Data, workers: int) -> None:
    with pytest.raises(DataError) as caught:
        list(Batches(damaged, refuse, in_order(12, 4), workers=workers))
    assert str(caught.value) == "these do not fit."
    assert caught.value.details == {"shape": [1, 2]}
