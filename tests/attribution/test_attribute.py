"""The low-level call: what it takes, what it returns, and its errors."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from pellucid import attribute
from pellucid.attribution.registry import methods
from pellucid.errors import MethodError

Unchanged = Callable[[nn.Module], AbstractContextManager[None]]
METHODS = [card.name for card in methods()]
SHORT: dict[str, dict[str, Any]] = {
    "integrated_gradients": {"steps": 4, "max_steps": 4},
    "occlusion": {"window": 4},
}


def test_a_map_that_is_not_finite(pixels: Tensor) -> None:
    class Root(nn.Module):
        def forward(self, pixels: Tensor) -> Tensor:
            return pixels.abs().sum((1, 2, 3)).sqrt()

    flat = torch.cat([pixels[:1], torch.zeros(1, 3, 12, 12)])
    with pytest.raises(MethodError, match=r"gave a map that is not finite .* samples \[1\]"):
        attribute(Root(), flat)


def test_an_output_without_a_gradient(pixels: Tensor) -> None:
    class Detached(nn.Module):
        def forward(self, pixels: Tensor) -> Tensor:
            return pixels.detach().mean((2, 3))

    with pytest.raises(MethodError, match=r"no gradient.*without: .*occlusion"):
        attribute(Detached(), pixels)
    assert attribute(Detached(), pixels, method="occlusion").any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layer": "act"}, "'integrated_gradients' has no parameter 'layer'"),
        ({"steps": 0}, "steps=0; expected a whole number from 1 to 512"),
        ({"max_batch": 0}, "max_batch=0 was given"),
    ],
)
def test_options_that_do_not_fit(
    convolutional: nn.Module, pixels: Tensor, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(MethodError, match=message):
        attribute(convolutional, pixels, **options)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (torch.zeros(0, 3, 12, 12), "an empty batch"),
        (torch.zeros(1, 3, 12, 12, dtype=torch.uint8), "torch.uint8 was given; expected floating"),
        (torch.zeros(1, 3, 12, 12).long(), "whole numbers .* expected token indices"),
        (torch.zeros(1, 12).long(), "cannot run on whole numbers .* in floating point"),
        ({"a": torch.zeros(1).int(), "b": torch.zeros(1).int()}, r"inputs \['a', 'b'\] leave open"),
    ],
)
def test_inputs_that_cannot_be_explained(
    convolutional: nn.Module, inputs: Any, message: str
) -> None:
    with pytest.raises(MethodError, match=message):
        attribute(convolutional, inputs)


def test_outputs_that_are_no_logits(pixels: Tensor) -> None:
    with pytest.raises(MethodError, match=r"returned \(5, 3, 12, 12\) for 5 samples"):
        attribute(nn.Conv2d(3, 3, 1), pixels)


def test_weights_from_inference_mode(pixels: Tensor) -> None:
    with torch.inference_mode():
        network = nn.Sequential(nn.Flatten(), nn.Linear(432, 2))
    with pytest.raises(MethodError, match=r"made inside torch\.inference_mode"):
        attribute(network, pixels)


def test_the_details_name_target_and_score(convolutional: nn.Module, pixels: Tensor) -> None:
    _, details = attribute(
        convolutional, pixels, target=2, steps=2, max_steps=2, return_details=True
    )
    with torch.no_grad():
        logits = convolutional.eval()(pixels)
    assert details.targets.tolist() == [2] * 5
    torch.testing.assert_close(details.scores, logits[:, 2])


def test_token_indices_of_a_plain_module() -> None:
    class Bag(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.words, self.head = nn.Embedding(9, 4), nn.Linear(4, 2, bias=False)

        def forward(self, indices: Tensor) -> Tensor:
            return self.head(self.words(indices).mean(1))

    model, indices = Bag(), torch.tensor([[1, 5, 2], [7, 7, 0]])
    expected = (model.words(indices) @ model.head.weight[1] / 3).detach()
    for name in ("integrated_gradients", "occlusion"):
        found = attribute(model, indices, method=name, target=1)
        torch.testing.assert_close(found, expected)


def test_a_function_in_the_place_of_a_model(convolutional: nn.Module, pixels: Tensor) -> None:
    """Methods that only ask for answers work with anything that gives some."""
    convolutional.eval()

    def served(given: Tensor) -> Tensor:
        with torch.no_grad():
            return convolutional(given)

    options: dict[str, Any] = {"method": "occlusion", "window": 4, "target": 1}
    torch.testing.assert_close(
        attribute(served, pixels, **options), attribute(convolutional, pixels, **options)
    )
    with pytest.raises(MethodError, match=r"needs gradients.*Methods that work without: .*lime"):
        attribute(served, pixels, method="saliency")
