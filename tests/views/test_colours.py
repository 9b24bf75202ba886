from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pellucid.views import Axis, Heatmap, Matrix, Picture
from pellucid.views.colours import (
    MATRIX_RIGHT,
    MATRIX_WRONG,
    SERIES,
    SERIES_DARK,
    SPEAKS_AGAINST,
    SPEAKS_FOR,
    base,
    colour_table,
    heatmap_levels,
    heatmap_pixels,
    is_confusion,
    matrix_shades,
    overlay_pixels,
    ramp_pixels,
    resize,
)

# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
SEEN_BY = {
    "everybody": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
}


def linear(rgb: np.ndarray) -> np.ndarray:
    part = rgb / 255
    return np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    xyz = (linear(rgb) @ to_xyz.T) / np.array([0.9505, 1.0, 1.089])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.stack(
        [116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], -1
    )


def seen(rgb: np.ndarray, by: str) -> np.ndarray:
    mixed = np.clip(linear(rgb) @ SEEN_BY[by].T, 0, 1)
    return 255 * np.where(mixed <= 0.0031308, 12.92 * mixed, 1.055 * mixed ** (1 / 2.4) - 0.055)


def rgb(name: str) -> np.ndarray:
    return np.array(tuple(bytes.fromhex(name[1:])), dtype=float)


@pytest.mark.parametrize("by", list(SEEN_BY))
@pytest.mark.parametrize("colours", [SERIES, SERIES_DARK], ids=["light", "dark"])
def test_series_can_be_told_apart(colours: tuple[str, ...], by: str) -> None:
    for one, other in combinations(colours, 2):
        distance = np.linalg.norm(lab(seen(rgb(one), by)) - lab(seen(rgb(other), by)))
        assert distance > 12, (one, other, by)


@pytest.mark.parametrize(("colours", "ground"), [(SERIES, "#ffffff"), (SERIES_DARK, "#171c22")])
def test_series_stand_out_from_the_ground(colours: tuple[str, ...], ground: str) -> None:
    luminance = np.array([0.2126, 0.7152, 0.0722])
    behind = float(linear(rgb(ground)) @ luminance)
    for name in colours:
        low, high = sorted((float(linear(rgb(name)) @ luminance), behind))
        assert (high + 0.05) / (low + 0.05) >= 3, name


@pytest.mark.parametrize("by", list(SEEN_BY))
def test_both_sides_of_a_signed_map_can_be_told_apart(by: str) -> None:
    for pair in ((SPEAKS_FOR, SPEAKS_AGAINST), (MATRIX_RIGHT, MATRIX_WRONG)):
        one, other = (lab(seen(rgb(name), by)) for name in pair)
        assert np.linalg.norm(one - other) > 40


def test_colours_of_sequential_maps_get_lighter_throughout() -> None:
    lightness = lab(ramp_pixels(signed=False)[0].astype(float))[:, 0]
    assert (np.diff(lightness) > -0.3).all()
    assert lightness[-1] - lightness[0] > 75


def test_colours_of_signed_maps_get_darker_from_the_middle_on() -> None:
    lightness = lab(ramp_pixels(signed=True)[0].astype(float))[:, 0]
    assert lightness[127:129].min() > 95
    assert (np.diff(lightness[128:]) < 0.3).all()
    assert (np.diff(lightness[:128]) > -0.3).all()
    assert abs(lightness[0] - lightness[-1]) < 12


@pytest.mark.parametrize("signed", [False, True])
def test_the_more_a_map_says_the_less_of_the_picture_is_seen(signed: bool) -> None:
    opacity = colour_table(signed)[128 if signed else 0 :, 3].astype(int)
    assert opacity[0] <= 6
    assert opacity[-1] == 255
    assert (np.diff(opacity) >= 0).all()


