"""ResNet-20 for CIFAR-10: He et al. 2016, "Deep Residual Learning", section 4.2.

Stands for a file that a user wrote: opened with
`python:resnet_cifar.py:model`, and with `python:resnet_cifar.py:resnet20` as a bare module.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import pellucid
from pellucid.model import ImageInput, Model

LABELS = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)


class Block(nn.Module):
    """Two 3×3 convolutions and a shortcut without parameters (option A)."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.stride, self.added = stride, channels - channels_in

    def shortcut(self, x: Tensor) -> Tensor:
        """Take every second pixel, and add channels of zeros on both sides."""
        if not self.added:
            return x
        before = self.added // 2
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, before, before))

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.shortcut(x))


class ResNet20(nn.Module):
    """Three stages of three blocks with 16, 32 and 64 channels, a mean, and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = nn.Sequential(Block(16, 16, 1), Block(16, 16, 1), Block(16, 16, 1))
        self.layer2 = nn.Sequential(Block(16, 32, 2), Block(32, 32, 1), Block(32, 32, 1))
        self.layer3 = nn.Sequential(Block(32, 64, 2), Block(64, 64, 1), Block(64, 64, 1))
        self.linear = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(torch.mean(x, dim=(2, 3)))


def resnet20() -> nn.Module:
    """The bare module: 269,722 parameters (0.27 M in the paper's table 6)."""
    return ResNet20()


def model() -> Model:
    """The module with what its weights were trained on."""
    return pellucid.wrap(
        ResNet20(), input=ImageInput(size=(32, 32), resize=32), labels=LABELS, head="linear"
    )
