"""What holds for the whole family of class activation maps, and each formula worked by hand."""

from __future__ import annotations

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
from pellucid.graph.graph import Graph
from pellucid.model import ArrayInput, Model

Unchanged = Callable[[nn.Module], AbstractContextManager[None]]
GRADIENT = ("grad_cam", "grad_cam_pp", "xgrad_cam", "hires_cam", "layer_cam", "eigen_grad_cam")
OTHERS = ("eigen_cam", "score_cam", "ablation_cam")
FAMILY = (*GRADIENT, "cam", *OTHERS)
UNSIGNED = ("grad_cam", "grad_cam_pp", "xgrad_cam", "layer_cam", *OTHERS)


class Pooled(nn.Module):
    """Convolution, ReLU, average pooling and a linear layer; drawn from a seed."""

    def __init__(self, behind: nn.Module | None = None) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 5, 3, padding=1)
        self.act = nn.ReLU(inplace=True)
        self.behind = behind or nn.Identity()
        self.head = nn.Linear(5, 3)
        self.draw(0)

    def draw(self, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        for parameter in self.parameters():
            nn.init.uniform_(parameter.data, -0.5, 0.5, generator=generator)

    def forward(self, pixels: Tensor) -> Tensor:
        return self.head(self.behind(self.act(self.conv(pixels)).mean((2, 3))))


POOLED = Pooled()


class ByHand(nn.Module):
    """Hands its two channels on as they are, and scores them by what is asked for."""

    def __init__(self, score: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.cells, self.score = nn.Identity(), score

    def forward(self, pixels: Tensor) -> Tensor:
        return self.score(self.cells(pixels))[:, None]


def maps(network: nn.Module, pixels: Tensor, method: str, **parameters: Any) -> Tensor:
    found: Tensor = attribute(network, pixels, method=method, upsample=False, **parameters)
    return found


def picture(*channels: list[list[float]]) -> Tensor:
    return torch.tensor([channels])


CELLS = picture([[1.0, 0.0], [2.0, 1.0]], [[0.0, 3.0], [1.0, 0.0]])
# weights of the cells: the first channel speaks for, the second for and against
SLOPES = picture([[1.0, 2.0], [0.0, 1.0]], [[5.0, -1.0], [1.0, 4.0]])


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        # α = (4, 9) / 4
        ("grad_cam", [[1.0, 6.75], [4.25, 1.0]]),
        # 1 / (2 + g ΣA), ΣA = 4: first 1/6 + 2/10 + 0 + 1/6, second 5/22 + 0 + 1/6 + 4/18
        ("grad_cam_pp", [[8 / 15, 61 / 33], [16 / 15 + 61 / 99, 8 / 15]]),
        # Σ g A / Σ A = (1 + 0 + 0 + 1) / 4 and (0 − 3 + 1 + 0) / 4
        ("xgrad_cam", [[0.5, 0.0], [0.5, 0.5]]),
        ("hires_cam", [[1.0, -3.0], [1.0, 1.0]]),
        ("layer_cam", [[1.0, 0.0], [1.0, 1.0]]),
    ],
)
def test_formulas_worked_by_hand(method: str, expected: list[list[float]]) -> None:
    network = ByHand(lambda cells: (SLOPES * cells).sum((1, 2, 3)))
    found = maps(network, CELLS, method, layer="cells")
    torch.testing.assert_close(found, torch.tensor([expected]))


def test_eigen_cams_worked_by_hand() -> None:
    # channels 3 : 4 everywhere, so the principal direction is (0.6, 0.8)
    shape = torch.tensor([[1.0, 0.0], [2.0, 1.0]])
    cells = torch.stack([3 * shape, 4 * shape])[None]
    signs = torch.tensor([1.0, 1.0])
    network = ByHand(lambda given: torch.einsum("nkyx,k->n", given, signs))
    for method in ("eigen_cam", "eigen_grad_cam"):
        found = maps(network, cells, method, layer="cells")
        torch.testing.assert_close(found, 5 * shape[None], msg=method)
    network = ByHand(lambda given: -torch.einsum("nkyx,k->n", given, signs))
    torch.testing.assert_close(maps(network, cells, "eigen_cam", layer="cells"), 5 * shape[None])
    # contributions −3 s and −4 s: the direction is the same, what lies along it points back
    found = maps(network, cells, "eigen_grad_cam", layer="cells")
    torch.testing.assert_close(found, -5 * shape[None])


