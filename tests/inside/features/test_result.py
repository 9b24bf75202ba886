"""A result built by hand: what is shown, said and kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from PIL import Image, ImageOps

import pellucid
from pellucid.inside.features import FeatureImage
from pellucid.inside.features.reading import NATURAL_STD, contrast, keeps_contrast
from pellucid.result import Provenance
from pellucid.views import ImageGrid, Lines, Table
from pellucid.views.matplotlib import draw_views

STEPS = 12


@pytest.fixture
def result() -> FeatureImage:
    """A class that is recognised, one that is not, a contrast and a channel; two pictures each."""
    rng = np.random.default_rng(0)
    images = np.clip(rng.normal(128, 50, (4, 2, 20, 24, 3)), 10, 245).astype(np.uint8)
    images[3, 1] = 128
    nan = np.nan
    read = {
        "read_score": [[9.0, 8.0], [2.0, 1.0], [3.0, 4.0], [7.0, 5.0]],
        "read_top1": [[1.0, 0.5], [0.0, 0.0], [1.0, 1.0], [nan, nan]],
        "read_top5": [[1.0, 1.0], [0.25, 0.0], [0.5, 0.5], [nan, nan]],
        "read_probability": [[0.9, 0.4], [0.01, 0.0], [0.3, 0.3], [nan, nan]],
    }
    variables: dict[str, Any] = {
        "images": (("objective", "image", "y", "x", "channel"), images),
        "score": (
            ("objective", "image", "step"),
            np.linspace(0, 1, STEPS) * np.ones((4, 2, 1)),
        ),
        "title": ("objective", ["cat", "dog", "cat against dog", "_conv:3"]),
        "aim": ("objective", ["class", "class", "contrast", "channel"]),
        "layer": ("objective", ["", "", "", "_conv"]),
        **{name: (("objective", "image"), np.array(values)) for name, values in read.items()},
        **contrast(images),
        "natural_percentile": (("objective", "image"), np.full((4, 2), 100.0)),
        "num_natural": ((), 40),
    }
    names = ["class:cat", "class:dog", "class:cat-dog", "_conv:3"]
    data = xr.Dataset(variables, coords={"objective": names})
    notes = ("Stopped by Ctrl-C after 12 of 50 steps; the best pictures so far are kept.",)
    meta = Provenance(kind="feature_image", method="fourier", parameters={}, notes=notes)
    return FeatureImage(data=data, meta=meta)


def test_pictures_come_first_and_say_which_are_not_recognised(result: FeatureImage) -> None:
    grid = result.views()[0]
    assert isinstance(grid, ImageGrid)
    assert [picture.label for picture in grid.pictures] == [
        "cat", "cat", "dog?", "dog?", "cat against dog", "cat against dog", "_conv:3", "_conv:3",
    ]  # fmt: skip
    assert [picture.tone for picture in grid.pictures][:4] == ["neutral", "neutral", "bad", "bad"]
    assert "56 %" in grid.caption


def test_scores_of_different_units_have_charts_of_their_own(result: FeatureImage) -> None:
    charts = [view for view in result.views() if isinstance(view, Lines)]
    assert [chart.y.label for chart in charts] == [
        "logit", "difference of logits", "activation of _conv",
    ]  # fmt: skip
    assert [series.name for series in charts[2].series] == ["unit 3"]
    assert len(charts[0].series[0].x) == STEPS
    assert charts[0].series[0].low is not None


def test_every_picture_has_a_row(result: FeatureImage) -> None:
    table = result.views()[-1]
    assert isinstance(table, Table)
    columns, rows = result.table()
    assert columns == tuple(column.name for column in table.columns)
    assert len(rows) == 8
    assert rows[0][:4] == ("cat (1)", "9", "100%", "100%")
    assert rows[6][2] == "–"


def test_says_in_words_what_was_found(result: FeatureImage) -> None:
    said = result.summary()
    assert "2 classes, 1 difference of two classes and 1 channel" in said
    assert "among the first five in 56 %. Not recognised: dog." in said
    assert "more than any of 40 natural samples" in said
    assert "7 of 8 have the contrast of photographs" in said
    assert said.endswith("the best pictures so far are kept.")
    assert result.headline()[1][:2] == ("Recognised", "2 of 4")


def test_json_holds_figures_only(result: FeatureImage) -> None:
    found = json.loads(json.dumps(result.to_json()))
    first, last = found["objectives"][0], found["objectives"][3]
    assert first["images"][0]["read_top5"] == 1.0
    assert last["images"][0]["read_top5"] is None
    assert [image["natural_contrast"] for image in last["images"]] == [True, False]


def test_saved_and_opened_it_shows_the_same(result: FeatureImage, tmp_path: Path) -> None:
    opened = pellucid.open(result.save(tmp_path / "images.zarr"))
    assert isinstance(opened, FeatureImage)
    assert opened.summary() == result.summary()
    for before, after in zip(result.views(), opened.views(), strict=True):
        assert (before.title, before.caption) == (after.title, after.caption)
    shown = opened.views()[0]
    assert isinstance(shown, ImageGrid)
    assert (shown.pictures[0].pixels == result.data["images"].values[0, 0]).all()


def test_everything_can_be_drawn(result: FeatureImage) -> None:
    figure = draw_views(result.views())
    texts = {text.get_text() for axes in figure.findobj() for text in getattr(axes, "texts", [])}
    assert "dog?" in texts


def test_pictures_are_written_with_their_opacity(result: FeatureImage, tmp_path: Path) -> None:
    share = np.zeros((4, 2, 20, 24), np.float32)
    share[..., :12] = 1
    data = result.data.assign(opacity=(("objective", "image", "y", "x"), share))
    paths = FeatureImage(data=data, meta=result.meta).save_pictures(tmp_path / "pictures")
    assert [path.name for path in paths][4] == "02-class-cat-dog-0.png"
    with Image.open(paths[0]) as picture:
        assert picture.mode == "RGBA"
        assert np.asarray(picture)[0, [0, 23], 3].tolist() == [255, 0]
    grid = FeatureImage(data=data, meta=result.meta).views()[0]
    assert isinstance(grid, ImageGrid)
    assert (grid.pictures[0].pixels[:, 12:] == 255).all()


def test_photographs_have_natural_contrast_and_flat_or_clipped_pictures_have_not() -> None:
    from sklearn.datasets import load_sample_image

    photo = Image.fromarray(load_sample_image("china.jpg"))
    photos = np.asarray(ImageOps.fit(photo, (224, 224)))[None, None]
    found = contrast(photos)
    assert keeps_contrast(found["channel_std"][1], found["saturated"][1]).all()
    odd = np.stack([np.full_like(photos[0], 90), np.where(photos[0] > 100, 255, 0)]).astype(
        np.uint8
    )
    found = contrast(odd)
    assert not keeps_contrast(found["channel_std"][1], found["saturated"][1]).any()
    np.testing.assert_allclose(
        contrast(photos)["channel_std"][1], photos.std((2, 3)) / 255, rtol=1e-4
    )
    assert NATURAL_STD[0] < NATURAL_STD[1]
