"""The strongest samples of each unit in one pass, as sorting all of them would give."""

from __future__ import annotations

import numpy as np
import torch

from pellucid.inside.features.topk import TopSamples


def test_streams_what_sorting_all_gives() -> None:
    rng = np.random.default_rng(0)
    maps = rng.normal(size=(20, 3, 4, 5)).astype(np.float32)
    best = TopSamples.none(3, 6)
    for start in range(0, 20, 7):
        part = torch.from_numpy(maps[start : start + 7])
        best.add(part, torch.arange(start, start + len(part)))
    highest = maps.reshape(20, 3, -1).max(2)
    order = np.argsort(-highest, axis=0, kind="stable")[:6]
    np.testing.assert_array_equal(best.positions.numpy(), order.T)
    np.testing.assert_array_equal(best.values.numpy(), np.take_along_axis(highest, order, 0).T)
    cells = maps.reshape(20, 3, -1).argmax(2)
    np.testing.assert_array_equal(best.cells.numpy(), np.take_along_axis(cells, order, 0).T)


def test_few_samples_leave_places_empty() -> None:
    best = TopSamples.none(1, 3)
    best.add(torch.tensor([[2.0], [5.0]]), torch.tensor([0, 1]))
    assert best.positions.tolist() == [[1, 0, -1]]
    assert best.values.tolist() == [[5.0, 2.0, -float("inf")]]


def test_of_equals_the_first_stays() -> None:
    best = TopSamples.none(1, 1)
    for position in range(3):
        best.add(torch.ones(1, 1, 2, 2), torch.tensor([position]))
    assert best.positions.tolist() == [[0]]
