"""A layer's output, or one unit of it, as a function of the input, with gradients to and from it."""

from __future__ import annotations

from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pellucid.attribution.call import EVERY, Attribution, Call
from pellucid.attribution.cam.fusing import picture_of, stretched
from pellucid.attribution.freezing import intercepted
from pellucid.attribution.gradient import precise
from pellucid.attribution.layers import choose_layers, find_grid
from pellucid.errors import LayerError, MethodError, NoGradientError
from pellucid.graph.addressing import find_layer

Index = int | tuple[int, ...]


@final
class InnerLayer:
    """One layer of a call's model; the last with a grid over the picture if none is named.

    Where it is called more than once, its last call counts. Raises LayerError.
    """

    def __init__(self, call: Call, layer: str | None) -> None:
        if layer is None and call.kind != "image":
            names = [name for name, _ in call.model.module.named_modules() if name]
            raise LayerError(
                "no layer was named, and only pictures have layers that can be chosen for you. "
                f"Name one of: {', '.join(names)}."
            )
        self._call = call
        (self.name,) = choose_layers(call.model, call.inputs, layer)
        first = torch.zeros_like(call.targets[:1])
        _, output = self.outputs(call.explained[:1], first)
        self.shape = output.shape[1:]
        self.row_bytes = precise(output).nbytes

    def run(
        self, points: Float[Tensor, " m *shape"], rows: Int[Tensor, " m"]
    ) -> tuple[Float[Tensor, " m"], Float[Tensor, " m *output"]]:
        """Scores and outputs at points, from one pass, which can still be differentiated."""
        caught: list[Tensor] = []

        def catch(output: Tensor) -> Tensor:
            caught.append(output if output.requires_grad else output.detach().requires_grad_())
            return caught[-1].clone()

        with intercepted(find_layer(self._call.model.module, self.name), catch):
            logits = self._call.logits(points, rows)
        if not caught or len(caught[-1]) != len(rows):
            raise LayerError(
                f"layer {self.name!r} gives no tensor with one row for each sample in a "
                "prediction. Name another one."
            )
        return self._call.score(logits, rows), caught[-1]

    def outputs(
        self, points: Float[Tensor, " m *shape"], rows: Int[Tensor, " m"]
    ) -> tuple[Float[Tensor, " m"], Float[Tensor, " m *output"]]:
        """Scores and outputs at points."""
        with torch.no_grad():
            scores, outputs = self.run(points, rows)
        return scores, precise(outputs.detach())

    def outputs_and_gradients(
        self, points: Float[Tensor, " m *shape"], rows: Int[Tensor, " m"]
    ) -> tuple[Float[Tensor, " m"], Float[Tensor, " m *output"], Float[Tensor, " m *output"]]:
        """Scores and outputs at points, and the scores' gradients at the outputs."""
        scores, outputs = self.run(points, rows)
        gradients = self.differentiate(scores, outputs, rows)
        return scores.detach(), precise(outputs.detach()), precise(gradients)

    def differentiate(
        self,
        scalars: Float[Tensor, " m"],
        source: Tensor,
        rows: Int[Tensor, " m"],
        keep: bool = False,
    ) -> Tensor:
        """Gradients of scalars at what they were computed from; counts as a backward pass."""
        if not scalars.requires_grad:
            raise NoGradientError(
                f"what layer {self.name!r} gives, or what is made of it, has no gradient."
            )
        self._call.backwards += torch.bincount(rows.cpu(), minlength=self._call.size)
        (found,) = torch.autograd.grad(
            scalars.sum(), [source], retain_graph=keep, materialize_grads=True
        )
        return found


