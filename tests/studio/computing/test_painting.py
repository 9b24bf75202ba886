"""What strokes of the brush hide, and what is seen in their place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pellucid.studio.asking.inputs import Given, RawInputs, Stroke, filled, mask


def test_strokes_lie_where_they_were_painted() -> None:
    line = Stroke(((0.25, 0.5), (0.75, 0.5)), radius=0.05)
    painted = np.asarray(mask((line,), (200, 100))) > 0
    assert painted[50, 45:156].all()  # from end to end, with round caps
    assert painted[:, 100].sum() == pytest.approx(20, abs=2)  # as thick as two radii of the width
    assert not painted[:35].any()
    assert not painted[:, :38].any()


def test_a_dot_is_round() -> None:
    painted = np.asarray(mask((Stroke(((0.5, 0.5),), radius=0.1),), (100, 100))) > 0
    assert painted.sum() == pytest.approx(np.pi * 10**2, rel=0.15)


def test_fillings(tmp_path: Path) -> None:
    pixels = np.zeros((60, 90, 3), dtype=np.uint8)
    pixels[:, 45:] = (200, 100, 0)
    picture = Image.fromarray(pixels)
    assert filled(picture, "zero").getextrema() == ((0, 0), (0, 0), (0, 0))
    assert filled(picture, "mean").getpixel((0, 0)) == (100, 50, 0)
    blurred = np.asarray(filled(picture, "blur"))
    assert blurred.shape == pixels.shape
    assert 20 < blurred[30, 45, 0] < 180  # the edge is gone


def test_only_what_is_painted_changes(tmp_path: Path, helpers: Any) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(helpers.picture_file())
    stroke = Stroke(((0.3, 0.4),), radius=0.1)
    given = Given(id="a", kind="image", title="a", path=path, strokes=(stroke,), fill="zero")
    raws = RawInputs(4)
    hidden = np.asarray(raws.raw(given))
    whole = np.asarray(raws.raw(Given(id="a", kind="image", title="a", path=path)))
    covered = np.asarray(mask((stroke,), (120, 80))) > 0
    assert (hidden[covered] == 0).all()
    assert (hidden[~covered] == whole[~covered]).all()
    assert whole[covered].any()
