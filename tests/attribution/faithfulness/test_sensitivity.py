"""Sensitivity-n, infidelity and max-sensitivity: closed forms, slow loops, and Captum."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from pellucid.attribution.attribute import open_call
from pellucid.attribution.call import Attribution, Call
from pellucid.attribution.faithfulness.infidelity import infidelity
from pellucid.attribution.faithfulness.sensitivity import max_sensitivity, sensitivity_n
from pellucid.attribution.faithfulness.subject import Subject
from pellucid.attribution.faithfulness.subsets import removals


def alone(call: Call, maps: Tensor, **rest: Any) -> Subject:
    return Subject(call=call, maps=maps[None].flatten(2).float(), explain=(None,), **rest)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), size=st.integers(3, 9))
def test_a_sum_and_its_terms_are_perfect(seed: int, size: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    weights = torch.randn(1, size, generator=generator)
    values = torch.randn(2, size, generator=generator)
    module = nn.Linear(size, 1, bias=False)
    module.weight.data = weights
    with open_call(module, values, 0) as (call, _):
        right = alone(call, weights * values)
        torch.testing.assert_close(sensitivity_n(right).values, torch.ones(1, 2))
        torch.testing.assert_close(infidelity(right).values, torch.zeros(1, 2), atol=1e-6, rtol=0)
        unscaled = infidelity(right, scaled=False).values
        torch.testing.assert_close(unscaled, torch.zeros(1, 2), atol=1e-6, rtol=0)
        larger = alone(call, 7 * weights * values)
        torch.testing.assert_close(infidelity(larger).values, torch.zeros(1, 2), atol=1e-6, rtol=0)
        wrong = alone(call, -weights * values)
        torch.testing.assert_close(sensitivity_n(wrong).values, -torch.ones(1, 2))
        torch.testing.assert_close(infidelity(wrong).values, torch.ones(1, 2))


def test_what_knows_nothing_has_no_correlation(opened: Any, total: Any) -> None:
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(30, 40, generator=generator)
    noise = alone(opened(total, values), torch.randn(30, 40, generator=generator))
    assert abs(float(sensitivity_n(noise).values.mean())) < 0.1
    assert float(infidelity(noise).values.mean()) > 0.7


def test_a_score_that_never_changes_is_not_measured(opened: Any, total: Any) -> None:
    nothing = alone(opened(total, torch.zeros(1, 5)), torch.ones(1, 5))
    assert sensitivity_n(nothing).values.isnan().all()
    assert infidelity(nothing).values.isnan().all()


def test_an_empty_map_has_the_worst_values(opened: Any, total: Any) -> None:
    nothing = alone(opened(total, torch.rand(1, 5)), torch.zeros(1, 5))
    assert sensitivity_n(nothing).values.tolist() == [[0.0]]
    assert infidelity(nothing).values.tolist() == [[1.0]]


def test_slow_loop(opened: Any, picture_model: Any, pixels: Tensor) -> None:
    call = opened(picture_model, pixels[:2], "predicted")
    maps = torch.randn(2, 12, 12, generator=torch.Generator().manual_seed(0))
    given_ = alone(call, maps)
    found = removals(given_, torch.tensor([0.25, 0.5]), None, 6)
    for sample, generator in enumerate(given_.generators()):
        keys = torch.rand(2, 36, generator=generator)
        for subset, count in enumerate((9, 18)):
            hidden = torch.zeros(36, dtype=torch.bool)
            hidden[keys[subset].argsort()[:count]] = True
            cover = hidden.view(6, 6).repeat_interleave(2, 0).repeat_interleave(2, 1)
            picture = pixels[sample].masked_fill(cover, 0)[None]
            with torch.no_grad():
                score = picture_model.module.eval()(picture)[0, call.targets[sample]]
            lost = float(call.own_scores[sample] - score)
            assert float(found.lost[sample, subset]) == pytest.approx(lost, abs=1e-5)
            promised = float(maps[sample][cover].sum())
            assert float(found.promised[0, sample, subset]) == pytest.approx(promised, abs=1e-4)


def gradient(call: Call) -> Attribution:
    return Attribution(values=call.own_gradients(), resolution="")


class Square(nn.Module):
    """One logit, Σ x²: its gradient is 2 x."""

    def forward(self, values: Tensor) -> Tensor:
        return values.square().sum(1, keepdim=True)


def test_max_sensitivity_of_a_gradient_by_hand(opened: Any) -> None:
    values = torch.tensor([[3.0, 4.0]])  # standard deviation 1/2, norm 5
    call = opened(Square(), values)
    given_ = Subject(call=call, maps=2 * values[None], explain=(gradient,))
    found = max_sensitivity(given_, radius=0.2, draws=6).values
    (generator,) = given_.generators()
    noises = [2 * torch.rand(2, generator=generator) - 1 for _ in range(6)]
    expected = max(float((0.1 * noise).norm()) / 5 for noise in noises)
    assert float(found) == pytest.approx(expected, rel=1e-5)
    assert float(found) <= 0.1 * 2**0.5 / 5


def test_max_sensitivity_explains_the_same_class(opened: Any) -> None:
    module = nn.Linear(2, 2, bias=False)
    module.weight.data = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    call = opened(module, torch.tensor([[1.0, 1.001]]), "predicted")
    given_ = Subject(call=call, maps=gradient(call).values[None], explain=(gradient,))
    assert float(max_sensitivity(given_, radius=10.0, draws=16).values) == 0


def test_controls_have_no_max_sensitivity(opened: Any, subject: Any) -> None:
    call = opened(Square(), torch.tensor([[3.0, 4.0]]))
    found = max_sensitivity(
        subject(call, call.explained, explain=(gradient,), controls=("random",))
    )
    assert found.values.isnan().flatten().tolist() == [False, True]


@pytest.mark.oracle
def test_infidelity_as_captum_has_it(opened: Any) -> None:
    from captum.metrics import infidelity as captum_infidelity
    from captum.metrics import infidelity_perturb_func_decorator

    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(8, 6), nn.Tanh(), nn.Linear(6, 2)).eval()
    values = torch.randn(3, 8)
    maps = torch.randn(3, 8)
    given_ = alone(opened(module, values, 1), maps)
    hidden = []
    for generator in given_.generators():
        counts = (8 * torch.linspace(0, 1, 16)).round().clamp(min=1)
        keys = torch.rand(16, 8, generator=generator)
        hidden.append(keys.argsort(-1).argsort(-1) < counts[:, None])
    covers = torch.stack(hidden)

    @infidelity_perturb_func_decorator(multiply_by_inputs=True)
    def without(inputs: Tensor) -> Tensor:
        return inputs.masked_fill(covers.flatten(0, 1), 0)

    expected = captum_infidelity(
        module, without, values, maps, target=1, n_perturb_samples=16, max_examples_per_batch=48
    )
    found = infidelity(given_, subsets=16, scaled=False).values[0]
    torch.testing.assert_close(found, expected.float(), rtol=1e-4, atol=1e-6)


@pytest.mark.oracle
def test_max_sensitivity_as_captum_has_it(opened: Any) -> None:
    from captum.attr import Saliency
    from captum.metrics import sensitivity_max

    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(8, 6), nn.Tanh(), nn.Linear(6, 2)).eval()
    values = torch.randn(3, 8)
    call = opened(module, values, 1)
    given_ = Subject(call=call, maps=gradient(call).values[None], explain=(gradient,))
    reach = 0.5 * values.std(1, correction=0)
    noises = [
        torch.stack([2 * torch.rand(8, generator=each) - 1 for _ in range(4)])
        for each in given_.generators()
    ]
    moved = torch.cat([values[i] + reach[i] * noises[i] for i in range(3)])

    def slopes(inputs: tuple[Tensor], **_: Any) -> tuple[Tensor]:
        leaf = inputs[0].detach().requires_grad_()
        return (Saliency(module).attribute(leaf, target=1, abs=False),)

    expected = sensitivity_max(
        slopes,
        values,
        perturb_func=lambda _inputs, _radius: (moved,),
        n_perturb_samples=4,
    )
    found = max_sensitivity(given_, radius=0.5, draws=4).values[0]
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-4)
