from __future__ import annotations

import copy
import json

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn
from torch.nn import functional as F

import pellucid
from pellucid.data import UNLABELLED
from pellucid.errors import DataError, LayerError, ModelError, SpecError
from pellucid.inside.gradients import Gradients, inspect_gradients
from pellucid.inside.gradients.arrays import ratio_by_chance
from pellucid.inside.gradients.tally import Tally
from pellucid.model import Model

CLASSES = [2, 1, 0, 2, 1, 0, 2]  # of the seven pictures, as the model's outputs


def by_hand(model, data, classes):
    """Per-sample gradients of each parameter, slowly: (sample, …) by name."""
    module = copy.deepcopy(model.module).double().eval()
    found = {name: [] for name, _ in module.named_parameters()}
    for index, target in enumerate(classes):
        inputs = {n: t.double() for n, t in model.prepare([data.read(index)]).items()}
        module.zero_grad()
        F.cross_entropy(module(inputs[""]), torch.tensor([target])).backward()
        for name, parameter in module.named_parameters():
            found[name].append(parameter.grad.clone())
    return {name: torch.stack(gradients).numpy() for name, gradients in found.items()}


def test_every_figure_is_that_of_a_slow_loop(picture_model, pictures):
    found = inspect_gradients(picture_model, pictures, batch_size=2).data
    exact = by_hand(picture_model, pictures, CLASSES)
    batches = [[int(i[1:]) for i in part] for part in np.array_split(found["sample_id"].values, 4)]
    order = [int(name[1:]) for name in found["sample_id"].values]
    for name, parameter in picture_model.module.named_parameters():
        one, each = found.sel(tensor=name), exact[name]
        mean, weight = each.mean(0), parameter.detach().double().numpy()
        assert float(one["l2"]) == pytest.approx(np.linalg.norm(mean), rel=1e-4)
        assert float(one["fisher"]) == pytest.approx((each**2).mean(0).sum(), rel=1e-4)
        assert float(one["taylor"]) == pytest.approx(np.abs(weight * mean).sum(), rel=1e-4)
        norms = np.sqrt((each.reshape(7, -1) ** 2).sum(1))[order]
        np.testing.assert_allclose(one["sample_norm"], norms, rtol=1e-4)
        parts = np.stack([each[rows].mean(0) for rows in batches])
        noise = parts.std(0, ddof=1)
        varied = noise > 1e-9
        ratio = np.abs(parts.mean(0))[varied] / noise[varied]
        assert float(one["snr"]) == pytest.approx(np.median(ratio), rel=1e-3)


def test_the_flow_is_what_retained_gradients_say(picture_model, pictures):
    """Also behind an in-place ReLU, whose module overwrites the normalization's output."""
    found = inspect_gradients(picture_model, pictures.subset([3])).data
    module = copy.deepcopy(picture_model.module).eval()
    kept = {}
    for name in ("first", "norm", "second", "fc"):

        def keep(_module, _inputs, output, name=name):
            output.requires_grad_()
            output.retain_grad()
            kept[name] = output
            return output.clone()

        module.get_submodule(name).register_forward_hook(keep)
    logits = module(picture_model.prepare([pictures.read(3)])[""])
    F.cross_entropy(logits, torch.tensor([2])).backward()
    assert found["layer_output"].values.tolist() == list(kept)
    expected = [float(kept[name].grad.norm()) for name in kept]
    np.testing.assert_allclose(found["flow"].values[0], expected, rtol=1e-5)


def test_the_last_bias_is_probability_minus_target(wrapped, make_data):
    model = wrapped(nn.Linear(2, 3))
    with torch.no_grad():
        model.module.weight.zero_()
        model.module.bias.zero_()
    found = inspect_gradients(model, make_data([np.ones(2)], [1])).data
    gradient = np.array([1 / 3, -2 / 3, 1 / 3])
    assert float(found.sel(tensor="bias")["l2"]) == pytest.approx(np.linalg.norm(gradient))
    assert float(found.sel(tensor="weight")["fisher"]) == pytest.approx(2 * (gradient**2).sum())
    assert float(found.sel(tensor="weight")["taylor"]) == 0
    assert float(found["loss"][0]) == pytest.approx(np.log(3))


