from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from torch import nn

import pellucid
from pellucid.errors import DataError, ModelError, SpecError
from pellucid.inside.sensitivity import Sensitivity, inspect_sensitivity
from pellucid.model import ImageInput
from pellucid.views import ImageGrid, Lines, Matrix, Table


class Brightness(nn.Module):
    """Class 1 where a picture is brighter than 0.5 on average."""

    def forward(self, pixels):
        level = pixels.mean((1, 2, 3))
        return torch.stack([torch.zeros_like(level), 20 * (level - 0.5)], 1)


@pytest.fixture
def brightness(wrapped):
    record = ImageInput(size=(8, 8), resize=None, mean=(0.0,) * 3, std=(1.0,) * 3)
    return wrapped(Brightness(), input=record, labels=("dark", "light"))


@pytest.fixture
def greys(make_data):
    """Flat pictures at grey levels 60, 90, 150 and 180; the middle is 127.5."""
    raws = [np.full((8, 8, 3), level, np.uint8) for level in (60, 90, 150, 180)]
    return make_data(raws, [-1] * 4, kind="image")


def test_a_known_threshold_is_found(brightness, greys):
    """Pictures 60 and 90 turn light at +67.5 and +37.5, 150 and 180 dark at -22.5 and -52.5."""
    found = inspect_sensitivity(brightness, greys, changes="brightness", num_steps=64)
    one = found.data.isel(change=0)
    np.testing.assert_allclose(one["first_change"], [70, 40, 25, 55])
    assert one["original_label"].values.tolist() == ["dark", "dark", "light", "light"]
    level = (150 + one["strength"].values[10]) / 255
    expected = 1 / (1 + np.exp(-20 * (level - 0.5)))
    assert float(one["probability"].values[10, 2]) == pytest.approx(max(expected, 0), abs=1e-2)
    half = float(one["half_strength"])
    assert abs(half) == pytest.approx(52.5, abs=5)
    assert "Half of the predictions have changed at brightness of −" in found.summary()


def test_what_does_not_matter_does_not_matter(brightness, greys):
    found = inspect_sensitivity(
        brightness, greys, changes=["blur", "rotation", "crop"], num_steps=3
    )
    assert (found.data["share_unchanged"] == 1).all()
    assert np.isnan(found.data["half_strength"]).all()
    assert "They never do for blur (up to 2 pixels), rotation" in found.summary()


def test_strength_zero_is_the_sample_as_it_is(picture_model, pictures):
    found = inspect_sensitivity(picture_model, pictures, num_steps=2).data
    logits = picture_model.logits
    with picture_model.evaluating(), torch.inference_mode():
        raws = [pictures.read(index) for index in range(7)]
        exact = logits(picture_model.prepare(raws)).softmax(1).max(1).values.numpy()
    for row in range(found.sizes["change"]):
        zero = np.flatnonzero(found["strength"].values[row] == 0)[0]
        np.testing.assert_allclose(found["probability"].values[row, zero], exact, rtol=1e-5)
        assert found["unchanged"].values[row, zero].all()


def test_means_and_bands_are_over_samples(picture_model, pictures):
    found = inspect_sensitivity(picture_model, pictures, changes="noise", num_steps=4).data
    mean = found["probability"].values.mean(-1)
    np.testing.assert_allclose(found["mean_probability"], mean)
    assert (found["mean_probability_low"].values <= mean).all()
    assert (found["mean_probability_high"].values >= mean).all()
    np.testing.assert_allclose(found["share_unchanged"], found["unchanged"].values.mean(-1))


def test_the_same_seed_gives_the_same_curves_in_any_batches(picture_model, pictures):
    first = inspect_sensitivity(picture_model, pictures, num_steps=3)
    again = inspect_sensitivity(picture_model, pictures, num_steps=3, batch_size=2)
    np.testing.assert_allclose(again.data["probability"], first.data["probability"], atol=1e-6)
    other = inspect_sensitivity(picture_model, pictures, num_steps=3, seed=1)
    assert not np.allclose(other.data["probability"], first.data["probability"])


def test_nothing_of_the_model_or_the_random_state_changes(picture_model, pictures, unchanged):
    with unchanged(picture_model):
        inspect_sensitivity(picture_model, pictures, num_steps=2, limit=2)


def test_views_of_pictures_show_curves_examples_and_samples(picture_model, pictures):
    views = inspect_sensitivity(picture_model, pictures, num_steps=4).views()
    assert sum(isinstance(view, Lines) for view in views) == 7
    grids = [view for view in views if isinstance(view, ImageGrid)]
    assert [grid.title for grid in grids] == ["s0, changed", "s1, changed"]
    assert len(grids[0].pictures) == 25
    assert grids[0].pictures[0].label.startswith("original: ")
    assert {picture.tone for picture in grids[0].pictures} <= {"neutral", "good", "bad"}
    matrices = [view for view in views if isinstance(view, Matrix)]
    assert matrices[0].values.shape == (7, 5)
    assert isinstance(views[-1], Table)