def test_levels_by_hand() -> None:
    values = np.array([[0.0, 1.0, 2.0, 4.0, -1.0, np.nan]])
    unsigned = Heatmap(name="", values=values, limit=2.0, signed=False)
    assert heatmap_levels(unsigned).tolist() == [[0, 128, 255, 255, 0, 0]]
    signed = Heatmap(name="", values=values, limit=2.0, signed=True)
    assert heatmap_levels(signed).tolist() == [[128, 191, 255, 255, 64, 128]]


@pytest.mark.parametrize("limit", [0.0, -1.0, float("nan"), float("inf")])
def test_a_limit_that_makes_no_sense_is_taken_as_one(limit: float) -> None:
    heatmap = Heatmap(name="", values=np.array([[0.0, 1.0]]), limit=limit, signed=False)
    assert heatmap_levels(heatmap).tolist() == [[0, 255]]


@given(
    arrays(np.float32, (3, 4), elements=st.floats(width=32, allow_nan=True, allow_infinity=True)),
    st.booleans(),
)
def test_any_map_can_be_drawn(values: np.ndarray, signed: bool) -> None:
    heatmap = Heatmap(name="", values=values, limit=1.0, signed=signed)
    pixels = heatmap_pixels(heatmap)
    assert pixels.shape == (3, 4, 3)
    assert pixels.dtype == np.uint8


def test_an_empty_map_leaves_the_picture_as_it_is() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (6, 8, 3), dtype=np.uint8)
    nothing = Heatmap(name="", values=np.zeros((2, 2)), limit=1.0, signed=False)
    assert (overlay_pixels(Picture(pixels=pixels), nothing) == pixels).all()
    full = Heatmap(name="", values=np.ones((2, 2)), limit=1.0, signed=False)
    assert (overlay_pixels(Picture(pixels=pixels), full, opacity=0.0) == pixels).all()


def test_a_full_map_hides_the_picture() -> None:
    pixels = np.zeros((6, 8, 3), dtype=np.uint8)
    full = Heatmap(name="", values=np.ones((2, 2)), limit=1.0, signed=True)
    mixed = overlay_pixels(Picture(pixels=pixels), full, opacity=1.0)
    assert (mixed == colour_table(True)[-1, :3]).all()
    assert base(True) == (250, 250, 250)


def test_enlarging_is_smooth_and_keeps_the_mean() -> None:
    values = np.array([[0.0, 1.0], [1.0, 0.0]], dtype=np.float32)
    large = resize(values, 64, 64)
    assert large.mean() == pytest.approx(0.5, abs=1e-3)
    assert np.abs(np.diff(large, axis=1)).max() < 0.05
    assert resize(np.zeros((0, 0)), 3, 4).shape == (3, 4)


def matrix(values: np.ndarray, rows: tuple[str, ...], columns: tuple[str, ...], **options: bool):
    axis = Axis(label="")
    return Matrix(
        title="", values=values, rows=rows, columns=columns, x=axis, y=axis, value=axis, **options
    )


def test_shades_of_a_confusion_matrix_are_shares_of_the_row() -> None:
    view = matrix(np.array([[75.0, 25.0], [0.0, 4.0]]), ("a", "b"), ("a", "b"))
    assert is_confusion(view)
    np.testing.assert_allclose(matrix_shades(view), [[0.75**0.5, -0.5], [0, 1]])


def test_shades_of_other_matrices() -> None:
    unsigned = matrix(np.array([[4.0, 1.0, np.nan]]), ("a",), ("x", "y", "z"))
    np.testing.assert_allclose(matrix_shades(unsigned), [[1, 0.5, 0]])
    signed = matrix(np.array([[-2.0, 1.0], [0.0, 0.5]]), ("a", "b"), ("a", "b"), signed=True)
    np.testing.assert_allclose(matrix_shades(signed), [[-1, 0.5], [0, 0.25]])
    nothing = matrix(np.zeros((2, 2)), ("a", "b"), ("a", "b"))
    assert not matrix_shades(nothing).any()
