"""Faithfulness in an explanation: measured by default, said in words, shown, saved, and left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import pellucid
from pellucid.attribution.explain import explain
from pellucid.attribution.faithfulness.measures import Faithfulness
from pellucid.attribution.faithfulness.shown import (
    faithfulness_arrays,
    faithfulness_views,
    faithfulness_words,
)
from pellucid.errors import MethodError
from pellucid.views import Lines, Table
from pellucid.views.matplotlib import draw_views

OPTIONS: dict[str, Any] = {"methods": ["occlusion"], "limit": 3, "show": False}


def of(own: list[float], random: list[float], measure: str = "deletion") -> xr.Dataset:
    values = np.array([own, random], dtype=np.float32)
    curves = np.stack([values, values / 2], axis=-1)
    found = Faithfulness(
        entries=("grad_cam",), controls=("random",), values={measure: values},
        curves={measure: curves},
    )  # fmt: skip
    return xr.Dataset(faithfulness_arrays(found)).assign(title=("method", ["Grad-CAM"]))


def test_words_compare_with_a_random_order() -> None:
    assert faithfulness_words(of([0.2, 0.22], [0.4, 0.36]), 0) == (
        "Removing what Grad-CAM marks lowers the probability faster than removing at random: mean "
        "on the way 0.21 against 0.38, and 2 of 2 samples agree."
    )
    assert "more slowly than removing" in faithfulness_words(of([0.6], [0.4]), 0)
    assert "no faster than" in faithfulness_words(of([0.2, 0.6], [0.4, 0.41]), 0)
    shown = faithfulness_words(of([0.8, 0.7], [0.4, 0.4], "insertion"), 0)
    assert shown.startswith("Showing only what Grad-CAM marks raises the probability faster")
    assert faithfulness_words(xr.Dataset(), 0) == ""


def test_a_table_and_a_curve() -> None:
    table, curve = faithfulness_views(of([0.2, 0.22], [0.4, 0.36]))
    assert isinstance(table, Table)
    assert table.columns[0].values == ("Grad-CAM", "[Random order]")
    np.testing.assert_allclose(table.columns[1].values, [0.21, 0.38], rtol=1e-6)
    assert isinstance(curve, Lines)
    np.testing.assert_allclose(curve.series[0].y, [0.21, 0.105], rtol=1e-6)
    assert faithfulness_views(xr.Dataset()) == []


def test_by_default_with_every_explanation(
    picture_model: Any, pictures: Any, tmp_path: Path
) -> None:
    found = explain(picture_model, pictures, **OPTIONS)
    assert found.data["faithfulness"].dims == ("measure", "method", "sample")
    assert found.data["measure"].values.tolist() == ["deletion", "insertion", "sparseness"]
    assert found.data["control"].values.tolist() == ["random", "constant"]
    assert "removing at random" in found.summary()
    sample = found.to_json()["samples"][0]["methods"]["occlusion"]["faithfulness"]
    assert set(sample["deletion"]) == {"value", "random", "constant"}
    draw_views(found.views()).canvas.draw()
    opened = pellucid.open(found.save(tmp_path / "e.zarr"))
    assert opened.summary() == found.summary()
    assert len(found.save_pictures(tmp_path / "pictures")) == 3


def test_texts_of_one_word_are_measured(text_model: Any) -> None:
    found = explain(text_model, ["good", "a very bad film"], methods=["occlusion"], batch_size=1)
    assert np.isfinite(found.data["faithfulness"].values).all()


def test_on_request_and_left_out(picture_model: Any, pictures: Any) -> None:
    named = explain(picture_model, pictures, faithfulness=["infidelity"], **OPTIONS)
    assert named.data["measure"].values.tolist() == ["infidelity"]
    assert named.data.sizes["control"] == 4
    without = explain(picture_model, pictures, faithfulness=False, **OPTIONS)
    assert "faithfulness" not in without.data
    assert len(without.views()) == 3
    with pytest.raises(MethodError, match="measure 'infidelty' is not known"):
        explain(picture_model, pictures, faithfulness=["infidelty"], **OPTIONS)


def test_what_cannot_be_measured_is_raised_on_request(picture_model: Any, pictures: Any) -> None:
    with pytest.raises(MethodError, match="not where the objects are"):
        explain(picture_model, pictures, faithfulness=["pointing_game"], **OPTIONS)
