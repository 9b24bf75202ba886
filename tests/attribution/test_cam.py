"""Grad-CAM: worked by hand, and what must hold for any network."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid import attribute
from pellucid.errors import LayerError, MethodError
from pellucid.model import Model


class ByHand(nn.Module):
    """Two channels that copy the first two of the picture, pooled and weighed: 3 a − b, −a + b."""

    def __init__(self) -> None:
        super().__init__()
        self.copy = nn.Conv2d(2, 2, 1, bias=False)
        self.copy.weight.data = torch.eye(2)[:, :, None, None]
        self.head = nn.Linear(2, 2, bias=False)
        self.head.weight.data = torch.tensor([[3.0, -1.0], [-1.0, 1.0]])

    def forward(self, pixels: Tensor) -> Tensor:
        return self.head(self.copy(pixels).mean((2, 3)))


def test_a_network_worked_by_hand() -> None:
    first = torch.tensor([[1.0, 0.0], [0.0, 0.0]])
    second = torch.tensor([[1.0, 0.0], [4.0, 0.0]])
    picture = torch.stack([first, second])[None]
    maps = attribute(ByHand(), picture, method="grad_cam", target=0, upsample=False)
    # α = (3, −1) / 4 cells; map = ReLU(0.75 a − 0.25 b)
    torch.testing.assert_close(maps, torch.tensor([[[0.5, 0.0], [0.0, 0.0]]]))
    maps = attribute(ByHand(), picture, method="grad_cam", target=1, upsample=False)
    torch.testing.assert_close(maps, torch.tensor([[[0.0, 0.0], [1.0, 0.0]]]))


def test_equals_the_definition_computed_with_all_gradients(
    convolutional: nn.Module, pixels: Tensor
) -> None:
    network = convolutional.eval()
    kept: list[Tensor] = []
    hook = network.second.register_forward_hook(
        lambda _m, _a, out: (kept.append(out), out.clone())[1]
    )
    logits = network(pixels)
    hook.remove()
    score = logits.gather(1, logits.argmax(1)[:, None]).sum()
    (gradient,) = torch.autograd.grad(score, kept[0])
    expected = torch.einsum("nc,ncyx->nyx", gradient.mean((2, 3)), kept[0]).relu().detach()
    maps = attribute(network, pixels, method="grad_cam", layer="second", upsample=False)
    torch.testing.assert_close(maps, expected)
    enlarged = F.interpolate(expected[:, None], (12, 12), mode="bilinear")[:, 0]
    maps = attribute(network, pixels, method="grad_cam", layer="second")
    torch.testing.assert_close(maps, enlarged)


def test_an_in_place_activation_after_the_layer_changes_nothing(pixels: Tensor) -> None:
    def maps(inplace: bool) -> Tensor:
        torch.manual_seed(0)
        network = nn.Sequential(
            nn.Conv2d(3, 4, 3), nn.ReLU(inplace=inplace), nn.Flatten(), nn.Linear(400, 2)
        )
        return attribute(network, pixels, method="grad_cam", layer="0")

    torch.testing.assert_close(maps(inplace=True), maps(inplace=False), rtol=0, atol=0)


def test_one_forward_and_one_backward(convolutional: nn.Module, pixels: Tensor) -> None:
    maps, details = attribute(
        convolutional, pixels, method="grad_cam", layer="act", max_batch=2, return_details=True
    )
    assert maps.shape == (5, 12, 12)
    assert details.layer == "act"
    assert details.resolution == "6 × 6 cells"
    assert details.forwards.tolist() == details.backwards.tolist() == [1] * 5


def test_the_backward_pass_stops_at_the_layer(convolutional: nn.Module, pixels: Tensor) -> None:
    seen: list[bool] = []
    hook = convolutional.first.register_forward_hook(
        lambda _m, _a, out: seen.append(out.requires_grad)
    )
    attribute(convolutional, pixels, method="grad_cam", layer="act")
    hook.remove()
    assert seen == [False]


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("secnd", "layer 'secnd' is not in Convolutional. Closest: 'second'"),
        ("fc", r"layer 'fc' gives \(5, 3\), which is no grid over the picture"),
    ],
)
def test_layers_that_do_not_fit(
    convolutional: nn.Module, pixels: Tensor, layer: str, message: str
) -> None:
    with pytest.raises(LayerError, match=message):
        attribute(convolutional, pixels, method="grad_cam", layer=layer)


def test_a_layer_of_which_only_the_class_token_is_read(pixels: Tensor) -> None:
    class FirstToken(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.patches = nn.Conv2d(3, 4, 4, stride=4)
            self.mix = nn.Linear(4, 4)
            self.norm = nn.LayerNorm(4)

        def forward(self, pixels: Tensor) -> Tensor:
            cells = self.patches(pixels).flatten(2).transpose(1, 2)
            tokens = torch.cat([cells.mean(1, keepdim=True), cells], 1)
            return self.norm(self.mix(tokens))[:, 0]

    with pytest.raises(LayerError, match="does not depend on the patches at layer 'norm'"):
        attribute(FirstToken(), pixels, method="grad_cam", layer="norm")
    _, details = attribute(FirstToken(), pixels, method="grad_cam", return_details=True)
    assert details.layer == "patches"


def test_a_layer_that_is_not_called(convolutional: nn.Module, pixels: Tensor) -> None:
    convolutional.unused = nn.Conv2d(3, 3, 1)
    with pytest.raises(LayerError, match="'unused' gives no tensor"):
        attribute(convolutional, pixels, method="grad_cam", layer="unused")


def test_the_grid_is_found_for_pictures_only(text_model: Model) -> None:
    with pytest.raises(MethodError, match="'grad_cam' is not defined for texts"):
        attribute(text_model, text_model.prepare(["good film"]), method="grad_cam")
