"""Models that take pictures channels last, or several inputs at once, are explained like others."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from pellucid.attribution.attribute import attribute
from pellucid.errors import MethodError


class ChannelsLast(nn.Module):
    """The same network, for pictures (n, y, x, channels)."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, pixels: Tensor) -> Tensor:
        return self.inner(pixels.permute(0, 3, 1, 2))


class TwoInputs(nn.Module):
    """Adds the logits of features and of a picture; scales by a third input that is no float."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Linear(3, 4), nn.Conv2d(3, 4, 3)

    def forward(self, left: Tensor, right: Tensor, times: Tensor | None = None) -> Tensor:
        logits = self.left(left) + self.right(right).mean((2, 3))
        return logits if times is None else logits * times[:, None]


@pytest.fixture
def two() -> tuple[TwoInputs, Tensor, Tensor]:
    torch.manual_seed(0)
    return TwoInputs(), torch.randn(2, 3), torch.randn(2, 3, 6, 5)


@pytest.mark.parametrize("method", ["integrated_gradients", "occlusion", "grad_cam"])
def test_pictures_channels_last(convolutional, pixels, method):
    module = ChannelsLast(convolutional)
    last = pixels.permute(0, 2, 3, 1).contiguous()
    expected = attribute(convolutional, pixels, method=method)
    found = attribute(module, last, method=method)
    if expected.ndim == 4:
        expected = expected.permute(0, 2, 3, 1)
    torch.testing.assert_close(found, expected)


def test_layers_of_an_adapted_model_keep_their_names(convolutional, pixels):
    module = ChannelsLast(convolutional).train()
    last = pixels.permute(0, 2, 3, 1)
    found = attribute(module, last, method="grad_cam", layer="inner.first", upsample=False)
    assert found.shape == (5, 12, 12)
    assert module.training
    assert convolutional.drop.training


def test_several_inputs_share_one_completeness(two):
    module, left, right = two
    values, details = attribute(
        module, {"left": left, "right": right}, target=1, return_details=True
    )
    assert values["left"].shape == left.shape
    assert values["right"].shape == right.shape
    change = module(left, right)[:, 1] - module(0 * left, 0 * right)[:, 1]
    total = sum(part.flatten(1).sum(1) for part in values.values())
    torch.testing.assert_close(total, change.detach())
    assert (details.completeness_error < 1e-5).all()


def test_several_inputs_in_the_order_of_forward(two):
    module, left, right = two
    by_name = attribute(module, {"left": left, "right": right}, target=0)
    in_order = attribute(module, (left, right), target=0)
    assert list(in_order) == ["left", "right"]
    torch.testing.assert_close(in_order, by_name)


def test_an_input_of_whole_numbers_is_passed_on(two):
    module, left, right = two
    times = torch.tensor([2, 3])
    values = attribute(module, {"left": left, "right": right, "times": times}, target=0)
    expected = module.left.weight[0] * left * times[:, None]
    torch.testing.assert_close(values["left"], expected.detach())


def test_inputs_with_different_numbers_of_samples(two):
    module, left, right = two
    with pytest.raises(MethodError, match=r"different numbers of samples: .*'left': 1"):
        attribute(module, (left[:1], right))


def test_more_inputs_than_forward_takes(two):
    module, left, right = two
    with pytest.raises(MethodError, match=r"4 inputs were given for TwoInputs.*left, right, times"):
        attribute(module, (left, right, left, left))
