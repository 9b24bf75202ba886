"""RISE: the paper, mask by mask; linear models; its standard error."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from pellucid import attribute
from pellucid.errors import MethodError
from pellucid.model import Model


def slowly(
    module: nn.Module, pixels: Tensor, samples: int, cells: int, probability: float, seed: int
) -> Tensor:
    """The paper's masks one by one; mean score where a place is shown, less that where hidden."""
    sides = pixels.shape[2:]
    step = [-(-side // cells) for side in sides]
    generator = torch.Generator().manual_seed(seed)
    grids = (torch.rand(samples, cells, cells, generator=generator) < probability).float()
    shifts = [torch.randint(size, (samples,), generator=generator) for size in step]
    shown, weights, hidden, rest = (torch.zeros(sides) for _ in range(4))
    for index in range(samples):
        large = interpolate(
            grids[index][None, None], [(cells + 1) * size for size in step], mode="bilinear"
        )[0, 0]
        top, left = shifts[0][index], shifts[1][index]
        mask = large[top : top + sides[0], left : left + sides[1]]
        score = module(pixels * mask)[0, 1].detach()
        shown += score * mask
        weights += mask
        hidden += score * (1 - mask)
        rest += 1 - mask
    return shown / weights - hidden / rest


@pytest.mark.parametrize(("cells", "probability", "seed"), [(3, 0.5, 0), (5, 0.3, 7)])
def test_the_paper_slowly(
    convolutional: nn.Module, pixels: Tensor, cells: int, probability: float, seed: int
) -> None:
    module = convolutional.eval()
    found = attribute(
        module, pixels, method="rise", target=1, samples=80, cells=cells,
        probability=probability, seed=seed, max_batch=33,
    )  # fmt: skip
    for row in range(2):
        expected = slowly(module, pixels[row : row + 1], 80, cells, probability, seed)
        torch.testing.assert_close(found[row, 0], expected, rtol=1e-3, atol=1e-5)
        torch.testing.assert_close(found[row, 2], expected, rtol=1e-3, atol=1e-5)


def test_a_linear_model_and_the_standard_error() -> None:
    torch.manual_seed(0)
    linear, values = nn.Linear(30, 2), torch.randn(5, 30)
    expected = (linear.weight[1] * (values - 0.3)).detach()
    found, details = attribute(
        linear, values, method="rise", target=1, baseline=0.3, samples=2000, return_details=True
    )
    inside = (found - expected).abs() <= 2 * details.standard_error
    assert 0.9 < inside.float().mean() < 0.99
    more = attribute(linear, values, method="rise", target=1, baseline=0.3, samples=32_000)
    ratio = (found - expected).square().mean() / (more - expected).square().mean()
    assert 8 < ratio < 32


def test_the_part_that_counts_is_found() -> None:
    class Corner(nn.Module):
        def forward(self, pixels: Tensor) -> Tensor:
            return pixels[:, :, 20:, :12].mean((1, 2, 3))[:, None]

    found = attribute(Corner(), torch.ones(1, 3, 32, 32), method="rise", samples=400)[0, 0]
    assert found[20:, :12].mean() > 5 * found[:16, 16:].abs().mean()
    assert found.max() == found[20:, :12].max()


def test_tokens(text_model: Model) -> None:
    inputs = text_model.prepare(["a very good film", "bad film"])
    found = attribute(text_model, inputs, method="rise", target="positive", samples=60)
    special = torch.isin(inputs["input_ids"], torch.tensor([0, 2, 3]))
    assert found.shape == inputs["input_ids"].shape
    assert not found[special].any()
    alone = attribute(
        text_model,
        {name: tensor[1:, :4] for name, tensor in inputs.items()},
        method="rise",
        target="positive",
        samples=60,
    )
    torch.testing.assert_close(found[1:, :4], alone, rtol=1e-3, atol=1e-5)


def test_few_masks_and_low_precision_stay_finite(convolutional: nn.Module, pixels: Tensor) -> None:
    found, details = attribute(convolutional, pixels, method="rise", samples=2, return_details=True)
    assert found.isfinite().all()
    assert details.standard_error.isfinite().all()
    low = attribute(convolutional.bfloat16(), pixels.bfloat16(), method="rise", samples=50)
    assert low.dtype == torch.float32
    assert low.isfinite().all()
    with pytest.raises(MethodError, match="'inpaint' depends on what is hidden"):
        attribute(convolutional, pixels, method="rise", baseline="inpaint")
