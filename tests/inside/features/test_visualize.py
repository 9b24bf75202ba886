"""Ascent: known optima, one batch as good as many, the model left alone, errors."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from pellucid.data import Data
from pellucid.errors import LayerError, ModelError, SpecError, UnreadableSample
from pellucid.inside.features import Direction, Settings, Transforms, visualize_feature
from pellucid.inside.features import optimizing as optimizing_module
from pellucid.inside.features.transforms import STILL
from pellucid.model import ArrayInput, ImageInput, Model, TextInput

SIDE = 24
Make = Callable[..., Model]
Unchanged = Callable[[nn.Module], AbstractContextManager[None]]


def pixels(result: Any, row: int = 0, image: int = 0) -> np.ndarray:
    return result.data["images"].values[row, image].astype(np.float64) / 255


def test_the_best_picture_of_a_linear_channel_is_its_filter(still: Settings) -> None:
    """Under every place of the filter, each pixel goes as far as its weight's sign says."""
    torch.manual_seed(0)
    filters = nn.Conv2d(1, 2, 3, stride=3, bias=False)
    grey = ImageInput(size=(SIDE, SIDE), resize=SIDE, mean=(0.5,), std=(0.25,))
    module = nn.Sequential(filters, nn.Flatten(), nn.Linear(128, 2))
    model = Model(module=module, source="linear", input=grey)
    result = visualize_feature(
        model, "0:1", steps=60, parameterization="pixels", settings=still, show=False
    )
    signs = torch.sign(filters.weight[1, 0]).detach().numpy()
    assert (np.sign(pixels(result)[..., 0] - 0.5) == np.tile(signs, (8, 8))).all()
    assert np.abs(pixels(result) - 0.5).mean() > 0.3


def test_a_direction_is_the_weighted_sum_of_its_channels(model: Model, still: Settings) -> None:
    vector = torch.zeros(8)
    vector[5] = 2.0
    kept = {"steps": 5, "settings": still, "show": False}
    along = visualize_feature(model, Direction("second", vector, name="second:5"), **kept)
    channel = visualize_feature(model, "second:5", **kept)
    np.testing.assert_allclose(
        along.data["score"][0, 0, 0], 2 * channel.data["score"][0, 0, 0], 0.3
    )


@pytest.mark.parametrize("parameterization", ["fourier", "pixels", "maco"])
def test_scores_grow_and_pictures_are_natural(
    model: Model, quick: Settings, parameterization: str
) -> None:
    result = visualize_feature(
        model,
        ["dog", "second:3"],
        steps=40,
        parameterization=parameterization,
        settings=quick,
        show=False,
    )
    score = result.data["score"].values
    assert (score[:, :, -5:].mean(2) > score[:, :, :5].mean(2)).all()
    assert result.data["images"].shape == (2, 1, SIDE, SIDE, 3)
    assert ("opacity" in result.data) == (parameterization == "maco")


def test_a_batch_gives_what_its_parts_give_alone(model: Model, quick: Settings) -> None:
    kept = {"steps": 6, "images": 2, "settings": quick, "show": False}
    written = ["dog", "second:3", "second:4@1,2", "second"]
    together = visualize_feature(model, written, **kept)
    for row, one in enumerate(written):
        alone = visualize_feature(model, one, **kept)
        np.testing.assert_allclose(pixels(alone), pixels(together, row), rtol=0, atol=2 / 255)
        np.testing.assert_allclose(
            alone.data["score"].values[0], together.data["score"].values[row], rtol=0.02, atol=1e-3
        )


def test_the_seed_decides(model: Model, quick: Settings) -> None:
    kept = {"steps": 4, "settings": quick, "show": False}
    first, again, other = (visualize_feature(model, "dog", seed=seed, **kept) for seed in (1, 1, 2))
    assert (pixels(first) == pixels(again)).all()
    assert first.data["read_score"].values == again.data["read_score"].values
    assert (pixels(first) != pixels(other)).any()


def test_several_pictures_of_one_objective_are_kept_different(model: Model) -> None:
    def likeness(weight: float) -> float:
        settings = Settings(diversity=weight, num_views=1, transforms=STILL)
        result = visualize_feature(
            model, "second", images=3, steps=30, settings=settings, show=False
        )
        shown = (torch.from_numpy(result.data["images"].values[0]) / 255 - 0.5) / 0.25
        with torch.no_grad(), model.evaluating():
            parts = model.module
            maps = parts.second(
                parts.act(parts.norm(parts.first(shown.permute(0, 3, 1, 2).float())))
            )
        return float(optimizing_module.likeness(maps, (SIDE, SIDE)).mean())

    assert likeness(3.0) < likeness(0.0) - 0.01


def test_total_variation_smooths(model: Model) -> None:
    def roughness(weight: float) -> float:
        settings = Settings(total_variation=weight, num_views=1)
        result = visualize_feature(
            model, "second:1", steps=30, parameterization="pixels", settings=settings, show=False
        )
        return float(np.abs(np.diff(pixels(result), axis=0)).mean())

    assert roughness(20.0) < 0.7 * roughness(0.0)


