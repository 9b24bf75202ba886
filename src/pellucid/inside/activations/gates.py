"""Hidden states and gates of recurrent layers over time, computed again from weights and inputs.

PyTorch's recurrent layers give only their hidden states. Their gates follow from the same
equations (for an LSTM, with σ the logistic function):

    i, f, o = σ(W x + b + U h + c),   g = tanh(…),   c ← f c + i g,   h ← o tanh(c)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

GATES = {
    "LSTM": ("input gate", "forget gate", "output gate"),
    "GRU": ("reset gate", "update gate"),
    "RNN": (),
}
CLOSED, OPEN = 0.1, 0.9


@dataclass(frozen=True, kw_only=True)
class Unrolled:
    """One layer in one direction over time: named values (n, steps, hidden).

    `values` begins with "hidden state", then for an LSTM "cell state", and the gates. `used`
    (n, steps) marks the steps that belong to a sample.
    """

    name: str
    values: dict[str, Tensor]
    used: Tensor


def unroll(module: nn.RNNBase, arguments: tuple[Any, ...], name: str) -> list[Unrolled]:
    """Compute each layer and direction again; empty for a single sequence without samples."""
    inputs, lengths = _inputs(module, arguments[0])
    if inputs.ndim != 3:
        return []
    used = torch.arange(inputs.shape[1], device=inputs.device)[None] < lengths[:, None]
    found: list[Unrolled] = []
    for layer in range(module.num_layers):
        sides = []
        for side in range(2 if module.bidirectional else 1):
            row = layer * (2 if module.bidirectional else 1) + side
            start = _start(module, arguments, row, inputs)
            suffix = f"_l{layer}{'_reverse' if side else ''}"
            values = _run(module, suffix, inputs, used, start, backwards=bool(side))
            words = [name] if module.num_layers == 1 else [name, f"layer {layer + 1}"]
            words += ["backwards"] if side else []
            found.append(Unrolled(name=", ".join(words), values=values, used=used))
            sides.append(values["hidden state"])
        inputs = torch.cat(sides, -1)
    return found


def _inputs(module: nn.RNNBase, given: Any) -> tuple[Tensor, Tensor]:
    """Inputs (n, steps, features) and lengths (n,)."""
    if isinstance(given, PackedSequence):
        inputs, lengths = pad_packed_sequence(given, batch_first=True)
        return inputs, lengths.to(inputs.device)
    inputs = given if module.batch_first or given.ndim != 3 else given.transpose(0, 1)
    steps = inputs.shape[1] if inputs.ndim == 3 else 0
    return inputs, torch.full((len(inputs),), steps, device=inputs.device)


def _start(
    module: nn.RNNBase, arguments: tuple[Any, ...], row: int, inputs: Tensor
) -> tuple[Tensor, Tensor]:
    """First hidden and cell state of a layer and direction: zeros unless they were given."""
    given = arguments[1] if len(arguments) > 1 else None
    pair = given if isinstance(given, tuple) else (given, None)
    widths = (module.proj_size or module.hidden_size, module.hidden_size)
    hidden, cell = (
        inputs.new_zeros(len(inputs), width) if state is None else state[row]
        for state, width in zip(pair, widths, strict=True)
    )
    return hidden, cell


def _run(
    module: nn.RNNBase,
    suffix: str,
    inputs: Tensor,
    used: Tensor,
    start: tuple[Tensor, Tensor],
    *,
    backwards: bool,
) -> dict[str, Tensor]:
    step = _step(module, suffix)
    hidden, cell = start
    order = range(inputs.shape[1])
    rows: list[dict[str, Tensor]] = []
    for place in reversed(order) if backwards else order:
        values = step(inputs[:, place], hidden, cell)
        going = used[:, place, None]
        hidden = torch.where(going, values["hidden state"], hidden)
        cell = torch.where(going, values.get("cell state", cell), cell)
        rows.append({name: torch.where(going, value, 0) for name, value in values.items()})
    rows = rows[::-1] if backwards else rows
    return {name: torch.stack([row[name] for row in rows], 1) for name in rows[0]}


Step = Callable[[Tensor, Tensor, Tensor], dict[str, Tensor]]


def _step(module: nn.RNNBase, suffix: str) -> Step:
    weights = dict(module.named_parameters())
    into, across = weights[f"weight_ih{suffix}"], weights[f"weight_hh{suffix}"]
    bias = weights.get(f"bias_ih{suffix}")
    bias_across = weights.get(f"bias_hh{suffix}")
    shrink = weights.get(f"weight_hr{suffix}")

    def mixed(x: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        return (
            nn.functional.linear(x, into, bias),
            nn.functional.linear(hidden, across, bias_across),
        )

    def lstm(x: Tensor, hidden: Tensor, cell: Tensor) -> dict[str, Tensor]:
        admit, forget, fresh, emit = sum(mixed(x, hidden)).chunk(4, -1)  # type: ignore[union-attr]
        admit, forget, emit = admit.sigmoid(), forget.sigmoid(), emit.sigmoid()
        cell = forget * cell + admit * fresh.tanh()
        out = emit * cell.tanh()
        return {
            "hidden state": out if shrink is None else out @ shrink.T,
            "cell state": cell,
            "input gate": admit,
            "forget gate": forget,
            "candidate": fresh.tanh(),
            "output gate": emit,
        }

    def gru(x: Tensor, hidden: Tensor, cell: Tensor) -> dict[str, Tensor]:  # noqa: ARG001
        given, carried = (part.chunk(3, -1) for part in mixed(x, hidden))
        reset, keep = (given[0] + carried[0]).sigmoid(), (given[1] + carried[1]).sigmoid()
        fresh = (given[2] + reset * carried[2]).tanh()
        return {
            "hidden state": (1 - keep) * fresh + keep * hidden,
            "reset gate": reset,
            "update gate": keep,
            "candidate": fresh,
        }

    def plain(x: Tensor, hidden: Tensor, cell: Tensor) -> dict[str, Tensor]:  # noqa: ARG001
        total = torch.add(*mixed(x, hidden))
        rectified = getattr(module, "nonlinearity", "tanh") == "relu"
        return {"hidden state": total.relu() if rectified else total.tanh()}

    return {"LSTM": lstm, "GRU": gru}.get(family(module), plain)


def family(module: nn.RNNBase) -> str:
    """LSTM, GRU or RNN, also for classes made from them."""
    return "LSTM" if isinstance(module, nn.LSTM) else "GRU" if isinstance(module, nn.GRU) else "RNN"


@final
class GateStatistics:
    """How often each gate is nearly closed (below 0.1) or nearly open (above 0.9)."""

    def __init__(self) -> None:
        self.closed: dict[tuple[str, str], int] = {}
        self.open: dict[tuple[str, str], int] = {}
        self.total: dict[tuple[str, str], int] = {}

    def update(self, unrolled: list[Unrolled], mask: Tensor | None) -> None:
        """Add a batch; `mask` (n, steps) marks the tokens of texts that count."""
        for each in unrolled:
            used = each.used if mask is None or mask.shape != each.used.shape else mask > 0
            for gate, values in each.values.items():
                if gate.endswith("gate"):
                    found, key = values[used.to(values.device)], (each.name, gate)
                    self.closed[key] = self.closed.get(key, 0) + int((found < CLOSED).sum())
                    self.open[key] = self.open.get(key, 0) + int((found > OPEN).sum())
                    self.total[key] = self.total.get(key, 0) + found.numel()
