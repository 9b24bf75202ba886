"""Baselines that fill what is hidden: constants, samples of data, and what lies around."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from pellucid import attribute
from pellucid.attribution.attribute import open_call
from pellucid.attribution.baselines import Baseline, Filler, make_filler
from pellucid.attribution.inpainting import inpaint
from pellucid.errors import MethodError
from pellucid.model import Model


def fill(
    inputs: Tensor, keep: Tensor, baseline: Baseline, which: Tensor | None = None, **options: bool
) -> tuple[Filler, Tensor]:
    module = nn.Sequential(nn.Flatten(), nn.LazyLinear(1))
    module(inputs)
    with open_call(module, inputs, 0) as (call, _):
        filler = make_filler(call, baseline, **options)
        return filler, filler(keep, torch.arange(len(keep)) % len(inputs), which)


def test_constants_replace_what_is_hidden() -> None:
    pixels = torch.rand(2, 3, 2, 2)
    keep = torch.tensor([[[True, False], [False, False]], [[False, True], [True, True]]])
    _, found = fill(pixels, keep, 0.5)
    torch.testing.assert_close(found, torch.where(keep[:, None], pixels, 0.5))


def test_samples_of_data_take_turns() -> None:
    values, data = torch.rand(2, 3), torch.rand(5, 3)
    keep, which = torch.tensor([[True, False, True]] * 4), torch.tensor([0, 4, 1, 2])
    filler, found = fill(values, keep, data, which, several=True)
    assert filler.num_baselines == 5
    torch.testing.assert_close(found[:, 1], data[which, 1])
    torch.testing.assert_close(found[:, ::2], values[[0, 1, 0, 1]][:, ::2])


def test_as_many_samples_of_data_as_inputs_are_no_pairs() -> None:
    values, data = torch.rand(2, 3), torch.rand(2, 3)
    filler, _ = fill(values, torch.ones(2, 3, dtype=torch.bool), data, several=True)
    assert filler.num_baselines == 2
    paired, found = fill(values, torch.zeros(2, 3, dtype=torch.bool), data[None], several=True)
    assert paired.num_baselines == 1
    torch.testing.assert_close(found, data)


def test_data_of_another_shape() -> None:
    with pytest.raises(MethodError, match=r"shape \(5, 4\) were given; expected .* \(k, 3\)"):
        attribute(nn.Linear(3, 1), torch.rand(2, 3), method="owen", baseline=torch.rand(5, 4))
    with pytest.raises(MethodError, match="Samples of data to average over are for methods"):
        attribute(nn.Linear(3, 1), torch.rand(2, 3), method="lime", baseline=torch.rand(5, 3))


def test_values_are_means_over_samples_of_data() -> None:
    module, values = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2)), torch.rand(2, 3)
    data = torch.randn(4, 3)
    for method in ("exact_shapley", "shapley_sampling", "kernel_shap", "owen"):
        found = attribute(module, values, method=method, target=1, baseline=data)
        each = [attribute(module, values, method=method, target=1, baseline=row) for row in data]
        torch.testing.assert_close(found, torch.stack(each).mean(0), rtol=1e-4, atol=1e-5)


def test_inpainting_keeps_what_is_kept_and_continues_colours() -> None:
    pixels = torch.rand(2, 3, 13, 10)
    keep = torch.ones(2, 13, 10, dtype=torch.bool)
    keep[:, 4:9, 3:8] = False
    found = inpaint(pixels, keep)
    torch.testing.assert_close(found.permute(0, 2, 3, 1)[keep], pixels.permute(0, 2, 3, 1)[keep])
    flat = torch.full((1, 2, 13, 10), 0.7)
    torch.testing.assert_close(inpaint(flat, keep[:1]), flat)
    halves = torch.zeros(1, 1, 16, 16)
    halves[..., 8:] = 1
    hidden = torch.ones(1, 16, 16, dtype=torch.bool)
    hidden[:, 4:12, 2:5] = hidden[:, 4:12, 11:14] = False
    filled = inpaint(halves, hidden)
    assert filled[..., 2:5].max() < 0.3
    assert filled[..., 11:14].min() > 0.7


def test_nothing_to_continue_from_is_zero() -> None:
    found = inpaint(torch.rand(1, 3, 5, 9), torch.zeros(1, 5, 9, dtype=torch.bool))
    assert not found.any()


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 99))
def test_inpainted_colours_lie_between_kept_ones(height: int, width: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.randn(1, 2, height, width, generator=generator)
    keep = torch.rand(1, height, width, generator=generator) < 0.5
    keep[0, 0, 0] = True
    found = inpaint(pixels, keep)
    for channel in range(2):
        known = pixels[0, channel][keep[0]]
        assert found[0, channel].min() >= known.min() - 1e-5
        assert found[0, channel].max() <= known.max() + 1e-5


def test_inpainting_in_half_precision() -> None:
    pixels, keep = torch.rand(1, 3, 8, 8), torch.rand(1, 8, 8) < 0.5
    found = inpaint(pixels.bfloat16(), keep)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), inpaint(pixels, keep), rtol=0.02, atol=0.02)


def test_methods_with_one_neutral_input_have_no_inpainting(picture_model: Model) -> None:
    with pytest.raises(MethodError, match=r"'inpaint' depends on what is hidden.*'kernel_shap'"):
        attribute(picture_model, torch.rand(1, 3, 12, 12), baseline="inpaint")
    attribute(
        picture_model, torch.rand(1, 3, 12, 12), method="feature_ablation", baseline="inpaint"
    )
