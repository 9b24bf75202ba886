"""Attention that was watched in fused kernels, against what transformers gives when asked for it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from pellucid import attribute

transformers = pytest.importorskip("transformers")

pytestmark = pytest.mark.oracle
SMALL: dict[str, Any] = {
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "initializer_range": 0.3,
}
NAMES = {
    "Bert": "bert.encoder.layer.{}",
    "DistilBert": "distilbert.transformer.layer.{}",
    "GPT2": "transformer.h.{}",
    "ViT": "vit.layers.{}",
}


def pair(name: str) -> tuple[nn.Module, nn.Module, dict[str, Tensor]]:
    """One model with fused attention and its twin with attention written out, and inputs."""
    config: Any
    if name == "ViT":
        config = transformers.ViTConfig(**SMALL, image_size=16, patch_size=4)
        kind = transformers.ViTForImageClassification
    elif name == "Bert":
        config = transformers.BertConfig(**SMALL, vocab_size=40)
        kind = transformers.BertForSequenceClassification
    elif name == "DistilBert":
        config = transformers.DistilBertConfig(
            vocab_size=40, dim=16, n_layers=3, n_heads=2, hidden_dim=24, initializer_range=0.3
        )
        kind = transformers.DistilBertForSequenceClassification
    else:
        config = transformers.GPT2Config(
            vocab_size=40, n_embd=16, n_layer=3, n_head=2, pad_token_id=0, initializer_range=0.3
        )
        kind = transformers.GPT2ForSequenceClassification
    made = []
    for way in ("sdpa", "eager"):
        torch.manual_seed(0)
        made.append(kind._from_config(config, attn_implementation=way).eval())
    generator = torch.Generator().manual_seed(0)
    if name == "ViT":
        return *made, {"pixel_values": torch.randn(2, 3, 16, 16, generator=generator)}
    ids = torch.randint(5, 40, (2, 9), generator=generator)
    mask = torch.ones_like(ids)
    ids[1, 6:], mask[1, 6:] = 0, 0
    return *made, {"input_ids": ids, "attention_mask": mask}


def told(network: nn.Module, inputs: dict[str, Tensor]) -> list[Tensor]:
    """Probabilities (n, heads, tokens, tokens) of each layer, as the model gives them."""
    output = network(**inputs, output_attentions=True)
    for weights in output.attentions:
        weights.retain_grad()
    output.logits[:, 1].sum().backward()
    return list(output.attentions)


def query(name: str) -> Tensor:
    return torch.tensor([8, 5]) if name == "GPT2" else torch.tensor([0, 0])


def shown(name: str, rows: Tensor, found: Tensor) -> Tensor:
    """The query's rows (n, tokens) as `found` is laid out; no padding, no class token."""
    if name == "ViT":
        return rows[:, 1:].view_as(found)
    used = torch.arange(9) < torch.tensor([[9], [6]])
    return rows * used


@pytest.mark.parametrize("name", ["Bert", "DistilBert", "GPT2", "ViT"])
def test_probabilities_of_every_layer_and_head(name: str) -> None:
    fused, plain, inputs = pair(name)
    weights = [each.detach() for each in told(plain, inputs)]
    options: dict[str, Any] = {"method": "attention", "target": 1}
    options |= {"upsample": False} if name == "ViT" else {}
    for position in range(3):
        layer = NAMES[name].format(position)
        for head in (0, 1):
            found = attribute(fused, inputs, layer=layer, head=head, **options)
            expected = weights[position][torch.arange(2), head, query(name)]
            torch.testing.assert_close(found, shown(name, expected, found), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["Bert", "DistilBert", "GPT2", "ViT"])
def test_gradients_through_every_layer(name: str) -> None:
    fused, plain, inputs = pair(name)
    weights = told(plain, inputs)
    relevance = torch.eye(weights[0].shape[-1]).expand(2, -1, -1)
    for layer in weights:
        relevance = relevance + (layer.grad * layer).clamp(min=0).mean(1).detach() @ relevance
    rows = (relevance - torch.eye(relevance.shape[-1]))[torch.arange(2), query(name)]
    options: dict[str, Any] = {"upsample": False} if name == "ViT" else {}
    found = attribute(fused, inputs, method="attention_gradient", target=1, **options)
    expected = shown(name, rows, found)
    assert float(expected.max()) > 0
    scale = float(expected.max())
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4 * scale)


@pytest.mark.parametrize("name", ["deit3_small_patch16_224", "eva02_tiny_patch14_224"])
@pytest.mark.parametrize("method", ["attention", "attention_gradient", "attention_rollout"])
def test_timm_with_and_without_fused_attention(name: str, method: str) -> None:
    timm = pytest.importorskip("timm")
    torch.manual_seed(0)
    network = timm.create_model(name, depth=2, num_classes=3)
    side = network.patch_embed.img_size[0]
    pixels = torch.randn(1, 3, side, side, generator=torch.Generator().manual_seed(0))
    fused = attribute(network, pixels, method=method, target=1)
    for block in network.blocks:
        assert block.attn.fused_attn
        block.attn.fused_attn = False
    plain = attribute(network, pixels, method=method, target=1)
    assert float(plain.max()) > 0
    torch.testing.assert_close(fused, plain, rtol=1e-4, atol=1e-4 * float(plain.max()))
