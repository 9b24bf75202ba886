"""The family of class activation maps against pytorch-grad-cam, where it follows the papers.

It differs from the papers, and from Pellucid, in that it: adds 1e-6 to the denominator of
Grad-CAM++, which drowns small gradients; centres the channels in Eigen-CAM; ablates channels to
−1e7 where activations may be negative; divides by a negative score in Ablation-CAM; stretches
Score-CAM's masks from corner to corner. All of its maps are cut at zero and scaled to 0 … 1.
"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid import attribute

peer = pytest.importorskip("pytorch_grad_cam")
torchvision = pytest.importorskip("torchvision")

pytestmark = [pytest.mark.oracle, pytest.mark.filterwarnings("ignore")]
NAMES = {
    "grad_cam": "GradCAM",
    "grad_cam_pp": "GradCAMPlusPlus",
    "xgrad_cam": "XGradCAM",
    "hires_cam": "HiResCAM",
    "layer_cam": "LayerCAM",
    "ablation_cam": "AblationCAM",
    "score_cam": "ScoreCAM",
}
TARGETS = [3, 7]
SCALE_OF_LOGITS = 1000.0


@pytest.fixture(scope="module", params=["resnet18", "vgg11"])
def network(request: pytest.FixtureRequest) -> nn.Module:
    """Random weights, with the statistics of batch norm from a forward pass in training mode."""
    torch.manual_seed(0)
    network = getattr(torchvision.models, request.param)(weights=None, num_classes=10)
    with torch.no_grad():
        network.train()(torch.randn(8, 3, 64, 64))
        last = network.fc if request.param == "resnet18" else network.classifier[-1]
        last.weight *= SCALE_OF_LOGITS
    return network.eval()


@pytest.fixture(scope="module")
def photographs() -> Tensor:
    return torch.randn(2, 3, 96, 64, generator=torch.Generator().manual_seed(2))


def layer_of(network: nn.Module, name: str) -> str:
    return {"last": "layer4", "early": "layer3"}[name] if hasattr(network, "fc") else {
        "last": "features.20", "early": "features.12"
    }[name]  # fmt: skip


def peer_map(network: nn.Module, pixels: Tensor, method: str, layer: str) -> Tensor:
    made = getattr(peer, NAMES[method])(network, [network.get_submodule(layer)])
    goals = [peer.utils.model_targets.ClassifierOutputTarget(target) for target in TARGETS]
    return torch.from_numpy(made(pixels, goals[: len(pixels)]))


def as_peer(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Cut at zero, scaled to 0 … 1, stretched, and scaled again."""
    stretched = F.interpolate(to_one(maps.relu())[:, None], size, mode="bilinear")[:, 0]
    return to_one(stretched)


def to_one(maps: Tensor) -> Tensor:
    shifted = maps - maps.amin((1, 2), keepdim=True)
    return shifted / (1e-7 + shifted.amax((1, 2), keepdim=True))


@pytest.mark.parametrize("layer", ["last", "early"])
@pytest.mark.parametrize(
    "method", ["grad_cam", "grad_cam_pp", "xgrad_cam", "hires_cam", "layer_cam"]
)
def test_gradient_cams(network: nn.Module, photographs: Tensor, method: str, layer: str) -> None:
    name = layer_of(network, layer)
    own = attribute(
        network, photographs, method=method, layer=name, target=torch.tensor(TARGETS),
        upsample=False,
    )  # fmt: skip
    expected = peer_map(network, photographs, method, name)
    assert expected.max() > 0.9
    torch.testing.assert_close(as_peer(own, (96, 64)), expected, rtol=1e-4, atol=1e-4)


def test_ablation_cam(network: nn.Module, photographs: Tensor) -> None:
    if not hasattr(network, "fc"):
        pytest.skip("the peer runs VGG's 120 million weights again for every channel")
    scores = network(photographs)[[0, 1], TARGETS]
    network.fc.weight.data[TARGETS] *= scores.sign()[:, None]
    own = attribute(
        network, photographs, method="ablation_cam", layer="layer4", target=torch.tensor(TARGETS),
        upsample=False,
    )  # fmt: skip
    expected = peer_map(network, photographs, "ablation_cam", "layer4")
    network.fc.weight.data[TARGETS] *= scores.sign()[:, None]
    assert expected.max() > 0.9
    torch.testing.assert_close(as_peer(own, (96, 64)), expected, rtol=1e-4, atol=1e-4)


def test_score_cam_at_a_layer_as_fine_as_the_picture() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(), nn.AvgPool2d(4), nn.Flatten(), nn.Linear(54, 10)
    ).eval()
    pixels = torch.randn(2, 3, 12, 12)
    own = attribute(network, pixels, method="score_cam", layer="1", target=torch.tensor(TARGETS))
    expected = peer_map(network, pixels, "score_cam", "1")
    torch.testing.assert_close(as_peer(own, (12, 12)), expected, rtol=1e-4, atol=1e-4)


def test_eigen_cams_where_channels_are_centred() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1), nn.InstanceNorm2d(6), nn.Flatten(), nn.Linear(864, 10)
    ).eval()
    pixels = torch.randn(2, 3, 12, 12)
    project = peer.utils.svd_on_activations.get_2d_projection
    with torch.no_grad():
        activation = network[:2](pixels).numpy()
    expected = torch.from_numpy(project(activation))
    own = attribute(network, pixels, method="eigen_cam", layer="1")
    positive, negative = expected.relu(), (-expected).relu()
    for found, one, other in zip(own, positive, negative, strict=True):
        distance = min((found - one).abs().max(), (found - other).abs().max())
        assert distance < 1e-4 * found.max()
