"""Sparseness: the Gini index, worked by hand and by its other formula."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.attribution.attribute import open_call
from pellucid.attribution.faithfulness.sparseness import sparseness
from pellucid.attribution.faithfulness.subject import Subject


@pytest.mark.parametrize(
    ("values", "gini"),
    [([1, 1, 1, 1], 0.0), ([0, 0, 0, 5], 0.75), ([0, 0, 0, -5], 0.75), ([0, 0, 2, 2], 0.5)],
)
def test_by_hand(values: list[float], gini: float, opened: Any, subject: Any, total: Any) -> None:
    maps = torch.tensor([values], dtype=torch.float32)
    found = sparseness(subject(opened(total, maps + 1), maps))
    assert float(found.values[0, 0]) == pytest.approx(gini)


def test_a_map_of_zeros_has_none(opened: Any, subject: Any, total: Any) -> None:
    maps = torch.zeros(1, 4)
    assert float(sparseness(subject(opened(total, maps), maps)).values[0, 0]) == 0


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), size=st.integers(2, 30))
def test_half_the_mean_difference_of_all_pairs(seed: int, size: int) -> None:
    values = torch.randn(1, size, generator=torch.Generator().manual_seed(seed))
    strength = values[0].abs().double()
    expected = (strength[:, None] - strength).abs().mean() / (2 * strength.mean())
    with open_call(torch.nn.Linear(size, 2), values, 0) as (call, _):
        found = sparseness(Subject(call=call, maps=values[None], explain=(None,)))
    assert float(found.values[0, 0]) == pytest.approx(float(expected), abs=1e-6)


def test_padding_does_not_make_a_text_sparse(opened: Any, subject: Any, text_model: Any) -> None:
    single = opened(text_model, text_model.prepare(["good film"]))
    both = opened(text_model, text_model.prepare(["good film", "a very bad film a very bad film"]))
    maps = torch.zeros(2, both.explained.shape[1])
    maps[:, 1], maps[:, 2] = 3.0, 1.0
    alone = sparseness(subject(single, maps[:1, : single.explained.shape[1]])).values[0, 0]
    assert sparseness(subject(both, maps)).values[0, 0] == alone == 0.25
