from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from pellucid.errors import SpecError
from pellucid.inside.sensitivity.changes import both_ways, chosen_changes, growing
from pellucid.inside.sensitivity.curves import area, bootstrap, first_changes, half_strength
from pellucid.inside.sensitivity.features import Arrays
from pellucid.inside.sensitivity.pictures import (
    Pictures,
    blur,
    brighten,
    crop,
    occlude,
    picture_changes,
    rotate,
)
from pellucid.inside.sensitivity.texts import Texts
from pellucid.model import ImageInput


def draws():
    return np.random.default_rng(5)


@pytest.fixture
def pixels():
    ramp = np.linspace(0, 255, 32)
    return np.stack([np.tile(ramp, (24, 1))] * 3, -1).astype(np.uint8)


def test_strengths_rise_and_hold_zero():
    for change in picture_changes(ImageInput(size=(64, 64)), 7):
        assert (np.diff(change.strengths) > 0).all()
        assert change.strengths[change.original] == 0
        assert len(change.strengths) == 8
    np.testing.assert_allclose(both_ways(10, 4), [-10, -5, 0, 5, 10])
    np.testing.assert_allclose(both_ways(10, 3), [-10, 0, 5, 10])
    np.testing.assert_allclose(growing(8, 2, power=2), [0, 2, 8])


def test_noise_has_the_standard_deviation_in_grey_levels():
    (noise,) = chosen_changes(picture_changes(ImageInput(size=(64, 64)), 4), "noise", "pictures")
    flat = np.full((64, 64, 3), 128, np.uint8)
    noisy = noise.apply(flat, 10.0, draws())
    assert noisy.astype(float).std() == pytest.approx(10, rel=0.05)
    weaker = noise.apply(flat, 5.0, draws()).astype(float)
    np.testing.assert_allclose(noisy - 128.0, 2 * (weaker - 128), atol=2)


def test_brightness_adds_levels_and_stops_at_the_ends(pixels):
    np.testing.assert_array_equal(
        brighten(pixels, 40, draws()), np.clip(pixels.astype(int) + 40, 0, 255)
    )


def test_blur_keeps_the_mean_and_smooths(pixels):
    checked = (np.indices((24, 32)).sum(0) % 2 * 255).astype(np.uint8)[..., None].repeat(3, -1)
    blurred = blur(checked, 2.0, draws())
    assert blurred.mean() == pytest.approx(checked.mean(), abs=1)
    assert blurred.std() < 3


def test_rotation_turns_to_the_left_about_the_middle():
    picture = np.zeros((41, 41, 3), np.uint8)
    picture[4, 20] = 255  # above the middle
    turned = rotate(picture, 90.0, draws())
    np.testing.assert_array_equal(turned, np.rot90(picture))
    assert rotate(np.full((20, 31, 3), 9, np.uint8), 45.0, draws()).shape == (20, 31, 3)


def test_crop_shows_the_middle_enlarged(pixels):
    expected = Image.fromarray(pixels[6:18, 8:24]).resize((32, 24), Image.Resampling.BICUBIC)
    found = crop(pixels, 50.0, draws()).astype(int)
    assert np.abs(found - np.array(expected)).max() <= 6  # the filter sees beyond the edge


def test_occlusion_covers_its_share_and_grows(pixels):
    before = np.zeros((24, 32), bool)
    for strength in (10, 30, 60, 90):
        covered = (occlude(pixels, strength, draws()) != pixels).any(-1)
        middle = occlude(pixels, strength, draws())
        assert (middle[covered] == np.round(pixels.mean((0, 1)))).all()
        area_covered = (middle == np.round(pixels.mean((0, 1)))).all(-1).sum() / covered.size
        assert area_covered == pytest.approx((strength / 100) ** 2, abs=0.08)
        now = (middle == np.round(pixels.mean((0, 1)))).all(-1)
        assert (now | ~before).all()
        before = now


