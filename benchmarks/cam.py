"""Class activation maps and DeepLIFT: what each costs in forward passes, against pytorch-grad-cam.

    python benchmarks/cam.py [--model resnet18] [--repeats 7] [--peer-ablation]
        [--record build/claims.jsonl]

One picture of 224² pixels, random weights, both in one process and by turns; f is one forward
pass without gradients of the model itself. Ratios are of processor seconds, the smallest of the
repeats, since other work on the machine lengthens the time on the clock but hardly these. Models
are opened and traced before; what the first call adds is printed by itself. The peer's
Ablation-CAM takes minutes and is run once, on request.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import pytorch_grad_cam as peer
import torch
import torchvision
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor, nn

from claims import Claim, note
from pellucid import attribute

SECONDS_OF_REST = 0.3  # threads of what ran before spin for a while, and would be counted
TARGET = 3
GRADIENT = {
    "grad_cam": "GradCAM",
    "grad_cam_pp": "GradCAMPlusPlus",
    "xgrad_cam": "XGradCAM",
    "hires_cam": "HiResCAM",
    "layer_cam": "LayerCAM",
    "eigen_grad_cam": "EigenGradCAM",
}
ALL = "all gradient CAMs, saliency, input × gradient together"
PROMISED = {"grad_cam": 1.3, ALL: 3.5, "ablation_cam": 3.0, "deeplift": 8.0}
TOGETHER = (*GRADIENT, "saliency", "input_x_gradient")


def processor_seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def calibrated(name: str) -> nn.Module:
    """Random weights, with statistics of batch norm from a forward pass in training mode."""
    torch.manual_seed(0)
    network = getattr(torchvision.models, name)(weights=None)
    with torch.no_grad():
        network.train()(torch.randn(8, 3, 224, 224))
    return network.eval()


def plain_forward(network: nn.Module, pixels: Tensor) -> None:
    with torch.no_grad():
        network(pixels)


def peer_cam(network: nn.Module, pixels: Tensor, name: str) -> None:
    with getattr(peer, name)(network, [network.layer4]) as cam:
        cam(pixels, [ClassifierOutputTarget(TARGET)])


def works(network: nn.Module, pixels: Tensor) -> dict[str, Callable[[], object]]:
    """What is timed, by name; the first is the unit."""

    def ours(method: str | list[str]) -> Callable[[], object]:
        return lambda: attribute(network, pixels, method=method, target=TARGET)

    found: dict[str, Callable[[], object]] = {"f": lambda: plain_forward(network, pixels)}
    for method, name in GRADIENT.items():
        found[method] = ours(method)
        found[f"{method}, peer"] = lambda name=name: peer_cam(network, pixels, name)
    found[ALL] = ours(list(TOGETHER))
    found["eigen_cam"] = ours("eigen_cam")
    found["ablation_cam"] = ours("ablation_cam")
    found["deeplift"] = ours("deeplift")
    return found


def measure(timed: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    seconds = dict.fromkeys(timed, float("inf"))
    for _ in range(repeats):
        for name, work in timed.items():
            time.sleep(SECONDS_OF_REST)
            seconds[name] = min(seconds[name], processor_seconds(work))
    return seconds


def claims(model: str, seconds: dict[str, float]) -> list[Claim]:
    """What is promised in forwards, what was found, and what the peer takes."""
    unit = seconds["f"]
    peers = {name: seconds.get(f"{name}, peer") for name in PROMISED}
    peers[ALL] = sum(seconds[f"{name}, peer"] for name in GRADIENT)
    beside = {n: f"pytorch-grad-cam {s / unit:.3g} f" if s else "" for n, s in peers.items()}
    return [
        Claim(
            text=name, subject=model, promised=most, measured=seconds[name] / unit, unit=" f",
            command=f"python benchmarks/cam.py --model {model}", beside=beside[name],
        )
        for name, most in PROMISED.items()
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="resnet18", help="one of torchvision's ResNets")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--peer-ablation", action="store_true")
    parser.add_argument("--record", type=Path)
    options = parser.parse_args()
    network, pixels = calibrated(options.model), torch.randn(1, 3, 224, 224)
    plain_forward(network, pixels)
    timed = works(network, pixels)
    first = {name: processor_seconds(timed[name]) for name in ("grad_cam", "ablation_cam")}
    seconds = measure(timed, options.repeats)
    if options.peer_ablation:
        seconds["ablation_cam, peer"] = processor_seconds(
            lambda: peer_cam(network, pixels, "AblationCAM")
        )
    unit = seconds["f"]
    print(f"{options.model}, 1 × 3 × 224 × 224, {torch.get_num_threads()} threads")
    print(f"f = {1000 * unit:.0f} ms of processor time")
    for name, value in seconds.items():
        print(f"  {value / unit:7.2f} f  {name}")
    for name, value in first.items():
        print(f"  {value / unit:7.2f} f  {name}, first call")
    note(options.record, claims(options.model, seconds))


if __name__ == "__main__":
    main()
