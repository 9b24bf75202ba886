"""Packed views, read back here by the format's description alone.

The front end's tests read views that Python wrote. When an example or the format changes, write
them anew: ``PYTHONPATH=src python tests/views/test_pack.py``.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pellucid.views import Axis, Heatmap, ImageGrid, Lines, Overlay, Picture, Series, View
from pellucid.views.encoding import encode
from pellucid.views.pack import pack

FIXTURES = Path(__file__).parents[2] / "src/pellucid/studio/web/src/lib/fixtures"


def read(block: bytes) -> tuple[dict[str, Any], dict[str, dict[str, Any]], dict[str, np.ndarray]]:
    """The document, what is said of each column, and its numbers or pixels."""
    assert block[:8] == b"PLCDVIEW"
    version, length = np.frombuffer(block[8:16], "<u4")
    assert version == 1
    assert length % 8 == 0
    header = json.loads(block[16 : 16 + length])
    said, columns = {}, {}
    for column in header["columns"]:
        start = 16 + int(length) + column["offset"]
        assert start % 8 == 0
        content = block[start : start + column["bytes"]]
        if column["coding"] == "picture":
            values = np.asarray(Image.open(io.BytesIO(content)))
        elif column["coding"] == "levels":
            steps = np.frombuffer(content, np.uint8).reshape(column["shape"])
            steps = np.cumsum(steps, axis=-1, dtype=np.uint8)
            span = column["high"] - column["low"]
            values = np.where(steps == 255, np.nan, column["low"] + span * steps / 254)
        else:
            kind = np.dtype(column["dtype"]).newbyteorder("<")
            values = np.frombuffer(content, kind).reshape(column["shape"])
        said[column["name"]], columns[column["name"]] = column, values
    return header["view"], said, columns


def test_every_kind_comes_back(each_kind: list[View]) -> None:
    for view in each_kind:
        document, columns = encode(view)
        again, _, unpacked = read(pack(view))
        assert again == document
        assert unpacked.keys() == columns.keys()
        for name, values in columns.items():
            np.testing.assert_array_equal(unpacked[name], values)


def test_empty_views_are_packed_too(empty: list[View]) -> None:
    for view in empty:
        document, said, _ = read(pack(view))
        assert document == encode(view)[0]
        assert all(column["coding"] == "raw" for column in said.values())


@pytest.mark.parametrize(
    ("given", "written"),
    [
        (np.array([1, -2]), "int32"),
        (np.array([2**40]), "float64"),
        (np.array([2**31], np.uint32), "uint32"),
        (np.array([0.5], np.float16), "float32"),
        (np.array([True, False]), "uint8"),
        (np.array([1.0], ">f8"), "float64"),
        (np.arange(6.0).reshape(2, 3).T, "float64"),
        (np.zeros(0, int), "int32"),
    ],
)
def test_numbers_get_a_type_that_pages_have(given: np.ndarray, written: str) -> None:
    axis = Axis(label="x")
    view = Lines(title="t", series=(Series(name="s", x=given, y=given),), x=axis, y=axis)
    _, said, columns = read(pack(view))
    assert said["series/0/x"]["dtype"] == written
    np.testing.assert_array_equal(columns["series/0/x"], given)


def overlay(values: np.ndarray, limit: float, *, signed: bool) -> Overlay:
    pixels = np.zeros((70, 80, 3), np.uint8)
    pixels[20:40, 30:50] = (200, 40, 40)
    heatmap = Heatmap(name="map", values=values, limit=limit, signed=signed)
    return Overlay(title="t", picture=Picture(pixels=pixels), maps=(heatmap,))


def test_compact_maps_are_right_to_half_a_step_and_zero_is_exact() -> None:
    values = np.random.default_rng(0).normal(size=(9, 7))
    values[0, :3] = (0, np.nan, np.inf)
    _, said, columns = read(pack(overlay(values, 2.0, signed=True), compact=True))
    assert said["maps/0/values"]["coding"] == "levels"
    unpacked = columns["maps/0/values"]
    assert unpacked[0, 0] == 0
    assert np.isnan(unpacked[0, 1])
    np.testing.assert_allclose(unpacked, np.clip(values, -2, 2), atol=2 / 254 + 1e-12)


def test_compact_pictures_are_small_and_look_alike() -> None:
    view = overlay(np.eye(3), float("nan"), signed=False)
    _, said, columns = read(pack(view, compact=True))
    assert said["picture/pixels"]["type"] == "image/webp"
    assert said["maps/0/values"]["coding"] == "raw"  # a limit that is no number scales nothing
    difference = columns["picture/pixels"].astype(int) - view.picture.pixels
    assert np.abs(difference).mean() < 3
    small = ImageGrid(title="t", pictures=(Picture(pixels=view.picture.pixels[:30, :30]),))
    assert read(pack(small, compact=True))[1]["pictures/0/pixels"]["type"] == "image/png"


def test_the_front_end_reads_what_is_written_now(each_kind: list[View]) -> None:
    for view in each_kind:
        kept = (FIXTURES / f"{type(view).__name__}.view").read_bytes()
        document, _, columns = read(kept)
        assert document == encode(view)[0], "write the fixtures anew, as this file's top says"
        for name, values in encode(view)[1].items():
            np.testing.assert_array_equal(columns[name], values)


def write_fixtures() -> None:
    from conftest import views_of_each_kind

    FIXTURES.mkdir(exist_ok=True)
    for view in views_of_each_kind():
        (FIXTURES / f"{type(view).__name__}.view").write_bytes(pack(view))
    compact = overlay(np.linspace(-1, 1, 12).reshape(3, 4), 1.0, signed=True)
    (FIXTURES / "compact.view").write_bytes(pack(compact, compact=True))


if __name__ == "__main__":
    write_fixtures()
