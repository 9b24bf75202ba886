"""Every odd picture comes out as upright 8-bit RGB with the values worked by hand, or is named."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageOps

from pellucid.data.pictures import PICTURE_SUFFIXES, as_rgb, check_picture, read_picture
from pellucid.errors import UnreadableSample


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def pixels(file: bytes) -> list[list[int]]:
    """RGB of the first row."""
    picture = read_picture(file, "it")
    assert picture.mode == "RGB"
    assert picture.info == {}
    return np.asarray(picture)[0].tolist()


def grey(*values: int) -> list[list[int]]:
    return [[value] * 3 for value in values]


def with_orientation(orientation: int) -> bytes:
    levels = np.arange(6, dtype=np.uint8).reshape(2, 3) * 40
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return encoded(Image.fromarray(levels).convert("RGB"), "PNG", exif=exif)


def checked(file: bytes, folder: Path) -> tuple[str, ...]:
    path = folder / "picture"
    path.write_bytes(file)
    return check_picture(path, "it")


def test_sixteen_bits_scale_by_their_range(tmp_path: Path) -> None:
    file = encoded(Image.fromarray(np.array([[0, 257, 32896, 65535]], np.uint16)), "PNG")
    assert pixels(file) == grey(0, 1, 128, 255)
    assert checked(file, tmp_path) == ("more than 8 bits a pixel, scaled to 8",)


def test_pgm_with_sixteen_bits() -> None:
    assert pixels(b"P5 2 1 65535\n\x00\x00\x80\x80") == grey(0, 128)


def test_integers_beyond_sixteen_bits_scale_from_least_to_greatest() -> None:
    values = np.array([[-100_000, 0, 100_000]], np.int32)
    assert pixels(encoded(Image.fromarray(values), "TIFF")) == grey(0, 128, 255)


def test_floats_scale_from_least_to_greatest_and_survive_nan(tmp_path: Path) -> None:
    values = np.array([[-1, 0, 3, np.nan, np.inf]], np.float32)
    file = encoded(Image.fromarray(values), "TIFF")
    assert pixels(file) == grey(0, 64, 255, 0, 255)
    assert checked(file, tmp_path) == (
        "floating point, scaled from its least to its greatest value",
    )


def test_a_constant_float_picture_is_black() -> None:
    assert pixels(encoded(Image.fromarray(np.full((1, 2), 7, np.float32)), "TIFF")) == grey(0, 0)


def test_floats_without_a_finite_value_cannot_be_decoded() -> None:
    file = encoded(Image.fromarray(np.full((2, 2), np.nan, np.float32)), "TIFF")
    with pytest.raises(UnreadableSample, match=r"^it: cannot be decoded$"):
        read_picture(file, "it")


def test_alpha_is_laid_on_white(tmp_path: Path) -> None:
    values = np.array([[[255, 0, 0, 0], [0, 0, 0, 255], [255, 0, 0, 128]]], np.uint8)
    file = encoded(Image.fromarray(values), "PNG")
    # 255 - 128 = 127 of white shines through where alpha is 128
    assert pixels(file) == [[255, 255, 255], [0, 0, 0], [255, 127, 127]]
    assert checked(file, tmp_path) == ("transparency laid on white",)


def test_grey_with_alpha_is_laid_on_white() -> None:
    image = Image.merge("LA", [Image.new("L", (1, 1), 0), Image.new("L", (1, 1), 128)])
    assert pixels(encoded(image, "PNG")) == grey(127)


@pytest.mark.parametrize("transparency", [0, b"\x00\xff"])
def test_a_transparent_palette_colour_is_white(transparency: int | bytes, tmp_path: Path) -> None:
    image = Image.fromarray(np.array([[0, 1]], np.uint8)).convert("P")
    image.putpalette([200, 10, 10, 0, 0, 255])
    file = encoded(image, "PNG", transparency=transparency)
    assert pixels(file) == [[255, 255, 255], [0, 0, 255]]
    assert checked(file, tmp_path) == ("transparency laid on white",)


def test_a_transparent_colour_of_rgb_is_white() -> None:
    image = Image.fromarray(np.array([[[9, 9, 9], [1, 2, 3]]], np.uint8))
    assert pixels(encoded(image, "PNG", transparency=(9, 9, 9))) == [[255, 255, 255], [1, 2, 3]]


def test_cmyk_becomes_rgb(tmp_path: Path) -> None:
    file = encoded(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG", quality=95)
    assert np.abs(np.array(pixels(file)) - [255, 0, 0]).max() <= 3
    assert checked(file, tmp_path) == ("CMYK converted to RGB",)


@pytest.mark.parametrize("mode", ["L", "1", "P", "RGB"])
def test_usual_modes_become_rgb_without_a_note(mode: str, tmp_path: Path) -> None:
    file = encoded(Image.new("L", (2, 1), 255).convert(mode), "PNG")
    assert pixels(file) == grey(255, 255)
    assert checked(file, tmp_path) == ()


def test_the_first_frame_of_an_animation_is_read(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (2, 1), colour) for colour in ("red", "blue")]
    file = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert pixels(file) == [[255, 0, 0], [255, 0, 0]]
    assert checked(file, tmp_path) == ("several frames, the first is used",)


def test_orientation_six_turns_the_left_side_up(tmp_path: Path) -> None:
    # stored   0  40  80     turned by 90 degrees to the right   120   0
    #        120 160 200                                         160  40
    #                                                            200  80
    turned = np.asarray(read_picture(with_orientation(6), "it"))[..., 0]
    assert turned.tolist() == [[120, 0], [160, 40], [200, 80]]
    notes = checked(with_orientation(6), tmp_path)
    assert notes == ("turned upright as its EXIF orientation says",)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_orientations_agree_with_pillow(orientation: int) -> None:
    file = with_orientation(orientation)
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(file)))
    np.testing.assert_array_equal(read_picture(file, "it"), expected)


def test_a_tiff_is_turned_once() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 3
    values = np.array([[10, 20, 30]], np.uint8)
    assert pixels(encoded(Image.fromarray(values), "TIFF", exif=exif)) == grey(30, 20, 10)


def test_damaged_exif_is_no_reason_to_lose_a_picture(tmp_path: Path) -> None:
    file = encoded(Image.new("RGB", (8, 8), "white"), "JPEG", exif=b"Exif\0\0II*\0\xff\xff")
    assert pixels(file)[0] == [255, 255, 255]
    assert checked(file, tmp_path) == ()


JPEG = encoded(
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)), "JPEG"
)


def test_a_truncated_file_passes_the_header_check_and_fails_when_read(tmp_path: Path) -> None:
    truncated = JPEG[: len(JPEG) // 2]
    assert checked(truncated, tmp_path) == ()
    with pytest.raises(UnreadableSample, match=r"^it: cannot be decoded$"):
        read_picture(truncated, "it")


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (b"", "empty file"),
        (b"just some text", "not a picture, or its header is damaged"),
        (JPEG[:4], "not a picture, or its header is damaged"),
    ],
)
def test_what_is_no_picture_is_named_with_its_reason(
    file: bytes, reason: str, tmp_path: Path
) -> None:
    for attempt in (lambda: read_picture(file, "it"), lambda: checked(file, tmp_path)):
        with pytest.raises(UnreadableSample) as caught:
            attempt()
        assert (caught.value.sample, caught.value.reason) == ("it", reason)


def test_a_missing_file_is_not_called_damaged(tmp_path: Path) -> None:
    with pytest.raises(UnreadableSample, match=r"^it: cannot be opened: No such file"):
        read_picture(tmp_path / "gone.png", "it")


def test_lab_is_refused_by_the_header_check(tmp_path: Path) -> None:
    with pytest.raises(UnreadableSample, match="colour mode LAB is not supported"):
        checked(encoded(Image.new("LAB", (2, 2)), "TIFF"), tmp_path)


@pytest.mark.parametrize("side", [11, 20], ids=["Pillow warns", "Pillow raises"])
def test_a_decompression_bomb_is_too_large(side: int, monkeypatch: pytest.MonkeyPatch) -> None:
    file = encoded(Image.new("L", (side, side)), "PNG")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(UnreadableSample, match="too large: more than 100 pixels"):
        read_picture(file, "it")


def test_no_warning_of_pillow_leaks_and_filters_stay() -> None:
    before = list(warnings.filters)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        read_picture(encoded(Image.new("RGB", (2, 2)), "JPEG", exif=b"Exif\0\0II*\0\xff"), "it")
        image = Image.new("P", (1, 2))
        image.putpalette([1, 2, 3])
        read_picture(encoded(image, "PNG", transparency=b"\x00"), "it")
    assert caught == []
    assert warnings.filters == before


def test_a_picture_in_memory_is_not_turned() -> None:
    image = Image.open(io.BytesIO(with_orientation(6)))
    assert as_rgb(image).size == (3, 2)


def sources() -> list[bytes]:
    image = Image.fromarray(np.arange(192, dtype=np.uint8).reshape(8, 8, 3))
    kinds = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM")
    return [encoded(image, kind) for kind in kinds]


@settings(max_examples=150, deadline=None)
@given(
    file=st.sampled_from(sources()),
    flips=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=8),
    cut=st.floats(0, 1),
)
def test_any_damage_gives_a_picture_or_a_named_sample(
    file: bytes, flips: list[tuple[int, int]], cut: float
) -> None:
    damaged = bytearray(file)
    for position, value in flips:
        damaged[position % len(file)] = value
    try:
        picture = read_picture(bytes(damaged[: int(cut * len(file)) + 1]), "it")
    except UnreadableSample:
        return
    assert picture.mode == "RGB"


def test_every_suffix_is_one_pillow_knows() -> None:
    assert set(PICTURE_SUFFIXES) <= Image.registered_extensions().keys()
