import base64
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pellucid.reporting.pictures import Pictures
from pellucid.reporting.report import report
from pellucid.views import Heatmap, ImageGrid, Picture
from pellucid.views.colours import colour_table, heatmap_levels


def decoded(styles: str) -> dict[str, Image.Image]:
    found = re.findall(r"\.(\S+?)\{background-image:url\(data:image/\w+;base64,(\S+?)\)\}", styles)
    return {name: Image.open(io.BytesIO(base64.b64decode(content))) for name, content in found}


def test_a_picture_is_embedded_once(make: dict[str, Any]) -> None:
    pictures = Pictures()
    first = pictures.add(make["crop"](0, 64))
    assert pictures.add(make["crop"](0, 64).copy()) is first
    assert pictures.add(make["crop"](1, 64)) is not first
    assert pictures.styles().count("base64,") == 2


def test_a_photograph_looks_the_same(make: dict[str, Any]) -> None:
    pixels = make["crop"](0, 224)
    pictures = Pictures()
    name = pictures.add(pixels).name
    shown = np.asarray(decoded(pictures.styles())[name].convert("RGB")).astype(float)
    assert np.abs(shown - pixels).mean() < 4


def test_large_pictures_are_reduced_in_their_proportions() -> None:
    pictures = Pictures()
    embedded = pictures.add(np.full((1000, 2000, 3), 90, dtype=np.uint8))
    assert decoded(pictures.styles())[embedded.name].size == (512, 256)
    assert embedded.ratio == "2000/1000"


def test_exact_pictures_keep_every_colour() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (90, 90, 3), dtype=np.uint8)
    pictures = Pictures()
    name = pictures.add_exactly(pixels).name
    assert (np.asarray(decoded(pictures.styles())[name]) == pixels).all()


@pytest.mark.parametrize("signed", [False, True])
def test_a_map_is_transparent_where_it_says_little(signed: bool) -> None:
    values = np.linspace(-1 if signed else 0, 1, 256).reshape(16, 16)
    heatmap = Heatmap(name="m", values=values, limit=1.0, signed=signed)
    pictures = Pictures()
    name = pictures.add_map(heatmap).name
    shown = np.asarray(decoded(pictures.styles())[name].convert("RGBA"))
    assert (shown == colour_table(signed)[heatmap_levels(heatmap)]).all()


def test_equal_maps_of_other_kinds_are_kept_apart() -> None:
    pictures = Pictures()
    one = Heatmap(name="m", values=np.ones((3, 3)), limit=1.0, signed=False)
    other = Heatmap(name="m", values=np.ones((3, 3)), limit=1.0, signed=True)
    assert pictures.add_map(one).name != pictures.add_map(other).name


def test_six_hundred_thumbnails_stay_small(make: dict[str, Any], tmp_path: Path) -> None:
    large = make["photo"]("astronaut")
    places = [(row, column) for row in range(0, 300, 10) for column in range(0, 300, 15)]
    grid = ImageGrid(
        title="all",
        pictures=tuple(
            Picture(
                pixels=large[top : top + 192 : 3, left : left + 192 : 3], sample=f"{top}-{left}"
            )
            for top, left in places
        ),
    )
    page = report(make["result"]("evaluation", [grid], "Pictures."), tmp_path / "r.html")
    assert len(places) == 600
    assert page.stat().st_size < 2.5e6
