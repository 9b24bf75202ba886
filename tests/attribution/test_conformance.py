"""What holds for every registered method: the model stays as it was, batches equal singles, errors.

A new method is tried here without a line about it, unless it needs another network or options.
"""

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
from pellucid.model import Model

Unchanged = Callable[[nn.Module], AbstractContextManager[None]]
CARDS = {card.name: card for card in methods() if "image" in card.kinds}
TEXT_CARDS = {card.name: card for card in methods() if "text" in card.kinds}
METHODS = sorted(CARDS)
FEW = {"samples": 8, "steps": 4, "max_steps": 4, "max_evaluations": 64, "num_segments": 6}
SHORT: dict[str, dict[str, Any]] = {
    name: {key: few for key, few in FEW.items() if card.accepts(key)}
    for name, card in CARDS.items()
} | {
    "kernel_shap": {"samples": 64, "num_segments": 6},
    "lime": {"samples": 64, "num_segments": 6, "segments": "grid"},
    "occlusion": {"window": 4},
}


class Attentive(nn.Module):
    """A ViT of two blocks for pictures of 12 × 12 pixels: nine patches and a class token."""

    def __init__(self, width: int = 8, classes: int = 3) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, width, 4, stride=4)
        self.token = nn.Parameter(torch.randn(1, 1, width))
        self.blocks = nn.Sequential(
            *(
                nn.TransformerEncoderLayer(width, 2, 16, batch_first=True, norm_first=True)
                for _ in range(2)
            )
        )
        self.fc = nn.Linear(width, classes)

    def forward(self, pixels: Tensor) -> Tensor:
        patches = self.patches(pixels).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.token.expand(len(pixels), -1, -1), patches], 1)
        return self.fc(self.blocks(tokens)[:, 0])


@pytest.fixture
def subject(name: str, convolutional: nn.Module) -> nn.Module:
    """A network that the method is defined for."""
    torch.manual_seed(0)
    return Attentive() if CARDS[name].family == "attention" else convolutional


@pytest.fixture(params=METHODS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def explained(name: str, model: Any, inputs: Any, **options: Any) -> Tensor:
    found: Tensor = attribute(model, inputs, method=name, **SHORT.get(name, {}) | options)
    return found


def test_the_model_is_left_as_it_was(
    name: str, subject: nn.Module, pixels: Tensor, unchanged: Unchanged
) -> None:
    given = pixels.clone()
    with unchanged(subject):
        explained(name, subject, given)
    torch.testing.assert_close(given, pixels, rtol=0, atol=0)
    assert not given.requires_grad


def test_the_model_is_left_as_it_was_after_an_error(
    name: str, subject: nn.Module, pixels: Tensor, unchanged: Unchanged
) -> None:
    class Failing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.calls = subject, 0

        def forward(self, pixels: Tensor) -> Tensor:
            self.calls += 1
            logits = self.inner(pixels)
            if self.calls == 3:
                raise RuntimeError("out of order")
            return logits

    failing = Failing()
    with (
        unchanged(failing),
        pytest.raises((RuntimeError, MethodError), match="out of order"),
    ):
        explained(name, failing, pixels, max_batch=1)


def test_a_batch_equals_its_samples_one_by_one(
    name: str, subject: nn.Module, pixels: Tensor
) -> None:
    if name == "feature_permutation":
        pytest.skip("it permutes among the samples of the batch, so that others matter")
    together = explained(name, subject, pixels, max_batch=3)
    alone = torch.cat([explained(name, subject, pixels[i : i + 1]) for i in range(5)])
    torch.testing.assert_close(together, alone)


@pytest.mark.parametrize("name", sorted(TEXT_CARDS))
def test_texts_of_different_length_do_not_disturb_each_other(name: str, text_model: Model) -> None:
    texts = ["a very good film", "bad"]
    named = {"layer": "bert.encoder.layer[0]"} if "layer" in TEXT_CARDS[name].needs else {}
    together = attribute(text_model, text_model.prepare(texts), method=name, **named)
    alone = attribute(text_model, text_model.prepare(texts[1:]), method=name, **named)
    torch.testing.assert_close(together[1:, :3], alone, rtol=1e-4, atol=1e-5)
    assert not together[1, 3:].any()


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_works_without_gradients_around_it(
    name: str,
    mode: Callable[[], AbstractContextManager[None]],
    subject: nn.Module,
    pixels: Tensor,
) -> None:
    expected = explained(name, subject, pixels)
    with mode():
        found = explained(name, subject, pixels.clone())
    torch.testing.assert_close(found, expected)


def test_named_inputs_and_outputs_in_a_dict(name: str, subject: nn.Module, pixels: Tensor) -> None:
    class Named(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = subject

        def forward(self, *, picture: Tensor, scale: Tensor) -> dict[str, Tensor]:
            return {"logits": self.inner(picture * scale)}

    inputs = {"picture": pixels, "scale": torch.tensor(1)}
    found = explained(name, Named(), inputs)
    torch.testing.assert_close(found, explained(name, subject, pixels))


def test_half_precision(name: str, subject: nn.Module, pixels: Tensor) -> None:
    expected = explained(name, subject, pixels, target=0)
    found = explained(name, subject.bfloat16(), pixels, target=0)
    assert found.dtype == torch.float32
    scale = expected.abs().max()
    assert (found - expected).abs().mean() < 0.05 * scale


def test_a_model_that_changes_its_input_in_place(
    name: str, subject: nn.Module, pixels: Tensor
) -> None:
    class Rude(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = subject

        def forward(self, pixels: Tensor) -> Tensor:
            return self.inner(pixels.mul_(2))

    given = pixels.clone()
    found = explained(name, Rude(), given)
    assert found.isfinite().all()
    torch.testing.assert_close(given, pixels, rtol=0, atol=0)


def test_weights_that_are_not_numbers(name: str, subject: Any, pixels: Tensor) -> None:
    next(subject.parameters()).data.view(-1)[0] = torch.nan
    with pytest.raises(MethodError, match=r"not finite.* for samples"):
        explained(name, subject, pixels)