def test_texts_lose_tokens(text_model, texts):
    found = inspect_sensitivity(text_model, texts, num_steps=3)
    assert found.data["change"].values.tolist() == ["deletion", "masking"]
    assert "example_text" in found.data
    table = next(view for view in found.views() if view.title == "Some texts, changed")
    assert table.columns[1].values[0] == "a very good film"
    ids = text_model.prepare(["[MASK] [MASK] [MASK] [MASK]"])
    with text_model.evaluating(), torch.inference_mode():
        masked = text_model.logits(ids).softmax(1)[0]
    original = int(found.data["original"][0])
    assert float(found.data["probability"][1, -1, 0]) == pytest.approx(
        float(masked[original]), rel=1e-4
    )


def test_arrays_lose_features(recurrent, make_data):
    rng = np.random.default_rng(0)
    data = make_data(list(rng.normal(size=(12, 7, 4))), [0] * 12)
    found = inspect_sensitivity(recurrent, data, num_steps=3)
    assert found.data["change"].values.tolist() == ["noise", "dropout"]
    last = found.data["probability"].sel(change="dropout").values[-1]
    same = found.data["original"].values == found.data["original"].values[0]
    np.testing.assert_allclose(last[same], last[0], rtol=1e-5)  # all features at their means
    assert found.views()


def test_arrays_of_different_lengths_share_one_spread(wrapped, make_data):
    class MeanTwice(nn.Module):
        def forward(self, steps):
            return torch.stack([steps.mean((1, 2)), -steps.mean((1, 2))], 1)

    data = make_data([np.ones((3, 2)), -np.ones((5, 2))], [0, 1])
    found = inspect_sensitivity(wrapped(MeanTwice()), data, num_steps=2)
    assert found.data.sizes["sample"] == 2


def test_a_single_sample_has_curves_without_bands(picture_model, pictures):
    found = inspect_sensitivity(picture_model, pictures.subset([0]), changes="noise", num_steps=2)
    assert np.isnan(found.data["mean_probability_low"]).all()
    curve = found.views()[0]
    assert isinstance(curve, Lines)
    assert curve.series[1].low is None
    assert "1 sample is few" in found.summary()


def test_unreadable_samples_are_left_out(picture_model, pictures, make_data):
    data = make_data(pictures.read.raws, pictures.targets, (), "image", unreadable=[0])
    found = inspect_sensitivity(picture_model, data, changes="noise", num_steps=2)
    assert found.data["sample_id"].values.tolist() == [f"s{index}" for index in range(1, 7)]
    assert "1 of 7 samples could not be read" in found.summary()


def test_stopped_it_keeps_what_is_done(brightness, greys, monkeypatch):
    module, calls = brightness.module, []

    def forward(pixels, forward=module.forward):
        calls.append(1)
        if len(calls) > 4:
            raise KeyboardInterrupt
        return forward(pixels)

    monkeypatch.setattr(module, "forward", forward)
    found = inspect_sensitivity(brightness, greys, changes="noise", num_steps=2)
    assert found.data.sizes["sample"] == 2
    assert "Stopped by Ctrl-C after 2 of 4 samples" in found.summary()


def test_bad_input_is_refused(picture_model, pictures, texts, wrapped, make_data):
    with pytest.raises(SpecError, match="Defined are noise, brightness, blur"):
        inspect_sensitivity(picture_model, pictures, changes="masking")
    with pytest.raises(SpecError, match="num_steps=1"):
        inspect_sensitivity(picture_model, pictures, num_steps=1)
    with pytest.raises(DataError, match="kind 'text'"):
        inspect_sensitivity(picture_model, texts)
    one = wrapped(nn.Linear(2, 1))
    with pytest.raises(ModelError, match="Sensitivity is defined for classifiers"):
        inspect_sensitivity(one, make_data([np.ones(2)], [0]))
    with torch.no_grad():
        picture_model.module.fc.bias[0] = float("nan")
    with pytest.raises(ModelError, match=r"not finite .* for 's0'"):
        inspect_sensitivity(picture_model, pictures)


def test_saved_and_opened_it_is_the_same(picture_model, pictures, tmp_path):
    found = inspect_sensitivity(picture_model, pictures, num_steps=3)
    opened = pellucid.open(found.save(tmp_path / "s.zarr"))
    assert isinstance(opened, Sensitivity)
    assert opened.summary() == found.summary()
    assert opened.table() == found.table()
    assert json.loads(json.dumps(opened.to_json(), allow_nan=False)) == found.to_json()
    assert [view.title for view in opened.views()] == [view.title for view in found.views()]


@pytest.mark.slow
def test_a_real_network_suffers_from_noise(shared_data):
    """A trained ResNet-20 keeps to its answers less and less as noise grows."""
    module = pellucid.load(
        f"python:{_resnet_file()}:model", trust=True,
        weights=shared_data / "cifar10-resnet/resnet20-12fca82f.th",
    )  # fmt: skip
    data = pellucid.load_data(f"{shared_data / 'cifar10'}", split="test")
    found = inspect_sensitivity(module, data, changes=["noise", "rotation"], limit=20, num_steps=4)
    shares = found.data["share_unchanged"].values
    assert (shares[:, -1] < 0.6).all()
    assert np.isfinite(found.data["half_strength"]).all()


def _resnet_file():
    from pathlib import Path

    return Path(__file__).parents[2] / "model" / "resnet_cifar.py"
