"""What the propagation methods share: the call's graph from the explained tensor on, in pieces."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor, fx
from torch.fx.experimental.proxy_tensor import make_fx

from pellucid.attribution.call import Call
from pellucid.errors import MethodError, ModelError
from pellucid.graph.operators import decompositions
from pellucid.graph.propagation import Propagation, Rules
from pellucid.graph.propagation.canonical import Canonical, unchanged

TENSORS_PER_PASS = 2


@final
@dataclass(frozen=True, eq=False)
class Passes:
    """Runs a call's graph under a table of rules, from the explained tensor to the logits."""

    call: Call
    rules: Rules
    canonical: Canonical

    @classmethod
    def of(cls, call: Call, rules: Rules) -> Passes:
        """Open the graph of a call as it was recorded. Raises MethodError where there is none."""
        return cls(call, rules, unchanged(operators_of(call, rules.name)))

    @property
    def start(self) -> fx.Node:
        """The node whose value is explained: an input, or the output of the embedding."""
        graph, call = self.call.graph, self.call
        if call.embedding is None:
            return self.fed[call.name]
        names = (name for name, part in call.model.module.named_modules() if part is call.embedding)
        return self.canonical.now[graph.recording.layers[next(names)]]

    @property
    def fed(self) -> dict[str, fx.Node]:
        """The nodes of the inputs, by name."""
        nodes = [node for node in self.canonical.graph.nodes if node.op == "placeholder"]
        return dict(zip(self.call.graph.inputs, nodes, strict=True))

    @property
    def dtype(self) -> torch.dtype:
        """The type of the samples, in float32 at least."""
        return torch.promote_types(self.call.explained.dtype, torch.float32)

    def pieces(self, rows: Int[Tensor, " m"]) -> Iterator[Int[Tensor, " piece"]]:
        """Split rows into what one pass may see; a graph of one batch takes it whole."""
        if self.call.graph.how == "dispatch":
            yield torch.arange(self.call.size, device=rows.device)
            return
        for places in self.call.chunks(len(rows)):
            whole = len(places) == len(rows)
            size = len(places) if whole else max(1, len(places) // TENSORS_PER_PASS)
            yield from torch.split(rows[places], size)

    def propagation(self, rows: Int[Tensor, " m"], dtype: torch.dtype) -> Propagation:
        """The graph with the inputs of some samples, computed in `dtype`."""
        call = self.call
        return Propagation(
            module=self.canonical.module,
            graph=self.canonical.graph,
            start=self.start,
            fixed={
                node: _rows(call.inputs[name], rows, call.size) for name, node in self.fed.items()
            },
            rules=self.rules,
            dtype=dtype,
        )

    def count(self, rows: Int[Tensor, " m"], *, forwards: int) -> None:
        """Add passes to what the call counts."""
        samples = torch.bincount(rows.cpu(), minlength=self.call.size)
        self.call.forwards += forwards * samples
        self.call.backwards += samples


def operators_of(call: Call, name: str) -> fx.GraphModule:
    """The recorded operators of a call. Raises MethodError where there are none."""
    try:
        program: fx.GraphModule = call.graph.program
    except ModelError as error:
        raise MethodError(f"{name!r} needs the model's operators. {error}") from error
    return program


def score_rules(
    call: Call, rules: Rules, rows: Int[Tensor, " m"], logits: Float[Tensor, " m *classes"]
) -> Propagation:
    """The score as a function of the logits, recorded, for targets that are not linear in them."""
    program = make_fx(
        lambda given: call.score(given, rows), decomposition_table=dict(decompositions().items())
    )(logits.detach())
    start = next(node for node in program.graph.nodes if node.op == "placeholder")
    return Propagation(
        module=program, graph=program.graph, start=start, fixed={}, rules=rules, dtype=logits.dtype
    )


def as_table(output: Tensor) -> Float[Tensor, " m *classes"]:
    """Logits with an axis of classes, as the call has them."""
    return output[:, None] if output.ndim == 1 else output


def _rows(tensor: Tensor, rows: Tensor, size: int) -> Tensor:
    return tensor[rows] if tensor.ndim and len(tensor) == size else tensor
