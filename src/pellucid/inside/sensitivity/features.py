"""Changes of arrays: noise by each feature's own spread, and features that are left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pellucid.data import Batches, Data, in_order
from pellucid.errors import ModelError
from pellucid.inside.sensitivity.changes import Change, Floats, growing
from pellucid.model import Inputs, Model

MOST_NOISE = 3.0  # standard deviations of the feature
MOST_DROPPED = 100.0  # % of the features

Values = NDArray[np.float32]


class Arrays:
    """Arrays of one sample, as the model gets them; features are all their entries.

    Mean and spread of each feature are those of `data`; over all entries of all samples where
    their shapes differ.
    """

    def __init__(self, model: Model, data: Data, num_steps: int) -> None:
        self.model = model
        self.mean, self.std, self.name = _spread(model, data)
        self.changes: tuple[Change, ...] = (
            Change(
                name="noise",
                about="normal noise added to every feature, by its own spread over the data",
                unit="standard deviations of the feature",
                short="noise",
                strengths=growing(MOST_NOISE, num_steps, power=1.5),
                apply=self._add_noise,
            ),
            Change(
                name="dropout",
                about="a share of the features set to their mean over the data, the same and more",
                unit="% of the features",
                short="drop",
                strengths=growing(MOST_DROPPED, num_steps),
                apply=self._drop,
            ),
        )

    def prepare(self, raws: Sequence[Any]) -> Inputs:
        return self.model.prepare(raws)

    def states(self, prepared: Inputs) -> list[Values]:
        return list(prepared[self.name].numpy())

    def inputs(self, states: Sequence[Values]) -> Inputs:
        return {self.name: torch.from_numpy(np.stack(states))}

    def shape(self, state: Values) -> tuple[int, ...]:
        return state.shape

    def shown(self, state: Values) -> None:  # noqa: ARG002
        return None

    def _add_noise(self, values: Values, strength: float, random: np.random.Generator) -> Values:
        drawn = random.standard_normal(values.shape)
        return (values + strength * self.std * drawn).astype(np.float32)

    def _drop(self, values: Values, share: float, random: np.random.Generator) -> Values:
        dropped = random.permutation(values.size)[: round(values.size * share / 100)]
        changed = values.copy().ravel()
        changed[dropped] = np.broadcast_to(self.mean, values.shape).ravel()[dropped]
        return changed.reshape(values.shape)


def _spread(model: Model, data: Data) -> tuple[Floats, Floats, str]:
    """Mean and standard deviation of each feature, and the name of the input that holds them."""
    count, total, squares, name = 0, np.zeros(()), np.zeros(()), ""
    for batch in Batches(data, model.prepare, in_order(len(data), 1)):
        name, values = _only(model, batch.inputs)
        row = values[0].double().numpy()
        if count and row.shape != total.shape:
            return _scalar_spread(model, data)
        count, total, squares = count + 1, total + row, squares + row**2
    mean = total / max(count, 1)
    variance = np.maximum(squares / max(count, 1) - mean**2, 0)
    if count < 2:
        variance = np.full(mean.shape, float(np.var(total)))
    return np.asarray(mean), np.sqrt(variance), name


def _scalar_spread(model: Model, data: Data) -> tuple[Floats, Floats, str]:
    count, total, squares, name = 0, 0.0, 0.0, ""
    for batch in Batches(data, model.prepare, in_order(len(data), 1)):
        name, values = _only(model, batch.inputs)
        count += values.numel()
        total += float(values.double().sum())
        squares += float(values.double().square().sum())
    mean = total / count
    return np.asarray(mean), np.sqrt(np.asarray(max(squares / count - mean**2, 0))), name


def _only(model: Model, inputs: Inputs) -> tuple[str, torch.Tensor]:
    if len(inputs) != 1:
        raise ModelError(
            f"{model.source} takes {sorted(inputs)}; expected one array per sample to be changed."
        )
    return next(iter(inputs.items()))