def test_ablation_cam_worked_by_hand() -> None:
    # y = 4 · 4 + 10 = 26; without the first channel 10, without the second 16 − 0
    network = ByHand(lambda cells: cells[:, 0].sum((1, 2)) * cells[:, 1].sum((1, 2)) + 10)
    found = maps(network, CELLS, "ablation_cam", layer="cells")
    torch.testing.assert_close(found, (16 / 26) * CELLS.sum(1))
    network = ByHand(lambda cells: cells[:, 0].sum((1, 2)) - 2 * cells[:, 1].sum((1, 2)))
    # y = −4: drops 4 and −8, relative to its size 1 and −2
    found = maps(network, CELLS, "ablation_cam", layer="cells")
    torch.testing.assert_close(found, torch.tensor([[[1.0, 0.0], [0.0, 1.0]]]))


def test_score_cam_worked_by_hand() -> None:
    # masks A_1 / 2 and A_2 / 3; the score sees the first channel behind them
    network = ByHand(lambda cells: cells[:, 0].sum((1, 2)))
    scores = torch.tensor([0.5 + 2 + 0.5, 2 / 3])
    weights = scores.softmax(0)
    found = maps(network, CELLS, "score_cam", layer="cells")
    torch.testing.assert_close(found, torch.einsum("k,nkyx->nyx", weights, CELLS))
    found = maps(network, CELLS, "score_cam", layer="cells", channels=1)
    torch.testing.assert_close(found, CELLS[:, 1])


def test_score_cam_of_a_layer_that_is_the_same_everywhere() -> None:
    network = ByHand(lambda cells: cells.sum((1, 2, 3)))
    assert not maps(network, torch.ones(1, 2, 2, 2), "score_cam", layer="cells").any()


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000), target=st.integers(0, 2))
def test_where_pooling_and_a_linear_layer_follow_the_family_agrees(seed: int, target: int) -> None:
    network = POOLED.double()
    network.draw(seed)
    pixels = torch.randn(2, 3, 4, 6, generator=torch.Generator().manual_seed(seed)).double()
    with torch.no_grad():
        activation = network.act(network.conv(pixels))
        weights, bias = network.head.weight[target], network.head.bias[target]
        logit = network(pixels)[:, target]
    expected = torch.einsum("k,nkyx->nyx", weights, activation)

    def of(method: str) -> Tensor:
        return maps(network, pixels, method, target=target)

    cells = expected[0].numel()
    torch.testing.assert_close(of("cam"), expected)
    torch.testing.assert_close(of("cam").mean((1, 2)), logit - bias)
    torch.testing.assert_close(of("hires_cam"), expected / cells)
    torch.testing.assert_close(of("hires_cam").sum((1, 2)), logit - bias)
    torch.testing.assert_close(of("grad_cam"), expected.relu() / cells)
    torch.testing.assert_close(of("xgrad_cam"), expected.relu() / cells)
    shares = weights * activation.mean((2, 3)) / logit.abs()[:, None]
    ablated = torch.einsum("nk,nkyx->nyx", shares, activation).relu()
    torch.testing.assert_close(of("ablation_cam"), ablated)


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_unsigned_maps_are_zero_or_more(seed: int) -> None:
    pixels = torch.randn(2, 3, 4, 6, generator=torch.Generator().manual_seed(seed))
    network = POOLED.float()
    network.draw(seed)
    for method in UNSIGNED:
        for layer in ("conv", "act"):
            assert (maps(network, pixels, method, layer=layer) >= 0).all()


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_eigen_cam_holds_as_much_as_one_pattern_can(seed: int) -> None:
    """The map's size is the largest singular value, and the rest is what the others hold."""
    network = POOLED.double()
    network.draw(seed)
    pixels = torch.randn(1, 3, 4, 6, generator=torch.Generator().manual_seed(seed)).double()
    with torch.no_grad():
        cells = network.act(network.conv(pixels))[0].flatten(1).T
    found = maps(network, pixels, "eigen_cam")
    torch.testing.assert_close(found.norm(), torch.linalg.matrix_norm(cells, 2))


@pytest.mark.parametrize("method", FAMILY)
def test_a_batch_gives_what_its_samples_give(method: str, pixels: Tensor) -> None:
    network = Pooled()
    together = attribute(network, pixels, method=method)
    single = torch.cat([attribute(network, pixels[i : i + 1], method=method) for i in range(5)])
    close = {"rtol": 1e-4, "atol": 1e-5 * float(single.abs().max())}
    torch.testing.assert_close(together, single, **close)
    pieces = attribute(network, pixels, method=method, max_batch=2)
    torch.testing.assert_close(together, pieces, **close)


