"""What a layer's output is made of: units, and the positions at which each unit responds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from pellucid.attribution.layers import Grid, find_grid
from pellucid.errors import LayerError
from pellucid.inside.activations.survey import BOUNDS, SURVEYED, Called, first_tensor

Form = Literal["grid", "sequence", "vector"]
BoolTensor = Tensor


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A layer that is watched: how to read units and positions from its output.

    A grid is a picture's channels first, channels last or patch tokens; a sequence has tokens or
    steps; a vector one position. `unit_axis` counts with the samples first; `swapped` outputs have
    their steps before their samples. The output of the last of `calls` counts.
    """

    name: str
    kind: str
    activation: str
    form: Form
    unit_axis: int
    units: int
    swapped: bool = False
    extra: int = 0
    calls: int = 1

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The two ends of a bounded activation; None if the layer has none."""
        return BOUNDS.get(self.activation)


@dataclass(frozen=True, kw_only=True)
class Response:
    """A batch of one layer: `values` (n, units, positions) float32, and which positions count.

    `used` (n, positions) is None where all do. `extra` positions come before the cells of a grid
    of `height` × `width`, which are zero where there is no grid.
    """

    values: Tensor
    used: BoolTensor | None = None
    extra: int = 0
    height: int = 0
    width: int = 0

    @property
    def flat(self) -> Tensor:
        """All values that count, by unit: (m, units, positions) with no padding."""
        if self.used is None:
            return self.values
        return self.values.movedim(1, -1)[self.used].T[None]

    @property
    def pooled(self) -> Tensor:
        """Mean of each unit over the positions of each sample: (n, units)."""
        return self._mean(self.values)

    @property
    def rates(self) -> Tensor:
        """Mean of what is above zero, over the positions of each sample: (n, units)."""
        return self._mean(self.values.clamp(min=0))

    def peaks(self) -> tuple[Tensor, Tensor]:
        """Largest value of each unit over the cells of each sample, and its position: (n, units)."""
        values = self.values[:, :, self.extra :]
        if self.used is not None:
            values = values.masked_fill(~self.used[:, None], -torch.inf)
        found = values.max(-1)
        if self.used is None:
            return found.values, found.indices
        return found.values, found.indices - self.used.int().argmax(1)[:, None]

    def _mean(self, values: Tensor) -> Tensor:
        if self.used is None:
            return values.mean(-1)
        weights = self.used.to(values.dtype)
        return (values * weights[:, None]).sum(-1) / weights.sum(1).clamp(min=1)[:, None]


def read_layout(called: Called, picture: tuple[int, int] | None) -> Layer | None:
    """Find how a called module's output is laid out; None if it has no row per sample.

    `picture` is the (height, width) of the input, None for what is no picture.
    """
    shape = called.shape
    swapped = len(shape) == 3 and (_steps_first(called.module) or shape[0] != SURVEYED == shape[1])
    if swapped:
        shape = (shape[1], shape[0], *shape[2:])
    if len(shape) < 2 or len(shape) > 5 or shape[0] != SURVEYED or 0 in shape:
        return None
    layer = Layer(
        name=called.name,
        kind=type(called.module).__name__,
        activation=called.activation,
        form="vector",
        unit_axis=1,
        units=shape[1],
        swapped=swapped,
        calls=called.calls,
    )
    if len(shape) == 2 or all(size == 1 for size in shape[2:]):
        return layer
    grid = find_grid(shape, picture) if picture else None
    if grid is not None:
        axis = 1 if grid.layout == "channels first" else len(shape) - 1
        return replace(layer, form="grid", unit_axis=axis, units=shape[axis], extra=grid.extra)
    last = len(shape) == 3 and (called.units_last or picture is not None)
    axis = len(shape) - 1 if last else 1
    return replace(layer, form="sequence", unit_axis=axis, units=shape[axis])


def respond(
    layer: Layer, output: Any, size: int, mask: Tensor | None, picture: tuple[int, int] | None
) -> Response:
    """Read a batch of `size` samples from a layer's output.

    `mask` (n, tokens) marks the tokens of a text that count. Raises LayerError for an output of
    another shape than that of the first sample.
    """
    used: Tensor | None = None
    tensor = first_tensor(output)
    packed = output[0] if isinstance(output, tuple) and output else output
    if isinstance(packed, PackedSequence):
        tensor, lengths = pad_packed_sequence(packed, batch_first=True)
        used = (torch.arange(tensor.shape[1])[None] < lengths[:, None]).to(tensor.device)
    elif tensor is not None and layer.swapped:
        tensor = tensor.transpose(0, 1)
    axis = layer.unit_axis
    if tensor is None or tensor.ndim <= axis or tensor.shape[axis] != layer.units:
        got = "no tensor" if tensor is None else f"shape {tuple(tensor.shape)}"
        raise LayerError(_other_shape(layer, got))
    if tensor.shape[0] != size:
        raise LayerError(_other_shape(layer, f"{tensor.shape[0]} rows for {size} samples"))
    values = tensor.detach().float().movedim(axis, 1).flatten(2) if tensor.ndim > 2 else tensor
    values = values.float() if values.ndim == 3 else values.float()[..., None]
    height, width = _cells(layer, tensor, picture)
    if layer.form == "sequence" and mask is not None and mask.shape == (size, values.shape[2]):
        used = mask.to(tensor.device) > 0
    if used is not None and bool(used.all()):
        used = None
    return Response(
        values=values, used=used, extra=layer.extra if height else 0, height=height, width=width
    )


def _cells(layer: Layer, tensor: Tensor, picture: tuple[int, int] | None) -> tuple[int, int]:
    if layer.form != "grid" or picture is None:
        return 0, 0
    if tensor.ndim == 4:
        height, width = [
            n for axis, n in enumerate(tensor.shape) if axis not in (0, layer.unit_axis)
        ]
        return height, width
    grid: Grid | None = find_grid(tuple(tensor.shape), picture)
    return (grid.height, grid.width) if grid else (0, 0)


def _steps_first(module: nn.Module) -> bool:
    return isinstance(module, nn.RNNBase) and not module.batch_first


def _other_shape(layer: Layer, got: str) -> str:
    return (
        f"layer {layer.name!r} gave {layer.units} units for the first sample, and {got} for a "
        "later batch. A layer that changes its units from call to call has no statistics; leave "
        "it out, or use batch_size=1 if it puts samples together."
    )
