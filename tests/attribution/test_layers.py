"""Finding the last layer with a grid, by what the answer depends on."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from pellucid.attribution.layers import (
    choose_layers,
    embedding_layer,
    find_grid,
    grid_of,
    last_spatial_layer,
)
from pellucid.errors import LayerError, MethodError
from pellucid.model import ArrayInput, Model


def wrapped(module: nn.Module) -> Model:
    return Model(module=module, source="m", input=ArrayInput())


class Block(nn.Module):
    """A transformer's block, for the tokens of a picture."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(8), nn.LayerNorm(8)
        self.attn = nn.MultiheadAttention(8, 2, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(8, 8), nn.GELU(), nn.Linear(8, 8))

    def forward(self, tokens: Tensor) -> Tensor:
        normed = self.norm1(tokens)
        tokens = tokens + self.attn(normed, normed, normed, need_weights=False)[0]
        return tokens + self.mlp(self.norm2(tokens))


class Transformer(nn.Module):
    """A ViT for 8 × 12 pixels: 2 × 3 patches behind `extra` tokens; reads the first, or the mean."""

    def __init__(self, extra: int, mean: bool = False) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 4, stride=4)
        self.extra = nn.Parameter(torch.randn(1, extra, 8))
        self.blocks = nn.Sequential(Block(), Block())
        self.norm = nn.LayerNorm(8)
        self.head = nn.Linear(8, 3)
        self.mean = mean

    def forward(self, pixels: Tensor) -> Tensor:
        cells = self.patches(pixels).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.extra.expand(len(cells), -1, -1), cells], 1)
        tokens = self.norm(self.blocks(tokens))
        return self.head(tokens.mean(1) if self.mean else tokens[:, 0])


class ChannelsLast(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 16, 4, stride=4)
        self.norm = nn.LayerNorm(16)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(16, 3)

    def forward(self, pixels: Tensor) -> Tensor:
        cells = self.norm(self.conv(pixels).permute(0, 2, 3, 1))
        return self.head(self.pool(cells.permute(0, 3, 1, 2)).flatten(1))


PIXELS = torch.randn(2, 3, 8, 12, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        (Transformer(extra=1), "blocks.1.norm1"),
        (Transformer(extra=5), "blocks.1.norm1"),
        (Transformer(extra=0, mean=True), "norm"),
        (ChannelsLast(), "norm"),
    ],
)
def test_finds_the_last_grid_that_counts(module: nn.Module, expected: str) -> None:
    assert last_spatial_layer(wrapped(module), {"": PIXELS}) == expected


def test_finds_the_last_of_a_convolutional_network(
    convolutional: nn.Module, pixels: Tensor
) -> None:
    assert last_spatial_layer(wrapped(convolutional), {"": pixels}) == "act"


def test_a_network_without_a_grid_is_told(pixels: Tensor) -> None:
    module = nn.Sequential(nn.Flatten(), nn.Linear(432, 3))
    with pytest.raises(LayerError, match=r"no layer with a grid.*'integrated_gradients'"):
        last_spatial_layer(wrapped(module), {"": pixels})


def test_grids_larger_than_one_cell_only() -> None:
    assert find_grid((2, 5, 1, 1), (8, 8)) is None
    assert find_grid((2, 5, 2, 2), (8, 8)) is not None


@pytest.mark.parametrize(
    ("shape", "picture", "grid"),
    [
        ((2, 16, 7, 7), (224, 224), ("channels first", 7, 7, 0)),
        ((2, 7, 7, 96), (224, 224), ("channels last", 7, 7, 0)),
        ((2, 7, 6, 14), (8, 16), ("channels first", 6, 14, 0)),
        ((2, 197, 48), (224, 224), ("tokens", 14, 14, 1)),
        ((2, 196, 48), (224, 224), ("tokens", 14, 14, 0)),
        ((2, 1374, 48), (518, 518), ("tokens", 37, 37, 5)),
        ((2, 97, 48), (128, 192), ("tokens", 8, 12, 1)),
    ],
)
def test_grids(
    shape: tuple[int, ...], picture: tuple[int, int], grid: tuple[str, int, int, int]
) -> None:
    found = find_grid(shape, picture)
    assert found is not None
    assert (found.layout, found.height, found.width, found.extra) == grid


def test_tokens_become_a_grid_in_reading_order() -> None:
    tokens = torch.arange(7.0).view(1, 7, 1)
    grid = grid_of(tokens, (8, 12), "blocks")
    assert grid.of(tokens)[0, 0].tolist() == [[1, 2, 3], [4, 5, 6]]
    with pytest.raises(LayerError, match=r"layer 'head' gives \(1, 3\), which is no grid"):
        grid_of(torch.zeros(1, 3), (8, 12), "head")


@pytest.mark.parametrize("shape", [(2, 5, 4, 6), (2, 4, 6, 5), (2, 25, 5)])
def test_channels_are_views_of_the_cells(shape: tuple[int, ...]) -> None:
    output = torch.ones(shape)
    grid = grid_of(output, (8, 12), "layer")
    grid.channels(output)[[3, 0], [0, 1]] = 0
    cells = grid.of(output)
    assert cells.shape == (2, 5, 4, 6)
    assert cells.mean((2, 3)).tolist() == [[1, 1, 1, 0, 1], [0, 1, 1, 1, 1]]
    assert output.sum() == output.numel() - 48