@pytest.mark.parametrize("method", FAMILY)
def test_half_precision_gives_maps_in_float32(method: str, pixels: Tensor) -> None:
    network = Pooled()
    target = network(pixels).argmax(1)
    expected = attribute(network, pixels, method=method, target=target)
    found = attribute(network.bfloat16(), pixels.bfloat16(), method=method, target=target)
    assert found.dtype == torch.float32
    assert (F.cosine_similarity(found.flatten(1), expected.flatten(1)) > 0.99).all()


@pytest.mark.parametrize("method", FAMILY)
def test_channels_last_pictures(method: str, pixels: Tensor) -> None:
    class ChannelsLast(Pooled):
        def forward(self, pixels: Tensor) -> Tensor:
            return super().forward(pixels.permute(0, 3, 1, 2))

    expected = attribute(Pooled(), pixels, method=method)
    found = attribute(ChannelsLast(), pixels.permute(0, 2, 3, 1).contiguous(), method=method)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("method", FAMILY)
def test_the_model_stays_as_it_was(method: str, pixels: Tensor, unchanged: Unchanged) -> None:
    network = Pooled()
    with unchanged(network):
        attribute(network, pixels, method=method)
    with unchanged(network), pytest.raises(LayerError, match="'head' gives"):
        attribute(network, pixels, method=method, layer="head")


@pytest.mark.parametrize("method", FAMILY)
def test_a_callable_target(method: str, pixels: Tensor) -> None:
    network = Pooled()
    expected = attribute(network, pixels, method=method, target=2)
    found = attribute(network, pixels, method=method, target=lambda logits: logits[:, 2])
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("method", OTHERS)
def test_a_model_without_gradient(method: str, pixels: Tensor) -> None:
    class NoGradient(Pooled):
        def forward(self, pixels: Tensor) -> Tensor:
            with torch.no_grad():
                return super().forward(pixels)

    expected = attribute(Pooled(), pixels, method=method)
    found = attribute(NoGradient(), pixels, method=method, layer="act")
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("method", [name for name in FAMILY if name != "cam"])
@pytest.mark.parametrize("fuse", ["mean", "max"])
def test_several_layers_are_fused_on_a_common_scale(
    method: str, fuse: str, convolutional: nn.Module, pixels: Tensor
) -> None:
    layers = ["first", "act"]
    single = [attribute(convolutional, pixels, method=method, layer=layer) for layer in layers]
    scaled = torch.stack([one / one.abs().amax((1, 2), keepdim=True) for one in single])
    largest = scaled.gather(0, scaled.abs().argmax(0)[None])[0]
    expected = scaled.mean(0) if fuse == "mean" else largest
    found, details = attribute(
        convolutional, pixels, method=method, layer=layers, fuse=fuse, return_details=True
    )
    # scaled before they are stretched, not after: the same but for the maximum between cells
    assert (found - expected).abs().max() < 0.35
    assert details.layer == "first, act"
    assert details.resolution == "12 × 12 cells and 6 × 6 cells"
    assert maps(convolutional, pixels, method, layer=layers).shape == (5, 12, 12)
    again = attribute(convolutional, pixels, method=method, layer="first, act", fuse=fuse)
    torch.testing.assert_close(again, found)


def test_fused_maps_worked_by_hand() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fine, self.coarse = nn.Identity(), nn.AvgPool2d(2)

        def forward(self, pixels: Tensor) -> Tensor:
            return self.coarse(self.fine(pixels)).sum((1, 2, 3))[:, None]

    pixels = torch.zeros(1, 1, 4, 4)
    pixels[0, 0, 0, 0], pixels[0, 0, 2:, 2:] = 8, -4
    fine, coarse = pixels[:, 0] / 8, F.avg_pool2d(pixels, 2) / 4
    wide = F.interpolate(coarse, (4, 4), mode="bilinear")[:, 0]
    found = maps(Two(), pixels, "hires_cam", layer=["coarse", "fine"])
    torch.testing.assert_close(found, (fine + wide) / 2)
    found = maps(Two(), pixels, "hires_cam", layer=["coarse", "fine"], fuse="max")
    torch.testing.assert_close(found, torch.where(fine.abs() > wide.abs(), fine, wide))
    assert found.min() == -1


def test_layers_by_shorthand(pixels: Tensor) -> None:
    network = nn.Sequential(Pooled().conv, nn.ReLU(), nn.Flatten(), nn.Linear(720, 3))
    _, details = attribute(network, pixels, method="grad_cam", layer="[-3]", return_details=True)
    assert details.layer == "1"


