"""Methods of attention: worked by hand, by the paper's formulas written slowly, and their limits."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid import attribute
from pellucid.errors import LayerError, MethodError
from pellucid.model import Model

METHODS = ("attention", "attention_flow", "attention_gradient", "attention_rollout")
PICTURE = torch.randn(3, 3, 8, 12, generator=torch.Generator().manual_seed(2))


class Known(nn.Module):
    """One head over a class token and 2 × 2 patches of one pixel; scores are logs of known weights.

    The class token's value is 0, a patch's its pixel; the answer is what the class token gathers,
    and its negative.
    """

    weights = torch.tensor([[2.0, 1, 4, 1, 2], *([[1.0] * 5] * 4)])

    def forward(self, pixels: Tensor) -> Tensor:
        patches = pixels.flatten(2).transpose(1, 2)
        tokens = torch.cat([torch.zeros_like(patches[:, :1]), patches], 1)
        scores = self.weights.log().expand(len(pixels), 5, 5) + 0 * tokens
        gathered = (scores.softmax(-1) @ tokens)[:, 0]
        return torch.cat([gathered, -gathered], 1)


def test_one_layer_worked_by_hand() -> None:
    picture = torch.tensor([[[[3.0, -1.0], [2.0, 0.0]]]])
    explain = {"target": 0, "upsample": False}
    maps = {name: attribute(Known(), picture, method=name, **explain) for name in METHODS}
    # The class token's weights are 2, 1, 4, 1, 2 of 10; half of each layer is the way past it.
    expected = torch.tensor([[[0.1, 0.4], [0.1, 0.2]]])
    torch.testing.assert_close(maps["attention"], expected)
    torch.testing.assert_close(maps["attention_rollout"], expected / 2)
    torch.testing.assert_close(maps["attention_flow"], expected / 2)
    # ∂score/∂A = the pixel, and what lowers the score is left out.
    slopes = torch.tensor([[[0.3, 0.0], [0.2, 0.0]]])
    torch.testing.assert_close(maps["attention_gradient"], slopes)
    against = attribute(Known(), picture, method="attention_gradient", **explain | {"target": 1})
    torch.testing.assert_close(against, torch.tensor([[[0.0, 0.4], [0.0, 0.0]]]))


class Block(nn.Module):
    """Self-attention in one of the ways to write it, with a residual connection and an MLP."""

    def __init__(self, width: int, heads: int, way: str) -> None:
        super().__init__()
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.mlp = nn.Linear(width, width)
        self.heads, self.way = heads, way

    def forward(self, tokens: Tensor) -> Tensor:
        split = self.qkv(tokens).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        gathered = getattr(self, self.way)(*split)
        tokens = tokens + self.out(gathered.transpose(1, 2).flatten(2))
        return tokens + self.mlp(tokens).tanh()

    def fused(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        return F.scaled_dot_product_attention(query, key, value)

    def written(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        self.weights = (query @ key.mT / math.sqrt(query.shape[-1])).softmax(-1)
        if self.weights.requires_grad:
            self.weights.retain_grad()
        return self.weights @ value

    def batched(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        flat = [each.flatten(0, 1) for each in (query, key, value)]
        scores = torch.baddbmm(
            flat[0].new_zeros(1, 1, 1), flat[0], flat[1].mT, alpha=query.shape[-1] ** -0.5
        )
        return torch.bmm(F.softmax(scores, 2), flat[2]).unflatten(0, query.shape[:2])


class Vision(nn.Module):
    """Patches of 4 × 4 pixels, a class token, two blocks; reads the class token or all patches."""

    def __init__(self, way: str = "fused", reads: str = "class") -> None:
        super().__init__()
        torch.manual_seed(3)
        self.patches = nn.Conv2d(3, 8, 4, 4)
        self.token = nn.Parameter(torch.randn(1, 1, 8))
        self.blocks = nn.ModuleList([Block(8, 2, way), Block(8, 2, way)])
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(8, 3)
        self.reads = reads

    def forward(self, pixels: Tensor) -> Tensor:
        patches = self.patches(pixels).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.token.expand(len(pixels), -1, -1), patches], 1)
        for block in self.blocks:
            tokens = block(tokens)
        return self.head(
            self.drop(tokens[:, 0] if self.reads == "class" else tokens[:, 1:].mean(1))
        )


def weights_and_gradients(pixels: Tensor, reads: str) -> tuple[list[Tensor], list[Tensor]]:
    """Probabilities (n, heads, 7, 7) of each block, and the first logit's gradients there."""
    network = Vision("written", reads).eval()
    network(pixels)[:, 0].sum().backward()
    weights = [block.weights for block in network.blocks]
    return [each.detach() for each in weights], [each.grad for each in weights]


