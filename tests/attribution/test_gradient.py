"""Gradients at the input and around it, and FullGrad: closed forms, completeness, shared noise."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torchvision.models.convnext import LayerNorm2d

from pellucid import attribute
from pellucid.model import Model

NOISY = ("smooth_grad", "smooth_grad_squared", "var_grad")


class Square(nn.Module):
    """Σ w x², whose gradient is 2 w x, and under noise of σ has the variance 4 w² σ²."""

    weights = torch.tensor([1.0, -2.0, 3.0, 0.0])

    def forward(self, values: Tensor) -> Tensor:
        return (self.weights * values**2).sum(1)


VALUES = torch.tensor([[1.0, 2.0, -1.0, 5.0], [0.5, 0.0, 1.0, 0.0]])


def test_saliency_and_input_x_gradient_by_hand() -> None:
    found = attribute(Square(), VALUES, method=["saliency", "input_x_gradient"], target=0)
    torch.testing.assert_close(found["saliency"][0], torch.tensor([2.0, 8.0, 6.0, 0.0]))
    torch.testing.assert_close(found["input_x_gradient"][0], torch.tensor([2.0, -16.0, 6.0, 0.0]))


def test_what_shares_a_pass_costs_one() -> None:
    found = attribute(
        Square(), VALUES, method=["saliency", "input_x_gradient"], target=0, return_details=True
    )
    passes = sum(details.backwards for _, details in found.values())
    assert passes.tolist() == [1, 1]


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10_000))
def test_a_linear_model_gives_its_weights(seed: int) -> None:
    torch.manual_seed(seed)
    model, values = nn.Linear(5, 3).double(), torch.randn(2, 5, dtype=torch.float64)
    weight = model.weight[1].detach().expand(2, -1)
    expected = {
        "saliency": weight.abs(),
        "input_x_gradient": weight * values,
        "smooth_grad": weight,
        "smooth_grad_squared": weight**2,
        "var_grad": torch.zeros_like(weight),
    }
    found = attribute(model, values, method=list(expected), target=1)
    for name, right in expected.items():
        torch.testing.assert_close(found[name], right, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("method", NOISY)
def test_statistics_of_a_square_lie_within_their_errors(method: str) -> None:
    sigma = 0.2 * 6  # a fifth of the range of [1, 2, −1, 5]
    weights, values = Square.weights, VALUES[:1]
    expected = {
        "smooth_grad": 2 * weights * values,
        "smooth_grad_squared": (2 * weights * values) ** 2 + (2 * weights * sigma) ** 2,
        "var_grad": ((2 * weights * sigma) ** 2)[None],
    }[method]
    found, details = attribute(
        Square(), values, method=method, target=0, samples=2000, noise=0.2, return_details=True
    )
    error = details.standard_error
    assert isinstance(error, Tensor)
    assert ((found - expected).abs() <= 4 * error + 1e-4).all()
    assert (error[0, :3] < 0.1 * expected[0, :3].abs() + 0.2).all()
    assert not error[0, 3]


def test_the_standard_error_is_that_of_repeated_draws() -> None:
    runs = [
        attribute(Square(), VALUES[:1], method="smooth_grad", target=0, seed=s, return_details=True)
        for s in range(60)
    ]
    spread = torch.stack([found for found, _ in runs]).std(0)
    told = torch.stack([details.standard_error for _, details in runs]).mean(0)
    torch.testing.assert_close(told[0, :3], spread[0, :3], rtol=0.3, atol=0)


@pytest.mark.parametrize("method", NOISY)
def test_noise_depends_on_the_seed_alone(method: str, picture_model: Model, pixels: Tensor) -> None:
    def found(inputs: Tensor, **options: int) -> Tensor:
        return attribute(
            picture_model, inputs, method=method, target="cat", **{"samples": 4} | options
        )

    together = found(pixels)
    alone = torch.cat([found(picture[None]) for picture in pixels])
    torch.testing.assert_close(together, alone)
    torch.testing.assert_close(together, found(pixels, max_batch=3))
    assert not torch.allclose(together, found(pixels, seed=1))


def test_noise_is_in_proportion_to_the_range() -> None:
    once = attribute(Square(), VALUES, method="var_grad", target=0)
    twice = attribute(Square(), 2 * VALUES, method="var_grad", target=0)
    torch.testing.assert_close(twice, 4 * once)


class Weighed(nn.Module):
    """Σ_t w · e_t over embeddings: each token has the gradient w."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(9, 3)
        self.weights = nn.Parameter(torch.tensor([1.0, -2.0, 3.0]))

    def forward(self, words: Tensor) -> Tensor:
        return (self.embedding(words) @ self.weights).sum(1, keepdim=True)


@pytest.mark.parametrize(("method", "expected"), list(zip(NOISY, (6.0, 14.0, 0.0), strict=True)))
def test_noise_on_embeddings_by_hand(method: str, expected: float) -> None:
    found = attribute(Weighed(), torch.tensor([[1, 2, 3, 4], [5, 6, 7, 8]]), method=method)
    torch.testing.assert_close(found, torch.full((2, 4), expected))


