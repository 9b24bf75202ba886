"""Feature ablation and permutation, by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from pellucid import attribute
from pellucid.errors import MethodError
from pellucid.model import Model


class Product(nn.Module):
    def forward(self, values: Tensor) -> Tensor:
        return values.flatten(1).prod(1)


class Weighted(nn.Module):
    """Σ w x over a picture of 2 channels and 4 × 6 pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(2, 4, 6, generator=torch.Generator().manual_seed(3)))

    def forward(self, pixels: Tensor) -> Tensor:
        return (self.weight * pixels).sum((1, 2, 3))


def test_falls_of_a_product() -> None:
    values = torch.tensor([[2.0, 3.0, 0.5]])
    found, details = attribute(
        Product(), values, method="feature_ablation", baseline=1.0, return_details=True
    )
    torch.testing.assert_close(found, torch.tensor([[1.5, 2.0, -3.0]]))
    assert details.forwards.tolist() == [4]
    joined = attribute(
        Product(),
        values,
        method="feature_ablation",
        baseline=1.0,
        segments=torch.tensor([0, 0, 1]),
    )
    torch.testing.assert_close(joined, torch.tensor([[2.5, 2.5, -3.0]]))


def test_every_pixel_has_the_fall_of_its_segment() -> None:
    model, pixels = Weighted(), torch.randn(3, 2, 4, 6)
    found = attribute(
        model, pixels, method="feature_ablation", baseline=0.5, num_segments=6, max_batch=4
    )
    blocks = (model.weight * (pixels - 0.5)).sum(1).view(3, 2, 2, 3, 2).sum((2, 4))
    expected = blocks.repeat_interleave(2, 1).repeat_interleave(2, 2)[:, None].expand(-1, 2, 4, 6)
    torch.testing.assert_close(found, expected.detach())


def test_tokens_are_masked_one_at_a_time(text_model: Model) -> None:
    inputs = text_model.prepare(["a good film", "bad film"])
    found = attribute(text_model, inputs, method="feature_ablation", target="positive")
    same = attribute(text_model, inputs, method="occlusion", target="positive")
    torch.testing.assert_close(found, same)


def test_permutation_is_the_mean_over_all_others() -> None:
    values = torch.randn(4, 3, generator=torch.Generator().manual_seed(0)).abs() + 0.5
    found, details = attribute(
        Product(), values, method="feature_permutation", samples=9, return_details=True
    )
    for row in range(4):
        for column in range(3):
            others = [other for other in range(4) if other != row]
            falls = []
            for other in others:
                changed = values[row].clone()
                changed[column] = values[other, column]
                falls.append(values[row].prod() - changed.prod())
            torch.testing.assert_close(found[row, column], torch.stack(falls).mean())
    assert not details.standard_error.any()
    assert details.forwards.tolist() == [10] * 4


def test_permutation_with_samples_of_data_is_independent_of_the_batch() -> None:
    linear, data = nn.Linear(5, 2), torch.randn(7, 5)
    values = torch.randn(3, 5)
    options = {"method": "feature_permutation", "target": 1, "baseline": data}
    found = attribute(linear, values, samples=7, **options)
    expected = linear.weight[1] * (values - data.mean(0))
    torch.testing.assert_close(found, expected.detach())
    few = attribute(linear, values, samples=3, seed=5, **options)
    alone = attribute(linear, values[1:2], samples=3, seed=5, **options)
    torch.testing.assert_close(few[1:2], alone)


def test_the_standard_error_of_permutation_covers_the_mean_over_all() -> None:
    torch.manual_seed(0)
    module, values = (
        nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 1)),
        torch.randn(40, 4),
    )
    options = {"method": "feature_permutation", "return_details": True}
    exact, _ = attribute(module, values, samples=100, **options)
    found, details = attribute(module, values, samples=12, **options)
    inside = (found - exact).abs() <= 2 * details.standard_error
    assert 0.85 <= inside.float().mean() <= 0.99


def test_one_sample_has_no_others(picture_model: Model) -> None:
    with pytest.raises(MethodError, match=r"got one sample.*'feature_ablation' needs neither"):
        attribute(picture_model, torch.rand(1, 3, 12, 12), method="feature_permutation")
    with pytest.raises(MethodError, match="expected samples of data"):
        attribute(nn.Linear(2, 1), torch.rand(2, 2), method="feature_permutation", baseline="zero")
    found, details = attribute(
        nn.Linear(2, 1), torch.rand(3, 2), method="feature_permutation", samples=1,
        return_details=True,
    )  # fmt: skip
    assert found.isfinite().all()
    assert details.standard_error is None
