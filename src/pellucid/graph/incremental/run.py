"""Run many local variants of one picture, and compute only what differs from the picture itself.

    value(variant) = value(picture) outside a box,   operator(box and its surroundings) inside

The box grows from operator to operator by what each place sees. Where it covers nearly the whole
map, or an operator looks at far places (global pooling, attention), whole maps are computed from
there on. The result is that of whole passes, but for rounding. Nakandala et al., SIGMOD 2019.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, final

import torch
from jaxtyping import Float, Int
from torch import Tensor, fx
from torch.nn.functional import linear

from pellucid.graph.incremental.boxes import Box, Layout, Region, crop, whole
from pellucid.graph.incremental.plan import ALMOST_WHOLE, Plan, Spans, Step, make_plan
from pellucid.graph.incremental.prepare import prepare
from pellucid.graph.incremental.rules import Rule
from pellucid.model import Inputs

aten = torch.ops.aten
LAID_OUT = (aten.as_strided.default,)
MAKES_NEW = (aten.convolution.default, aten.add.Tensor)


@final
class Incremental:
    """A traced program, and the windows that are covered one at a time in one of its inputs.

    `names` are the program's inputs in order, `explained` the name of the picture (n, c, y, x).
    `down` and `across` are the lowest place of each interval, and one past its highest; window
    (i, j) is interval i down and j across. The program's parameters must not change meanwhile.
    """

    def __init__(
        self,
        program: fx.GraphModule,
        names: tuple[str, ...],
        explained: str,
        *,
        down: Spans,
        across: Spans,
    ) -> None:
        self.program = prepare(program)
        nodes = list(self.program.graph.nodes)
        places = [node for node in nodes if node.op == "placeholder"]
        self.names = dict(zip(places, names, strict=True))
        self.explained = next(node for node, name in self.names.items() if name == explained)
        self.plan: Plan = make_plan(self.program, self.explained, down, across)
        self.done = _last_uses(nodes)

    @property
    def share(self) -> float:
        """Work for one window against a whole forward pass, on average."""
        return self.plan.share

    @cached_property
    def bytes(self) -> int:
        """What one window takes at once, at most."""
        picture: Tensor = self.explained.meta["val"]
        return self.plan.most_numbers(self.done) * picture.element_size()

    def groups(self, number: int) -> Iterator[tuple[Int[Tensor, " k"], Int[Tensor, " l"]]]:
        """Intervals down and across that go together well, in at most number² groups."""
        yield from self.plan.groups(number)

    @torch.no_grad()
    def picture(self, inputs: Inputs) -> Picture:
        """Run one sample as it is, and keep its maps."""
        values: dict[fx.Node, Any] = {}
        kept: dict[fx.Node, Any] = {}
        for node in self.program.graph.nodes:
            if node.op == "placeholder":
                values[node] = _channels_last(inputs[self.names[node]])
            else:
                values[node] = _whole(self.program, node, values)
            if node in self.plan.steps or node in self.plan.fixed or node.op == "output":
                kept[node] = values[node]
            for finished in self.done.get(node, ()):
                del values[finished]
        return Picture(self, inputs, kept)


@final
class Picture:
    """One sample with its maps, of which variants can be computed.

    `work` counts what the variants took, in whole forward passes of one sample.
    """

    def __init__(self, source: Incremental, inputs: Inputs, kept: dict[fx.Node, Any]) -> None:
        self._source, self._inputs, self._kept = source, inputs, kept
        self._tables: dict[fx.Node, Tensor] = {}
        self.work = 0.0

    @property
    def logits(self) -> Float[Tensor, " 1 *classes"]:
        """The model's output for the sample as it is."""
        output: Tensor = next(v for node, v in self._kept.items() if node.op == "output")
        return output

    @torch.no_grad()
    def covered(
        self, hidden: Float[Tensor, "1 c y x"], i: Int[Tensor, " m"], j: Int[Tensor, " m"]
    ) -> Float[Tensor, " m *classes"]:
        """Logits where each window (i, j) in turn shows `hidden` in place of the sample."""
        source = self._source
        values: dict[fx.Node, Any] = {}
        for node in source.program.graph.nodes:
            values[node] = self._value(node, values, hidden, i, j)
            for finished in source.done.get(node, ()):
                del values[finished]
        output: Tensor = values[node]
        return output

    def _value(
        self, node: fx.Node, values: dict[fx.Node, Any], hidden: Tensor, i: Tensor, j: Tensor
    ) -> Any:
        plan, size = self._source.plan, len(i)
        if node in plan.fixed:
            return self._kept[node]
        if node is self._source.explained:
            return self._patch(plan.steps[node], hidden, i, j)
        if node.op == "placeholder":
            return _repeated(self._inputs[self._source.names[node]], size)
        if node.target is aten.sym_size.int and node.all_input_nodes[0] in plan.steps:
            axis: Any = node.args[1]
            layout = plan.steps[node.all_input_nodes[0]].rule.layout
            return size if axis == 0 else layout.shape[axis]
        step = plan.steps.get(node)
        if step is not None and self._local_pays(node, values):
            region = step.region(i, j)
            self.work += plan.costs[node] / plan.total * step.share(region) * size
            return self._local(node, step.rule, values, region)
        for changed in node.all_input_nodes:
            if isinstance(values[changed], Box):
                values[changed] = self._spread_out(changed, values[changed], size)
        self.work += plan.costs.get(node, 0.0) / plan.total * size
        return _whole(self._source.program, node, values)

    def _patch(self, step: Step, hidden: Tensor, i: Tensor, j: Tensor) -> Box:
        """The windows of the picture, filled; what lies beside a smaller window stays."""
        layout, region = step.rule.layout, step.region(i, j)
        clean = crop(self._table(self._source.explained), None, layout, region)
        filled = crop(layout.to_rows(hidden), None, layout, region)
        down = _inside(region.top, region.height, step.down, i)
        across = _inside(region.left, region.width, step.across, j)
        covered = (down[:, :, None] & across[:, None, :]).flatten()[:, None].to(clean.device)
        return Box(region, torch.where(covered, filled, clean))

    def _local_pays(self, node: fx.Node, values: Mapping[fx.Node, Any]) -> bool:
        """Whether all that changed is known by its box, and some box leaves much of its map."""
        plan = self._source.plan
        changed = [source for source in node.all_input_nodes if source not in plan.fixed]
        if not all(isinstance(values[source], Box) for source in changed):
            return False
        shares = (plan.steps[source].share(values[source].region) for source in changed)
        return min(shares) < ALMOST_WHOLE

    def _local(
        self, node: fx.Node, rule: Rule, values: Mapping[fx.Node, Any], region: Region
    ) -> Box:
        """Compute an operator in a region, from the region that it sees."""
        if node.target is aten.convolution.default:
            if max(rule.window.kernel) > 1:
                return self._convolve(node, rule, values, region)
            if _mixes_channels_only(rule):
                return self._mix(rule, values, region)
        if node.target is aten.relu.default and self._may_overwrite(node, values, region):
            return Box(region, values[node.all_input_nodes[0]].rows.relu_())
        seen = rule.window.needs(region)

        def part(source: fx.Node) -> Any:
            value = values[source]
            if isinstance(value, Box):
                layout = self._source.plan.steps[source].rule.layout
                rows = crop(self._table(source), value, layout, seen, rule.window.fill)
                return layout.from_rows(rows, seen)
            return _cut(value, rule.layout, seen) if rule.broadcasts else value

        args, kwargs = fx.node.map_arg((rule.args, node.kwargs), part)
        assert callable(node.target)
        return Box(region, rule.layout.to_rows(node.target(*args, **kwargs)))

    def _convolve(
        self, node: fx.Node, rule: Rule, values: Mapping[fx.Node, Any], region: Region
    ) -> Box:
        """Convolve what has changed, and add it to what was there.

        A convolution is linear, and most of what it sees beside the box has not changed: there, it
        is told to take zeros for granted.
        """
        source, weight, _, stride, _, *rest = rule.args
        layout, box = self._source.plan.steps[source].rule.layout, values[source]
        seen, margin = rule.window.needs(region).shrunk(box.region)
        clean = self._table(source)
        change = crop(clean, box, layout, seen) - crop(clean, None, layout, seen)
        picture = layout.from_rows(change, seen)
        changed = aten.convolution.default(picture, values[weight], None, stride, margin, *rest)
        rows = rule.layout.to_rows(changed)
        return Box(region, rows.add_(crop(self._table(node), None, rule.layout, region)))

    def _mix(self, rule: Rule, values: Mapping[fx.Node, Any], region: Region) -> Box:
        """Convolve with a kernel of one place: a product of matrices."""
        source, weight, bias, *_ = rule.args
        layout = self._source.plan.steps[source].rule.layout
        rows = crop(self._table(source), values[source], layout, rule.window.needs(region))
        return Box(region, linear(rows, values[weight].flatten(1), bias and values[bias]))

    def _may_overwrite(self, node: fx.Node, values: Mapping[fx.Node, Any], region: Region) -> bool:
        """Whether what a node reads was made for it alone, and is all that it needs."""
        (source,) = node.all_input_nodes
        alone = source in self._source.done.get(node, ()) and source.target in MAKES_NEW
        return alone and values[source].region.same_as(region)

    def _spread_out(self, node: fx.Node, box: Box, size: int) -> Tensor:
        """The whole map of each variant."""
        layout = self._source.plan.steps[node].rule.layout
        everywhere = whole(layout, size)
        return layout.from_rows(crop(self._table(node), box, layout, everywhere), everywhere)

    def _table(self, node: fx.Node) -> Float[Tensor, "positions channels"]:
        if node not in self._tables:
            layout = self._source.plan.steps[node].rule.layout
            self._tables[node] = layout.to_rows(self._kept[node])
        return self._tables[node]