def test_nothing_of_the_model_or_the_random_state_changes(picture_model, pictures, unchanged):
    with unchanged(picture_model):
        found = inspect_gradients(picture_model, pictures)
    assert "frozen (requires_grad is off)" in found.summary()


def test_nothing_changes_after_an_error(picture_model, make_data, unchanged):
    broken = make_data([np.full((16, 16, 3), 7, np.uint8)], [9], kind="image")
    with unchanged(picture_model), pytest.raises(DataError, match="has class 9, but the model"):
        inspect_gradients(picture_model, broken)


def test_it_works_inside_no_grad_and_inference_mode(picture_model, pictures):
    with torch.inference_mode():
        inside = inspect_gradients(picture_model, pictures)
    np.testing.assert_array_equal(
        inside.data["l2"], inspect_gradients(picture_model, pictures).data["l2"]
    )


def test_without_labels_its_own_predictions_are_taken_and_it_says_so(picture_model, pictures):
    blind = pictures.subset(range(3))
    blind.targets[:] = UNLABELLED
    found = inspect_gradients(picture_model, blind)
    np.testing.assert_array_equal(found.data["target"], found.data["predicted"])
    assert "3 samples of 3 have no label that the model knows" in found.summary()


def test_layers_narrow_parameters_and_flow(picture_model, pictures):
    found = inspect_gradients(picture_model, pictures, layers=["fc", "act"]).data
    assert found["tensor"].values.tolist() == ["fc.weight", "fc.bias"]
    assert found["layer_output"].values.tolist() == ["act", "fc"]
    with pytest.raises(LayerError, match="Closest: 'fc'"):
        inspect_gradients(picture_model, pictures, layers="fcc")


def test_layers_that_are_never_reached_are_named(wrapped, make_data):
    module = nn.Sequential(nn.Linear(2, 2))
    module.forward = module[0].forward.__self__.forward
    module.add_module("unused", nn.Linear(2, 2))
    model = wrapped(_FirstOnly(module))
    data = make_data([np.ones(2), np.zeros(2)], [0, 1])
    found = inspect_gradients(model, data)
    assert "does not depend on parts.unused.weight and parts.unused.bias" in found.summary()
    with pytest.raises(LayerError, match=r"'parts.unused' took no part"):
        inspect_gradients(model, data, layers="parts.unused")


class _FirstOnly(nn.Module):
    def __init__(self, parts):
        super().__init__()
        self.parts = parts

    def forward(self, values):
        return self.parts[0](values)


def test_a_recurrent_model_has_gradients_by_gate(recurrent, make_data):
    rng = np.random.default_rng(0)
    data = make_data(list(rng.normal(size=(6, 7, 4))), [0, 1, 2, 0, 1, 2])
    found = inspect_gradients(recurrent, data).data
    exact = by_hand(recurrent, data, [0, 1, 2, 0, 1, 2])["lstm.weight_hh_l0"]
    gate = found.sel(tensor="lstm.weight_hh_l0 · forget gate")
    assert float(gate["fisher"]) == pytest.approx((exact[:, 5:10] ** 2).mean(0).sum(), rel=1e-4)
    assert found["layer_output"].values.tolist() == ["lstm", "fc"]
    assert (found["flow"].values > 0).all()


def test_the_flow_of_a_text_ends_at_the_embeddings(text_model, texts):
    found = inspect_gradients(text_model, texts)
    first = str(found.data["layer_output"].values[0])
    assert first.startswith("bert.embeddings.")
    assert "Gradients of the cross-entropy of 4 samples" in found.summary()


