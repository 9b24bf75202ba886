"""Cards of units: the right samples, the right patches, and the classes that a unit feeds."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import pellucid
from pellucid.data import Data
from pellucid.errors import LayerError, SpecError, UnreadableSample
from pellucid.inside.features import FeatureImage, Settings, feature_cards
from pellucid.inside.features.feeding import EFFECT, WEIGHTS, effects, head_weights
from pellucid.inside.features.patches import boxes, framed, patch_of
from pellucid.inside.features.watching import watching
from pellucid.model import Model
from pellucid.views import Bars, ImageGrid

Make = Callable[..., Model]
Unchanged = Callable[[nn.Module], AbstractContextManager[None]]


@pytest.fixture
def cards(model: Model, photos: Data, quick: Settings) -> FeatureImage:
    return feature_cards(
        model, photos, "second", [2, 5], top=4, steps=3, settings=quick, show=False
    )


def maps_of(model: Model, photos: Data) -> Tensor:
    inputs = model.prepare([sample.input for sample in photos])[""]
    parts = model.module
    with torch.no_grad(), model.evaluating():
        return parts.second(parts.act(parts.norm(parts.first(inputs))))


def test_top_samples_are_those_that_excite_most(
    cards: FeatureImage, model: Model, photos: Data
) -> None:
    highest = maps_of(model, photos)[:, [2, 5]].flatten(2).amax(2)
    values, order = highest.sort(dim=0, descending=True)
    expected = [[photos.ids[i] for i in column] for column in order[:4].T.tolist()]
    assert cards.data["top_sample"].values.tolist() == expected
    np.testing.assert_allclose(cards.data["top_value"].values, values[:4].T.numpy(), rtol=1e-4)


def test_a_layer_that_the_head_reads_has_the_heads_weights(
    cards: FeatureImage, model: Model
) -> None:
    assert cards.data["fed_value"].attrs["long_name"] == WEIGHTS
    weight = model.module.fc.weight.detach()[:, 2]
    found = dict(
        zip(cards.data["fed_label"].values[0], cards.data["fed_value"].values[0], strict=True)
    )
    assert found == pytest.approx(dict(zip(model.labels, weight.tolist(), strict=True)))


def test_elsewhere_effects_are_gradient_times_activation(model: Model, photos: Data) -> None:
    inputs = model.prepare([sample.input for sample in photos])[""]
    parts = model.module.eval().requires_grad_(False)
    assert head_weights(model, "first", [1], inputs[:2]) is None
    found = effects(model, "norm", 1, inputs)
    expected = []
    for label in range(6):
        maps = parts.norm(parts.first(inputs)).detach().requires_grad_()
        logits = parts.fc(parts.second(torch.relu(maps)).mean((2, 3)))
        (gradient,) = torch.autograd.grad(logits[:, label].sum(), maps)
        expected.append(float((gradient * maps.detach())[:, 1].sum((1, 2)).mean()))
    assert found.tolist() == pytest.approx(expected, rel=1e-3, abs=1e-6)


def test_of_a_layer_that_is_called_twice_the_last_call_counts(picture_model: Make) -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Conv2d(3, 2, 3), nn.Conv2d(2, 4, 3)
            self.act, self.fc = nn.Tanh(), nn.Linear(4, 3)

        def forward(self, pixels: Tensor) -> Tensor:
            return self.fc(self.act(self.second(self.act(self.first(pixels)))).mean((2, 3)))

    torch.manual_seed(0)
    model = picture_model(Twice().eval(), labels=())
    pixels = torch.randn(2, 3, 24, 24, generator=torch.Generator().manual_seed(0))
    linear = head_weights(model, "act", [3], pixels)
    assert linear is not None
    with torch.no_grad(), watching(model, ["act"], {"act": 2}) as run:
        mean = run(pixels)["act"][:, 3].mean()
    torch.testing.assert_close(effects(model, "act", 3, pixels), linear.effects[0] * mean)


def test_effects_reach_through_attention(picture_model: Make) -> None:
    from torchvision.models import VisionTransformer

    torch.manual_seed(0)
    module = VisionTransformer(
        image_size=32, patch_size=8, num_layers=2, num_heads=2, hidden_dim=16, mlp_dim=32,
        num_classes=7,
    ).eval()  # fmt: skip
    nn.init.normal_(module.heads.head.weight)
    model = picture_model(module, side=32, labels=())
    pixels = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    found = effects(model, "encoder.layers.encoder_layer_0", 3, pixels)
    step = 1e-2
    answers = []
    for factor in (1 - step, 1 + step):

        def scale(
            _module: nn.Module, _inputs: object, output: Tensor, by: float = factor
        ) -> Tensor:
            by_unit = torch.ones(16)
            by_unit[3] = by
            return output * by_unit

        hook = module.encoder.layers[0].register_forward_hook(scale)
        with torch.no_grad():
            answers.append(module(pixels).mean(0))
        hook.remove()
    expected = (answers[1] - answers[0]) / (2 * step)
    torch.testing.assert_close(found, expected, rtol=0.02, atol=2e-3)


def test_the_patch_is_what_the_unit_looks_at(picture_model: Make) -> None:
    class Local(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 2, 9, padding=4)

        def forward(self, pixels: Tensor) -> Tensor:
            return self.conv(pixels).mean((2, 3))

    model = picture_model(Local(), side=48, labels=())
    pixels = torch.randn(2, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    with watching(model, ["conv"], {"conv": 1}) as run:
        (left, top, right, bottom), second = boxes(run, "conv", pixels, 1, [48 * 20 + 30, 0])
    assert right - left == bottom - top
    assert left <= 30 - 3
    assert right >= 30 + 3
    assert top <= 20 - 3
    assert bottom >= 20 + 3
    assert right - left <= 20
    assert second[:2] == (0, 0)


def test_patches_and_frames_are_tiles(photos: Data) -> None:
    picture = photos[8].input
    assert patch_of(picture, (2, 2, 12, 12)).shape == (96, 96, 3)
    drawn = framed(picture, (0, 0, 24, 24)).astype(int)
    assert abs(drawn[1, 48] - [255, 190, 0]).max() < 60


def test_cards_are_shown_and_kept(cards: FeatureImage, tmp_path: Path) -> None:
    views = cards.views()
    titles = [view.title for view in views]
    assert titles[:3] == [
        "What excites them most",
        "Unit second:2",
        "Classes that unit second:2 feeds",
    ]
    card, bars = views[1], views[2]
    assert isinstance(card, ImageGrid)
    assert len(card.pictures) == 1 + 4 + 4
    assert isinstance(bars, Bars)
    assert list(bars.series[0].values) == sorted(bars.series[0].values, reverse=True)
    opened = pellucid.open(cards.save(tmp_path / "cards.zarr"))
    assert isinstance(opened, FeatureImage)
    assert [view.title for view in opened.views()] == titles
    assert opened.views()[2].caption == bars.caption


def test_more_places_than_samples(model: Model, photos: Data, quick: Settings) -> None:
    few = photos.subset([0, 1])
    result = feature_cards(model, few, "norm", [1], top=8, steps=1, settings=quick, show=False)
    assert result.data.sizes["rank"] == 2
    assert result.data["fed_value"].attrs["long_name"] == EFFECT


def test_samples_that_cannot_be_read_are_left_out(
    model: Model, photos: Data, quick: Settings
) -> None:
    from dataclasses import replace

    def read(index: int) -> object:
        if index == 8:
            raise UnreadableSample("photo/8", "damaged")
        return photos.read(index)

    result = feature_cards(
        model, replace(photos, read=read), "second", [2], top=9, steps=1, settings=quick, show=False
    )
    assert "photo/8" not in result.data["top_sample"].values
    assert np.isfinite(result.data["top_value"].values).sum() == 8


def test_the_model_is_left_alone(
    model: Model, photos: Data, quick: Settings, unchanged: Unchanged
) -> None:
    with unchanged(model.module):
        feature_cards(model, photos, "norm", [1], top=2, steps=1, settings=quick, show=False)


@pytest.mark.parametrize(
    ("layer", "units", "top", "error", "message"),
    [
        ("secnd", [1], 2, LayerError, "'secnd'.*'second'"),
        ("second", [8], 2, LayerError, "unit 8.*0 to 7"),
        ("second", [], 2, SpecError, r"units=\[\].*sequence of channels"),
        ("second", [1], 0, SpecError, "top=0"),
    ],
)
def test_bad_arguments(
    model: Model, photos: Data, layer: str, units: list[int], top: int, error: type, message: str
) -> None:
    with pytest.raises(error, match=f"(?s){message}"):
        feature_cards(model, photos, layer, units, top=top, steps=1, show=False)
