"""Deletion and insertion: worked by hand, against slow loops, and controls in the same units."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from pellucid.attribution.attribute import open_call
from pellucid.attribution.baselines import make_baseline
from pellucid.attribution.call import Attribution
from pellucid.attribution.faithfulness.curves import deletion, insertion
from pellucid.attribution.faithfulness.measures import Entry, measure

MEASURES: Any = {"deletion": deletion, "insertion": insertion}


def test_deletion_of_a_sum_by_hand(opened: Any, subject: Any, total: Any) -> None:
    values = torch.tensor([[3.0, 1.0, 2.0, 0.0]])
    call = opened(total, values)
    found = deletion(subject(call, values), steps=4, score="logit")
    # 6, then without 3, without 2, without 1, without 0; as shares of 6
    torch.testing.assert_close(found.curves[0, 0], torch.tensor([6, 3, 1, 0, 0]) / 6)
    torch.testing.assert_close(found.values[0, 0], torch.tensor((6 / 2 + 3 + 1) / 6 / 4))


def test_insertion_of_a_sum_by_hand(opened: Any, subject: Any, total: Any) -> None:
    values = torch.tensor([[3.0, 1.0, 2.0, 0.0]])
    call = opened(total, values)
    found = insertion(subject(call, values), steps=4, score="logit")
    torch.testing.assert_close(found.curves[0, 0], torch.tensor([0, 3, 5, 6, 6]) / 6)


def test_the_probability_is_that_of_the_class(opened: Any, subject: Any, total: Any) -> None:
    values = torch.tensor([[3.0, -1.0]])
    call = opened(total, values)
    found = deletion(subject(call, values), steps=2)
    torch.testing.assert_close(found.curves[0, 0], torch.tensor([2.0, -1.0, 0.0]).sigmoid())


def test_a_difference_of_classes_is_normalised(opened: Any, subject: Any) -> None:
    module = torch.nn.Linear(2, 2, bias=False)
    module.weight.data = torch.tensor([[1.0, 2.0], [0.0, 1.0]])
    values = torch.tensor([[3.0, 1.0]])  # logits 5 and 1, without the first value 2 and 1
    call = opened(module, values, 0, against=1)
    found = deletion(subject(call, values), steps=2)
    torch.testing.assert_close(found.curves[0, 0], torch.tensor([1.0, 0.25, 0.0]))


def test_a_logit_that_hiding_does_not_change_has_no_curve(
    opened: Any, subject: Any, total: Any
) -> None:
    call = opened(total, torch.zeros(1, 3))
    assert deletion(subject(call, torch.ones(1, 3)), score="logit").values.isnan().all()


@pytest.mark.parametrize("name", ["deletion", "insertion"])
def test_slow_loop(
    name: str, opened: Any, subject: Any, picture_model: Any, pixels: Tensor
) -> None:
    call = opened(picture_model, pixels, "predicted")
    generator = torch.Generator().manual_seed(0)
    maps = torch.randn(5, 12, 12, generator=generator)
    found = MEASURES[name](subject(call, maps), steps=5, cells=6)
    blank = make_baseline(call, "zero" if name == "deletion" else "blur")
    for sample in range(5):
        means = maps[sample].view(6, 2, 6, 2).mean((1, 3)).flatten()
        order = np.argsort(-means.numpy(), kind="stable")
        scores = []
        for step in range(6):
            chosen = torch.zeros(36, dtype=torch.bool)
            chosen[order[: round(36 * step / 5)]] = True
            cover = chosen.view(6, 6).repeat_interleave(2, 0).repeat_interleave(2, 1)
            cover = cover if name == "deletion" else ~cover
            picture = torch.where(cover, blank[sample], pixels[sample])[None]
            with torch.no_grad():
                odds = picture_model.module.eval()(picture).softmax(1)
            scores.append(float(odds[0, call.targets[sample]]))
        area = sum((a + b) / 2 for a, b in itertools.pairwise(scores)) / 5
        assert float(found.values[0, sample]) == pytest.approx(area, abs=1e-5)


def test_the_right_map_beats_all_controls_and_the_inverted_one_none(
    opened: Any, subject: Any, corner: Any, corner_pictures: Tensor, corner_map: Tensor
) -> None:
    call = opened(corner, corner_pictures)
    names = ("random", "constant", "centre", "edges")
    found = subject(call, corner_map, -corner_map, controls=names)
    for measure_, sign in ((deletion, -1), (insertion, 1)):
        right, wrong, *controls = sign * measure_(found, baseline="zero").values.mean(1)
        assert all(right > control > wrong for control in controls)


def test_steps_beyond_the_units_repeat_the_curve(opened: Any, subject: Any, total: Any) -> None:
    values = torch.tensor([[3.0, 1.0]])
    call = opened(total, values)
    before = int(call.forwards[0])
    found = deletion(subject(call, values), steps=8, score="logit")
    counts = (torch.arange(9) / 8 * 2).round().int()
    expected = torch.tensor([1.0, 0.25, 0.0])[counts]
    torch.testing.assert_close(found.curves[0, 0], expected)
    assert int(call.forwards[0]) - before <= 3  # the whole, all hidden, one hidden


def test_special_tokens_stay(opened: Any, subject: Any, text_model: Any) -> None:
    inputs = text_model.prepare(["good film", "a very bad film"])
    call = opened(text_model, inputs, "predicted")
    generator = torch.Generator().manual_seed(0)
    maps = torch.randn(2, call.explained.shape[1], generator=generator)
    found = subject(call, maps)
    strong = maps.clone()
    strong[:, 0] = 100.0  # [CLS] is first however strong it is
    again = subject(call, strong)
    torch.testing.assert_close(deletion(found).values, deletion(again).values)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), size=st.integers(2, 4))
def test_a_batch_is_its_samples(seed: int, size: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    module = torch.nn.Sequential(torch.nn.Linear(6, 5), torch.nn.Tanh(), torch.nn.Linear(5, 3))
    values = torch.randn(size, 6, generator=generator)
    maps = torch.randn(size, 6, generator=generator)

    def measured(rows: slice) -> dict[str, Any]:
        with open_call(module, values[rows], "predicted") as (call, _):
            entry = Entry(name="given", attribution=Attribution(values=maps[rows], resolution=""))
            names = ("deletion", "insertion", "sensitivity_n", "infidelity", "sparseness")
            return measure(call, [entry], names).values

    whole = measured(slice(None))
    for sample in range(size):
        single = measured(slice(sample, sample + 1))
        for name, found in single.items():
            np.testing.assert_allclose(found[:, 0], whole[name][:, sample], atol=1e-5)


def test_the_model_and_the_passes_are_bounded(
    opened: Any, subject: Any, picture_model: Any, pixels: Tensor, unchanged: Any
) -> None:
    with (
        unchanged(picture_model.module),
        open_call(picture_model, pixels, 0, max_batch=3) as (call, _),
    ):
        seen: list[int] = []
        hook = picture_model.module.first.register_forward_hook(
            lambda _m, _a, out: seen.append(len(out))
        )
        deletion(subject(call, pixels.mean(1), controls=("random",)))
        hook.remove()
    assert max(seen) <= 3
