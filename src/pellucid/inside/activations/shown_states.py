"""Hidden states and gates of the shown samples over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.inside.activations.gates import Unrolled

MOST_UNITS, MOST_STEPS = 40, 256


def state_arrays(seen: Sequence[Sequence[Unrolled]]) -> dict[str, Any]:
    """States by layer, quantity, shown sample, step and unit, by name; empty without any.

    Of each layer the 40 units are kept whose hidden state varies most; NaN where a sample is
    shorter, or a layer has no such gate. `state_unit` names the units, −1 behind the last.
    """
    number = min(map(len, seen), default=0)
    if not number:
        return {}
    layers = [each.name for each in seen[0][:number]]
    names = list(dict.fromkeys(name for each in seen[0][:number] for name in each.values))
    steps = min(MOST_STEPS, max(each.used.shape[1] for row in seen for each in row[:number]))
    units = np.full((number, MOST_UNITS), -1, dtype=np.int64)
    shape = (number, len(names), len(seen), steps, MOST_UNITS)
    whole = np.full(shape, np.nan, dtype=np.float32)
    for place in range(number):
        chosen = _liveliest([row[place] for row in seen])
        units[place, : len(chosen)] = chosen
        for sample, row in enumerate(seen):
            for name, values in row[place].values.items():
                part = values[0, :steps].cpu().numpy()
                fitting = chosen[chosen < part.shape[1]]
                target = whole[place, names.index(name), sample]
                target[: len(part), : len(fitting)] = part[:, fitting]
    return {
        "state": (("recurrent", "quantity", "shown", "step", "hidden"), whole),
        "recurrent_name": ("recurrent", np.array(layers, dtype=np.str_)),
        "quantity_name": ("quantity", np.array(names, dtype=np.str_)),
        "state_unit": (("recurrent", "hidden"), units),
    }


def _liveliest(rows: Sequence[Unrolled]) -> NDArray[np.int64]:
    """Units whose hidden state varies most over the steps, in order of their first peak."""
    states = np.concatenate([row.values["hidden state"][0].cpu().numpy() for row in rows])
    chosen = np.argsort(-states.var(0), kind="stable")[:MOST_UNITS]
    first = np.abs(rows[0].values["hidden state"][0].cpu().numpy()[:, chosen]).argmax(0)
    return np.asarray(chosen[np.argsort(first, kind="stable")])
