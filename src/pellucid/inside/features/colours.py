"""Colours whose channels are uncorrelated over natural pictures, and the way from them to pixels.

    rgb = sigmoid(R c),   R Rᵀ ∝ covariance of RGB over natural pictures

A step of equal length along any channel of c is then as likely in a photograph as along any other,
so that gradient ascent does not run off in colours that photographs seldom have.
Source: Olah, Mordvintsev and Schubert, "Feature Visualization", Distill 2017 (matrix of `lucid`).
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

ROOT = ((0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03))
DARKEST = 1 / 255


def correlating(channels: int) -> Float[Tensor, "rgb colour"]:
    """Matrix from uncorrelated colours to RGB, of columns at most one long; identity for grey."""
    if channels != 3:
        return torch.eye(channels)
    root = torch.tensor(ROOT)
    longest: Tensor = root.norm(dim=0).max()
    return root / longest


def to_pixels(colours: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
    """Turn uncorrelated colours into pixels between 0 and 1."""
    return torch.sigmoid(_mixed(colours, correlating(colours.shape[1])))


def to_colours(pixels: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
    """Turn pixels into uncorrelated colours; black and white are taken one grey level inside."""
    inside = pixels.clamp(DARKEST, 1 - DARKEST)
    back = torch.linalg.inv(correlating(pixels.shape[1]).double()).float()
    return _mixed(torch.logit(inside), back)


def _mixed(planes: Tensor, matrix: Tensor) -> Tensor:
    return torch.einsum("rc,nchw->nrhw", matrix.to(planes), planes)
