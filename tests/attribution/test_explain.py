"""Explanations of raw samples: what is chosen, what is refused, and what is kept."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

import pellucid
from pellucid import attribute, explain
from pellucid.attribution.explanation import Explanation
from pellucid.data import Data
from pellucid.errors import DataError, MethodError, SpecError, UnreadableSample
from pellucid.model import ArrayInput, Model

Unchanged = Callable[[nn.Module], AbstractContextManager[None]]
QUICK = {"integrated_gradients": {"steps": 4, "max_steps": 4}, "occlusion": {"window": 4}}
ALL = ("grad_cam", "integrated_gradients", "occlusion")


@pytest.fixture
def explanation(picture_model: Model, pictures: Data) -> Explanation:
    return explain(picture_model, pictures, methods=ALL, batch_size=3, parameters=QUICK)


def test_the_maps_are_those_of_attribute(
    explanation: Explanation, picture_model: Model, pictures: Data
) -> None:
    inputs = picture_model.prepare([pictures.read(i) for i in range(7)])
    cam = attribute(picture_model, inputs, method="grad_cam")
    gradients = attribute(picture_model, inputs, **QUICK["integrated_gradients"])
    drops = attribute(picture_model, inputs, method="occlusion", window=4)
    expected = torch.stack([cam, gradients.sum(1), drops[:, 0]])
    maps = torch.from_numpy(explanation.data["attribution"].values)
    assert explanation.data["attribution"].dims == ("method", "sample", "y", "x")
    torch.testing.assert_close(maps, expected)


def test_what_the_model_saw_and_answered(
    explanation: Explanation, picture_model: Model, pictures: Data
) -> None:
    data = explanation.data
    raws = [pictures.read(i) for i in range(7)]
    seen = np.stack([np.array(picture_model.input.picture(raw)) for raw in raws])
    np.testing.assert_array_equal(data["picture"].values, seen)
    probabilities = picture_model.predict(raws)
    best = probabilities.sort(1, descending=True)
    np.testing.assert_allclose(data["probability"].values, best.values, rtol=1e-5)
    assert data["predicted"].values.tolist() == best.indices[:, 0].tolist()
    assert [*data["sample_id"].values] == [*pictures.ids]
    names = [picture_model.labels[i] for i in best.indices[:, 0]]
    assert [*data["predicted_label"].values] == [*data["target_label"].values] == names
    assert [*data["true_label"].values] == [pictures.labels[i] for i in pictures.targets]
    assert data["true"].values.tolist() == [2, 1, 0, 2, 1, 0, 2]


def test_passes_errors_and_layers(explanation: Explanation) -> None:
    data = explanation.data
    assert data["passes"].values[0].tolist() == [2] * 7
    assert data["passes"].values[1].tolist() == [9] * 7  # four steps both ways, and the baseline
    assert np.isnan(data["completeness_error"].values[[0, 2]]).all()
    assert np.isfinite(data["completeness_error"].values[1]).all()
    assert [*data["layer"].values] == ["act", "", ""]
    assert explanation.meta.parameters["grad_cam"] == {
        "layer": "act",
        "upsample": True,
        "fuse": "mean",
    }
    assert explanation.meta.parameters["integrated_gradients"]["steps"] == 4
    assert explanation.meta.model is not None
    assert explanation.meta.data is not None


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("true", [2, 1, 0, 2, 1, 0, 2]),
        ("dog", [1] * 7),
        (0, [0] * 7),
        (torch.tensor([0, 1, 2, 0, 1, 2, 0]), [0, 1, 2, 0, 1, 2, 0]),
    ],
)
def test_targets(picture_model: Model, pictures: Data, target: Any, expected: list[int]) -> None:
    found = explain(picture_model, pictures, target=target, batch_size=3)
    assert found.data["target"].values.tolist() == expected


def test_true_needs_labels(picture_model: Model, pictures: Data) -> None:
    unlabelled = replace(pictures, targets=np.array([0, 1, 2, -1, 1, 2, 0]))
    with pytest.raises(MethodError, match="there is none for picture/3"):
        explain(picture_model, unlabelled, target="true")
    with pytest.raises(MethodError, match="2 targets were given for 7 samples"):
        explain(picture_model, pictures, target=[0, 1])


def test_a_limit_draws_from_all_classes(picture_model: Model, pictures: Data) -> None:
    found = explain(picture_model, pictures, limit=3, seed=1)
    assert sorted(found.data["true_label"].values) == ["cat", "cup", "dog"]
    again = explain(picture_model, pictures, limit=3, seed=1)
    assert found.data.identical(again.data)


def test_samples_that_cannot_be_read_are_left_out(picture_model: Model, pictures: Data) -> None:
    def read(index: int) -> Any:
        if index == 2:
            raise UnreadableSample("picture/2", "cannot be decoded")
        return pictures.read(index)

    found = explain(picture_model, replace(pictures, read=read), batch_size=2)
    assert "picture/2" not in found.data["sample_id"].values
    assert found.data.sizes["sample"] == 6
    assert found.meta.notes == ("1 of 7 samples could not be read and were left out.",)
    assert "could not be read" in found.summary()


def test_raw_pictures_and_paths(picture_model: Model, pictures: Data, tmp_path: Path) -> None:
    picture = pictures.read(0)
    picture.save(tmp_path / "one.png")
    expected = explain(picture_model, picture).data["attribution"].values
    assert expected.shape == (1, 1, 12, 12)
    for same in (
        np.array(picture),
        str(tmp_path / "one.png"),
        [tmp_path / "one.png"],
        [picture],
        np.array(picture)[None],
    ):
        found = explain(picture_model, same).data
        np.testing.assert_allclose(found["attribution"].values, expected, rtol=1e-5)
        assert found["true_label"].values.tolist() == [""]
    named = explain(picture_model, tmp_path / "one.png").data["sample_id"].values
    assert named.tolist() == [str(tmp_path / "one.png")]
    assert explain(picture_model, [picture, picture]).data.sizes["sample"] == 2
    with pytest.raises(DataError, match=r"gone\.png is no file"):
        explain(picture_model, str(tmp_path / "gone.png"))
    with pytest.raises(DataError, match="no samples were given"):
        explain(picture_model, [])


def test_texts_are_padded_to_the_longest(text_model: Model) -> None:
    texts = ["good film", "a very good film", "bad"]
    methods = ("integrated_gradients", "occlusion")
    data = explain(text_model, texts, methods=methods, batch_size=1).data
    assert data["attribution"].dims == ("method", "sample", "token")
    assert data["attribution"].shape == (2, 3, 6)
    assert [*data["token"].values[0][:4]] == ["[CLS]", "good", "film", "[SEP]"]
    assert data["special"].values[0].tolist() == [True, False, False, True, False, False]
    assert data["used"].values.sum(1).tolist() == [4, 6, 3]
    assert np.isnan(data["attribution"].values[:, 2, 3:]).all()
    assert np.isfinite(data["attribution"].values[:, data["used"].values]).all()
    assert explain(text_model, "good", methods="occlusion").data.sizes["sample"] == 1


def test_arrays() -> None:
    record = ArrayInput(shape=(4,))
    model = Model(module=nn.Linear(4, 2), source="linear", input=record, labels=("a", "b"))
    rows = np.eye(4, dtype=np.float32)
    data = explain(model, rows, methods="integrated_gradients", target="b").data
    expected = np.diag(model.module.weight[1].detach().numpy())
    np.testing.assert_allclose(data["attribution"].values[0], expected, atol=1e-6)
    assert explain(model, rows[0], methods="occlusion").data.sizes["sample"] == 1
    with pytest.raises(MethodError, match="'grad_cam' is not defined for arrays"):
        explain(model, rows)


def test_masks_tell_where_the_objects_are(picture_model: Model, pictures: Data) -> None:
    masks = torch.zeros(7, 12, 12)
    masks[:, :, :6] = 1
    data = explain(picture_model, pictures, masks=masks, batch_size=3).data
    assert {"deletion", "pointing_game", "mass_inside"} <= set(data["measure"].values.tolist())
    constant = data["faithfulness_control"].sel(measure="mass_inside", control="constant")
    np.testing.assert_allclose(constant, 0.5, atol=1e-6)
    inside = data["faithfulness"].sel(measure="mass_inside").values
    assert ((inside >= 0) & (inside <= 1)).all()
    with pytest.raises(MethodError, match=r"masks of shape \(6, 12, 12\) were given for 7 samples"):
        explain(picture_model, pictures, masks=masks[:6])
    with pytest.raises(MethodError, match="not where the objects are"):
        explain(picture_model, pictures, faithfulness=["pointing_game"])


def test_the_model_is_left_as_it_was(
    picture_model: Model, pictures: Data, unchanged: Unchanged
) -> None:
    with unchanged(picture_model.module):
        explain(picture_model, pictures, methods=ALL, parameters=QUICK)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"methods": "gradcam"}, SpecError, "Closest: 'grad_cam'"),
        ({"methods": ()}, MethodError, "no method was given"),
        ({"methods": "occlusion", "layer": "act"}, MethodError, "none of the methods"),
        ({"parameters": {"occlusion": {}}}, MethodError, "'occlusion' were given, but not that"),
        ({"parameters": {"grad_cam": {"size": 3}}}, MethodError, "no parameter 'size'"),
        ({"parameters": {"grad_cam": {"upsample": False}}}, MethodError, r"map of \(6, 6\)"),
        ({"limit": 0}, SpecError, "limit=0"),
    ],
)
def test_options_that_do_not_fit(
    picture_model: Model,
    pictures: Data,
    options: dict[str, Any],
    error: type[Exception],
    message: str,
) -> None:
    with pytest.raises(error, match=message):
        explain(picture_model, pictures, **options)


def test_data_of_another_kind(picture_model: Model, text_model: Model, pictures: Data) -> None:
    with pytest.raises(DataError, match="made holds pictures, but tiny-bert takes texts"):
        explain(text_model, pictures, methods="occlusion")
    with pytest.raises(MethodError, match="'grad_cam' is not defined for texts"):
        explain(text_model, ["good"])


def test_a_sum_that_is_wrong_is_noted(picture_model: Model, pictures: Data) -> None:
    found = explain(
        picture_model,
        pictures,
        methods="integrated_gradients",
        parameters={"integrated_gradients": {"steps": 1, "max_steps": 1, "tolerance": 0.0}},
    )
    assert "for 7 of 7 samples the parts do not add up" in found.meta.notes[0]


def test_saved_equals_opened(explanation: Explanation, text_model: Model, tmp_path: Path) -> None:
    texts = explain(text_model, ["good film", "bad"], methods="occlusion")
    for result in (explanation, texts):
        opened = pellucid.open(result.save(tmp_path / "saved.zarr"))
        assert isinstance(opened, Explanation)
        assert opened.data.identical(result.data)
        assert opened.meta == result.meta
        assert [view.title for view in opened.views()] == [view.title for view in result.views()]


def test_grey_pictures_are_shown_as_they_are(pictures: Data) -> None:
    class Grey(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 2, 3)

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            return self.conv(pixels).mean((2, 3))

    record = pellucid.model.ImageInput(size=(8, 8), resize=8, mean=(0.4,), std=(0.3,))
    grey = Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8) * 4).convert("RGB")
    found = explain(Model(module=Grey(), source="grey", input=record), grey)
    np.testing.assert_array_equal(found.data["picture"].values[0], np.array(grey))
    assert found.data["predicted_label"].values[0] in ("class 0", "class 1")


def test_one_class_against_another(picture_model: Model, pictures: Data) -> None:
    difference = explain(picture_model, pictures, methods="occlusion", target="cat", against="dog")
    single = [
        explain(picture_model, pictures, methods="occlusion", target=label)
        for label in ("cat", "dog")
    ]
    expected = single[0].data["attribution"] - single[1].data["attribution"]
    np.testing.assert_allclose(difference.data["attribution"], expected, rtol=1e-3, atol=1e-4)
    assert difference.meta.target == "cat against dog"


def test_a_callable_as_target(picture_model: Model, pictures: Data) -> None:
    def second(logits: Tensor) -> Tensor:
        return logits[:, 1]

    found = explain(picture_model, pictures, methods="occlusion", target=second)
    expected = explain(picture_model, pictures, methods="occlusion", target=1)
    np.testing.assert_allclose(found.data["attribution"], expected.data["attribution"])
    assert found.meta.target == "the callable second"