def readers(reads: str) -> list[int]:
    return [0] if reads == "class" else [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("reads", ["class", "patches"])
def test_attention_is_that_of_the_tokens_that_are_read(reads: str) -> None:
    weights, _ = weights_and_gradients(PICTURE, reads)
    options: dict[str, Any] = {"method": "attention", "target": 0, "upsample": False}
    for layer, position in ((None, 1), ("blocks.0", 0), ("blocks.1", 1)):
        expected = weights[position].mean(1)[:, readers(reads), 1:].mean(1).view(3, 2, 3)
        found = attribute(Vision(reads=reads), PICTURE, layer=layer, **options)
        torch.testing.assert_close(found, expected)
    expected = weights[1][:, 1, readers(reads), 1:].mean(1).view(3, 2, 3)
    torch.testing.assert_close(attribute(Vision(reads=reads), PICTURE, head=1, **options), expected)


@pytest.mark.parametrize("reads", ["class", "patches"])
@pytest.mark.parametrize("fusion", ["mean", "max", "min"])
def test_rollout_is_the_product_of_the_layers(reads: str, fusion: str) -> None:
    weights, _ = weights_and_gradients(PICTURE, reads)
    product = torch.eye(7).expand(3, 7, 7)
    for layer in weights:
        fused = {"mean": layer.mean(1), "max": layer.max(1)[0], "min": layer.min(1)[0]}[fusion]
        mixed = fused + torch.eye(7)
        product = (mixed / mixed.sum(2, keepdim=True)) @ product
    expected = product[:, readers(reads), 1:].mean(1).view(3, 2, 3)
    found = attribute(
        Vision(reads=reads),
        PICTURE,
        method="attention_rollout",
        target=0,
        head_fusion=fusion,
        upsample=False,
    )
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("reads", ["class", "patches"])
@pytest.mark.parametrize("way", ["fused", "written", "batched"])
def test_gradient_and_attention_by_a_slow_loop(reads: str, way: str) -> None:
    weights, slopes = weights_and_gradients(PICTURE, reads)
    found = attribute(
        Vision(way, reads), PICTURE, method="attention_gradient", target=0, upsample=False
    )
    for sample in range(3):
        relevance = torch.eye(7)
        for layer, slope in zip(weights, slopes, strict=True):
            rising = torch.zeros(7, 7)
            for head in range(2):
                for i in range(7):
                    for j in range(7):
                        product = float(slope[sample, head, i, j] * layer[sample, head, i, j])
                        rising[i, j] += max(product, 0.0) / 2
            relevance = relevance + rising @ relevance
        rows = (relevance - torch.eye(7))[readers(reads)].mean(0)
        torch.testing.assert_close(found[sample], rows[1:].view(2, 3), rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize("name", METHODS)
def test_equal_however_attention_is_written(name: str) -> None:
    fused, written, batched = (
        attribute(Vision(way), PICTURE, method=name, target=0)
        for way in ("fused", "written", "batched")
    )
    torch.testing.assert_close(fused, written)
    torch.testing.assert_close(batched, written)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**16), st.sampled_from(["class", "patches"]))
def test_flow_lets_through_at_least_what_rollout_does(seed: int, reads: str) -> None:
    picture = torch.randn(1, 3, 8, 12, generator=torch.Generator().manual_seed(seed))
    options: dict[str, Any] = {"target": 0, "upsample": False}
    found = attribute(
        Vision(reads=reads), picture, method=["attention_flow", "attention_rollout"], **options
    )
    flow, rollout = found["attention_flow"], found["attention_rollout"]
    assert bool((flow >= rollout - 1e-6).all())
    assert bool((flow <= 1 + 1e-6).all())


@settings(max_examples=10, deadline=None)
@given(st.floats(0, 0.9), st.floats(0, 0.9))
def test_discarding_keeps_what_is_left_a_distribution(low: float, high: float) -> None:
    maps = attribute(
        Vision(reads="patches"),
        PICTURE,
        method="attention_rollout",
        discard_ratio=max(low, high),
        upsample=False,
    )
    assert bool((maps >= 0).all())
    assert bool((maps.flatten(1).sum(1) <= 1 + 1e-5).all())