def test_a_photograph_is_dreamt_into(model: Model, quick: Settings) -> None:
    shown = np.random.default_rng(0).integers(40, 215, (30, 60, 3), dtype=np.uint8)
    photo = Image.fromarray(shown).resize((96, 48))
    result = visualize_feature(
        model, ["second", "dog"], steps=8, start=photo, size=(48, 96), settings=quick, show=False
    )
    assert result.data["images"].shape == (2, 1, 48, 96, 3)
    assert result.data["score"].sizes["step"] == 8
    start = result.data["start"].values.astype(float)
    np.testing.assert_allclose(start, np.asarray(photo), atol=2)
    changed = np.abs(result.data["images"].values.astype(float) - start).mean()
    assert 1 < changed < 60
    assert np.corrcoef(pixels(result).reshape(-1), start.reshape(-1))[0, 1] > 0.7
    assert "from a photograph" in result.summary()


def test_natural_samples_put_scores_into_proportion(
    model: Model, photos: Data, quick: Settings
) -> None:
    result = visualize_feature(
        model, ["second:2", "dog"], steps=30, data=photos, settings=quick, show=False
    )
    scores = model_scores(model, photos)
    read = result.data["read_score"].values[:, 0]
    expected = 100 * (scores < read[:, None]).mean(1)
    np.testing.assert_allclose(result.data["natural_percentile"].values[:, 0], expected)
    np.testing.assert_allclose(result.data["natural_highest"].values, scores.max(1), rtol=1e-4)
    assert result.data["num_natural"] == 9
    assert result.meta.data is not None


def model_scores(model: Model, photos: Data) -> np.ndarray:
    inputs = model.prepare([sample.input for sample in photos])[""]
    with torch.no_grad(), model.evaluating():
        parts = model.module
        maps = parts.second(parts.act(parts.norm(parts.first(inputs))))
        return np.stack([maps[:, 2].mean((1, 2)).numpy(), model.logits({"": inputs})[:, 1].numpy()])


def test_what_is_read_back_is_what_the_model_says(model: Model, still: Settings) -> None:
    """A view that is hardly changed: scores of the picture itself are near."""
    settings = Settings(transforms=STILL, num_views=64)
    result = visualize_feature(model, "dog", steps=40, settings=settings, show=False)
    with torch.no_grad():
        logits = model.predict([Image.fromarray(result.data["images"].values[0, 0])])
    assert result.data["read_probability"].values[0, 0] == pytest.approx(
        float(logits[0, 1]), abs=0.1
    )
    assert result.data["read_top5"].values[0, 0] == 1


def test_the_model_is_left_alone(model: Model, quick: Settings, unchanged: Unchanged) -> None:
    with unchanged(model.module):
        visualize_feature(model, ["dog", "second:1"], steps=3, images=2, settings=quick, show=False)


class Failing(RuntimeError):
    pass


@pytest.mark.parametrize("error", [Failing, KeyboardInterrupt])
def test_the_model_is_left_alone_when_it_fails(
    model: Model, quick: Settings, unchanged: Unchanged, error: type[BaseException]
) -> None:
    def fail(_module: nn.Module, _arguments: Any) -> None:
        raise error

    hook = model.module.drop.register_forward_pre_hook(fail)
    with unchanged(model.module), pytest.raises(error):
        visualize_feature(model, "dog", steps=3, settings=quick, show=False)
    hook.remove()


