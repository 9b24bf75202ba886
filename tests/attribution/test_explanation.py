"""How an explanation is told and shown; built by hand from arrays."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from PIL import Image

from pellucid.attribution.explanation import Explanation
from pellucid.attribution.explanation_words import (
    concentration,
    percent,
    strongest_words,
    verdict,
    where,
)
from pellucid.result import Provenance
from pellucid.views import Bars, Overlay, Tokens
from pellucid.views.matplotlib import draw_views

TITLES = ("Grad-CAM", "Integrated gradients")


def answers() -> dict[str, tuple[str | tuple[str, ...], object]]:
    """Two samples: a right answer that is explained, and a wrong one explained for the truth."""
    return {
        "target": ("sample", [0, 1]),
        "target_label": ("sample", ["tabby", "lynx"]),
        "target_probability": ("sample", np.array([0.61, 0.123])),
        "predicted": ("sample", [0, 0]),
        "predicted_label": ("sample", ["tabby", "tabby"]),
        "true": ("sample", [0, 1]),
        "true_label": ("sample", ["tabby", "lynx"]),
        "probability": (("sample", "rank"), np.array([[0.61, 0.39], [0.877, 0.123]])),
        "rank_label": (("sample", "rank"), np.array([["tabby", "lynx"]] * 2)),
        "completeness_error": (("method", "sample"), np.array([[np.nan, np.nan], [0.01, 0.3]])),
        "passes": (("method", "sample"), np.array([[2, 2], [65, 449]])),
        "resolution": ("method", ["7 × 7 cells", "every pixel"]),
        "layer": ("method", ["layer4", ""]),
        "title": ("method", list(TITLES)),
        "about": ("method", ["It is coarse.", "It is noisy."]),
        "signed": ("method", [False, True]),
        "per_pixel": ("method", [False, True]),
    }


def made(**variables: object) -> Explanation:
    coordinates = {
        "method": ("method", ["grad_cam", "integrated_gradients"]),
        "sample_id": ("sample", ["a/1.jpg", "../../b.jpg"]),
    }
    data = xr.Dataset(answers() | variables, coords=coordinates)
    return Explanation(data=data, meta=Provenance(kind="explanation", notes=("Mind the gap.",)))


@pytest.fixture
def of_pictures() -> Explanation:
    rng = np.random.default_rng(0)
    maps = np.zeros((2, 2, 112, 112), dtype=np.float32)
    maps[0, 0, :30, :30] = 1.0
    maps[1] = rng.normal(size=(2, 112, 112))
    pictures = rng.integers(0, 256, (2, 112, 112, 3), dtype=np.uint8)
    return made(
        attribution=(("method", "sample", "y", "x"), maps),
        picture=(("sample", "y", "x", "channel"), pictures),
    )


@pytest.fixture
def of_texts() -> Explanation:
    tokens = np.array(
        [["[CLS]", "great", "fun", "##ny", "[SEP]"], ["[CLS]", "dull", "[SEP]", "", ""]]
    )
    values = np.array([[0, 2, 1, -0.5, 0], [0, -3, 0, np.nan, np.nan]], dtype=np.float32)
    return made(
        attribution=(("method", "sample", "token"), np.stack([values, 2 * values])),
        token=(("sample", "token"), tokens),
        special=(("sample", "token"), np.isin(tokens, ["[CLS]", "[SEP]"])),
        used=(("sample", "token"), tokens != ""),
    )


def test_a_picture_shows_all_its_maps_and_the_answer(of_pictures: Explanation) -> None:
    first, second = of_pictures.views()
    assert isinstance(first, Overlay)
    assert isinstance(second, Overlay)
    assert [heatmap.name for heatmap in first.maps] == [*TITLES]
    assert [heatmap.signed for heatmap in first.maps] == [False, True]
    assert (first.picture.sample, first.picture.tone) == ("a/1.jpg", "good")
    assert second.picture.tone == "bad"
    assert first.probabilities is not None
    assert first.probabilities.categories == ("tabby", "lynx")
    assert "The model answered 'tabby' with 61 %, which is right." in first.caption
    assert "Bright or red areas speak for 'tabby', blue areas against it." in first.caption
    assert "Grad-CAM: mostly in the upper left" in first.caption


def test_what_is_averaged_for_the_eye_is_said(of_pictures: Explanation) -> None:
    view = of_pictures.views()[0]
    assert isinstance(view, Overlay)
    coarse, fine = view.maps
    assert coarse.caption == "It is coarse. Resolution: 7 × 7 cells of layer layer4."
    assert fine.values.shape == (56, 56)
    assert "shown averaged over 2 × 2 pixels" in fine.caption
    assert "add up to the whole but for 1 %" in fine.caption
    values = of_pictures.data["attribution"].values[1, 0]
    np.testing.assert_allclose(fine.values[0, 0], values[:2, :2].mean(), rtol=1e-5)


def test_the_limit_is_a_high_percentile_and_never_zero(of_pictures: Explanation) -> None:
    first, second = of_pictures.views()
    assert isinstance(first, Overlay)
    assert isinstance(second, Overlay)
    assert first.maps[0].limit == 1.0
    fine = first.maps[1]
    assert fine.limit == pytest.approx(np.percentile(np.abs(fine.values), 99.5))
    assert second.maps[0].limit > 0
    assert "Grad-CAM: it marks nothing." in second.caption


def test_a_text_shows_its_words_per_method(of_texts: Explanation) -> None:
    views = of_texts.views()
    assert len(views) == 4
    first, last = views[0], views[3]
    assert isinstance(first, Tokens)
    assert isinstance(last, Tokens)
    assert first.tokens == ("[CLS]", "great", "funny", "[SEP]")
    assert first.values.tolist() == [0, 2, 0.5, 0]
    assert first.special == (True, False, False, True)
    assert "Strongest: 'great', 'funny'." in first.caption
    assert last.tokens == ("[CLS]", "dull", "[SEP]")
    assert np.isfinite(last.values).all()
    assert "Explained is 'lynx', to which it gave 12 %." in last.caption


def test_arrays_show_their_strongest_values() -> None:
    values = np.zeros((2, 2, 30), dtype=np.float32)
    values[:, :, 3], values[:, :, 7] = -2.0, 1.0
    view = made(attribution=(("method", "sample", "feature"), values)).views()[0]
    assert isinstance(view, Bars)
    assert view.categories[:2] == ("value 3", "value 7")
    assert view.series[0].values[:2].tolist() == [-2.0, 1.0]


def test_summary_and_headline(of_pictures: Explanation, of_texts: Explanation) -> None:
    said = of_pictures.summary()
    assert said.startswith("2 samples explained with Grad-CAM and Integrated gradients.")
    assert "The model was right on 1 of 2 samples." in said
    assert said.endswith("Mind the gap.")
    assert of_pictures.headline()[:2] == [
        ("Samples", "2", "Grad-CAM and Integrated gradients"),
        ("Right", "50 %", "1 of 2 samples"),
    ]
    assert of_pictures.headline()[2][:2] == ("Integrated gradients: error", "30 %")
    assert "strongest tenth" not in of_texts.summary()


def test_json_holds_figures_and_no_maps(of_pictures: Explanation, of_texts: Explanation) -> None:
    for explanation in (of_pictures, of_texts):
        record = json.loads(json.dumps(explanation.to_json(), allow_nan=False))
        assert record["methods"] == ["grad_cam", "integrated_gradients"]
        assert record["num_samples"] == 2
        assert record["samples"][0]["answers"][0] == {"label": "tabby", "probability": 0.61}
        assert record["samples"][1]["true_label"] == "lynx"
        figures = record["samples"][0]["methods"]
        assert figures["grad_cam"]["completeness_error"] is None
        assert figures["integrated_gradients"]["passes"] == 65


def test_pictures_are_written_inside_the_folder(of_pictures: Explanation, tmp_path: Path) -> None:
    paths = of_pictures.save_pictures(tmp_path / "out")
    assert [path.name for path in paths] == ["0-a-1.jpg.png", "1-b.jpg.png"]
    assert all(path.parent == tmp_path / "out" for path in paths)
    with Image.open(paths[0]) as picture:
        assert picture.format == "PNG"
        assert min(picture.size) > 200


def test_every_view_can_be_drawn(of_pictures: Explanation, of_texts: Explanation) -> None:
    figure = draw_views([of_pictures.views()[0], of_texts.views()[0]])
    texts = [text.get_text() for text in figure.findobj(match=lambda a: hasattr(a, "get_text"))]
    assert "Grad-CAM" in texts
    assert "great" in texts


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.614, "61 %"), (1.0, "100 %"), (0.999, ">99 %"), (0.001, "<1 %"), (0.0, "0 %")],
)
def test_percentages_do_not_overstate(share: float, words: str) -> None:
    assert percent(share) == words


@pytest.mark.parametrize(
    ("rows", "columns", "place"),
    [
        (slice(0, 4), slice(8, 12), "the upper right"),
        (slice(4, 8), slice(4, 8), "the centre"),
        (slice(4, 8), slice(1, 5), "the middle left"),
        (slice(8, 12), slice(0, 4), "the lower left"),
    ],
)
def test_where_the_strength_lies(rows: slice, columns: slice, place: str) -> None:
    values = np.zeros((12, 12), dtype=np.float32)
    values[rows, columns] = -1.0
    assert where(values).startswith(f"mostly in {place};")


def test_an_even_map_is_spread_widely() -> None:
    even = np.ones((12, 12), dtype=np.float32)
    assert (
        where(even) == "spread widely; the strongest tenth of the area holds 10 % of the importance"
    )
    assert concentration(even) == pytest.approx(14 / 144)
    assert concentration(np.zeros(5, dtype=np.float32)) == 0


def test_words_without_a_difference() -> None:
    nothing = strongest_words(["a"], np.zeros(1, dtype=np.float32), np.array([False]))
    assert nothing == "No word makes a difference."


def test_the_verdict_without_a_true_class(of_pictures: Explanation) -> None:
    data = of_pictures.data.assign(true_label=("sample", ["", ""]))
    assert verdict(data, 0) == "The model answered 'tabby' with 61 %."
    assert verdict(of_pictures.data, 1) == (
        "The model answered 'tabby' with 88 %; the right answer was 'lynx'. "
        "Explained is 'lynx', to which it gave 12 %."
    )