def test_the_choice_is_remembered_until_the_network_changes(
    convolutional: nn.Module, pixels: Tensor
) -> None:
    runs = 0

    def count(*_: object) -> None:
        nonlocal runs
        runs += 1

    convolutional.register_forward_hook(count)
    for size in (5, 2):
        assert last_spatial_layer(wrapped(convolutional), {"": pixels[:size]}) == "act"
    assert runs == 1
    last_spatial_layer(wrapped(convolutional), {"": pixels[:, :, :10]})
    assert runs == 2
    convolutional.act = nn.Identity()
    convolutional.second = nn.Sequential(convolutional.second, nn.ReLU())
    assert last_spatial_layer(wrapped(convolutional), {"": pixels}) == "act"
    assert runs == 3


def test_the_search_takes_one_forward_pass_and_stops_early(
    convolutional: nn.Module, pixels: Tensor
) -> None:
    reached: list[bool] = []

    def watch(_module: nn.Module, _given: object, output: Tensor) -> None:
        output.register_hook(lambda _: reached.append(True))

    hook = convolutional.first.register_forward_hook(watch)
    last_spatial_layer(wrapped(convolutional), {"": pixels})
    hook.remove()
    assert not reached


def test_a_network_without_gradient_has_a_last_layer_too(pixels: Tensor) -> None:
    class NoGradient(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)

        @torch.no_grad()
        def forward(self, pixels: Tensor) -> Tensor:
            return self.conv(pixels).mean((2, 3))

    assert last_spatial_layer(wrapped(NoGradient()), {"": pixels}) == "conv"


def test_layers_by_name(convolutional: nn.Module, pixels: Tensor) -> None:
    model, inputs = wrapped(convolutional), {"": pixels}
    assert choose_layers(model, inputs, None) == ("act",)
    assert choose_layers(model, inputs, "second") == ("second",)
    assert choose_layers(model, inputs, "first, second") == ("first", "second")
    assert choose_layers(model, inputs, "[-1]") == ("fc",)
    assert choose_layers(model, inputs, ["first", "second", "first"]) == ("first", "second")
    with pytest.raises(LayerError, match=r"'secnd' is not in Convolutional\. Closest: 'second'"):
        choose_layers(model, inputs, ["first", "secnd"])
    with pytest.raises(LayerError, match="no layer was named"):
        choose_layers(model, inputs, [])
    with pytest.raises(LayerError, match="layer=Conv2d was given; expected a name such as"):
        choose_layers(model, inputs, convolutional.second)


def test_finds_the_embedding_of_the_words(text_model: Model) -> None:
    inputs = text_model.prepare(["good film"])
    assert embedding_layer(text_model, inputs) is text_model.module.get_input_embeddings()


def test_a_shared_embedding_is_refused() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.read, self.write = nn.Embedding(9, 4), nn.Embedding(9, 4)
            self.write.weight = self.read.weight

        def forward(self, indices: Tensor) -> Tensor:
            return self.read(indices).mean(1) + self.write(indices.roll(1, 1)).mean(1)

    with pytest.raises(MethodError, match="has no layer that embeds the token indices and nothing"):
        embedding_layer(wrapped(Twice()), {"": torch.tensor([[1, 2, 3]])})
    with pytest.raises(MethodError, match="has no layer that embeds"):
        embedding_layer(wrapped(nn.Identity()), {"": torch.tensor([[1, 2]])})


# The last grid that the answer depends on, with random weights.
CHOSEN = {
    "resnet18": "layer4",
    "vgg11": "features",
    "densenet121": "features",
    "mobilenet_v2": "features",
    "efficientnet_b0": "features",
    "convnext_tiny": "features",
    "vit_b_16": "encoder.layers.encoder_layer_11.ln_1",
    "swin_t": "permute",
    "swin_v2_t": "permute",
    "maxvit_t": "blocks.3",
    "googlenet": "inception5b",
    "inception_v3": "Mixed_7c",
    "squeezenet1_1": "classifier.2",
    "timm:deit3_small_patch16_224": "blocks.11.norm1",
    "timm:mobilevit_xxs": "final_conv",
    "timm:eva02_tiny_patch14_224": "norm",
    "timm:levit_128s": "stages",
    "timm:mixer_s32_224": "norm",
    "timm:coatnet_nano_rw_224": "norm",
    "timm:resnetv2_50": "norm",
}


def opened(name: str) -> nn.Module:
    library, _, model = name.rpartition(":")
    if library == "timm":
        module: nn.Module = pytest.importorskip("timm").create_model(model, pretrained=False)
        return module
    torchvision = pytest.importorskip("torchvision")
    extra = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    found: nn.Module = getattr(torchvision.models, model)(weights=None, **extra)
    if name == "vit_b_16":  # starts with a head of zeros, on which no answer depends
        nn.init.normal_(found.heads.head.weight)
    return found


@pytest.mark.thorough
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CHOSEN)
def test_the_last_grid_of_architectures(name: str) -> None:
    torch.manual_seed(0)
    module = opened(name).eval()
    side = 299 if name == "inception_v3" else 224
    assert last_spatial_layer(wrapped(module), {"": torch.randn(1, 3, side, side)}) == CHOSEN[name]