@pytest.mark.parametrize("behind", [nn.Identity(), nn.Softplus()])
def test_ablation_cam_reads_off_the_weights_what_running_again_finds(
    behind: nn.Module, pixels: Tensor
) -> None:
    module = Pooled(behind)
    graph = Graph.of(Model(module=module.eval(), source="pooled", input=ArrayInput()), {"": pixels})
    assert graph.suffix("act").is_affine == isinstance(behind, nn.Identity)
    options: dict[str, Any] = {"method": "ablation_cam", "layer": "act"}
    found = attribute(module, pixels, target=1, **options)
    expected = attribute(module, pixels, target=lambda logits: logits[:, 1], **options)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_ablation_cam_of_a_network_that_cannot_be_traced(pixels: Tensor) -> None:
    class Untraceable(Pooled):
        def forward(self, pixels: Tensor) -> Tensor:
            scale = 1 + 0 * int(pixels.detach().numpy().size)
            return super().forward(pixels) * scale

    found, details = attribute(Untraceable(), pixels, method="ablation_cam", return_details=True)
    expected = attribute(Pooled(), pixels, method="ablation_cam")
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-4)
    assert (details.forwards > 2).all()


@pytest.mark.parametrize(
    ("behind", "named"),
    [
        (nn.ReLU(), "Mean, Relu, Addmm"),
        (nn.LayerNorm(5), "Mean, NativeLayerNorm, Addmm"),
        (nn.Linear(5, 5), "Mean, Addmm, Addmm"),
    ],
)
def test_cam_is_refused_where_it_is_not_defined(
    behind: nn.Module, named: str, pixels: Tensor
) -> None:
    message = f"Behind layer 'act' of Pooled there comes: {named}. Use 'grad_cam' or 'hires_cam'"
    with pytest.raises(MethodError, match=message):
        attribute(Pooled(behind=behind), pixels, method="cam")


def test_cam_is_refused_where_cells_are_weighed(pixels: Tensor) -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AvgPool2d(5), nn.Flatten(), nn.Linear(16, 3))
    with pytest.raises(MethodError, match="there comes: pooling over parts of the grid"):
        attribute(network, pixels, method="cam", layer="0")
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(400, 3))
    with pytest.raises(MethodError, match="there comes: Addmm"):
        attribute(network, pixels, method="cam")


def test_cam_where_paths_join(pixels: Tensor) -> None:
    class Joined(Pooled):
        def forward(self, pixels: Tensor) -> Tensor:
            cells = self.act(self.conv(pixels))
            return self.head(cells.mean((2, 3)) + cells.amax((2, 3)))

    with pytest.raises(MethodError, match="there comes: branches, Add, Addmm"):
        attribute(Joined(), pixels, method="cam")


def test_guided_grad_cam_is_the_product_of_its_factors(pixels: Tensor) -> None:
    network = Pooled()
    areas = attribute(network, pixels, method="grad_cam")
    pattern = attribute(network, pixels, method="guided_backprop")
    found, details = attribute(network, pixels, method="guided_grad_cam", return_details=True)
    torch.testing.assert_close(found, pattern * areas[:, None])
    assert found.shape == pixels.shape
    assert found.any()
    assert details.resolution == "every pixel, in areas of 12 × 12 cells"
    half = attribute(Pooled().bfloat16(), pixels.bfloat16(), method="guided_grad_cam")
    assert half.shape == pixels.shape


def test_all_gradient_maps_share_one_pass(pixels: Tensor) -> None:
    methods = [*GRADIENT, "eigen_cam"]
    together = attribute(Pooled(), pixels, method=methods, return_details=True)
    passes = sum(details.forwards + details.backwards for _, details in together.values())
    assert passes.tolist() == [2] * 5
    for method in methods:
        torch.testing.assert_close(together[method][0], attribute(Pooled(), pixels, method=method))


def test_several_layers_share_one_pass(convolutional: nn.Module, pixels: Tensor) -> None:
    _, details = attribute(
        convolutional, pixels, method="grad_cam", layer=["first", "act"], return_details=True
    )
    assert (details.forwards + details.backwards).tolist() == [2] * 5


def test_passes_of_the_methods_without_gradient(pixels: Tensor) -> None:
    _, details = attribute(Pooled(), pixels, method="score_cam", channels=2, return_details=True)
    assert (details.forwards <= 3).all()