def _mixes_channels_only(rule: Rule) -> bool:
    _, _, _, stride, _, _, transposed, _, groups = rule.args
    return not transposed and groups == 1 and set(stride) == {1}


def _whole(program: fx.GraphModule, node: fx.Node, values: Mapping[fx.Node, Any]) -> Any:
    """Compute a node from whole values."""
    if node.op == "get_attr":
        return operator.attrgetter(str(node.target))(program)
    found: Any = fx.node.map_arg((node.args, node.kwargs), values.__getitem__)
    args, kwargs = found
    if node.op == "output":
        return args[0]
    if node.target in LAID_OUT:
        args = (args[0].contiguous(), *args[1:])
    assert callable(node.target)
    return node.target(*args, **kwargs)


def _cut(value: Tensor, layout: Layout, region: Region) -> Tensor:
    """Cut an operand that is the same for all variants, where it differs from place to place."""
    missing = len(layout.shape) - value.ndim
    sides = [value.shape[axis - missing] for axis in layout.axes if axis >= missing]
    if all(side == 1 for side in sides):
        return value
    rows = layout.to_rows(value.broadcast_to(layout.shape))
    return layout.from_rows(crop(rows, None, layout, region), region)


def _inside(starts: Tensor, length: int, spans: Spans, which: Tensor) -> Tensor:
    places = starts[:, None] + torch.arange(length)
    return (places >= spans[0][which][:, None]) & (places < spans[1][which][:, None])


def _repeated(value: Tensor, size: int) -> Tensor:
    return value.expand(size, *value.shape[1:]) if value.ndim and len(value) == 1 else value


def _channels_last(value: Tensor) -> Tensor:
    return value.contiguous(memory_format=torch.channels_last) if value.ndim == 4 else value


def _last_uses(nodes: list[fx.Node]) -> dict[fx.Node, list[fx.Node]]:
    """For each node, those that nothing reads after it."""
    last = {source: node for node in nodes for source in node.all_input_nodes}
    done: dict[fx.Node, list[fx.Node]] = {}
    for source, node in last.items():
        done.setdefault(node, []).append(source)
    return done
