"""Architectures of all kinds are exported, run, read and cut with the numbers of the model."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from pellucid.errors import LayerError
from pellucid.graph.graph import Graph
from pellucid.model import ArrayInput, Model


class Recurrent(nn.Module):
    def __init__(self, kind: type[nn.RNNBase]) -> None:
        super().__init__()
        self.embed = nn.Embedding(50, 8)
        self.rnn = kind(8, 12, batch_first=True, bidirectional=True)
        self.head = nn.Linear(24, 3)

    def forward(self, words: Tensor) -> Tensor:
        return self.head(self.rnn(self.embed(words))[0].mean(1))


class TextConvolution(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(50, 8)
        self.convs = nn.ModuleList(nn.Conv1d(8, 6, width) for width in (2, 3, 4))
        self.head = nn.Linear(18, 3)

    def forward(self, words: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self.embed(words).transpose(1, 2)
        pooled = torch.cat([conv(hidden).relu().amax(2) for conv in self.convs], 1)
        return self.head(pooled), pooled


def torchvision(name: str, size: int) -> tuple[nn.Module, dict[str, Tensor]]:
    library = pytest.importorskip("torchvision")
    extra = {"image_size": size} if name == "vit_b_16" else {}
    if name in ("googlenet", "inception_v3"):
        extra["init_weights"] = False
    return library.models.get_model(name, weights=None, **extra), {
        "": torch.randn(3, 3, size, size)
    }


def timm(name: str, size: int) -> tuple[nn.Module, dict[str, Tensor]]:
    library = pytest.importorskip("timm")
    return library.create_model(name, pretrained=False), {"": torch.randn(3, 3, size, size)}


def transformers(name: str, **sizes: int) -> tuple[nn.Module, dict[str, Tensor]]:
    library = pytest.importorskip("transformers")
    config = getattr(library, f"{name}Config")(vocab_size=50, pad_token_id=0, **sizes)
    ids = torch.randint(1, 50, (3, 7))
    mask = torch.ones_like(ids)
    mask[1, 4:] = ids[1, 4:] = 0
    module = getattr(library, f"{name}ForSequenceClassification")(config)
    return module, {"input_ids": ids, "attention_mask": mask}


def words(module: nn.Module) -> tuple[nn.Module, dict[str, Tensor]]:
    return module, {"": torch.randint(0, 50, (3, 9))}


BERT = {"hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 1,
        "intermediate_size": 16, "max_position_embeddings": 16}  # fmt: skip
DISTILBERT = {"dim": 16, "n_heads": 2, "n_layers": 1, "hidden_dim": 16,
              "max_position_embeddings": 16}  # fmt: skip
GPT2 = {"n_embd": 16, "n_head": 2, "n_layer": 1, "n_positions": 16, "bos_token_id": 1,
        "eos_token_id": 2}  # fmt: skip

SMALL: list[tuple[str, Callable[[], tuple[nn.Module, dict[str, Tensor]]], Sequence[str]]] = [
    ("gru", lambda: words(Recurrent(nn.GRU)), ("embed", "rnn")),
    ("text CNN", lambda: words(TextConvolution()), ("embed", "convs[1]")),
    ("BERT", lambda: transformers("Bert", **BERT), ("bert.embeddings", "bert.encoder.layer[0]")),
    ("resnet18", lambda: torchvision("resnet18", 32), ("layer1[0].bn2", "layer4[-1]")),
]
LARGE: list[tuple[str, Callable[[], tuple[nn.Module, dict[str, Tensor]]], Sequence[str]]] = [
    ("lstm", lambda: words(Recurrent(nn.LSTM)), ("embed", "rnn")),
    ("DistilBERT", lambda: transformers("DistilBert", **DISTILBERT),
     ("distilbert.transformer.layer[0].attention",)),
    ("GPT-2", lambda: transformers("GPT2", **GPT2), ("transformer.h[0].mlp", "transformer.ln_f")),
    ("densenet121", lambda: torchvision("densenet121", 32), ("features.denseblock3", "features")),
    ("googlenet", lambda: torchvision("googlenet", 64), ("inception4a.branch2", "inception5b")),
    ("convnext_tiny", lambda: torchvision("convnext_tiny", 32), ("features[3][0].block[0]",)),
    ("efficientnet_b0", lambda: torchvision("efficientnet_b0", 32), ("features[4]",)),
    ("vit_b_16", lambda: torchvision("vit_b_16", 32), ("encoder.layers[-1].ln_1",)),
    ("swin_t", lambda: torchvision("swin_t", 64), ("features[1][1].attn", "features[-1]")),
    ("maxvit_t", lambda: torchvision("maxvit_t", 224), ("blocks[-1]",)),
    ("inception_v3", lambda: torchvision("inception_v3", 96), ("Mixed_6b", "Mixed_7c")),
    ("levit_128s", lambda: timm("levit_128s", 224), ("stages[-1]",)),
    ("mobilevit_xxs", lambda: timm("mobilevit_xxs", 64), ("stages[-1]",)),
]  # fmt: skip


def check(make: Callable[[], tuple[nn.Module, dict[str, Tensor]]], layers: Sequence[str]) -> None:
    torch.manual_seed(0)
    module, inputs = make()
    with torch.no_grad():
        for parameter in module.parameters():
            if not parameter.any():  # A head of zeros would show nothing.
                parameter.normal_(std=0.1)
    model = Model(module=module.eval(), source="tested", input=ArrayInput())
    graph = Graph.of(model, {name: tensor[:2] for name, tensor in inputs.items()})
    assert graph.how == "export", graph.why
    with torch.no_grad():
        logits = model.logits(inputs)
        near(graph.run(inputs), logits)
        outputs = graph.activations(layers, inputs)
        rows = torch.tensor([2, 0, 0, 1])
        for layer in layers:
            suffix = graph.suffix(layer)
            kept = suffix.prepare(inputs)
            near(suffix(outputs[layer][rows], kept, rows), logits[rows])
    assert graph.cost().parameters == sum(p.numel() for p in module.parameters())


def near(found: Tensor, expected: Tensor) -> None:
    assert_close(found, expected, rtol=0, atol=1e-4 * expected.abs().max().item())


@pytest.mark.parametrize(
    ("make", "layers"), [case[1:] for case in SMALL], ids=[c[0] for c in SMALL]
)
def test_small_architectures(make, layers):
    check(make, layers)


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("make", "layers"), [case[1:] for case in LARGE], ids=[c[0] for c in LARGE]
)
def test_architectures(make, layers):
    check(make, layers)


def test_the_length_of_a_text_is_free():
    torch.manual_seed(0)
    module, inputs = transformers("Bert", **BERT)
    model = Model(module=module.eval(), source="bert", input=ArrayInput())
    graph = Graph.of(model, inputs)
    for tokens in (2, 5, 16):
        ids = torch.randint(1, 50, (2, tokens))
        fed = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        near(graph.run(fed), model.logits(fed))
        assert Graph.of(model, fed).recording is graph.recording


def test_windows_in_the_batch_cannot_be_run_from():
    module, inputs = transformers("Bert", **BERT)
    graph = Graph.of(Model(module=module.eval(), source="bert", input=ArrayInput()), inputs)
    with pytest.raises(LayerError, match="no row for each sample"):
        graph.suffix("bert.embeddings.position_embeddings")
