"""Picture files as 8-bit RGB pictures, whatever they hold.

| in the file                      | becomes                                                       |
|----------------------------------|---------------------------------------------------------------|
| EXIF orientation                 | the picture is turned upright                                 |
| CMYK, YCbCr, HSV, palette, grey  | RGB by Pillow's conversion; colour profiles are not applied   |
| alpha or a transparent colour    | laid on white                                                 |
| 16-bit grey                      | 0…65535 to 0…255                                              |
| 32-bit integers                  | as 16-bit if all lie in 0…65535, else from least to greatest  |
| floating point                   | least finite value to 0, greatest to 255                      |
| several frames or pages          | the first one                                                 |

A picture of more pixels than ``PIL.Image.MAX_IMAGE_PIXELS`` (89 million unless changed) is refused,
as is one in a colour mode that Pillow cannot turn into RGB.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from pellucid.errors import UnreadableSample

PICTURE_SUFFIXES = (
    ".jpg",
    ".jpeg",
    ".png",
    ".bmp",
    ".gif",
    ".webp",
    ".tif",
    ".tiff",
    ".ppm",
    ".pgm",
)
WIDE_MODES = frozenset({"I", "I;16", "I;16B", "I;16L", "I;16N"})
UNREADABLE_MODES = frozenset({"LAB"})
WHITE = (255, 255, 255, 255)
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def read_picture(file: Path | bytes, sample: str) -> Image.Image:
    """Decode a file, or the bytes of one, to an upright RGB picture without metadata.

    Raises UnreadableSample, naming `sample` and the reason.
    """
    with _opened(file, sample) as image:
        image.load()
        turn = UPRIGHT.get(_orientation(image))
        picture = as_rgb(image)
        return picture if turn is None else picture.transpose(turn)


def check_picture(file: Path, sample: str) -> tuple[str, ...]:
    """Read the header only; say how the picture will be converted, if it is unusual.

    Raises UnreadableSample, naming `sample` and the reason.
    """
    with _opened(file, sample) as image:
        if image.mode in UNREADABLE_MODES:
            raise UnreadableSample(sample, f"colour mode {image.mode} is not supported")
        return tuple(_conversions(image))


def as_rgb(image: Image.Image) -> Image.Image:
    """Convert a picture of any mode to a new RGB picture without metadata, as it stands."""
    if image.mode in WIDE_MODES or image.mode == "F":
        picture = Image.fromarray(_scaled(image)).convert("RGB")
    elif image.has_transparency_data:
        layer = image.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", image.size, WHITE), layer).convert("RGB")
    else:
        picture = image.convert("RGB")
    picture.info = {}
    return picture


def _scaled(image: Image.Image) -> NDArray[np.uint8]:
    """Grey levels of 16 bits and more, (height, width), as 8 bits."""
    values: NDArray[Any] = np.asarray(image).astype(np.float64)
    finite = values[np.isfinite(values)]
    if not finite.size:
        raise ValueError("no finite values")
    low, high = finite.min(), finite.max()
    if image.mode != "F" and low >= 0 and high <= 65535:
        low, high = 0.0, 65535.0
    levels = (np.nan_to_num(values, nan=low, posinf=high, neginf=low) - low) / ((high - low) or 1)
    scaled: NDArray[np.uint8] = np.round(levels * 255).astype(np.uint8)
    return scaled


def _conversions(image: Image.Image) -> Iterator[str]:
    if image.mode == "CMYK":
        yield "CMYK converted to RGB"
    if image.mode in WIDE_MODES:
        yield "more than 8 bits a pixel, scaled to 8"
    if image.mode == "F":
        yield "floating point, scaled from its least to its greatest value"
    if image.has_transparency_data:
        yield "transparency laid on white"
    # Pillow decodes a whole PNG to look for EXIF behind its pixels; too dear for a header check.
    if ("exif" in image.info or image.format == "TIFF") and _orientation(image) in UPRIGHT:
        yield "turned upright as its EXIF orientation says"
    # An MPO file is a photograph with previews or depth beside it, as telephones write them.
    if image.format != "MPO" and getattr(image, "is_animated", False):
        yield "several frames, the first is used"


def _orientation(image: Image.Image) -> Any:
    """EXIF orientation, 1 to 8; damaged EXIF counts as none, since the pixels are what matters."""
    try:
        return image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # noqa: BLE001 - Pillow raises many kinds here
        return 1


@contextmanager
def _opened(file: Path | bytes, sample: str) -> Iterator[Image.Image]:
    """Open a picture; whatever fails inside the block becomes an UnreadableSample."""
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="PIL")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(file) if isinstance(file, bytes) else file) as image:
                yield image
    except UnreadableSample:
        raise
    except Exception as error:  # damaged files make Pillow raise nearly anything
        raise UnreadableSample(sample, _reason(file, error)) from error


def _reason(file: Path | bytes, error: Exception) -> str:
    if isinstance(error, Image.DecompressionBombWarning | Image.DecompressionBombError):
        return f"too large: more than {Image.MAX_IMAGE_PIXELS:,} pixels"
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be opened: {error.strerror}"
    if not (len(file) if isinstance(file, bytes) else file.stat().st_size):
        return "empty file"
    if isinstance(error, UnidentifiedImageError):
        return "not a picture, or its header is damaged"
    return "cannot be decoded"