def test_vanishing_gradients_are_told(wrapped, make_data):
    torch.manual_seed(0)
    layers = [part for _ in range(12) for part in (nn.Linear(8, 8), nn.Sigmoid())]
    deep = wrapped(nn.Sequential(*layers, nn.Linear(8, 2)))
    data = make_data(list(np.random.default_rng(0).normal(size=(8, 8))), [0, 1] * 4)
    found = inspect_gradients(deep, data)
    assert "The gradient vanishes: from 24 back to 0" in found.summary()
    assert "vanishes" in found.headline()[1][2]


def test_a_single_sample_has_no_noise(picture_model, pictures):
    found = inspect_gradients(picture_model, pictures.subset([0]))
    assert np.isnan(found.data["snr"]).all()
    assert "Noise could not be told" in found.summary()
    assert found.views()
    json.dumps(found.to_json(), allow_nan=False)


def test_running_sums_are_those_of_numpy():
    each = np.random.default_rng(0).normal(1e3, 1, (12, 5))
    tally = Tally({"w": torch.zeros(5, dtype=torch.float64)})
    for place, gradient in enumerate(each):
        tally.add({"w": torch.from_numpy(gradient)})
        if place % 3 == 2:
            tally.end_batch()
    batches = each.reshape(4, 3, 5).mean(1)
    np.testing.assert_allclose(tally.mean("w"), each.mean(0))
    np.testing.assert_allclose(tally.fisher("w"), (each**2).mean(0))
    np.testing.assert_allclose(tally.noise("w"), batches.std(0, ddof=1))


def test_pure_noise_has_the_ratio_of_chance():
    drawn = np.random.default_rng(0).normal(size=(20_000, 6))
    ratio = np.abs(drawn.mean(1)) / drawn.std(1, ddof=1)
    assert np.median(ratio) == pytest.approx(ratio_by_chance(6), rel=0.03)
    assert ratio_by_chance(6) == pytest.approx(stats.t.ppf(0.75, 5) / 6**0.5)


def test_unreadable_samples_are_left_out_and_counted(picture_model, pictures, make_data):
    data = make_data(pictures.read.raws, pictures.targets, pictures.labels, "image", unreadable=[2])
    found = inspect_gradients(picture_model, data)
    assert "s2" not in found.data["sample_id"].values
    assert "1 of 7 samples could not be read" in found.summary()


def test_stopped_it_keeps_what_is_done(picture_model, pictures, monkeypatch):
    module, calls = picture_model.module, []

    def forward(pixels, forward=module.forward):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return forward(pixels)

    monkeypatch.setattr(module, "forward", forward)
    found = inspect_gradients(picture_model, pictures)
    assert found.data.sizes["sample"] == 3
    assert "Stopped by Ctrl-C after 3 of 7" in found.summary()


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (nn.Identity(), "no weights in floating-point numbers"),
        (nn.Sequential(nn.Linear(2, 1)), r"output of shape \(1, 1\)"),
        (nn.Sequential(nn.Linear(2, 2), nn.Threshold(9, float("nan"))), "not finite .* for 's"),
    ],
)
def test_models_without_gradients_of_a_loss_are_refused(module, message, wrapped, make_data):
    with pytest.raises(ModelError, match=message):
        inspect_gradients(wrapped(module), make_data([np.ones(2)] * 2, [0, 1]))


def test_bad_options_and_data_of_another_kind_are_refused(picture_model, pictures, texts):
    with pytest.raises(SpecError, match="batch_size=0"):
        inspect_gradients(picture_model, pictures, batch_size=0)
    with pytest.raises(DataError, match="kind 'text'"):
        inspect_gradients(picture_model, texts)


def test_saved_and_opened_it_is_the_same(picture_model, pictures, tmp_path):
    found = inspect_gradients(picture_model, pictures)
    opened = pellucid.open(found.save(tmp_path / "g.zarr"))
    assert isinstance(opened, Gradients)
    assert opened.summary() == found.summary()
    assert opened.to_json() == found.to_json()
    assert opened.table() == found.table()
    assert [view.title for view in opened.views()] == [view.title for view in found.views()]


@pytest.mark.slow
def test_all_views_can_be_drawn(picture_model: Model, pictures):
    assert inspect_gradients(picture_model, pictures).plot()
