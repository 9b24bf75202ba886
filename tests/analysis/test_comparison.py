import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from pellucid.analysis.comparison import Comparison, compare
from pellucid.analysis.comparison_arrays import BOTH, NEITHER, NOT_JUDGED, ONLY_A, ONLY_B
from pellucid.errors import DataError, MethodError, ModelError, SpecError
from pellucid.result.store import open_result

LABELS = ("ant", "bee", "cow")
TARGET = [0, 0, 1, 1, 2, 2]
ANSWERS_A = [0, 0, 1, 0, 2, 1]
ANSWERS_B = [0, 1, 1, 1, 2, 0]


class Answers(nn.Module):
    """Gives the answer that comes second in its input, or first, with logit 4."""

    def __init__(self, place: int, order: list[int]) -> None:
        super().__init__()
        self.place, self.order = place, order
        self.weight = nn.Parameter(torch.tensor(float(place)))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        picked = nn.functional.one_hot(inputs[:, self.place].long(), 3)[:, self.order]
        return 4.0 * picked + inputs[:, :1] * 0


@pytest.fixture(scope="module")
def models(identity_model):
    """B has its outputs in another order than A."""
    first = identity_model(LABELS, Answers(0, [0, 1, 2]))
    second = identity_model(("cow", "ant", "bee"), Answers(1, [2, 0, 1]))
    return first, second


@pytest.fixture(scope="module")
def samples(make_data):
    rows = np.stack([ANSWERS_A, ANSWERS_B], 1).astype(np.float32)
    return make_data(list(rows), TARGET, LABELS)


@pytest.fixture(scope="module")
def by_hand(models, samples):
    return compare(*models, samples, num_explained=0)


def test_figures_worked_by_hand(by_hand):
    data = by_hand.data
    sure = np.exp(4) / (np.exp(4) + 2)
    assert data["label"].values.tolist() == list(LABELS)
    assert data["predicted"].values.tolist() == [ANSWERS_A, ANSWERS_B]
    assert data["outcome"].values.tolist() == [BOTH, ONLY_A, BOTH, ONLY_B, BOTH, NEITHER]
    assert data["agreement_matrix"].values.tolist() == [[3, 1], [1, 1]]
    np.testing.assert_allclose(data["accuracy"], [4 / 6, 4 / 6])
    np.testing.assert_allclose(data["confidence"], sure, rtol=1e-6)
    low = (1 - sure) / 2
    np.testing.assert_allclose(
        data["change"], [0, low - sure, 0, sure - low, 0, 0], rtol=1e-5, atol=1e-6
    )
    assert float(data["mcnemar_p"]) == 1
    assert float(data["accuracy_gain"]) == 0
    assert float(data["same_answer"]) == pytest.approx(0.5)
    assert float(data["mean_absolute_change"]) == pytest.approx((sure - low) / 3)


def test_summary_and_json_say_it(by_hand):
    summary = by_hand.summary()
    assert "right on 1 sample that A got wrong, and wrong on 1 that A got right" in summary
    assert "can be chance" in summary
    found = by_hand.to_json()
    json.dumps(found, allow_nan=False)
    assert found["agreement"] == {
        "both_right": 3, "only_a_right": 1, "only_b_right": 1, "neither_right": 1,
    }  # fmt: skip
    answers = {sample["sample"]: sample["answers"]["B"]["label"] for sample in found["changed"]}
    assert answers == {"s1": "bee", "s3": "bee", "s5": "ant"}
    assert found["changed"][2]["sample"] == "s5"
    assert found["provenance"]["model"]["weights"] == by_hand.meta.model.weights
    assert found["provenance"]["parameters"]["model_a"]["source"] == "identity"


def test_a_model_against_itself_is_the_same_everywhere(pictures):
    model, data = pictures
    found = compare(model, model, data, limit=40, num_explained=2, methods="saliency")
    assert float(found.data["same_answer"]) == 1
    np.testing.assert_array_equal(found.data["change"], 0)
    np.testing.assert_allclose(found.data["rank_correlation"], 1)
    np.testing.assert_allclose(found.data["top_overlap"], 1)
    assert "The weights of A and B are the same." in found.summary()
    assert "No sample flipped" in found.summary()


@pytest.fixture(scope="module")
def other_pictures(pictures):
    """The model of `pictures` with noise in its last layer; and 200 of the pictures."""
    model, data = pictures
    worse = nn.Linear(64, 10)
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(1)
        worse.weight.copy_(model.module[3].weight + 0.2 * torch.randn(10, 64))
        worse.bias.copy_(model.module[3].bias)
    module = nn.Sequential(*model.module[:3], worse)
    return model, replace(model, module=module, source="worse"), data.subset(range(200))


@pytest.fixture(scope="module")
def pair(other_pictures):
    first, second, data = other_pictures
    return compare(first, second, data, methods=["saliency", "occlusion"], num_explained=5)


def test_flips_are_explained_first_and_for_the_true_class(pair):
    data = pair.data
    counts = data["agreement_matrix"].values
    assert counts[0, 1] > 3
    outcome = data["outcome"].values[data["explained_sample"].values]
    assert set(outcome.tolist()) <= {ONLY_A, ONLY_B}
    assert len(outcome) == 5
    for side in "ab":
        assert (
            data[f"target_label_{side}"].values.tolist()
            == data[f"true_label_{side}"].values.tolist()
        )
        assert data[f"attribution_{side}"].sizes["method"] == 2
    assert data["rank_correlation"].dims == ("method", "explained")
    assert (data["rank_correlation"] < 1).all()