@final
class Unit:
    """One unit of a layer as a scalar of each sample, in place of the score.

    `index` leads into one sample's output; what is left there, such as a channel, is added up.
    Raises MethodError for a place that the output does not have.
    """

    def __init__(self, call: Call, layer: InnerLayer, index: Index) -> None:
        self._call, self.layer = call, layer
        self._index = (index,) if isinstance(index, int) else tuple(index)
        shape = tuple(layer.shape)
        inside = (-size <= i < size for i, size in zip(self._index, shape, strict=False))
        if len(self._index) > len(shape) or not all(inside):
            raise MethodError(
                f"unit={index!r} was given, but one sample's output of layer {layer.name!r} is of "
                f"shape {shape}. Give an index, or as many as it has dimensions."
            )

    def scores(
        self, points: Float[Tensor, " m *shape"], rows: Int[Tensor, " m"]
    ) -> Float[Tensor, " m"]:
        """What the unit gives at points."""
        parts = [
            self._of(self.layer.outputs(points[part], rows[part])[1])
            for part in self._call.chunks(len(rows))
        ]
        return torch.cat(parts)

    def scores_and_gradients(
        self, points: Float[Tensor, " m *shape"], rows: Int[Tensor, " m"]
    ) -> tuple[Float[Tensor, " m"], Float[Tensor, " m *shape"]]:
        """What the unit gives at points, and its gradients there."""
        scores, gradients = [], []
        for part in self._call.chunks(len(rows)):
            leaf = points[part].detach().requires_grad_()
            given = self._of(self.layer.run(leaf, rows[part])[1])
            gradients.append(self.layer.differentiate(given, leaf, rows[part]))
            scores.append(given.detach())
        return torch.cat(scores), torch.cat(gradients)

    def score_gradients_through(
        self, points: Float[Tensor, " m *shape"], rows: Int[Tensor, " m"]
    ) -> Float[Tensor, " m *shape"]:
        """The score's gradients at points, as far as they run through the unit."""
        leaf = points.detach().requires_grad_()
        score, output = self.layer.run(leaf, rows)
        slope = self.layer.differentiate(score, output, rows, keep=True)
        return precise(self.layer.differentiate(self._of(slope * output), leaf, rows))

    @property
    def own_scores(self) -> Float[Tensor, " n"]:
        """What the unit gives for the samples themselves."""
        rows = torch.arange(self._call.size, device=self._call.explained.device)
        return self.scores(self._call.explained, rows)

    def _of(self, output: Tensor) -> Float[Tensor, " m"]:
        chosen = output
        for index in self._index:
            chosen = chosen[:, index]
        return chosen.reshape(len(output), -1).sum(1)


def as_map(
    call: Call,
    layer: InnerLayer,
    values: Float[Tensor, " n *output"],
    upsample: bool,
    completeness_error: Float[Tensor, " n"] | None,
) -> Attribution:
    """Report a layer's values: on its grid over the picture, by token, or of arrays as they are."""
    if call.kind == "text":
        values = _by_token(call, layer, values)
    picture = picture_of(call) if call.kind == "image" else (0, 0)
    grid = find_grid(tuple(values.shape), picture) if call.kind == "image" else None
    if call.kind == "image" and grid is None:
        raise LayerError(
            f"layer {layer.name!r} gives {tuple(values.shape)}, which is no grid over the picture."
        )
    if grid is None:
        resolution = EVERY["text"] if call.kind == "text" else "every unit of the layer"
    else:
        values = grid.of(values).sum(1)
        resolution = f"{grid.height} × {grid.width} cells"
        values = stretched(values, picture) if upsample else values
    return Attribution(
        values=values,
        layer=layer.name,
        resolution=resolution,
        completeness_error=completeness_error,
    )


def _by_token(
    call: Call, layer: InnerLayer, values: Float[Tensor, " n *output"]
) -> Float[Tensor, "n tokens"]:
    tokens = call.explained.shape[1]
    if values.ndim != 3 or values.shape[1] != tokens:
        raise LayerError(
            f"layer {layer.name!r} gives {tuple(values.shape)} for texts of {tokens} tokens; "
            "expected a row for each token, (n, tokens, width). Name a block of the encoder."
        )
    return values.sum(2)
