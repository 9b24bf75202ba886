"""Boxes: the changed part of a map, for many variants of one sample at once.

A map of any layout is kept as a table with one row of channels for each position, so that cutting
out, patching and padding are one look-up of rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Layout:
    """Shape of a map of one sample, and which of its axes run down and across the picture."""

    shape: tuple[int, ...]
    axes: tuple[int, int]

    @property
    def height(self) -> int:
        return self.shape[self.axes[0]]

    @property
    def width(self) -> int:
        return self.shape[self.axes[1]]

    @property
    def _order(self) -> tuple[int, ...]:
        rest = (axis for axis in range(1, len(self.shape)) if axis not in self.axes)
        return (0, *self.axes, *rest)

    def to_rows(self, values: Float[Tensor, " m *shape"]) -> Float[Tensor, "positions channels"]:
        """One row for each position of each variant."""
        ordered = values.permute(self._order)
        return ordered.reshape(prod(ordered.shape[:3]), -1)

    def from_rows(
        self, rows: Float[Tensor, "positions channels"], region: Region
    ) -> Float[Tensor, " m *shape"]:
        """Undo `to_rows` for a region of the map."""
        order = self._order
        rest = [self.shape[axis] for axis in order[3:]]
        ordered = rows.view(len(region.top), region.height, region.width, *rest)
        return ordered.permute([order.index(axis) for axis in range(len(order))])


@dataclass(frozen=True)
class Region:
    """A rectangle for each variant: all of one size, each at its own place; may cross a border."""

    top: Int[Tensor, " m"]
    left: Int[Tensor, " m"]
    height: int
    width: int

    def same_as(self, other: Region) -> bool:
        """Whether both lie at the same places."""
        sizes = (self.height, self.width) == (other.height, other.width)
        return sizes and self.top.equal(other.top) and self.left.equal(other.left)

    def shrunk(self, kept: Region) -> tuple[Region, list[int]]:
        """Cut equal margins off opposite sides, as wide as `kept` allows; and their widths."""
        margins = [
            _margin(self.top, self.height, kept.top, kept.height),
            _margin(self.left, self.width, kept.left, kept.width),
        ]
        down, across = margins
        top, left = self.top + down, self.left + across
        return Region(top, left, self.height - 2 * down, self.width - 2 * across), margins


def _margin(start: Tensor, length: int, kept: Tensor, kept_length: int) -> int:
    before, after = kept - start, start + length - kept - kept_length
    return max(0, int(torch.minimum(before, after).min()))


@dataclass(frozen=True)
class Box:
    """The rows of a map inside a region; outside of it, the map is as it was."""

    region: Region
    rows: Float[Tensor, "positions channels"]


def whole(layout: Layout, size: int) -> Region:
    """The whole map, for so many variants."""
    start = torch.zeros(size, dtype=torch.int64)
    return Region(start, start, layout.height, layout.width)


def crop(
    clean: Float[Tensor, "positions channels"],
    box: Box | None,
    layout: Layout,
    region: Region,
    fill: float = 0.0,
) -> Float[Tensor, "rows channels"]:
    """Cut a region out of a clean map with its changed box laid over; `fill` outside the map."""
    if box is not None and region.same_as(box.region):
        return box.rows
    down, across = _places(region.top, region.height), _places(region.left, region.width)
    rows = (down.clamp(0, layout.height - 1) * layout.width)[:, :, None]
    rows = rows + across.clamp(0, layout.width - 1)[:, None, :]
    tables = [clean]
    if box is not None:
        changed, inside = _inside(box.region, down, across)
        rows = torch.where(inside, len(clean) + changed, rows)
        tables.append(box.rows)
    out_down = (down < 0) | (down >= layout.height)
    out_across = (across < 0) | (across >= layout.width)
    if out_down.any() or out_across.any():
        padding = sum(len(table) for table in tables)
        rows = rows.masked_fill(out_down[:, :, None] | out_across[:, None, :], padding)
        tables.append(clean.new_full((1, clean.shape[1]), fill))
    table = torch.cat(tables) if len(tables) > 1 else clean
    return table.index_select(0, rows.flatten().to(table.device))


def _places(starts: Int[Tensor, " m"], length: int) -> Int[Tensor, "m length"]:
    return starts[:, None] + torch.arange(length)


def _inside(
    region: Region, down: Int[Tensor, "m y"], across: Int[Tensor, "m x"]
) -> tuple[Tensor, Tensor]:
    """Row in the box's table for each place, and whether the place lies in the box."""
    y, x = down - region.top[:, None], across - region.left[:, None]
    first = torch.arange(len(down))[:, None] * (region.height * region.width)
    rows = (first + y * region.width)[:, :, None] + x[:, None, :]
    in_down, in_across = (y >= 0) & (y < region.height), (x >= 0) & (x < region.width)
    return rows, in_down[:, :, None] & in_across[:, None, :]


def pair(value: Any) -> tuple[int, int]:
    """Two numbers of an operator's argument, which may be one for both."""
    return (value, value) if isinstance(value, int) else (value[0], value[-1])