def test_discarding_all_but_the_largest() -> None:
    maps = attribute(
        Known(),
        torch.ones(1, 1, 2, 2),
        method="attention_rollout",
        discard_ratio=0.8,
        upsample=False,
    )
    # Only 0.4 of the class token's row is left, beside the 1 of the way past: 0.4 / 1.4.
    torch.testing.assert_close(maps, torch.tensor([[[0.0, 0.4 / 1.4], [0.0, 0.0]]]))


@pytest.mark.parametrize("name", METHODS)
def test_batch_of_three_is_three_times_one(name: str) -> None:
    together = attribute(Vision(), PICTURE, method=name, target=1)
    pieces = attribute(Vision(), PICTURE, method=name, target=1, max_batch=2)
    alone = [attribute(Vision(), row[None], method=name, target=1) for row in PICTURE]
    assert together.shape == (3, 8, 12)
    torch.testing.assert_close(together, torch.cat(alone))
    torch.testing.assert_close(together, pieces)


@pytest.mark.parametrize("name", METHODS)
def test_bfloat16(name: str) -> None:
    full = attribute(Vision(), PICTURE, method=name, target=1)
    half = attribute(Vision().bfloat16(), PICTURE, method=name, target=1)
    assert half.dtype == torch.float32
    torch.testing.assert_close(half, full, rtol=0.1, atol=0.05 * float(full.max()))


@pytest.mark.parametrize("name", METHODS)
def test_the_model_stays_as_it_was(
    name: str, unchanged: Callable[[nn.Module], AbstractContextManager[None]]
) -> None:
    network = Vision()
    with unchanged(network):
        attribute(network, PICTURE, method=name)


