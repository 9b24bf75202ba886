"""Objectives made into numbers: from what a layer gives to one score per picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from pellucid.attribution.layers import Grid, find_grid
from pellucid.errors import LayerError, ModelError, SpecError
from pellucid.inside.features.objectives import Class, Direction, Layer, Objective, Place, Unit
from pellucid.inside.features.watching import LOGITS
from pellucid.model import Model

NO_PLACE: Place = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Aim:
    """One objective for one layer's output.

    `weights` (channels,) is the direction that is looked along; None takes the mean of squares.
    `classes` are the class and the one it is told from, if any. `name` is as it is written,
    `title` as it is shown.
    """

    name: str
    title: str
    kind: str
    layer: str
    weights: Float[Tensor, " channels"] | None
    at: Place | None = None
    classes: tuple[int, ...] = field(default=())

    def score(
        self, output: Float[Tensor, " n *rest"], picture: tuple[int, int]
    ) -> Float[Tensor, " n"]:
        """Score each picture by what the layer gives for it; `picture` is (height, width)."""
        if self.weights is None:
            return output.square().flatten(1).mean(1)
        cells = by_channel(output, picture) if self.at is None else self._place(output, picture)
        if cells.ndim > 2:
            cells = cells.flatten(2).mean(2)
        return cells @ self.weights.to(cells)

    def _place(self, output: Tensor, picture: tuple[int, int]) -> Float[Tensor, "n channels"]:
        assert self.at is not None
        if len(self.at) == 1:
            if output.ndim != 3 or self.at[0] >= output.shape[1]:
                raise LayerError(
                    f"token {self.at[0]} is not in layer {self.layer!r}, which gives "
                    f"{_shape(output)}; expected LAYER:UNIT@TOKEN for (n, tokens, channels)."
                )
            return output[:, self.at[0]]
        cells = by_channel(output, picture)
        row, column = self.at
        if cells.ndim != 4 or row >= cells.shape[2] or column >= cells.shape[3]:
            room = (
                f"{cells.shape[2]} rows and {cells.shape[3]} columns, counted from 0"
                if cells.ndim == 4
                else f"no rows and columns ({_shape(output)})"
            )
            raise LayerError(f"place {row},{column} is not in layer {self.layer!r}: it has {room}.")
        return cells[:, :, row, column]


def by_channel(
    output: Float[Tensor, " n *rest"], picture: tuple[int, int]
) -> Float[Tensor, "n channels *cells"]:
    """Rearrange a layer's output to (n, channels, …): maps, channels last, tokens, or vectors."""
    grid = find_grid(tuple(output.shape), picture)
    if isinstance(grid, Grid):
        return grid.of(output)
    return output.movedim(-1, 1) if output.ndim == 3 else output


def plan_aims(
    objectives: Sequence[Objective],
    model: Model,
    outputs: dict[str, Tensor],
    picture: tuple[int, int],
) -> list[Aim]:
    """Make aims of objectives, given an example of what each layer gives.

    Raises ModelError for an unknown class, LayerError for a unit or place that a layer lacks.
    """
    aims = []
    for objective in objectives:
        if isinstance(objective, Class):
            aim = _class(objective, model, outputs[LOGITS])
        else:
            aim = _inner(objective, outputs[objective.layer], picture)
        aim.score(outputs[aim.layer], picture)
        aims.append(aim)
    return _told_apart(aims)


def _class(objective: Class, model: Model, logits: Tensor) -> Aim:
    if logits.ndim != 2:
        raise ModelError(
            f"{model.source} gives {_shape(logits)}, not one row of logits per picture, so it has "
            "no class to show. Show a unit of a layer: LAYER:UNIT."
        )
    named = [objective.label, *([] if objective.against is None else [objective.against])]
    indices = [model.label_index(label) for label in named]
    for index in indices:
        if index >= logits.shape[1]:
            raise ModelError(
                f"class {index} was asked for, but {model.source} gives {logits.shape[1]} logits; "
                f"expected 0 to {logits.shape[1] - 1}."
            )
    if len(set(indices)) < len(indices):
        raise ModelError(
            f"class {named[0]!r} was set against itself; the difference is zero. Name two classes."
        )
    labels = [_label(index, model) for index in indices]
    weights = torch.zeros(logits.shape[1])
    weights[indices[0]] = 1
    weights[indices[1:]] = -1
    return Aim(
        name="class:" + "-".join(labels),
        title=" against ".join(labels),
        kind="contrast" if indices[1:] else "class",
        layer=LOGITS,
        weights=weights,
        classes=tuple(indices),
    )


def _inner(objective: Unit | Direction | Layer, output: Tensor, picture: tuple[int, int]) -> Aim:
    layer = objective.layer
    if isinstance(objective, Layer):
        return Aim(name=layer, title=f"layer {layer}", kind="layer", layer=layer, weights=None)
    channels = by_channel(output, picture).shape[1]
    where = "" if objective.at is None else "@" + ",".join(map(str, objective.at))
    if isinstance(objective, Direction):
        vector = torch.as_tensor(objective.vector, dtype=torch.float32).detach()
        if tuple(vector.shape) != (channels,):
            raise LayerError(
                f"a direction of shape {tuple(vector.shape)} was given; layer {layer!r} has "
                f"{channels} channels, so expected ({channels},)."
            )
        name, weights, kind = f"{layer}:{objective.name}{where}", vector, "direction"
    else:
        if not 0 <= objective.index < channels:
            raise LayerError(
                f"unit {objective.index} is not in layer {layer!r}, which gives {_shape(output)}; "
                f"expected a unit from 0 to {channels - 1}."
            )
        weights = torch.zeros(channels)
        weights[objective.index] = 1
        name, kind = f"{layer}:{objective.index}{where}", "neuron" if where else "channel"
    return Aim(name=name, title=name, kind=kind, layer=layer, weights=weights, at=objective.at)


def _told_apart(aims: list[Aim]) -> list[Aim]:
    """Refuse the same objective twice, since its pictures would be the same."""
    names = [aim.name for aim in aims]
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise SpecError(
            f"objective {twice[0]!r} was given twice; ask for several pictures of it with images=, "
            "and name directions of one layer differently."
        )
    return aims


def _label(index: int, model: Model) -> str:
    """Name a class; one whose label another class has too is told apart by its number."""
    if index >= len(model.labels):
        return f"class {index}"
    label = model.labels[index]
    return f"{label} ({index})" if model.labels.count(label) > 1 else label


def _shape(output: Tensor) -> str:
    return f"(n, {', '.join(map(str, output.shape[1:]))})"
