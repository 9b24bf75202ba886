"""What flows through a layer, or through one unit of it, on the way from a baseline to the input.

With y the layer's output, u one unit of it, f the score, and z = b + α (x − b):

    layer conductance    ∫ ∂f/∂y_j · dy_j/dα dα
    internal influence   ∫ ∂f/∂y_j dα
    neuron conductance   (x_i − b_i) · ∫ ∂f/∂y_u · ∂y_u/∂z_i dα
    neuron integrated gradients   (x_i − b_i) · ∫ ∂y_u/∂z_i dα
    neuron gradient      ∂y_u/∂x_i

Layer conductance adds up to f(x) − f(b) where everything passes through the layer, and a neuron's
integrated gradients to y_u(x) − y_u(b). A unit's conductances over the inputs add up to its own
in the layer.
"""

from __future__ import annotations

import torch
from torch import Tensor

from pellucid.attribution.baselines import Baseline, make_baseline
from pellucid.attribution.call import EVERY, Attribution, Call
from pellucid.attribution.gradient import per_value, precise
from pellucid.attribution.inner_layer import Index, InnerLayer, Unit, as_map
from pellucid.attribution.path import (
    PASSES,
    MaxSteps,
    Steps,
    Tolerance,
    along_straight_line,
    straight_line,
)
from pellucid.attribution.quadrature import Plan, Seen, gauss, integrate
from pellucid.attribution.registry import method

LAYER_COST = "as long as tens to hundreds of predictions"
FIXED_PASSES = "steps × (1 forward, 1 backward)"


@method(
    title="Layer conductance",
    family="path",
    paper="Dhamdhere, Sundararajan and Yan, 2018, eq. 2",
    about=(
        "Layer conductance shows through which places of an inner layer the score was made, in "
        "comparison with a neutral input: red raised it, blue lowered it. It is as coarse as the "
        "layer, and complete where everything passes through the layer."
    ),
    kinds=("image", "text", "array"),
    needs=("gradient", "layer", "baseline"),
    cost=LAYER_COST,
    passes=PASSES,
)
def layer_conductance(
    call: Call,
    *,
    layer: str | None = None,
    baseline: Baseline = None,
    steps: Steps = 8,
    max_steps: MaxSteps = 256,
    tolerance: Tolerance = 0.01,
    upsample: bool = True,
) -> Attribution:
    """How much of the score flows through each place of a layer? Signed.

    (n, y, x) for a layer with a grid over the picture, summed over its channels: stretched to the
    picture with `upsample`, else the layer's own. Texts give (n, tokens), summed over the layer's
    width, for a layer with a row for each token. Other layers give their own shape, (n, units…).
    `layer` is the last with a grid over the picture if None; texts and arrays need a name.
    `baseline`, `steps`, `max_steps` and `tolerance` as in `integrated_gradients`; a completeness
    error that stays large tells that not everything passes through the layer.
    Dhamdhere, Sundararajan and Yan, 2018, eq. 2. Raises LayerError.
    """
    inner = InnerLayer(call, layer)
    start = make_baseline(call, baseline)

    def ends(rows: Tensor, places: Tensor) -> Seen:
        found = [
            inner.outputs(points, own) for points, own in straight_line(call, start, rows, places)
        ]
        scores, outputs = zip(*found, strict=True)
        return Seen(torch.cat(scores), torch.cat(outputs), None)

    def inside(rows: Tensor, places: Tensor) -> Seen:
        found = [
            inner.outputs_and_gradients(points, own)
            for points, own in straight_line(call, start, rows, places)
        ]
        return Seen(*(torch.cat(column) for column in zip(*found, strict=True)))

    plan = Plan(steps=steps, most=max(steps, max_steps), tolerance=tolerance)
    integral = integrate(ends, inside, call.size, 2 * inner.row_bytes, plan)
    return as_map(call, inner, integral.values, upsample, integral.errors)


@method(
    title="Internal influence",
    family="path",
    paper="Leino et al., 2018, definition 1",
    about=(
        "Internal influence shows to which places of an inner layer the score reacts, on average "
        "on the way from a neutral input: where more activity would raise it (red) or lower it "
        "(blue). It tells what the model would react to, not what was there."
    ),
    kinds=("image", "text", "array"),
    needs=("gradient", "layer", "baseline"),
    cost=LAYER_COST,
    passes=FIXED_PASSES,
)
def internal_influence(
    call: Call,
    *,
    layer: str | None = None,
    baseline: Baseline = None,
    steps: Steps = 32,
    upsample: bool = True,
) -> Attribution:
    """How does the score react to each place of a layer, on the way from a baseline? Signed.

    Shapes, `layer` and `upsample` as in `layer_conductance`. `steps` are the nodes of
    the integral. Leino et al., 2018, definition 1, with the uniform distribution on
    the straight way. Raises LayerError.
    """
    inner = InnerLayer(call, layer)
    start = make_baseline(call, baseline)
    rows, places, weights = _all_nodes(call, steps)
    total: Tensor | None = None
    done = 0
    for points, own in straight_line(call, start, rows, places):
        _, _, gradients = inner.outputs_and_gradients(points, own)
        total = gradients.new_zeros(call.size, *gradients.shape[1:]) if total is None else total
        weight = weights[done : done + len(own)].to(gradients)
        total.index_add_(0, own, weight.view(-1, *(1,) * (gradients.ndim - 1)) * gradients)
        done += len(own)
    assert total is not None
    return as_map(call, inner, total, upsample, None)