def test_saved_equals_loaded(pair, tmp_path):
    loaded = open_result(pair.save(tmp_path / "comparison.zarr"))
    again = Comparison(data=loaded.data, meta=loaded.meta)
    assert again.data.identical(pair.data)
    assert again.to_json() == pair.to_json()
    assert [view.title for view in again.views()] == [view.title for view in pair.views()]


def test_models_stay_as_they_are(other_pictures):
    first, second, data = other_pictures
    before = [model.identity for model in (first, second)]
    modes = [model.module.training for model in (first, second)]
    compare(first, second, data, limit=10, num_explained=1, methods="integrated_gradients")
    assert [model.identity for model in (first, second)] == before
    assert [model.module.training for model in (first, second)] == modes


def test_a_class_that_one_model_does_not_know_is_not_held_against_it(
    models, identity_model, samples
):
    narrow = identity_model(("cow", "ant", "yak"), Answers(1, [2, 0, 1]))
    found = compare(models[0], narrow, samples, num_explained=0)
    assert found.data["judged"].values[1].tolist() == [True, True, False, False, True, True]
    assert found.data["outcome"].values.tolist() == [BOTH, ONLY_A, *2 * [NOT_JUDGED], BOTH, NEITHER]
    assert "Only B knows yak." in found.summary()
    assert "Only A knows bee." in found.summary()


def test_models_without_a_common_class_are_compared_by_confidence_and_maps(models, samples):
    stranger = replace(models[1], labels=("x", "y", "z"))
    found = compare(models[0], stranger, samples, methods="saliency", num_explained=2)
    assert np.isnan(found.data["same_answer"])
    assert (found.data["compared_class"] == -1).all()
    np.testing.assert_array_equal(found.data["probability"], found.data["confidence"])
    assert found.data["num_judged"].values.tolist() == [6, 0]
    summary = found.summary()
    assert "share no class by name" in summary
    assert "B knows none of the samples' classes." in summary
    assert found.data["target_label_b"].values[0] in ("x", "y", "z")
    titles = [view.title for view in found.views()]
    assert "Which answers go with which" in titles
    assert not any("flipped" in title or "different" in title for title in titles)


def test_without_labels_answers_are_compared(models, samples):
    found = compare(*models, replace(samples, targets=np.full(6, -1)), num_explained=0)
    assert float(found.data["same_answer"]) == pytest.approx(0.5)
    assert found.data["compared_class"].values.tolist() == ANSWERS_A
    assert np.isnan(found.data["accuracy"]).all()
    assert "No sample has a label that either model knows" in found.summary()
    titles = [view.title for view in found.views()]
    assert "Who is right where" not in titles
    assert "What got different answers" in titles


def test_training_samples_and_unreadable_ones_are_told(models, make_data):
    rows = np.stack([ANSWERS_A, ANSWERS_B], 1).astype(np.float32)
    data = make_data(list(rows), TARGET, LABELS, unreadable=[2])
    found = compare(*models, data, num_explained=0, training_ids=["s0", "elsewhere"])
    assert found.data.sizes["sample"] == 5
    assert "1 of 5 samples was used in training" in found.summary()
    assert "1 sample could not be read" in found.summary()


def test_texts_of_two_tokenizers(tiny_bert, make_data):
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "fine", "film", "dull", "plot"]
    first = tiny_bert(words, 1)
    second = tiny_bert([*words, "[MASK]"], 2)
    texts = ["a fine film", "a dull plot", "dull film", "a fine plot"]
    data = make_data(texts, [1, 0, 0, 1], ("negative", "positive"), kind="text")
    found = compare(first, second, data, num_explained=2)
    assert found.meta.method == "integrated_gradients"
    assert found.data["snippets"].values[0] in texts
    assert np.isfinite(found.data["top_overlap"]).all()
    tokens = [view for view in found.views() if type(view).__name__ == "Tokens"]
    assert [view.title.rpartition(" · ")[2] for view in tokens] == ["model A", "model B"] * 2
    assert tokens[0].sample == tokens[1].sample


def test_what_does_not_fit_is_refused_before_the_work(models, samples, tiny_bert):
    with pytest.raises(SpecError, match="saliensy"):
        compare(*models, samples, methods="saliensy")
    text = tiny_bert(["[PAD]", "[UNK]", "[CLS]", "[SEP]"], 1)
    with pytest.raises(MethodError, match="'grad_cam' is not defined for texts"):
        compare(text, text, replace(samples, kind="text"), methods="grad_cam")
    with pytest.raises(DataError, match="holds samples of kind"):
        compare(models[0], text, samples)
    with pytest.raises(ModelError, match="names 2 classes, but gives 3 outputs"):
        compare(models[0], replace(models[1], labels=("a", "b")), samples)
    with pytest.raises(DataError, match="a sample has class 7"):
        compare(*models, replace(samples, targets=np.array([7, 0, 0, 0, 0, 0])))
