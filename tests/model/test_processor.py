"""Hugging Face image processors, described by trying them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from pellucid.errors import ModelError

transformers = pytest.importorskip("transformers")
from pellucid.model.processor import image_input  # noqa: E402


def picture() -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (10, 13, 3), dtype=np.uint8)
    return Image.fromarray(pixels).resize((400, 300), Image.Resampling.BICUBIC)


@pytest.mark.oracle
@pytest.mark.parametrize(
    ("name", "options", "note"),
    [
        ("ViTImageProcessor", {}, False),
        ("ConvNextImageProcessor", {"size": {"shortest_edge": 224}}, False),
        ("ConvNextImageProcessor", {"size": {"shortest_edge": 384}}, False),
        ("BeitImageProcessor", {"do_center_crop": True, "size": {"shortest_edge": 256}}, False),
        ("CLIPImageProcessor", {}, False),
        ("LevitImageProcessor", {}, False),
        ("PoolFormerImageProcessor", {}, False),
        ("BitImageProcessor", {"size": {"shortest_edge": 256}}, False),
        (
            "EfficientNetImageProcessor",
            {"rescale_offset": True, "rescale_factor": 1 / 127.5},
            False,
        ),
        ("MobileNetV2ImageProcessor", {}, False),
        ("DeiTImageProcessor", {}, True),
        ("TextNetImageProcessor", {}, True),
    ],
)
def test_prepares_pictures_as_the_processor_does(
    name: str, options: dict[str, Any], note: bool
) -> None:
    processor = getattr(transformers, name)(**options)
    described, notes = image_input(processor, None)
    assert bool(notes) == note
    if not note:
        ours = described.prepare([picture()])["pixel_values"][0]
        theirs = processor(picture(), return_tensors="pt")["pixel_values"][0]
        std = torch.tensor(described.std)[:, None, None]
        difference = (ours - theirs).abs() * std
        assert difference.mean() < 0.002
        assert difference.quantile(0.99) < 0.02


def test_a_processor_that_swaps_channels_is_refused() -> None:
    with pytest.raises(ModelError, match="swaps or mixes colour channels"):
        image_input(transformers.MobileViTImageProcessor(), None)
