"""Blocks, phases, seeds, schedules and augmentation, each by itself."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torchvision
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pellucid.errors import SpecError
from pellucid.model import ImageInput, Model
from pellucid.training.augment import Augment
from pellucid.training.config import TrainingConfig
from pellucid.training.network import freeze_all_but, parameter_groups
from pellucid.training.optimization import choose_precision, learning_rate
from pellucid.training.seeds import shuffled
from pellucid.training.strategies import blocks, from_block, plan


def torchvision_model(name: str, head: str) -> Model:
    module = torchvision.models.get_model(name, weights=None)
    return Model(module=module, source=name, input=ImageInput(), head=head)


@pytest.mark.parametrize(
    ("name", "head", "count", "last"),
    [
        ("resnet18", "fc", 8, ["layer4.1", "fc"]),
        ("mobilenet_v3_small", "classifier.3", 13, ["features.12", "classifier.0", "classifier.3"]),
        (
            "vit_b_16",
            "heads.head",
            12,
            ["encoder.layers.encoder_layer_11", "encoder.ln", "heads.head"],
        ),
        ("vgg11", "classifier.6", 11, ["classifier.6"]),
    ],
)
def test_the_last_block_and_all_after_it(name, head, count, last):
    model = torchvision_model(name, head)
    assert len(blocks(model)) == count
    assert from_block(model, -1) == last


def test_too_many_blocks_are_refused():
    with pytest.raises(SpecError, match="last_blocks=9, but resnet18 has 8 blocks"):
        from_block(torchvision_model("resnet18", "fc"), -9)


def test_partial_takes_a_regular_expression_and_always_the_head():
    model = torchvision_model("resnet18", "fc")
    config = TrainingConfig(strategy="partial", pattern=r"layer4\.1\.conv")
    (phase,) = plan(model, config)
    assert phase.modules == ("layer4.1.conv1", "layer4.1.conv2", "fc")
    trained = freeze_all_but(model, phase.modules)
    assert set(trained) == {
        "layer4.1.conv1.weight",
        "layer4.1.conv2.weight",
        "fc.weight",
        "fc.bias",
    }
    assert model.module.layer4[1].conv1.training
    assert not model.module.layer4[1].bn1.training


def test_gradual_unfreezes_from_the_top_with_smaller_rates_below():
    model = torchvision_model("resnet18", "fc")
    phases = plan(model, TrainingConfig(strategy="gradual", epochs=7))
    assert [(p.name, p.epochs) for p in phases] == [("head", 2), ("upper blocks", 2), ("all", 3)]
    groups = parameter_groups(phases[2], freeze_all_but(model, phases[2].modules))
    sizes = {round(group["scale"], 4): len(group["params"]) for group in groups}
    assert sizes == {1.0: 2, round(1 / 2.6, 4): 15, round(1 / 2.6**2, 4): 45}


@given(size=st.integers(2, 200), batch=st.integers(2, 50), seed=st.integers(0, 5))
def test_an_epoch_visits_every_sample_once_and_never_a_batch_of_one(size, batch, seed):
    order = shuffled(size, batch, seed, epoch=3)
    assert sorted(i for row in order for i in row) == list(range(size))
    assert all(len(row) > 1 for row in order)
    assert order == shuffled(size, batch, seed, epoch=3)
    assert size < 6 or order != shuffled(size, batch, seed, epoch=4)


def test_schedules_by_hand():
    config = TrainingConfig(learning_rate=1.0, warmup=0.2, schedule="linear")
    assert [learning_rate(config, step, 10) for step in (0, 1, 2, 6, 10)] == [0.5, 1, 1, 0.5, 0]
    cosine = TrainingConfig(learning_rate=2.0, warmup=0)
    assert learning_rate(cosine, 5, 10) == pytest.approx(1.0)
    constant = TrainingConfig(learning_rate=2.0, warmup=0, schedule="constant")
    assert learning_rate(constant, 9, 10) == 2.0


def test_precision_is_chosen_by_what_the_device_does_well():
    cpu = torch.device("cpu")
    assert choose_precision("auto", cpu) == "no"
    assert choose_precision("bf16", cpu) == "bf16"


def test_augmented_pictures_depend_on_the_seed_alone_and_keep_their_size():
    pixels = np.random.default_rng(0).integers(0, 255, (20, 30, 3), dtype=np.uint8)
    picture = Image.fromarray(pixels)
    change = Augment(("flip", "crop", "colour"))
    first, again, other = change(picture, 1), change(picture, 1), change(picture, 2)
    assert first.size == picture.size
    assert first.tobytes() == again.tobytes() != other.tobytes()
    flipped = [Augment(("flip",))(picture, seed) for seed in range(20)]
    mirrored = pixels[:, ::-1].tobytes()
    assert {p.tobytes() for p in flipped} == {picture.tobytes(), mirrored}
