"""Owen values: a hierarchy by hand, every order that it allows, and what a small budget gives."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from torch import Tensor, nn

from pellucid import attribute

Tree = int | tuple["Tree", "Tree"]


class Network(nn.Module):
    def __init__(self, size: int) -> None:
        super().__init__()
        torch.manual_seed(2)
        self.layers = nn.Sequential(nn.Linear(size, 16), nn.ReLU(), nn.Linear(16, 1))

    def forward(self, values: Tensor) -> Tensor:
        return self.layers(values.flatten(1))


def orders(tree: Tree) -> list[list[int]]:
    """All orders in which the members of each region come one after another."""
    if isinstance(tree, int):
        return [[tree]]
    pairs = list(product(orders(tree[0]), orders(tree[1])))
    return [a + b for a, b in pairs] + [b + a for a, b in pairs]


def slowly(module: nn.Module, sample: Tensor, tree: Tree) -> Tensor:
    """Mean of what each value adds, over all orders that the hierarchy allows; baseline 0."""
    values, allowed = torch.zeros(sample.numel()), orders(tree)
    for order in allowed:
        point = torch.zeros_like(sample)
        score = module(point).detach()
        for place in order:
            point[0, place] = sample[0, place]
            risen = module(point).detach()
            values[place] += (risen - score).item() / len(allowed)
            score = risen
    return values


@pytest.mark.parametrize(
    ("size", "tree"),
    [(2, (0, 1)), (4, ((0, 1), (2, 3))), (6, ((0, (1, 2)), (3, (4, 5))))],
)
def test_all_orders_that_the_hierarchy_allows(size: int, tree: Tree) -> None:
    module = Network(size)
    sample = torch.randn(1, size)
    found, details = attribute(module, sample, method="owen", return_details=True)
    torch.testing.assert_close(found[0], slowly(module, sample, tree), rtol=1e-4, atol=1e-5)
    if size == 4:
        assert details.forwards.tolist() == [2 + 2 + 8]


def test_a_grid_is_halved_down_first_then_across() -> None:
    pixels = torch.randn(1, 1, 2, 2)
    found = attribute(Network(4), pixels, method="owen", num_segments=4)
    expected = slowly(Network(4), pixels.flatten(1), ((0, 1), (2, 3)))
    torch.testing.assert_close(found.flatten(), expected, rtol=1e-4, atol=1e-5)


def test_a_small_budget_shares_evenly_and_stays_complete() -> None:
    module, sample = Network(8), torch.randn(2, 8)
    change = (module(sample) - module(torch.zeros_like(sample)))[:, 0].detach()
    for evaluations, parts in ((0, 8), (2, 4)):
        found, details = attribute(
            module, sample, method="owen", max_evaluations=evaluations, return_details=True
        )
        torch.testing.assert_close(found.sum(1), change, rtol=1e-4, atol=1e-5)
        assert found.view(2, -1, parts).std(2).max() < 1e-6
        assert details.forwards.tolist() == [2 + evaluations] * 2


def test_cuts_go_where_the_score_is() -> None:
    class Corner(nn.Module):
        def forward(self, pixels: Tensor) -> Tensor:
            return (pixels[:, 0, 12:14, 12:14].sum((1, 2)) ** 2)[:, None]

    found = attribute(
        Corner(), torch.ones(1, 1, 16, 16), method="owen", segments="pixels", max_evaluations=400
    )[0, 0]
    assert found[12:14, 12:14].sum() == pytest.approx(16.0, rel=1e-4)
    assert found[12, 12] == pytest.approx(4.0, rel=1e-4)


def test_superpixels_have_a_hierarchy_too(convolutional: nn.Module) -> None:
    pytest.importorskip("skimage")
    pixels = torch.rand(2, 3, 12, 12)
    found, details = attribute(
        convolutional, pixels, method="owen", segments="slic", num_segments=9, return_details=True
    )
    alone = attribute(convolutional, pixels[1:], method="owen", segments="slic", num_segments=9)
    torch.testing.assert_close(found[1:], alone, rtol=1e-3, atol=1e-6)
    assert (details.completeness_error < 1e-6).all()
