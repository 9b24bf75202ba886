"""Passes are as large as memory allows, and smaller ones are tried where it runs out."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from pellucid.attribution.attribute import attribute
from pellucid.attribution.memory import Budget, counting_bytes
from pellucid.errors import MethodError


class Greedy(nn.Module):
    """Runs out of memory on more than `most` rows; remembers how many rows it was given."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.fc, self.most = nn.Linear(6, 3), most
        self.rows: list[int] = []

    def forward(self, features: Tensor) -> Tensor:
        self.rows.append(len(features))
        if len(features) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.")
        return self.fc(features).tanh()


@pytest.mark.parametrize("method", ["integrated_gradients", "occlusion"])
def test_half_as_many_rows_are_tried_where_memory_runs_out(method):
    torch.manual_seed(0)
    module, features = Greedy(3), torch.randn(5, 6)
    found = attribute(module, features, method=method, target=0)
    assert max(module.rows[3:]) <= 3
    module.most = 10**6
    torch.testing.assert_close(found, attribute(module, features, method=method, target=0))


def test_one_row_that_does_not_fit_is_an_error():
    with pytest.raises(torch.OutOfMemoryError):
        attribute(Greedy(0), torch.randn(2, 6), target=0)


def test_bytes_bound_the_rows(pixels):
    module = nn.Sequential(nn.Conv2d(3, 64, 3, padding=1), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    rows: list[int] = []
    module.register_forward_pre_hook(lambda _, given: rows.append(len(given[0])))
    one_row = 64 * 12 * 12 * 4
    attribute(module, pixels, target=0, method="occlusion", max_batch_bytes=3 * one_row)
    assert max(rows) == 2


def test_bytes_of_views_do_not_count():
    with counting_bytes() as counted:
        torch.ones(4, 8).view(8, 4).transpose(0, 1).add(1)
    assert counted.bytes == 2 * 4 * 32


def test_small_passes_are_not_measured():
    budget = Budget(None, None, torch.zeros(4, 3, 8, 8))
    assert budget.rows(4, lambda: pytest.fail("measured")) == 4


@pytest.mark.parametrize("limit", ["max_batch", "max_batch_bytes"])
def test_a_limit_below_one(limit):
    with pytest.raises(MethodError, match=f"{limit}=0 was given; expected at least 1"):
        attribute(nn.Linear(2, 2), torch.zeros(1, 2), **{limit: 0})
