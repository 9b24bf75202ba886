"""Occlusion: linear models by hand, and what windows cover."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from pellucid import attribute
from pellucid.errors import MethodError
from pellucid.model import Model


class Weighted(nn.Module):
    """Σ w x over a picture of 2 channels and 4 × 6 pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(2, 4, 6, generator=torch.Generator().manual_seed(3)))

    def forward(self, pixels: Tensor) -> Tensor:
        return (self.weight * pixels).sum((1, 2, 3))


@pytest.fixture
def pair() -> Tensor:
    return torch.randn(2, 2, 4, 6, generator=torch.Generator().manual_seed(4))


def drops(model: Weighted, pixels: Tensor, baseline: float = 0.0) -> Tensor:
    """Contribution of each pixel, both channels together: (n, 4, 6)."""
    return (model.weight * (pixels - baseline)).sum(1).detach()


def test_windows_that_do_not_overlap_give_the_sum_of_their_pixels(pair: Tensor) -> None:
    model = Weighted()
    found = attribute(
        model, pair, method="occlusion", window=(2, 3), stride=(2, 3), baseline=0.5, max_batch=3
    )
    blocks = drops(model, pair, 0.5).view(2, 2, 2, 2, 3).sum((2, 4))
    expected = blocks.repeat_interleave(2, 1).repeat_interleave(3, 2)
    assert found.shape == pair.shape
    torch.testing.assert_close(found[:, 0], expected)
    torch.testing.assert_close(found[:, 1], expected)


def test_single_pixels(pair: Tensor) -> None:
    model = Weighted()
    found = attribute(model, pair, method="occlusion", window=1)
    torch.testing.assert_close(found[:, 0], drops(model, pair))


def test_overlapping_windows_are_averaged_and_cut_at_the_border(pair: Tensor) -> None:
    model = Weighted()
    found, details = attribute(
        model, pair, method="occlusion", window=(4, 4), stride=(4, 3), return_details=True
    )
    columns = drops(model, pair).sum(1)  # the window is as high as the picture
    left, right = columns[:, :4].sum(1), columns[:, 3:].sum(1)  # from 0; from 3, cut at 6
    torch.testing.assert_close(found[:, 0, 0, 0], left)
    torch.testing.assert_close(found[:, 0, 0, 3], (left + right) / 2)
    torch.testing.assert_close(found[:, 0, 0, 5], right)
    assert details.forwards.tolist() == [3, 3]
    assert details.resolution == "1 × 2 positions of a window of 4 × 4 pixels"


def test_the_window_is_an_eighth_of_the_sides_and_moves_by_half_of_it(
    convolutional: nn.Module,
) -> None:
    picture = torch.randn(1, 3, 16, 32)
    _, details = attribute(convolutional, picture, method="occlusion", return_details=True)
    assert details.resolution == "15 × 15 positions of a window of 2 × 4 pixels"
    assert details.forwards.tolist() == [226]
    assert details.backwards.tolist() == [0]


def test_windows_that_change_nothing_cost_nothing() -> None:
    picture = torch.zeros(1, 2, 4, 6)
    picture[0, :, 0, 0] = 1.0
    found, details = attribute(
        Weighted(), picture, method="occlusion", window=2, stride=2, return_details=True
    )
    assert details.forwards.tolist() == [2]
    assert not found[0, :, 2:].any()


@pytest.mark.parametrize(
    "sizes",
    [{"window": 5}, {"window": 2, "stride": 3}, {"window": 0}, {"stride": 2}, {"window": (2, 7)}],
)
def test_windows_that_do_not_fit(pair: Tensor, sizes: dict[str, int | tuple[int, int]]) -> None:
    with pytest.raises(MethodError, match="expected 1 ≤ stride ≤ window ≤ side"):
        attribute(Weighted(), pair, method="occlusion", **sizes)


def test_arrays_one_value_at_a_time() -> None:
    class Product(nn.Module):
        def forward(self, values: Tensor) -> Tensor:
            return values.flatten(1).prod(1)

    values = torch.tensor([[[2.0, 3.0], [1.0, 0.5]]])
    found = attribute(Product(), values, method="occlusion", baseline=1.0)
    torch.testing.assert_close(found, torch.tensor([[[1.5, 2.0], [0.0, -3.0]]]))
    with pytest.raises(MethodError, match="for pictures only; arrays are occluded one value"):
        attribute(Product(), values, method="occlusion", window=1)


def test_words_are_masked_one_at_a_time(text_model: Model) -> None:
    inputs = text_model.prepare(["a good film", "bad film"])
    found, details = attribute(
        text_model, inputs, method="occlusion", target="positive", return_details=True
    )
    masked = inputs["input_ids"].clone()
    masked[0, 2] = 4
    with text_model.evaluating(), torch.no_grad():
        score = text_model.logits(inputs | {"input_ids": masked})[0, 1]
    torch.testing.assert_close(found[0, 2], details.scores[0] - score)
    special = torch.isin(inputs["input_ids"], torch.tensor([0, 2, 3]))
    assert not found[special].any()
    assert details.forwards.tolist() == [4, 3]