@method(
    title="Neuron conductance",
    family="path",
    paper="Dhamdhere, Sundararajan and Yan, 2018, eq. 1",
    about=(
        "Neuron conductance shows what each value of the input adds to the score by way of one "
        "unit of an inner layer: red raised it, blue lowered it. It explains the unit's part in "
        "this one answer, not what the unit stands for."
    ),
    kinds=("image", "text", "array"),
    needs=("gradient", "layer", "baseline"),
    per_pixel=True,
    cost=LAYER_COST,
    passes="steps × (1 forward, 2 backwards)",
)
def neuron_conductance(
    call: Call,
    *,
    layer: str | None = None,
    unit: Index = 0,
    baseline: Baseline = None,
    steps: Steps = 32,
) -> Attribution:
    """What does each value add to the score through one unit of a layer? Signed, input's shape.

    Texts give (n, tokens), added up over the embedding's width. `unit` is a place in one sample's
    output of the layer: an index, or several. Where that leaves more than one number, such as a
    whole channel, their shares are added up. `layer` as in `layer_conductance`; `steps` are the
    nodes of the integral.
    Dhamdhere, Sundararajan and Yan, 2018, eq. 1. Raises LayerError.
    """
    chosen = Unit(call, InnerLayer(call, layer), unit)
    start = make_baseline(call, baseline)
    change = precise(call.explained) - precise(start)
    total = torch.zeros_like(change)
    rows, places, weights = _all_nodes(call, steps)
    done = 0
    for points, own in straight_line(call, start, rows, places):
        through = chosen.score_gradients_through(points, own)
        weight = weights[done : done + len(own)].to(through)
        total.index_add_(0, own, weight.view(-1, *(1,) * (change.ndim - 1)) * through)
        done += len(own)
    return Attribution(
        values=per_value(call, total * change),
        layer=chosen.layer.name,
        resolution=EVERY[call.kind],
    )


@method(
    title="Neuron integrated gradients",
    family="path",
    paper="Shrikumar, Su and Kundaje, 2018, section 2",
    about=(
        "This shows what drives one unit of an inner layer, compared with a neutral input: red "
        "values raised what it gives, blue ones lowered it. It does not tell whether the unit "
        "matters for the answer."
    ),
    kinds=("image", "text", "array"),
    needs=("gradient", "layer", "baseline"),
    per_pixel=True,
    cost=LAYER_COST,
    passes=PASSES,
)
def neuron_integrated_gradients(
    call: Call,
    *,
    layer: str | None = None,
    unit: Index = 0,
    baseline: Baseline = None,
    steps: Steps = 8,
    max_steps: MaxSteps = 256,
    tolerance: Tolerance = 0.01,
) -> Attribution:
    """How much did each value add to what one unit gives? Signed, of the input's shape.

    Integrated gradients of the unit's output in place of the score: complete for
    y_u(x) − y_u(b). `layer` and `unit` as in `neuron_conductance`, the rest as in
    `integrated_gradients`. Raises LayerError.
    """
    chosen = Unit(call, InnerLayer(call, layer), unit)
    plan = Plan(steps=steps, most=max(steps, max_steps), tolerance=tolerance, straight=True)
    found = along_straight_line(call, chosen, make_baseline(call, baseline), plan)
    return Attribution(
        values=per_value(call, found.values),
        layer=chosen.layer.name,
        resolution=EVERY[call.kind],
        completeness_error=found.errors,
    )


@method(
    title="Neuron gradient",
    family="gradient",
    paper="Simonyan, Vedaldi and Zisserman, 2014, section 2, for an inner unit",
    about=(
        "The gradient of one unit of an inner layer shows which values would raise (red) or lower "
        "(blue) what it gives, if they grew a little. It does not tell whether the unit matters "
        "for the answer."
    ),
    kinds=("image", "text", "array"),
    needs=("gradient", "layer"),
    per_pixel=True,
    cost="little more than one prediction",
    passes="1 forward, 1 backward from the layer, and 1 forward",
)
def neuron_gradient(call: Call, *, layer: str | None = None, unit: Index = 0) -> Attribution:
    """How does what one unit gives react to each value? Signed, of the input's shape.

    Texts give (n, tokens), zero or more: the sizes add up over the embedding's width. `layer` and
    `unit` as in `neuron_conductance`. Raises LayerError.
    """
    chosen = Unit(call, InnerLayer(call, layer), unit)
    everyone = torch.arange(call.size, device=call.explained.device)
    _, gradients = chosen.scores_and_gradients(call.explained, everyone)
    gradients = precise(gradients)
    return Attribution(
        values=per_value(call, gradients.abs() if call.kind == "text" else gradients),
        layer=chosen.layer.name,
        resolution=EVERY[call.kind],
    )


def _all_nodes(call: Call, steps: int) -> tuple[Tensor, Tensor, Tensor]:
    """Rows, places and weights of so many nodes on each sample's way."""
    places, weights = gauss(steps)
    rows = torch.arange(call.size).repeat_interleave(steps)
    return rows, places.repeat(call.size), weights.repeat(call.size)