def test_pictures_are_normalized_as_the_model_does():
    form = ImageInput(size=(8, 8), resize=None, mean=(0.2,), std=(0.5,), argument="x")
    raw = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    subject = Pictures(form, 4)
    states = subject.states(subject.prepare([raw]))
    torch.testing.assert_close(subject.inputs(states)["x"], form.prepare([raw])["x"])


def test_tokens_are_deleted_and_masked_one_after_the_other(text_model):
    subject = Texts(text_model, 4)
    deletion, masking = subject.changes
    (state,) = subject.states(subject.prepare(["a very good film"]))
    kept = [deletion.apply(state, share, draws())["input_ids"][0].tolist() for share in (25, 75)]
    assert [len(ids) for ids in kept] == [5, 3]
    assert set(kept[1]) <= set(kept[0])
    assert kept[1][0] == 2  # [CLS] stays
    assert kept[1][-1] == 3  # and so does [SEP]
    masked = masking.apply(state, 100, draws())["input_ids"][0].tolist()
    assert masked == [2, 4, 4, 4, 4, 3]
    assert state["input_ids"][0].tolist() == [2, 8, 9, 5, 7, 3]
    nearly_all = deletion.apply(state, 90, draws())
    assert nearly_all["attention_mask"].shape == (1, 3)
    assert "good" in subject.shown(state)


def test_array_noise_follows_each_features_spread(wrapped, make_data):
    values = np.random.default_rng(0).normal([0, 5, 9], [1, 0, 10], (400, 3))
    data = make_data(list(values), [0] * 400)
    subject = Arrays(wrapped(torch.nn.Identity()), data, 4)
    np.testing.assert_allclose(subject.mean, values.mean(0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(subject.std[[0, 2]], values.std(0)[[0, 2]], rtol=1e-4)
    noise, dropout = subject.changes
    state = values[0].astype(np.float32)
    noisy = noise.apply(state, 1.0, draws())
    assert noisy[1] == pytest.approx(5, abs=1e-2)
    np.testing.assert_allclose(dropout.apply(state, 100, draws()), values.mean(0), rtol=1e-4)
    assert (dropout.apply(state, 34, draws()) != state).sum() <= 1


def test_unknown_changes_are_refused():
    known = picture_changes(ImageInput(), 4)
    with pytest.raises(SpecError, match=r"'bluur' is not a change of pictures. Closest: 'blur'"):
        chosen_changes(known, ["bluur"], "pictures")
    with pytest.raises(SpecError, match="no change was named"):
        chosen_changes(known, [], "pictures")


def test_half_strength_is_where_the_share_crosses_a_half():
    strengths = np.array([0.0, 1, 2, 4])
    assert half_strength(strengths, np.array([1, 0.75, 0.25, 0])) == pytest.approx(1.5)
    assert half_strength(strengths, np.array([1, 0.5, 1, 0])) == 1
    assert np.isnan(half_strength(strengths, np.array([1, 0.9, 0.8, 0.6])))
    two_sided = np.array([-4.0, -2, 0, 2, 4])
    assert half_strength(two_sided, np.array([0, 0, 1, 0.9, 0.1])) == pytest.approx(-1)


def test_area_and_first_changes_by_hand():
    strengths = np.array([0.0, 1, 3])
    curves = np.array([[1.0, 1], [0.5, 1], [0.5, 0]])
    np.testing.assert_allclose(area(strengths, curves), [(0.75 + 1) / 3, (1 + 1) / 3])
    unchanged = np.array([[True, True, True], [True, False, True], [False, True, True]])
    np.testing.assert_array_equal(first_changes(strengths, unchanged), [3, 1, np.nan])


def test_the_bootstrap_band_is_that_of_the_mean():
    values = np.random.default_rng(0).normal(size=(2, 400))
    low, high = bootstrap(values, seed=0)
    error = 1.96 * values.std(1, ddof=1) / 20
    np.testing.assert_allclose(low, values.mean(1) - error, atol=0.02)
    np.testing.assert_allclose(high, values.mean(1) + error, atol=0.02)
    assert np.isnan(bootstrap(values[:, :1], seed=0)[0]).all()
