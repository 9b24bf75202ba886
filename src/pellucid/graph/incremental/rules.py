"""Which operators are local, and how far a change spreads through each.

An operator is local where each place of its output depends on a window of places of its input. With
kernel k, stride s, padding p and dilation d, input places [low, high) change the output places

    ⌈(low + p − (k − 1) d) / s⌉  …  ⌊(high − 1 + p) / s⌋

inside the map, and output places from `first` on need the input from `first` · s − p on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any, cast

import torch
from torch import Tensor, fx

from pellucid.graph.incremental.boxes import Layout, Region, pair

aten = torch.ops.aten
PLANE = (2, 3)
Layouts = Mapping[fx.Node, Layout]
Fixed = Collection[fx.Node]
Make = Callable[[fx.Node, Layouts, tuple[int, ...]], "Rule | None"]


@dataclass(frozen=True)
class Window:
    """What one output place sees along both axes, and what stands outside the map."""

    kernel: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)
    fill: float = 0.0

    def reach(self, axis: int, low: Tensor, high: Tensor, length: int) -> tuple[Tensor, Tensor]:
        """Output places that see input places [low, high); at least one, of `length`."""
        stride, padding = self.stride[axis], self.padding[axis]
        before = low + padding - (self.kernel[axis] - 1) * self.dilation[axis]
        first = (-((-before) // stride)).clamp(0, length - 1)
        last = (high - 1 + padding) // stride + 1
        return first, torch.maximum(last.clamp(max=length), first + 1)

    def needs(self, region: Region) -> Region:
        """Input places that a region of the output sees."""
        top, height = self._needs(0, region.top, region.height)
        left, width = self._needs(1, region.left, region.width)
        return Region(top, left, height, width)

    def _needs(self, axis: int, starts: Tensor, length: int) -> tuple[Tensor, int]:
        stride = self.stride[axis]
        span = (length - 1) * stride + (self.kernel[axis] - 1) * self.dilation[axis] + 1
        return starts * stride - self.padding[axis], span


@dataclass(frozen=True)
class Rule:
    """How one operator acts on a part of its input.

    `layout` is its output's; `args` are the operator's, for a part that is padded already.
    Where it `broadcasts`, a fixed operand has to be cut to the same part.
    """

    layout: Layout
    args: tuple[Any, ...]
    window: Window = Window()
    broadcasts: bool = False


def rule_of(node: fx.Node, maps: Layouts, fixed: Fixed, shape: tuple[int, ...]) -> Rule | None:
    """The rule of an operator whose inputs are `maps`, or `fixed`: the same for all variants.

    None where its output depends on places that are not near, or where nothing is known of it.
    """
    if any(source not in maps and source not in fixed for source in node.all_input_nodes):
        return None
    known = RULES.get(node.target)
    if known is not None:
        return None if node.kwargs else known(node, maps, shape)
    if torch.Tag.pointwise in getattr(node.target, "tags", ()):
        return _pointwise(node, maps, shape)
    return None


def _pointwise(node: fx.Node, maps: Layouts, shape: tuple[int, ...]) -> Rule | None:
    """Maps of the same axes and sides; what is fixed broadcasts."""
    layouts = [maps[source] for source in node.all_input_nodes if source in maps]
    layout = Layout(shape, layouts[0].axes)
    sides = {(known.axes, len(known.shape), known.height, known.width) for known in layouts}
    if sides != {(layout.axes, len(shape), layout.height, layout.width)}:
        return None
    return Rule(layout, node.args, broadcasts=True)


def _convolution(node: fx.Node, maps: Layouts, shape: tuple[int, ...]) -> Rule | None:
    source, weight, bias, stride, padding, dilation, transposed, *rest = node.args
    if not _picture(source, maps) or weight in maps or bias in maps or transposed:
        return None
    sizes = cast("fx.Node", weight).meta["val"].shape
    window = Window((sizes[2], sizes[3]), pair(stride), pair(padding), pair(dilation))
    args = (source, weight, bias, stride, [0, 0], dilation, transposed, *rest)
    return Rule(Layout(shape, PLANE), args, window)


def _max_pool(node: fx.Node, maps: Layouts, shape: tuple[int, ...]) -> Rule | None:
    source, kernel, stride, padding, dilation = _filled(node, [], 0, 1)[:5]
    if not _picture(source, maps):
        return None
    step = pair(stride or kernel)
    window = Window(pair(kernel), step, pair(padding), pair(dilation), -inf)
    return Rule(Layout(shape, PLANE), (source, kernel, step, 0, dilation, False), window)


def _average_pool(node: fx.Node, maps: Layouts, shape: tuple[int, ...]) -> Rule | None:
    """Only where all windows are divided by the same number."""
    source, kernel, stride, padding, ceil, padded, divisor = _filled(node, [], 0, False, True, None)
    uneven = ceil or (pair(padding) != (0, 0) and not padded)
    if not _picture(source, maps) or uneven:
        return None
    step = pair(stride or kernel)
    window = Window(pair(kernel), step, pair(padding))
    return Rule(Layout(shape, PLANE), (source, kernel, step, 0, False, True, divisor), window)


def _concatenation(node: fx.Node, maps: Layouts, shape: tuple[int, ...]) -> Rule | None:
    sources = cast("list[fx.Node]", node.args[0])
    if any(source not in maps or maps[source].axes != maps[sources[0]].axes for source in sources):
        return None
    axis = node.args[1] if len(node.args) > 1 else 0
    layout = Layout(shape, maps[sources[0]].axes)
    return Rule(layout, node.args) if _among_channels([axis], layout) else None


def _permutation(node: fx.Node, maps: Layouts, shape: tuple[int, ...]) -> Rule | None:
    layout = maps[cast("fx.Node", node.args[0])]
    order = [axis % len(shape) for axis in cast("list[int]", node.args[1])]
    if order[0] != 0:
        return None
    down, across = (order.index(axis) for axis in layout.axes)
    return Rule(Layout(shape, (down, across)), node.args)


def _along_channels(axes: Callable[[fx.Node], list[Any]]) -> Make:
    """Operators that mix what stands at one place along some axes."""

    def make(node: fx.Node, maps: Layouts, shape: tuple[int, ...]) -> Rule | None:
        source = cast("fx.Node", node.args[0])
        if source not in maps or any(other in maps for other in node.all_input_nodes[1:]):
            return None
        layout = Layout(shape, maps[source].axes)
        return Rule(layout, node.args) if _among_channels(axes(node), layout) else None

    return make


def _among_channels(axes: Iterable[Any], layout: Layout) -> bool:
    return all(axis % len(layout.shape) not in (0, *layout.axes) for axis in axes)


def _filled(node: fx.Node, *defaults: Any) -> tuple[Any, ...]:
    """Arguments of a pooling operator, those after the kernel filled up with defaults."""
    return (*node.args, *defaults[len(node.args) - 2 :])


def _picture(source: Any, maps: Layouts) -> bool:
    return source in maps and maps[source].axes == PLANE and len(maps[source].shape) == 4


def _normalized(node: fx.Node) -> list[int]:
    return [-1 - axis for axis in range(len(cast("list[int]", node.args[1])))]


RULES: dict[Any, Make] = {
    aten.convolution.default: _convolution,
    aten.max_pool2d.default: _max_pool,
    aten.avg_pool2d.default: _average_pool,
    aten.cat.default: _concatenation,
    aten.permute.default: _permutation,
    aten.linear.default: _along_channels(lambda _: [-1]),
    aten.layer_norm.default: _along_channels(_normalized),
    aten.softmax.int: _along_channels(lambda node: [node.args[1]]),
    aten.slice.Tensor: _along_channels(lambda node: [node.args[1] if len(node.args) > 1 else 0]),
}