def test_an_interrupt_keeps_the_best_so_far(
    model: Model, quick: Settings, unchanged: Unchanged, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = []
    real = optimizing_module._wake

    def interrupted(*arguments: Any) -> None:
        steps.append(1)
        if len(steps) == 7:
            raise KeyboardInterrupt
        real(*arguments)

    monkeypatch.setattr(optimizing_module, "_wake", interrupted)
    with unchanged(model.module):
        result = visualize_feature(model, "dog", steps=50, settings=quick, show=False)
    assert result.data.sizes["step"] == 7
    assert "Stopped by Ctrl-C after 7 of 50 steps" in result.summary()
    assert np.isfinite(result.data["read_score"].values).all()


def test_works_inside_inference_mode(model: Model, quick: Settings) -> None:
    with torch.inference_mode():
        result = visualize_feature(model, "dog", steps=2, settings=quick, show=False)
    assert result.data.sizes["step"] == 2


class Silent(nn.Module):
    """A unit that only wakes for bright pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.act = nn.ReLU()

    def forward(self, pixels: Tensor) -> Tensor:
        return self.act(pixels.mean((2, 3)) - 0.15)


def test_a_silent_unit_is_woken(picture_model: Make) -> None:
    settings = Settings(num_views=1, transforms=STILL)
    model = picture_model(Silent(), labels=())
    result = visualize_feature(model, "act:0", steps=60, settings=settings, show=False)
    assert result.data["score"].values[0, 0, -1] > 0.1


def test_only_what_is_needed_of_the_model_runs(model: Model, quick: Settings) -> None:
    calls = {"first": 0, "fc": 0}
    for name in calls:
        layer = model.module.get_submodule(name)
        layer.register_forward_hook(
            lambda _m, _a, _o, name=name: calls.__setitem__(name, calls[name] + 1)
        )
    visualize_feature(model, "second:1", steps=10, settings=quick, show=False)
    assert calls["first"] >= 12
    assert calls["fc"] <= 2


def transformer() -> nn.Module:
    from torchvision.models import VisionTransformer

    torch.manual_seed(0)
    return VisionTransformer(
        image_size=32, patch_size=8, num_layers=2, num_heads=2, hidden_dim=16, mlp_dim=32,
        num_classes=7,
    )  # fmt: skip


def test_a_vision_transformer_of_one_size(
    picture_model: Make, quick: Settings, unchanged: Unchanged
) -> None:
    model = picture_model(transformer(), side=32, labels=())
    last = "encoder.layers[-1]"
    written = ["class:3", f"{last}:5", f"{last}:5@1,2", f"{last}:5@0"]
    torch.nn.init.normal_(model.module.heads.head.weight)
    with unchanged(model.module):
        result = visualize_feature(
            model, written, steps=20, images=2, settings=quick, size=40, show=False
        )
    assert result.data["images"].shape == (4, 2, 40, 40, 3)
    score = result.data["score"].values
    assert (score[:, :, -4:].mean(2) > score[:, :, :4].mean(2)).all()
    assert list(result.data["aim"].values) == ["class", "channel", "neuron", "neuron"]


def test_small_views_where_the_model_takes_them(picture_model: Make) -> None:
    class Pooled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 8, stride=8)

        def forward(self, pixels: Tensor) -> Tensor:
            self.seen = tuple(pixels.shape[2:])
            return self.conv(pixels).mean((2, 3))

    model = picture_model(Pooled(), side=224, labels=())
    settings = Settings(num_views=1)
    result = visualize_feature(model, "conv:1", steps=1, settings=settings, show=False)
    assert result.meta.parameters["view"] == [128, 128]
    neuron = visualize_feature(model, "conv:1@27,0", steps=1, settings=settings, show=False)
    assert neuron.meta.parameters["view"] == [224, 224]


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"steps": 0}, SpecError, "steps=0.*at least 1"),
        ({"images": 0}, SpecError, "images=0.*at least 1"),
        ({"size": 4}, SpecError, "size=4.*at least 8"),
        ({"parameterization": "fourrier"}, SpecError, "'fourrier' is unknown.*'fourier'"),
        ({"layer": "secnd"}, LayerError, "'secnd'.*'second'"),
        ({"start": "no-such-file.jpg"}, UnreadableSample, "no-such-file.jpg"),
        (
            {"start": np.zeros((9, 9, 3), np.uint8), "parameterization": "maco"},
            SpecError,
            "maco.*Use 'fourier'",
        ),
    ],
)
def test_bad_arguments(
    model: Model, given: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=f"(?s){message}"):
        visualize_feature(model, "dog", **given, show=False)


@pytest.mark.parametrize(
    "given", [{"view": 0}, {"learning_rate": 0.0}, {"contrast": 0}, {"octaves": 0}, {"decay": -1}]
)
def test_bad_settings(given: dict[str, Any]) -> None:
    (name,) = given
    with pytest.raises(SpecError, match=rf"{name}=.*expected"):
        Settings(**given)


def test_a_view_that_the_model_does_not_take(picture_model: Make) -> None:
    model = picture_model(transformer(), side=32, labels=())
    with pytest.raises(SpecError, match=r"view=24.*does not take.*use 32"):
        visualize_feature(model, 0, settings=Settings(view=24), show=False)


def test_layers_that_are_never_reached(model: Model) -> None:
    with pytest.raises(LayerError, match="'spare' is not reached"):
        visualize_feature(model, "spare:0", show=False)


def test_models_of_texts_and_arrays_are_told_what_to_do_instead() -> None:
    texts = Model(module=nn.Linear(2, 2), source="words", input=TextInput(tokenizer=[]))
    with pytest.raises(ModelError, match=r"words takes texts.*pellucid\.inspect"):
        visualize_feature(texts, "0:0")
    rows = Model(module=nn.Linear(2, 2), source="rows", input=ArrayInput(shape=(2,)))
    with pytest.raises(ModelError, match=r"rows takes arrays.*ImageInput"):
        visualize_feature(rows, "0:0")


def test_a_model_that_overflows_is_named(picture_model: Make, quick: Settings) -> None:
    class Overflowing(nn.Module):
        def forward(self, pixels: Tensor) -> Tensor:
            return (pixels.mean((2, 3)) * 1e6).exp()

    with pytest.raises(ModelError, match="score became"):
        visualize_feature(picture_model(Overflowing(), labels=()), 0, settings=quick, show=False)


def test_transforms_are_a_setting(model: Model) -> None:
    settings = Settings(transforms=Transforms(zoom=(1, 1), jitter=0, rotation=0), num_views=1)
    result = visualize_feature(model, "cat", steps=2, settings=settings, show=False)
    assert result.meta.parameters["transforms"]["rotation"] == 0
