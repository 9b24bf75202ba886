"""Least squares in order: places as near as can be to what is wanted, at least so far apart."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate


def fit_apart(
    wanted: Sequence[float], apart: Sequence[float], weights: Sequence[float]
) -> list[float]:
    """Places x with x[i + 1] - x[i] >= apart[i] that minimize the weighted squared distance.

    Solved exactly by pooling adjacent violators (Ayer et al., 1955), in linear time.

    >>> fit_apart([0.0, 0.0], [2.0], [1.0, 1.0])
    [-1.0, 1.0]
    """
    offsets = [0.0, *accumulate(apart)]
    blocks: list[tuple[float, float, int]] = []  # mean, weight, length
    for want, offset, weight in zip(wanted, offsets, weights, strict=False):
        block = (want - offset, weight, 1)
        while blocks and blocks[-1][0] > block[0]:
            mean, heavy, length = blocks.pop()
            total = heavy + block[1]
            block = ((mean * heavy + block[0] * block[1]) / total, total, length + block[2])
        blocks.append(block)
    levels = [mean for mean, _, length in blocks for _ in range(length)]
    return [level + offset for level, offset in zip(levels, offsets, strict=False)]
