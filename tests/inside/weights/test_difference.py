from __future__ import annotations

import copy
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import pellucid
from pellucid.errors import WeightsError
from pellucid.inside.weights import WeightsDifference, compare_weights
from pellucid.inside.weights.difference_words import change_words


@pytest.fixture
def tuned(picture_model):
    """The same model with a new head, and one filter that moved."""
    other = replace(picture_model, module=copy.deepcopy(picture_model.module))
    with torch.no_grad():
        other.module.fc.weight.mul_(-1.4)
        other.module.second.weight[4] += 0.05
    return other


def test_figures_worked_by_hand():
    before = {"a.weight": torch.tensor([[3.0, 4.0], [0.0, 2.0]]), "a.bias": torch.zeros(2)}
    after = {"a.weight": torch.tensor([[3.0, 4.0], [0.0, -2.0]]), "a.bias": torch.ones(2)}
    found = compare_weights(before, after).data
    weight = found.sel(tensor="a.weight")
    assert float(weight["relative"]) == pytest.approx(4 / 29**0.5)
    assert float(weight["cosine"]) == pytest.approx((25 - 4) / 29)
    assert float(weight["max_change"]) == 4
    assert int(weight["num_changed"]) == 1
    assert weight["top_row"].values.tolist() == [1]
    assert weight["top_relative"].values == pytest.approx([4 / 3.5])  # the median row is 3.5 long
    bias = found.sel(tensor="a.bias")
    assert np.isnan(bias["relative"])
    assert np.isnan(bias["cosine"])


def test_which_part_changed_is_told(picture_model, tuned):
    found = compare_weights(picture_model, tuned)
    assert float(found.data.sel(tensor="fc.weight")["cosine"]) == pytest.approx(-1)
    assert float(found.data.sel(tensor="fc.weight")["relative"]) == pytest.approx(2.4)
    assert found.data.sel(tensor="second.weight")["top_row"].values.tolist() == [4, -1, -1]
    words = found.summary()
    assert "fc by 2" in words
    assert "less than 0.1 %: first and norm" in words
    assert "fc.weight points another way" in words
    assert found.data["group"].values.tolist() == ["first", "norm", "second", "fc"]
    assert found.headline()[1][1] == "fc"


def test_equal_weights_are_equal(picture_model):
    found = compare_weights(picture_model, picture_model.module.state_dict())
    assert "Nothing changed" in found.summary()
    assert float(found.data["relative"].max()) == 0
    assert found.headline()[0][1] == "not at all"
    assert found.views()


def test_what_cannot_be_compared_is_named():
    before = {"a": torch.ones(2), "gone": torch.ones(1), "head": torch.ones(2, 3)}
    after = {"a": torch.ones(2), "new": torch.ones(1), "head": torch.ones(5, 3)}
    found = compare_weights(before, after)
    assert found.data["only_before"].values.tolist() == ["gone"]
    assert found.data["only_after"].values.tolist() == ["new"]
    assert "Of another shape: head (2 × 3 → 5 × 3)." in found.summary()
    assert found.views()[-1].title == "Not to be compared"


def test_prefixes_of_wrappers_do_not_count(picture_model):
    state = {f"module.{k}": v for k, v in picture_model.module.state_dict().items()}
    found = compare_weights(state, picture_model)
    assert found.data.sizes["tensor"] == 10
    assert found.data.sizes["missing"] == 0


def test_other_architectures_and_other_things_are_refused(picture_model):
    with pytest.raises(WeightsError, match="no tensor of the same name and shape"):
        compare_weights(picture_model, {"x": torch.ones(1)})
    with pytest.raises(WeightsError, match="before=int was given; expected a Model or a state"):
        compare_weights(3, picture_model)
    with pytest.raises(WeightsError, match="hold no floating-point tensor"):
        compare_weights(picture_model, nn.Identity().state_dict())


def test_types_may_differ(picture_model):
    half = {k: v.bfloat16() for k, v in picture_model.module.state_dict().items()}
    found = compare_weights(picture_model, half)
    assert 0 < float(found.data["relative"].max()) < 0.01


@pytest.mark.parametrize(
    ("change", "words"),
    [(0, "not at all"), (5e-4, "less than 0.1 %"), (0.0123, "1.2 %"), (1.4, "140 %")],
)
def test_changes_in_words(change, words):
    assert change_words(change) == words


def test_saved_and_opened_it_is_the_same(picture_model, tuned, tmp_path):
    found = compare_weights(picture_model, tuned)
    opened = pellucid.open(found.save(tmp_path / "d.zarr"))
    assert isinstance(opened, WeightsDifference)
    assert opened.summary() == found.summary()
    assert opened.table() == found.table()
    json.dumps(opened.to_json(), allow_nan=False)
    assert len(opened.views()) == len(found.views())