def test_smooth_grad_of_words_without_noise_is_saliency(text_model: Model) -> None:
    inputs = text_model.prepare(["a very good film", "bad"])
    found, details = attribute(
        text_model, inputs, method="smooth_grad", noise=0.0, return_details=True
    )
    torch.testing.assert_close(found, attribute(text_model, inputs, method="saliency"))
    assert details.standard_error.shape == found.shape


def test_words(text_model: Model) -> None:
    inputs = text_model.prepare(["a very good film", "bad film"])
    found = attribute(text_model, inputs, method=["saliency", "input_x_gradient"])
    assert found["saliency"].shape == inputs["input_ids"].shape
    assert (found["saliency"] >= 0).all()
    assert not found["saliency"][1, 4:].any()  # padding


class Rectified(nn.Module):
    """Convolutions, normalization, shared and in-place ReLUs and pooling: piecewise linear."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm = nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.second, self.act = nn.Conv2d(4, 4, 3, padding=1), nn.ReLU(inplace=True)
        self.pool, self.fc = nn.MaxPool2d(2), nn.Linear(4, 3)

    def forward(self, pixels: Tensor) -> Tensor:
        hidden = self.act(self.norm(self.first(pixels)))
        hidden = self.act(hidden + self.second(self.second(hidden)))
        return self.fc(self.pool(hidden).mean((2, 3)))


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10_000))
def test_full_grad_splits_the_whole_score(seed: int) -> None:
    torch.manual_seed(seed)
    model = Rectified()
    for part in (model.norm.running_mean, model.norm.weight.data, model.norm.bias.data):
        part.copy_(torch.randn(4))
    model.norm.running_var.uniform_(0.5, 2)
    pixels = torch.randn(2, 3, 8, 8, dtype=torch.float64)
    found, details = attribute(
        model.double(), pixels, method="full_grad", target=1, return_details=True
    )
    assert details.completeness_error is not None
    assert (details.completeness_error * details.scores.abs() < 1e-6).all()
    assert found.shape == (2, 8, 8)
    assert (found >= 0).all()


def test_full_grad_by_hand() -> None:
    """f = w · ReLU(x − c), one channel: the input gives w x where x > c, the bias −w c."""

    class One(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.shift = nn.Conv2d(1, 1, 1)
            self.shift.weight.data.fill_(1)
            self.shift.bias.data.fill_(-0.5)

        def forward(self, pixels: Tensor) -> Tensor:
            return (3 * self.shift(pixels).relu()).sum((1, 2, 3))[:, None]

    pixels = torch.tensor([[[[1.0, 0.0], [0.75, 0.25]]]])
    found = attribute(One(), pixels, method="full_grad")
    # sizes |x g| = [3, 0, 2.25, 0], |b g| = [1.5, 0, 1.5, 0], each brought to 0 … 1
    torch.testing.assert_close(found, torch.tensor([[[2.0, 0.0], [1.75, 0.0]]]))


def test_full_grad_takes_layer_norms_of_maps_with_channels_first() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), LayerNorm2d(4), nn.ReLU(), nn.Flatten())
    model = nn.Sequential(network, nn.Linear(4 * 36, 2)).eval()
    found = attribute(model, torch.randn(2, 3, 8, 8), method="full_grad", target=1)
    assert found.shape == (2, 8, 8)
    assert (found >= 0).all()


class Tokens(nn.Module):
    """Patches that go through a linear layer as rows, so that rows are no samples; and a ReLU."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 4, 2, stride=2)
        self.mix, self.norm, self.head = nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Linear(5, 2)

    def forward(self, pixels: Tensor) -> Tensor:
        tokens = self.patches(pixels).flatten(2).transpose(1, 2)
        rows = self.norm(self.mix(tokens.flatten(0, 1))).relu()
        return self.head(rows.unflatten(0, tokens.shape[:2]).mean(1))


def test_full_grad_where_tokens_take_the_place_of_rows() -> None:
    torch.manual_seed(0)
    model, pixels = Tokens().double(), torch.randn(3, 3, 8, 8, dtype=torch.float64)
    nn.init.normal_(model.norm.running_mean)
    options = {"method": "full_grad", "target": 1}
    found, details = attribute(model, pixels, return_details=True, **options)
    assert details.completeness_error is not None
    assert (details.completeness_error < 1e-6).all()
    torch.testing.assert_close(found[1:2], attribute(model, pixels[1:2], **options))


def test_full_grad_tells_where_a_network_is_not_piecewise_linear(
    picture_model: Model, pixels: Tensor
) -> None:
    picture_model.module.first.bias.data.fill_(2)  # before a tanh
    _, details = attribute(picture_model, pixels, method="full_grad", return_details=True)
    assert details.completeness_error is not None
    assert (details.completeness_error > 1e-3).all()
