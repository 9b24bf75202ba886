"""What holds for every method: the model stays as it was, batches are sums of singles, errors."""

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
METHODS = [card.name for card in methods()]
SHORT: dict[str, dict[str, Any]] = {
    "integrated_gradients": {"steps": 4, "max_steps": 4},
    "occlusion": {"window": 4},
}


@pytest.fixture(params=METHODS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def explained(name: str, model: Any, inputs: Any, **options: Any) -> Tensor:
    found: Tensor = attribute(model, inputs, method=name, **SHORT.get(name, {}) | options)
    return found


def test_the_model_is_left_as_it_was(
    name: str, convolutional: nn.Module, pixels: Tensor, unchanged: Unchanged
) -> None:
    given = pixels.clone()
    with unchanged(convolutional):
        explained(name, convolutional, given)
    torch.testing.assert_close(given, pixels, rtol=0, atol=0)
    assert not given.requires_grad


def test_the_model_is_left_as_it_was_after_an_error(
    name: str, convolutional: nn.Module, pixels: Tensor, unchanged: Unchanged
) -> None:
    class Failing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.calls = convolutional, 0

        def forward(self, pixels: Tensor) -> Tensor:
            self.calls += 1
            logits = self.inner(pixels)
            if self.calls == 3:
                raise RuntimeError("out of order")
            return logits

    failing = Failing()
    with unchanged(failing), pytest.raises(RuntimeError, match="out of order"):
        explained(name, failing, pixels, max_batch=1)


def test_a_batch_equals_its_samples_one_by_one(
    name: str, convolutional: nn.Module, pixels: Tensor
) -> None:
    together = explained(name, convolutional, pixels, max_batch=3)
    alone = torch.cat([explained(name, convolutional, pixels[i : i + 1]) for i in range(5)])
    torch.testing.assert_close(together, alone)


@pytest.mark.parametrize("name", [card.name for card in methods() if "text" in card.kinds])
def test_texts_of_different_length_do_not_disturb_each_other(name: str, text_model: Model) -> None:
    texts = ["a very good film", "bad"]
    together = attribute(text_model, text_model.prepare(texts), method=name)
    alone = attribute(text_model, text_model.prepare(texts[1:]), method=name)
    torch.testing.assert_close(together[1:, :3], alone, rtol=1e-4, atol=1e-5)
    assert not together[1, 3:].any()


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_works_without_gradients_around_it(
    name: str,
    mode: Callable[[], AbstractContextManager[None]],
    convolutional: nn.Module,
    pixels: Tensor,
) -> None:
    expected = explained(name, convolutional, pixels)
    with mode():
        found = explained(name, convolutional, pixels.clone())
    torch.testing.assert_close(found, expected)


def test_named_inputs_and_outputs_in_a_dict(
    name: str, convolutional: nn.Module, pixels: Tensor
) -> None:
    class Named(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = convolutional

        def forward(self, *, picture: Tensor, scale: Tensor) -> dict[str, Tensor]:
            return {"logits": self.inner(picture * scale)}

    inputs = {"picture": pixels, "scale": torch.tensor(1)}
    found = explained(name, Named(), inputs)
    torch.testing.assert_close(found, explained(name, convolutional, pixels))


def test_half_precision(name: str, convolutional: nn.Module, pixels: Tensor) -> None:
    expected = explained(name, convolutional, pixels, target=0)
    found = explained(name, convolutional.bfloat16(), pixels, target=0)
    assert found.dtype == torch.float32
    scale = expected.abs().max()
    torch.testing.assert_close(found / scale, expected / scale, rtol=0, atol=0.2)


def test_a_model_that_changes_its_input_in_place(name: str, pixels: Tensor) -> None:
    class Rude(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 2, 3)

        def forward(self, pixels: Tensor) -> Tensor:
            return self.conv(pixels.mul_(2)).mean((2, 3))

    given = pixels.clone()
    found = explained(name, Rude(), given)
    assert found.isfinite().all()
    torch.testing.assert_close(given, pixels, rtol=0, atol=0)


def test_weights_that_are_not_numbers(name: str, convolutional: Any, pixels: Tensor) -> None:
    convolutional.first.weight.data[0, 0, 0, 0] = torch.nan
    with pytest.raises(MethodError, match=r"not finite.* for samples"):
        explained(name, convolutional, pixels)


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

    with pytest.raises(MethodError, match=r"no gradient.*'occlusion'"):
        attribute(Detached(), pixels)
    assert attribute(Detached(), pixels, method="occlusion").any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layer": "act"}, "'integrated_gradients' has no parameter 'layer'"),
        ({"steps": 0}, "steps=0; expected a whole number from 1 to 4096"),
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
        ({"a": torch.zeros(1), "b": torch.zeros(1)}, r"inputs \['a', 'b'\] leave open"),
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