class Failing(Vision):
    """Fails in the second block of the third pass: the one that is watched."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self.blocks[1].forward = self.fail

    def fail(self, tokens: Tensor) -> Tensor:
        self.calls += len(tokens) == 3
        if self.calls > 1:
            raise ZeroDivisionError("the model's own error")
        return tokens


def test_the_model_stays_as_it_was_after_its_error(
    unchanged: Callable[[nn.Module], AbstractContextManager[None]],
) -> None:
    network = Failing()
    with unchanged(network), pytest.raises(ZeroDivisionError, match="own error"):
        attribute(network, PICTURE, method="attention")
    attribute(Vision(), PICTURE, method="attention")


def test_the_torch_layer_for_transformers() -> None:
    class Encoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(0)
            self.patches = nn.Conv2d(3, 8, 4, 4)
            layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
            self.encoder = nn.TransformerEncoder(layer, 2)
            self.head = nn.Linear(8, 3)

        def forward(self, pixels: Tensor) -> Tensor:
            tokens = self.patches(pixels).flatten(2).transpose(1, 2)
            return self.head(self.encoder(tokens).mean(1))

    network = Encoder()
    maps, details = attribute(
        network, PICTURE, method="attention", upsample=False, return_details=True
    )
    assert details.layer == "encoder.layers.1.self_attn"
    assert details.resolution == "2 × 3 cells"
    with torch.no_grad():
        tokens = network.eval().patches(PICTURE).flatten(2).transpose(1, 2)
        tokens = network.encoder.layers[0](tokens)
        expected = network.encoder.layers[1].self_attn(tokens, tokens, tokens)[1].mean(1)
    torch.testing.assert_close(maps, expected.view(3, 2, 3))


class Pooled(Vision):
    """All tokens are gathered by one query, as SigLIP does."""

    def __init__(self) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.randn(1, 1, 1, 8))

    def forward(self, pixels: Tensor) -> Tensor:
        tokens = self.patches(pixels).flatten(2).transpose(1, 2)
        for block in self.blocks:
            tokens = block(tokens)
        query = self.query.expand(len(tokens), -1, -1, -1)
        pooled = F.scaled_dot_product_attention(query, tokens[:, None], tokens[:, None])
        return self.head(pooled[:, 0, 0])


@pytest.mark.parametrize("name", ["attention", "attention_rollout"])
def test_attention_that_pools_weighs_the_readers(name: str) -> None:
    maps = attribute(Pooled(), PICTURE, method=name, upsample=False)
    torch.testing.assert_close(maps.flatten(1).sum(1), torch.ones(3))
    even = attribute(Vision(reads="patches"), PICTURE, method=name, upsample=False)
    assert not torch.allclose(maps, even, atol=1e-3)


def test_padding_gets_nothing_and_changes_nothing(text_model: Model) -> None:
    long, short = "good film a very bad film", "very bad film"
    both, one = text_model.prepare([long, short]), text_model.prepare([short])
    for name in METHODS:
        for options in ({}, {"discard_ratio": 0.5}) if name == "attention_rollout" else ({},):
            maps = attribute(text_model, both, method=name, target=1, **options)
            alone = attribute(text_model, one, method=name, target=1, **options)
            assert not maps[1, 5:].any()
            torch.testing.assert_close(maps[1:, :5], alone)


def tokens_of(*rows: list[int]) -> dict[str, Tensor]:
    longest = max(map(len, rows))
    ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
    return {"input_ids": ids, "attention_mask": mask}


def test_a_decoder_is_read_at_its_last_word() -> None:
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    config = transformers.GPT2Config(
        vocab_size=20, n_embd=16, n_layer=2, n_head=2, n_positions=12, pad_token_id=0, num_labels=2
    )
    network = transformers.GPT2ForSequenceClassification(config)
    inputs = tokens_of([3, 4, 5, 6, 7, 8], [9, 10, 11])
    maps = attribute(network, inputs, method="attention_rollout", target=0)
    torch.testing.assert_close(maps.sum(1), torch.ones(2))
    assert not maps[1, 3:].any()
    assert bool((maps[1, :3] > 0).all())
    torch.testing.assert_close(
        maps[1:, :3],
        attribute(network, tokens_of([9, 10, 11]), method="attention_rollout", target=0),
    )


class Windows(Vision):
    """Attention inside halves of the picture."""

    def forward(self, pixels: Tensor) -> Tensor:
        halves = torch.cat(pixels.split(6, 3)[:2])
        return super().forward(F.pad(halves, (0, 6))).unflatten(0, (2, -1)).mean(0)


class Shrinking(Vision):
    """Fewer tokens in the second block."""

    def forward(self, pixels: Tensor) -> Tensor:
        tokens = self.patches(pixels).flatten(2).transpose(1, 2)
        return self.head(self.blocks[1](self.blocks[0](tokens)[:, ::2]).mean(1))


class Channels(nn.Module):
    """Attention of channels to channels."""

    def forward(self, pixels: Tensor) -> Tensor:
        heads = pixels.unflatten(3, (2, 6)).permute(0, 3, 2, 1, 4).flatten(3)
        gathered = (heads @ heads.mT).softmax(-1) @ heads
        return gathered.mean((1, 3))


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        (Windows(), r"Windows: attention in 'blocks.0' stays inside windows or groups of 7 tokens"),
        (Shrinking(), "number of tokens changes between layers: 6, 3"),
        (Channels(), "mixes 8 channels, not tokens"),
        (nn.Sequential(nn.Flatten(), nn.Linear(288, 2)), "no softmax attention was seen.*sdpa"),
    ],
)
def test_says_where_it_is_not_defined(network: nn.Module, reason: str) -> None:
    for name in METHODS:
        with pytest.raises(MethodError, match=f"{reason}.*'grad_cam'"):
            attribute(network, PICTURE, method=name)


def test_says_what_is_wrong_with_an_option() -> None:
    with pytest.raises(LayerError, match=r"'block.1' is not in Vision.*'blocks.1'"):
        attribute(Vision(), PICTURE, method="attention", layer="block.1")
    with pytest.raises(LayerError, match=r"'head' has no self-attention in it.*'blocks\.[01]'"):
        attribute(Vision(), PICTURE, method="attention", layer="head")
    with pytest.raises(MethodError, match=r"head 2 was given, but there are 2 heads.*0 to 1"):
        attribute(Vision(), PICTURE, method="attention", head=2)
    with pytest.raises(MethodError, match=r"'median' was given.*'mean', 'max' or 'min'"):
        attribute(Vision(), PICTURE, method="attention_rollout", head_fusion="median")


def test_flow_refuses_what_would_take_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["pellucid.attribution.attention.flow"], "MOST_WORK", 600)
    with pytest.raises(MethodError, match=r"7 tokens in 2 layers.*'attention_rollout'"):
        attribute(Vision(), PICTURE, method="attention_flow")


def test_a_score_that_depends_on_no_token_gives_zero() -> None:
    network = Vision()
    nn.init.zeros_(network.head.weight)
    for name in METHODS:
        assert not attribute(network, PICTURE, method=name, target=0).any()
