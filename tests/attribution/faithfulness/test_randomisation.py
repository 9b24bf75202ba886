"""Randomisation: what does not look at the model is found out, and the model stays as it was."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor, nn

from pellucid.attribution.attribute import open_call
from pellucid.attribution.call import Attribution, Call
from pellucid.attribution.faithfulness import randomisation as home
from pellucid.attribution.faithfulness.randomisation import randomisation
from pellucid.attribution.faithfulness.subject import Subject
from pellucid.errors import MethodError


def gradient(call: Call) -> Attribution:
    return Attribution(values=call.own_gradients(), resolution="")


def picture_itself(call: Call) -> Attribution:
    return Attribution(values=call.explained, resolution="")


def of(call: Call, *explain: Any, **rest: Any) -> Subject:
    maps = [each(call).values for each in explain]
    maps = [each.sum(1) if each.ndim == 4 else each for each in maps]
    stacked = torch.stack([each.flatten(1) for each in maps])
    return Subject(call=call, maps=stacked, explain=explain, **rest)


def test_a_map_of_the_input_stays_and_a_gradient_does_not(
    opened: Any, picture_model: Any, pixels: Tensor
) -> None:
    found = randomisation(of(opened(picture_model, pixels), picture_itself, gradient)).values
    torch.testing.assert_close(found[0], torch.ones(5))
    assert found[1].abs().max() < 0.5


def test_layers_fall_from_the_top(opened: Any, picture_model: Any, pixels: Tensor) -> None:
    def first_kernel(call: Call) -> Attribution:
        weight = call.model.module.first.weight
        values = torch.nn.functional.conv2d(call.explained, weight, padding=1).detach()
        return Attribution(values=values.sum(1), resolution="")

    curves = randomisation(of(opened(picture_model, pixels), first_kernel), stages=8).curves
    torch.testing.assert_close(curves[0, :, :6], torch.ones(5, 6))  # its weights go in the last
    assert (curves[0, :, -1] < 0.9).all()


def test_the_model_is_left_alone(picture_model: Any, pixels: Tensor, unchanged: Any) -> None:
    with unchanged(picture_model.module), open_call(picture_model, pixels, 0) as (call, _):
        randomisation(of(call, gradient), stages=2)


def test_the_same_seed_draws_the_same_weights(
    opened: Any, picture_model: Any, pixels: Tensor
) -> None:
    call = opened(picture_model, pixels)
    first, again, other = (
        randomisation(of(call, gradient, seed=seed)).values for seed in (1, 1, 2)
    )
    assert first.equal(again)
    assert not first.equal(other)


def test_texts(opened: Any, text_model: Any) -> None:
    call = opened(text_model, text_model.prepare(["good film", "a very bad film"]), "predicted")

    def summed(at: Call) -> Attribution:
        return Attribution(values=at.own_gradients().sum(-1), resolution="")

    found = randomisation(of(call, summed)).values
    assert found.abs().max() < 0.999


def test_a_copy_that_uses_the_original_is_refused(opened: Any) -> None:
    inner = nn.Linear(4, 2)

    class Outside(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.unused = nn.Linear(4, 2)

        def forward(self, values: Tensor) -> Tensor:
            return inner(values)

    with pytest.raises(MethodError, match="still uses the original's"):
        randomisation(of(opened(Outside(), torch.randn(2, 4)), gradient))


def test_a_module_without_a_copy_is_refused(opened: Any) -> None:
    module = nn.Linear(4, 2)
    module.grown = module.weight * 2  # no leaf, so PyTorch does not copy it
    with pytest.raises(MethodError, match="cannot be copied"):
        randomisation(of(opened(module, torch.randn(2, 4)), gradient))


def test_a_similarity_of_pictures_is_refused_elsewhere(opened: Any) -> None:
    call = opened(nn.Linear(4, 2), torch.randn(2, 4))
    with pytest.raises(MethodError, match="expected 'rank', or for pictures 'ssim'"):
        randomisation(of(call, gradient), similarity="ssim")


@pytest.mark.oracle
def test_rank_correlation_is_scipys() -> None:
    first = torch.tensor([[3.0, 1.0, 1.0, 2.0, 5.0], [1.0, 2.0, 3.0, 4.0, 5.0]])
    second = torch.tensor([[1.0, 1.0, 2.0, 2.0, 9.0], [5.0, 4.0, 3.0, 1.0, 2.0]])
    found = home._rank_correlation(first, second)
    expected = [stats.spearmanr(a, b).statistic for a, b in zip(first, second, strict=True)]
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-6)


@pytest.mark.oracle
def test_structural_similarity_is_scikit_images() -> None:
    from skimage.metrics import structural_similarity

    rng = np.random.default_rng(0)
    first, second = rng.random((2, 20, 24))
    second = (first + second) / 2
    first, second = ((each - each.min()) / np.ptp(each) for each in (first, second))
    expected = structural_similarity(first, second, data_range=1.0, use_sample_covariance=False)
    found = home._structural(*(torch.tensor(each[None]).float() for each in (first, second)))
    assert float(found) == pytest.approx(expected, rel=1e-4)
